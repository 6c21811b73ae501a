"""From the parser's events to a tree of nodes, with bounds on everything that can explode.

PyYAML composes by recursion and lets an alias repeat anything any number of times; here depth,
nodes and copies are counted before a tree exists, and every key must be text and stand once.
"""

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

from amx.core.config.keys import Key, secret_part

MAX_DEPTH = 50
MAX_NODES = 50_000
MAX_COPIES = 10_000
"""How many nodes all aliases together may repeat."""

MAX_DIRECTIVES = 100
"""libyaml compares each with all before it: forty thousand of them took two seconds."""

LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What ends a line in YAML 1.1."""

_DIRECTIVE = re.compile("(?:^|[\r\n\x85\u2028\u2029])(?=%TAG)")

_STR, _MAP, _SEQ, MERGE = (f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq", "merge"))


@dataclass(slots=True)
class _Frame:
    """A collection that is still open."""

    node: Any
    anchor: str | None
    size: int = 1
    key: Any = None
    seen: set[tuple[str, str]] = field(default_factory=set)


class Composer:
    """Composes one document.

    Args:
        yaml: The module, from the one that may import it.
        is_text: Every scalar is text, however it looks: ``no`` and ``12`` too.
    """

    def __init__(self, yaml: Any, *, is_text: bool = False) -> None:  # noqa: ANN401 - PyYAML's classes are made at run time
        self._yaml = yaml
        self._resolve = (lambda *_: _STR) if is_text else yaml.resolver.Resolver().resolve
        self._open: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._nodes = self._copies = self._documents = 0
        self._root: Any = None

    def compose(self, text: str) -> Any:  # noqa: ANN401 - as above
        """Return the root of the one document in the text; None where there is none.

        Raises:
            yaml.YAMLError: the text is no YAML, or more than is allowed.
        """
        yaml = self._yaml
        self._bound_directives(text)
        act = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._enter,
            yaml.SequenceStartEvent: self._enter,
            yaml.MappingEndEvent: self._leave,
            yaml.SequenceEndEvent: self._leave,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._begin,
        }
        with _no_collections():
            for event in yaml.parse(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
                if type(event) in act:
                    act[type(event)](event)
        return self._root

    def _bound_directives(self, text: str) -> None:
        for number, found in enumerate(_DIRECTIVE.finditer(text)):
            if number >= MAX_DIRECTIVES:
                line, column = line_and_column(text[: found.end()])
                mark = self._yaml.Mark("", found.end(), line - 1, column - 1, None, None)
                self._refuse(f"more than {MAX_DIRECTIVES} directives", mark)

    def _begin(self, event: Any) -> None:  # noqa: ANN401 - as above
        self._documents += 1
        if self._documents > 1:
            self._refuse("a second document begins here", event.start_mark)

    def _scalar(self, event: Any) -> None:  # noqa: ANN401 - as above
        tag = event.tag
        if tag is None or tag == "!":
            tag = self._resolve(self._yaml.ScalarNode, event.value, event.implicit)
        marks = (event.start_mark, event.end_mark)
        node = self._yaml.ScalarNode(tag, event.value, *marks, style=event.style)
        self._count(event)
        if event.anchor:
            self._anchors[event.anchor] = (node, 1)
        self._place(node, 1, event.start_mark)

    def _enter(self, event: Any) -> None:  # noqa: ANN401 - as above
        self._count(event)
        if len(self._open) >= MAX_DEPTH:
            self._refuse(f"more than {MAX_DEPTH} levels deep", event.start_mark)
        is_mapping = isinstance(event, self._yaml.MappingStartEvent)
        kind = self._yaml.MappingNode if is_mapping else self._yaml.SequenceNode
        tag = event.tag if event.tag not in (None, "!") else (_MAP if is_mapping else _SEQ)
        self._anchors.pop(event.anchor, None)
        node = kind(tag, [], event.start_mark, None, flow_style=event.flow_style)
        self._open.append(_Frame(node, event.anchor))

    def _leave(self, event: Any) -> None:  # noqa: ANN401 - as above
        frame = self._open.pop()
        frame.node.end_mark = event.end_mark
        if frame.anchor:
            self._anchors[frame.anchor] = (frame.node, frame.size)
        self._place(frame.node, frame.size, frame.node.start_mark)

    def _alias(self, event: Any) -> None:  # noqa: ANN401 - as above
        if event.anchor not in self._anchors:
            self._refuse("this alias has no anchor before it", event.start_mark)
        node, size = self._anchors[event.anchor]
        self._copies += size
        if self._copies > MAX_COPIES:
            self._refuse(f"aliases repeat more than {MAX_COPIES} values", event.start_mark)
        self._place(node, size, event.start_mark)

    def _count(self, event: Any) -> None:  # noqa: ANN401 - as above
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._refuse(f"more than {MAX_NODES} values", event.start_mark)

    def _place(self, node: Any, size: int, mark: Any) -> None:  # noqa: ANN401 - as above
        if not self._open:
            self._root = node
            return
        frame = self._open[-1]
        frame.size += size
        if frame.node.id == "sequence":
            frame.node.value.append(node)
        elif frame.key is None:
            self._check_key(frame, node, mark)
            frame.key = node
        else:
            frame.node.value.append((frame.key, node))
            frame.key = None

    def _check_key(self, frame: _Frame, node: Any, mark: Any) -> None:  # noqa: ANN401 - as above
        if node.tag not in (_STR, MERGE) or node.id != "scalar":
            self._refuse("a key must be text; quote it", mark)
        if (node.tag, node.value) in frame.seen:
            above = [one.key.value for one in self._open if one.key is not None]
            name = "" if above and secret_part(tuple(above)) else f" {node.value[:80]!r}"
            self._refuse(f"the key{name} stands here a second time", mark)
        frame.seen.add((node.tag, node.value))

    def _refuse(self, problem: str, mark: Any) -> NoReturn:  # noqa: ANN401 - as above
        raise self._yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


@contextmanager
def _no_collections() -> Iterator[None]:
    """Keep the collector of cycles off: half of the time of a large file went into it."""
    is_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_on:
            gc.enable()


def line_and_column(before: str) -> tuple[int, int]:
    """Return line and column, from one, of what stands behind a text; lines as YAML counts them."""
    line, start = 1, 0
    for found in LINE_BREAK.finditer(before):
        line, start = line + 1, found.end()
    return line, len(before) - start + 1


def unquoted(error: Any) -> str:  # noqa: ANN401 - as above
    """Return what PyYAML says of a text without the tag that it quotes: it may be a secret."""
    words = " ".join(str(error.problem or error.context).split())
    return re.sub(r"\b(tag|tag handle) '.*", r"\1", words)


def position_of(root: Any, key: Key) -> tuple[int, int]:  # noqa: ANN401 - as above
    """Return line and column, from one, of a key's value or of the nearest one above it."""
    node = root
    for part in key:
        below = next((value for name, value in _pairs(node) if name.value == part), None)
        if below is None:
            break
        node = below
    return node.start_mark.line + 1, node.start_mark.column + 1


def _pairs(node: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - as above
    if node.id == "mapping":
        yield from node.value
