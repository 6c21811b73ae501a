"""The one door to ruamel, which writes a file anew where its lines cannot be edited.

ruamel resolves no scalar here: what a change does not touch is written as it was read, so that
``no``, ``010`` and ``12:30:45``, on which PyYAML disagrees, keep their text and their meaning.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from io import StringIO
from typing import Any

from amx.core.config.comments import are_kept, spans
from amx.core.config.model import Changes
from amx.core.config.roundtrip import changed, indents, parts
from amx.core.config.scalars import WIDE, styled
from amx.core.errors import SaveFailed


def round_trip(yaml: Any, text: str, changes: Changes, compose: Callable[[str], Any]) -> str:
    """Return a text with the changes made, its comments kept, and perhaps indented anew.

    Args:
        yaml: PyYAML, from the module that may import it.
        text: The text, without a byte order mark.
        changes: What to change.
        compose: Returns the node of a text.

    Raises:
        SaveFailed: ruamel cannot cope with this file, or would lose a comment.
    """
    ending = "\r\n" if "\r\n" in text else "\n"
    body = text.replace("\r\n", "\n")
    try:
        written = _written(yaml, body, changes)
        if not are_kept(yaml, body, written, gone=spans(body, compose(body), changes)):
            raise ValueError("a comment would be lost")
    except _faults():
        msg = "The file cannot be rewritten with its comments. Nothing was changed."
        raise SaveFailed(msg, hint="amx config edit") from None  # it holds the file
    return written.replace("\n", ending)


def _faults() -> tuple[type[Exception], ...]:
    from ruamel.yaml.error import YAMLError

    own = (LookupError, AttributeError, TypeError, ValueError, AssertionError)
    return (YAMLError, NotImplementedError, RecursionError, *own)


def _written(yaml: Any, text: str, changes: Changes) -> str:
    from ruamel.yaml.comments import CommentedMap

    head, body, tail = parts(text)
    writer, out = _writer(body), StringIO()
    root = writer.load(body) if body.strip() else None
    fresh = partial(_fresh, yaml)
    writer.dump(changed(CommentedMap() if root is None else root, changes, fresh), out)
    return head + out.getvalue() + tail


def _writer(text: str) -> Any:
    from ruamel.yaml import YAML

    writer = YAML()
    writer.Resolver = _resolver()
    writer.preserve_quotes = True
    writer.allow_unicode = True
    writer.width = WIDE
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


def _fresh(yaml: Any, value: object) -> Any:
    """Return what ruamel writes so that PyYAML reads this value."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    fresh = partial(_fresh, yaml)
    if isinstance(value, Mapping):
        return CommentedMap({fresh(str(name)): fresh(item) for name, item in value.items()})
    if isinstance(value, list | tuple):
        return CommentedSeq([fresh(item) for item in value])
    return _fresh_scalar(*styled(yaml, value))


def _fresh_scalar(text: str, quote: str) -> Any:
    from ruamel.yaml import scalarstring

    if not quote:
        return scalarstring.PlainScalarString(text)
    if quote == "'":
        return scalarstring.SingleQuotedScalarString(text)
    return scalarstring.DoubleQuotedScalarString(text)
