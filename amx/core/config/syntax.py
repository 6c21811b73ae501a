"""The one door to PyYAML, whose reading is the meaning of a file.

A change is an edit of the lines that it names; where that cannot be, ruamel writes the file anew.
"""

import re
from functools import cache, partial
from typing import Any, NamedTuple, cast

from amx.core.config.keys import Key
from amx.core.config.model import Changes, applied, same, value_at
from amx.core.config.nodes import MERGE, Composer, line_and_column, position_of, unquoted
from amx.core.config.scalars import WIDE, NoScalar, written
from amx.core.errors import ConfigInvalid, UsageError

HINT = "amx config restore --list"

BYTE_ORDER_MARK = "\ufeff"

_MAX_NUMBER_BITS = 1023
"""More does not fit into a float, with which every number may be compared."""

_MAX_NUMBER_TEXT = 8192
"""PyYAML reads ``1:59:59`` in the square of its length: half a megabyte takes ten seconds."""

_MOST_COMPOSED = 1 << 22
"""How many characters are composed for one rewrite: the text once per change. Takes a second."""

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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


def texts(data: bytes, where: str) -> list[tuple[int, str, object]]:
    """Read a mapping whose scalars are all text, however they look, for a file of words.

    Return the line, the key and the value of each entry; no entries where the file is empty.

    Raises:
        ConfigInvalid: it is not one YAML mapping; with line and column.
    """
    root = _composed(_text_of(data, where), where, is_text=True)
    if root is None:
        return []
    if root.id != "mapping":
        raise _refusal(where, *_place(root.start_mark), "the top level is not a mapping")
    return [(key.start_mark.line + 1, key.value, _plain(value)) for key, value in root.value]


def _plain(node: Any) -> object:
    if node.id == "mapping":
        return {key.value: _plain(value) for key, value in node.value}
    return [_plain(one) for one in node.value] if node.id == "sequence" else node.value


def text_of(values: object) -> str:
    """Return values as YAML to be read by a person."""
    import yaml

    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=WIDE)


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


def _composed(text: str, where: str, *, is_text: bool = False) -> Any:
    import yaml

    try:
        return Composer(yaml, is_text=is_text).compose(text)
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

        def flatten_mapping(self, node: Any) -> None:
            """Let a mapping's own keys win over merged ones, and an earlier source over a later.

            So has the definition of ``<<``, and PyYAML but for 6.0.4, where the last source wins.
            """
            brought, own = [], []
            for key, value in node.value:
                if key.tag != MERGE:
                    own.append((key, value))
                    continue
                for source in reversed(value.value if value.id == "sequence" else [value]):
                    if source.id != "mapping":
                        problem = f"only mappings can be merged, and this is a {source.id}"
                        raise ConstructorError(None, None, problem, source.start_mark)
                    self.flatten_mapping(source)
                    brought += source.value
            node.value = brought + own

    return StrictConstructor


# --- writing


def rewrite(text: str, changes: Changes) -> str:
    """Return a configuration's text with the changes made, comments and key order kept.

    Whether the result means what was meant is for the caller to check, by reading it.

    Raises:
        SaveFailed: neither an edit of the lines nor ruamel's round trip can make these changes
            without losing a comment.
    """
    import yaml

    mark = BYTE_ORDER_MARK * text.startswith(BYTE_ORDER_MARK)
    body = text.removeprefix(BYTE_ORDER_MARK)
    new = _in_place(body, changes)
    if new is None:
        from amx.core.config.writer import round_trip

        new = round_trip(yaml, body, changes, partial(_composed, where=""))
    return mark + new


def _in_place(text: str, changes: Changes) -> str | None:
    """Return the text with only the lines of the changes edited; None where that cannot be."""
    import yaml

    from amx.core.config.comments import are_kept, spans
    from amx.core.config.places import NotInPlace

    if text.startswith(BYTE_ORDER_MARK) or len(text) * len(changes) > _MOST_COMPOSED:
        return None  # a second mark is not counted in the places that the parser gives
    try:
        root = _composed(text, "")
        values = _constructed(root, "") if root is not None else None
        if not isinstance(values, dict):
            return None
        if re.search("<<|merge|%TAG", text):  # PyYAML puts what a merge brings into the tree
            root = _composed(text, "")
        new, wanted = _spliced(text, root, values, changes)
        is_meant = same(_constructed(_composed(new, ""), ""), wanted)
    except (NotInPlace, NoScalar, ConfigInvalid):
        return None
    is_whole = is_meant and are_kept(yaml, text, new, gone=spans(text, root, changes))
    return new if is_whole else None


def _spliced(
    text: str, root: Any, values: dict[str, object], changes: Changes
) -> tuple[str, dict[str, object]]:
    import yaml

    from amx.core.config.splice import spliced

    write = partial(written, yaml)
    for key, value in changes.items():
        if not same(value_at(values, key), value):
            node = root if root is not None else _composed(text, "")
            text, root = spliced(text, node, key, value, write), None
            values = applied(values, {key: value})
    return text, values
