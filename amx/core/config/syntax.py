"""The one door to YAML. PyYAML's reading is the meaning of a file; ruamel only writes.

ruamel resolves no scalar here: what a change does not touch is written as it was read, so that
``no``, ``010`` and ``12:30:45``, on which the two disagree, keep their text and their meaning.
"""

import re
from collections.abc import Mapping
from functools import cache
from io import StringIO
from typing import Any, NamedTuple, cast

from amx.core.config.keys import Key
from amx.core.config.model import Changes
from amx.core.config.nodes import Composer, line_and_column, position_of, unquoted
from amx.core.errors import ConfigInvalid, SaveFailed, UsageError

HINT = "amx config restore --list"

BYTE_ORDER_MARK = "\ufeff"

_MAX_NUMBER_BITS = 1023
"""More does not fit into a float, with which every number may be compared."""

_MAX_NUMBER_TEXT = 8192
"""PyYAML reads ``1:59:59`` in the square of its length: half a megabyte takes ten seconds."""

_WIDE = 1 << 20
"""No line is folded: folding would change what the user wrote."""

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_PLAIN_WORD = r"[A-Za-z_/.][\w./@+-]*|\$\{\w+\}"
"""Text that every style of YAML may hold without quotes, if it is not read as another type."""


class Document(NamedTuple):
    """A file as it was understood."""

    values: dict[str, object]
    root: Any

    def __repr__(self) -> str:
        return "Document()"

    def position(self, key: Key) -> tuple[int, int]:
        """Return line and column of the value, or of the nearest one above it."""
        return position_of(self.root, key) if self.root is not None else (1, 1)


def read(data: bytes, where: str) -> Document:
    """Read a whole configuration, strictly.

    Raises:
        ConfigInvalid: it is not one YAML mapping with text as keys, each of them once, of bounded
            depth and size; with line and column.
    """
    text = _text_of(data, where)
    root = _composed(text, where)
    if root is None:
        raise _refusal(where, 1, 1, "the file is empty")
    values = _constructed(root, where) if root.id == "mapping" else None
    if not isinstance(values, dict):
        raise _refusal(where, *_place(root.start_mark), "the top level is not a mapping")
    return Document(values, root)


def scalar(text: str) -> object:
    """Read one YAML scalar, as ``config set`` takes it.

    Raises:
        UsageError: the text is no scalar, or would be read as less than it says.
    """
    hint = "Give --string to take it as it is."
    try:
        node = _composed(text, "VALUE")
        value = _constructed(node, "VALUE") if node is not None else None
    except ConfigInvalid as error:
        msg = f"{error.message} Nothing was changed."
        raise UsageError(msg, hint=hint) from error
    if not text.strip():
        return ""
    if node is None or node.id != "scalar" or not _is_whole(node, text):
        raise UsageError("VALUE is not one YAML scalar. Nothing was changed.", hint=hint)
    return value


def _is_whole(node: Any, text: str) -> bool:
    """Tell whether a scalar is all of a text: no comment, no fold, no marker is dropped."""
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    return "\n" not in text and (node.start_mark.index, node.end_mark.index) == (start, end)


def text_of(values: object) -> str:
    """Return values as YAML to be read by a person."""
    import yaml

    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=_WIDE)


# --- reading


