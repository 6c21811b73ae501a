"""A change as an edit of the text: nothing moves but the lines of the change.

What cannot be edited in place (a list that is replaced, the last key of the file, what an alias
brings) is refused here. Whether the result means what it should is for the caller to check.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Protocol

from amx.core.config.keys import Key
from amx.core.config.model import REMOVED, Changes, plain, same, value_at
from amx.core.config.nodes import LINE_BREAK
from amx.core.config.places import Node, NotInPlace, Pair, Places

_USUAL_STEP = 2
"""How far a key below another is indented where the file does not show it."""

_COMMA = re.compile(r"\s*,\s*")


class Write(Protocol):
    """Writes one scalar."""

    def __call__(self, value: object, *, is_in_brackets: bool) -> str:
        """Return the scalar as it stands on a line."""


def spliced(text: str, root: Node, key: Key, value: object, write: Write) -> str:
    """Return a text with one change made in it.

    Args:
        text: The text.
        root: The node of its document, a mapping.
        key: The key.
        value: Its new value; `REMOVED` takes it away.
        write: Writes a scalar.

    Raises:
        NotInPlace: it cannot be done here.
    """
    splice = _Splice(text, root, write)
    return splice.take(key) if value is REMOVED else splice.put(key, value)


def renames(values: Mapping[str, object], changes: Changes) -> Iterator[tuple[Key, str]]:
    """Yield the keys that go while their value comes back under a new name beside them."""
    for old, value in changes.items():
        before = value_at(values, old)
        if value is not REMOVED or before is REMOVED:
            continue
        for new, after in changes.items():
            is_new = new[:-1] == old[:-1] and value_at(values, new) is REMOVED
            if is_new and same(before, plain(after)):
                yield old, new[-1]
                break


def renamed(text: str, root: Node, key: Key, name: str, write: Write) -> str:
    """Return a text in which a key has another name; its value and comments stay where they are.

    Raises:
        NotInPlace: it cannot be done here.
    """
    return _Splice(text, root, write).rename(key, name)


class _Splice:
    """One change of one text."""

    def __init__(self, text: str, root: Node, write: Write) -> None:
        self._text = text
        self._root = root
        self._write = write
        self._places = Places(text)

    def put(self, key: Key, value: object) -> str:
        node = self._root
        for depth, name in enumerate(key):
            pair = self._places.pair(node, name)
            below = key[depth + 1 :]
            if pair is None:
                return self._added(node, name, _nested(below, value))
            if not below:
                return self._replaced(pair, value)
            if _is_empty(pair.value):
                return self._filled(node, pair, {below[0]: _nested(below[1:], value)})
            node = _mapping(pair.value)
        raise NotInPlace

    def take(self, key: Key) -> str:
        node, above = self._root, None
        for name in key[:-1]:
            above = self._pair(node, name)
            node = _mapping(above.value)
        pair = self._pair(node, key[-1])
        if node.flow_style:
            return self._cut_from_brackets(node, pair)
        return self._cut_lines(node, pair, above)

    def rename(self, key: Key, name: str) -> str:
        node = self._root
        for part in key[:-1]:
            node = _mapping(self._pair(node, part).value)
        old = self._pair(node, key[-1]).key
        new = self._write(name, is_in_brackets=bool(node.flow_style))
        return self._with(old.start_mark.index, old.end_mark.index, new)

    def _pair(self, node: Node, name: str) -> Pair:
        pair = self._places.pair(node, name)
        if pair is None:
            raise NotInPlace
        return pair

    def _replaced(self, pair: Pair, value: object) -> str:
        old = pair.value
        if isinstance(value, Mapping) and value:
            raise NotInPlace
        if pair.is_alias:
            start = self._places.after_colon(pair.key)
            return self._with(start, pair.end, f" {self._in_line(value)}")
        if old.id != "scalar" and not old.flow_style:
            raise NotInPlace
        start = old.start_mark.index
        blank = " " if start == pair.end else ""
        return self._with(start, pair.end, blank + self._in_line(value))

    def _filled(self, above: Node, pair: Pair, value: Mapping[str, object]) -> str:
        """Put keys where a mapping is empty: below the line of its key."""
        if above.flow_style:
            raise NotInPlace
        start, end = self._places.after_colon(pair.key), self._places.line_end(pair.end)
        column = pair.key.start_mark.column
        step = _step(above, column)
        rest = self._text[pair.end : end]
        return self._with(start, end, rest + self._lines(value, column + step, step, end))

    def _added(self, node: Node, name: str, value: object) -> str:
        """Put a key behind the last one of a mapping."""
        if not node.value:
            raise NotInPlace
        end = self._places.end(*node.value[-1])
        if node.flow_style:
            return self._with(end, end, f", {self._in_brackets_pair(name, value)}")
        column = node.value[0][0].start_mark.column
        end = self._places.line_end(end)
        lines = self._lines({name: value}, column, _step(node, column), end)
        return self._with(end, end, lines)

    def _cut_from_brackets(self, node: Node, pair: Pair) -> str:
        start, end = pair.key.start_mark.index, pair.end
        comma = _COMMA.match(self._text, end)
        if comma is not None and len(node.value) > 1:
            return self._with(start, comma.end(), "")
        before = self._text[:start].rstrip()
        if before.endswith(","):
            start = len(before[:-1].rstrip())
        return self._with(start, end, "")

    def _cut_lines(self, node: Node, pair: Pair, above: Pair | None) -> str:
        start = self._places.line_start(pair.key)
        if self._text[start : pair.key.start_mark.index].strip(" "):
            raise NotInPlace  # a key with `?` before it
        end = self._places.line_end(pair.end)
        end += len(self._places.line_break(end))
        text = self._with(start, end, "")
        if len(node.value) > 1:
            return text
        if above is None:
            raise NotInPlace
        place = self._places.after_colon(above.key)
        return f"{text[:place]} {{}}{text[place:]}"

    def _with(self, start: int, end: int, new: str) -> str:
        return self._text[:start] + new + self._text[end:]

    def _lines(self, value: Mapping[str, object], column: int, step: int, place: int) -> str:
        """Return keys and values, each on a line of its own behind the end of another."""
        newline = self._newline(place)
        text = ""
        for name, below in value.items():
            text += f"{newline}{' ' * column}{self._write(name, is_in_brackets=False)}:"
            if isinstance(below, Mapping) and below:
                text += self._lines(below, column + step, step, place)
            elif isinstance(below, list | tuple) and below:
                raise NotInPlace  # in the style of the file's other lists, which the tree knows
            else:
                text += f" {self._in_line(below)}"
        return text

    def _newline(self, place: int) -> str:
        """Return the break of a line; the file's first for the last line, which may have none."""
        first = LINE_BREAK.search(self._text)
        return self._places.line_break(place) or (first[0] if first else "\n")

    def _in_line(self, value: object) -> str:
        if isinstance(value, Mapping | list | tuple):
            return self._in_brackets(value)
        return self._write(value, is_in_brackets=False)

    def _in_brackets(self, value: object) -> str:
        if isinstance(value, Mapping):
            pairs = (self._in_brackets_pair(name, below) for name, below in value.items())
            return f"{{{', '.join(pairs)}}}"
        if isinstance(value, list | tuple):
            return f"[{', '.join(map(self._in_brackets, value))}]"
        return self._write(value, is_in_brackets=True)

    def _in_brackets_pair(self, name: str, value: object) -> str:
        return f"{self._write(name, is_in_brackets=True)}: {self._in_brackets(value)}"


def _nested(path: Key, value: object) -> object:
    for part in reversed(path):
        value = {part: value}
    return value


def _mapping(node: Node) -> Node:
    if node.id != "mapping":
        raise NotInPlace
    return node


def _is_empty(node: Node) -> bool:
    return not node.value and (node.id == "mapping" or node.tag.endswith(":null"))


def _step(mapping: Node, column: int) -> int:
    """Return how far keys below one of this mapping are indented: as its others are."""
    for _, value in mapping.value:
        if value.id == "mapping" and value.value and not value.flow_style:
            below = value.value[0][0].start_mark.column - column
            if below > 0:
                return int(below)
    return _USUAL_STEP
