"""Which comments stand in a text, and whether a change has kept them.

ruamel drops some of them: inside of lists and mappings in brackets, behind the end of the document,
before a directive. What it dropped is looked for before anything is saved.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from amx.core.config.keys import Key
from amx.core.config.nodes import LINE_BREAK

Tree = Any


def are_kept(yaml: Any, before: str, after: str, *, gone: Iterable[tuple[int, int]]) -> bool:  # noqa: ANN401 - PyYAML's classes are made at run time
    """Tell whether the comments of a text are in another one, in their order.

    Args:
        yaml: The module, from the one that may import it.
        before: The one text.
        after: The other; if it is no YAML, nothing is kept.
        gone: Spans of the one text whose comments may go.
    """
    left_out = list(gone)
    wanted = (
        comment
        for place, comment in _comments(yaml, before)
        if not any(begin <= place <= end for begin, end in left_out)
    )
    try:
        rest = (comment for _, comment in _comments(yaml, after))
        return all(comment in rest for comment in wanted)
    except yaml.YAMLError:
        return False


def spans(text: str, root: Tree, keys: Iterable[Key]) -> Iterator[tuple[int, int]]:
    """Yield where keys and their values stand, each with the rest of its last line.

    What an alias or a merge key brings from another place stands there, and stays.
    """
    for key in keys:
        pair = _pair(root, key)
        if pair is not None:
            begin = pair[0].start_mark.index
            end = max(_ends(pair, begin))
            line_end = LINE_BREAK.search(text, max(begin, end - 1))
            yield begin, line_end.start() if line_end else len(text)


def _pair(root: Tree, key: Key) -> tuple[Tree, Tree] | None:
    node, pair = root, None
    for part in key:
        pairs: list[tuple[Tree, Tree]] = node.value if node and node.id == "mapping" else []
        pair = next((one for one in pairs if one[0].value == part), None)
        node = pair[1] if pair else None
    return pair


def _ends(nodes: Iterable[Tree], begin: int) -> Iterator[int]:
    """Yield where leaves end; a collection in blocks is said to end where the next thing begins."""
    for node in nodes:
        if node.start_mark.index < begin:
            continue
        if node.id == "scalar" or not node.value:
            yield node.end_mark.index
        elif node.id == "mapping":
            yield from (end for pair in node.value for end in _ends(pair, begin))
        else:
            yield from _ends(node.value, begin)


def _comments(yaml: Any, text: str) -> Iterator[tuple[int, str]]:  # noqa: ANN401 - as above
    end = 0
    for token in yaml.scan(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        yield from _between(text, end, token.start_mark.index)
        end = max(end, token.end_mark.index)
    yield from _between(text, end, len(text))


def _between(text: str, begin: int, end: int) -> Iterator[tuple[int, str]]:
    for found in re.finditer("#[^\r\n\x85\u2028\u2029]*", text[begin:end]):
        yield begin + found.start(), found[0].rstrip()