def _text_of(data: bytes, where: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _refusal(where, 1, 1, "the file is UTF-16 or UTF-32; it must be UTF-8")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        place = line_and_column(data[: error.start].decode().removeprefix(BYTE_ORDER_MARK))
        problem = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise _refusal(where, *place, problem) from None  # it holds the file
    text = text.removeprefix(BYTE_ORDER_MARK)
    if found := _UNPRINTABLE.search(text):
        place = line_and_column(text[: found.start()])
        raise _refusal(where, *place, f"control character 0x{ord(found[0]):02x}")
    return text


def _composed(text: str, where: str) -> Any:
    import yaml

    try:
        return Composer(yaml).compose(text)
    except yaml.MarkedYAMLError as error:
        place = _place(error.problem_mark or error.context_mark)
        raise _refusal(where, *place, unquoted(error)) from None
    except yaml.reader.ReaderError as error:
        place = line_and_column(text[: error.position])
        raise _refusal(where, *place, error.reason) from None


def _constructed(root: Any, where: str) -> object:
    import yaml

    try:
        return cast("object", _constructor()().construct_document(root))
    except yaml.MarkedYAMLError as error:
        place = _place(error.problem_mark or error.context_mark)
        raise _refusal(where, *place, unquoted(error)) from None


def _place(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _refusal(where: str, line: int, column: int, problem: str) -> ConfigInvalid:
    message = f"{where}, line {line}, column {column}: {problem}."
    return ConfigInvalid(message, line=line, column=column, hint=HINT)


@cache
def _constructor() -> type[Any]:
    from yaml.constructor import ConstructorError, SafeConstructor

    class StrictConstructor(SafeConstructor):
        """Gives each fault of a value the value's place in the file."""

        def construct_object(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - as its base has it
            if node.tag.endswith(":int") and len(node.value) > _MAX_NUMBER_TEXT:
                raise ConstructorError(None, None, "the number is too long", node.start_mark)
            try:
                value = super().construct_object(node, deep)
            except (ValueError, LookupError, TypeError, AttributeError, OverflowError):
                # PyYAML's own: int('…'), a month 13, !!bool x, !!timestamp x.
                problem = f"this cannot be read as {node.tag.rpartition(':')[2]}"
                raise ConstructorError(None, None, problem, node.start_mark) from None
            if isinstance(value, int) and value.bit_length() > _MAX_NUMBER_BITS:
                raise ConstructorError(None, None, "the number is too long", node.start_mark)
            return value

    return StrictConstructor


# --- writing


def rewrite(text: str, changes: Changes) -> str:
    """Return a configuration's text with the changes made, comments and key order kept.

    Whether the result means what was meant is for the caller to check, by reading it.

    Raises:
        SaveFailed: the round trip cannot cope with this file, or would lose a comment.
    """
    has_mark = text.startswith(BYTE_ORDER_MARK)
    ending = "\r\n" if "\r\n" in text else "\n"
    body = text.removeprefix(BYTE_ORDER_MARK).replace("\r\n", "\n")
    try:
        written = _round_trip(body, changes)
    except _ruamel_faults():
        msg = "The file cannot be rewritten with its comments. Nothing was changed."
        raise SaveFailed(msg, hint="amx config edit") from None
    return BYTE_ORDER_MARK * has_mark + written.replace("\n", ending)


def _ruamel_faults() -> tuple[type[Exception], ...]:
    from ruamel.yaml.error import YAMLError

    own = (LookupError, AttributeError, TypeError, ValueError, AssertionError)
    return (YAMLError, NotImplementedError, RecursionError, *own)


def _round_trip(text: str, changes: Changes) -> str:
    import yaml
    from ruamel.yaml.comments import CommentedMap

    from amx.core.config.comments import are_kept, spans
    from amx.core.config.roundtrip import changed, parts

    head, body, tail = parts(text)
    writer, out = _writer(body), StringIO()
    root = writer.load(body) if body.strip() else None
    writer.dump(changed(CommentedMap() if root is None else root, changes, _fresh), out)
    written = head + out.getvalue() + tail
    if not are_kept(yaml, text, written, gone=spans(text, _composed(text, ""), changes)):
        raise ValueError("a comment would be lost")
    return written


def _writer(text: str) -> Any:
    from ruamel.yaml import YAML

    from amx.core.config.roundtrip import indents

    writer = YAML()
    writer.Resolver = _resolver()
    writer.preserve_quotes = True
    writer.allow_unicode = True
    writer.width = _WIDE
    writer.composer.warn_double_anchors = False  # YAML allows them, and users see warnings
    writer.explicit_start = bool(re.search(r"^---(\s|$)", text, re.MULTILINE))
    mapping, dash = indents(text)
    writer.indent(mapping=mapping, sequence=dash + 2, offset=dash)
    return writer


def comment_token(text: str) -> Any:
    """Return text as ruamel keeps comments."""
    from ruamel.yaml.error import CommentMark
    from ruamel.yaml.tokens import CommentToken

    return CommentToken(text, CommentMark(0), None)


@cache
def _resolver() -> type[Any]:
    from ruamel.yaml.nodes import ScalarNode
    from ruamel.yaml.resolver import VersionedResolver
    from ruamel.yaml.tag import Tag

    class TextResolver(VersionedResolver):
        """Takes every scalar without a tag as text, which is written as it was read."""

        def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
            if kind is ScalarNode:
                return Tag(suffix="tag:yaml.org,2002:str")
            return super().resolve(kind, value, implicit)

    return TextResolver


def _fresh(value: object) -> Any:
    """Return what ruamel writes so that PyYAML reads this value."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if isinstance(value, Mapping):
        return CommentedMap({_fresh_text(str(name)): _fresh(item) for name, item in value.items()})
    if isinstance(value, list | tuple):
        return CommentedSeq([_fresh(item) for item in value])
    return _fresh_text(value) if isinstance(value, str) else _literal(value)


def _fresh_text(text: str) -> Any:
    from ruamel.yaml import scalarstring
    from yaml.nodes import ScalarNode

    if re.fullmatch(_PLAIN_WORD, text) and _yaml_tag(ScalarNode, text).endswith(":str"):
        return scalarstring.PlainScalarString(text)
    if text.isprintable():
        return scalarstring.SingleQuotedScalarString(text)
    return scalarstring.DoubleQuotedScalarString(text)


def _yaml_tag(kind: Any, text: str) -> str:
    from yaml.resolver import Resolver

    resolver: Any = Resolver()
    return cast("str", resolver.resolve(kind, text, (True, False)))


def _literal(value: object) -> Any:
    from ruamel.yaml.scalarstring import PlainScalarString
    from yaml.representer import SafeRepresenter

    if value is None or isinstance(value, bool | int | float):
        return PlainScalarString(SafeRepresenter().represent_data(value).value)
    msg = f"a change holds no {type(value).__name__}"
    raise TypeError(msg)
