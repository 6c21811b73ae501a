"""Where keys and values stand in a text: the marks that the parser gave their nodes, made exact.

A mark of a node is where its anchor is, so that an alias has none of its own; and it may lie behind
blank lines and comments that follow a collection.
"""

import re
from typing import Any, NamedTuple

from amx.core.config.nodes import LINE_BREAK

Node = Any

_ALIAS = re.compile(r"[ \t]*:[ \t]+\*[^\s,\[\]{}]+")
_COLON = re.compile(r"[ \t]*:(?=\s|\Z)")
_LAST_BREAK = re.compile(f"(?:{LINE_BREAK.pattern})\\Z")


class NotInPlace(Exception):
    """This change cannot be made as an edit of a few lines."""


class Pair(NamedTuple):
    """A key and its value in a mapping, and where the value ends."""

    key: Node
    value: Node
    end: int

    @property
    def is_alias(self) -> bool:
        """Whether the value stands elsewhere, before its key."""
        return bool(self.value.start_mark.index < self.key.end_mark.index)


class Places:
    """The places of one text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def pair(self, mapping: Node, name: str) -> Pair | None:
        """Return a key of this very mapping; None for one that a merge key brings.

        Raises:
            NotInPlace: its end cannot be told.
        """
        for key, value in mapping.value:
            if key.value == name and key.tag.endswith(":str"):
                return Pair(key, value, self.end(key, value))
        return None

    def end(self, key: Node, value: Node) -> int:
        """Return where a value ends, what follows it on its line apart.

        Raises:
            NotInPlace: this cannot be told.
        """
        if value.start_mark.index >= key.end_mark.index:
            return self._end_of(value)
        alias = _ALIAS.match(self._text, key.end_mark.index)
        if alias is None:
            raise NotInPlace
        return alias.end()

    def _end_of(self, node: Node) -> int:
        if node.id == "scalar":
            return self._end_of_scalar(node)
        if node.flow_style:
            return int(node.end_mark.index)
        last = node.value[-1]
        if node.id == "mapping":
            return self.end(*last)
        if last.start_mark.index < node.start_mark.index:
            raise NotInPlace
        return self._end_of(last)

    def _end_of_scalar(self, node: Node) -> int:
        """Return the end; blank lines below a text in lines count only where they are kept."""
        start, end = node.start_mark.index, node.end_mark.index
        if node.style not in ("|", ">"):
            return int(end)
        written = self._text[start:end]
        is_kept = "+" in LINE_BREAK.split(written, 1)[0].partition("#")[0]
        return int(start) + len(_LAST_BREAK.sub("", written) if is_kept else written.rstrip())

    def line_start(self, node: Node) -> int:
        """Return where the line begins on which a node does."""
        return int(node.start_mark.index - node.start_mark.column)

    def line_end(self, place: int) -> int:
        """Return where a line ends, before its break."""
        found = LINE_BREAK.search(self._text, place)
        return found.start() if found else len(self._text)

    def line_break(self, place: int) -> str:
        """Return the break that ends a line there, as the file has it; empty at its end."""
        found = LINE_BREAK.match(self._text, place)
        return found[0] if found else ""

    def after_colon(self, key: Node) -> int:
        """Return where a value may begin behind its key.

        Raises:
            NotInPlace: the colon is not on the line of the key.
        """
        colon = _COLON.match(self._text, key.end_mark.index)
        if colon is None:
            raise NotInPlace
        return colon.end()
