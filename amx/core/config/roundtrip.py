"""Changes in a tree that ruamel has read, with every comment kept beside what it stands beside.

ruamel hangs a comment on the leaf before it. A leaf that goes, or that is no longer the last of
its mapping, hands on what follows its own line.
"""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from amx.core.config.keys import Key
from amx.core.config.model import REMOVED, Changes

_AFTER_VALUE, _AFTER_ITEM = 2, 0
"""Where ruamel keeps the comment behind a mapping's value, and behind a list's item."""

_KEY_ALONE = re.compile(r"( *)[^\s#-].*:\s*(?:#.*)?")
"""A line with a key whose value begins below it."""

_HEAD = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n|%[^\n]*\n)*---[ \t]*(?:#[^\n]*)?\n")
_TAIL = re.compile(r"^\.\.\.(?:\s.*)?\Z", re.MULTILINE | re.DOTALL)

Tree = Any


def parts(text: str) -> tuple[str, str, str]:
    """Split a text into what begins its document, the document, and what ends it.

    ruamel drops the comments above ``---`` and below ``...``; those lines are kept as they are.
    """
    head = _HEAD.match(text)
    tail = _TAIL.search(text)
    begin, end = head.end() if head else 0, tail.start() if tail else len(text)
    return text[:begin], text[begin:end], text[end:]


def indents(text: str) -> tuple[int, int]:
    """Return how far a text indents a mapping below a key, and the dashes of a list."""
    mapping = dash = above = None
    for line in text.split("\n"):
        depth, words = len(line) - len(line.lstrip(" ")), line.strip()
        if not words or words.startswith("#"):
            continue
        if above is not None and depth >= above and words.startswith("- "):
            dash = depth - above if dash is None else dash
        elif above is not None and depth > above and not words.startswith("-"):
            mapping = mapping or depth - above
        key = _KEY_ALONE.fullmatch(line)
        above = len(key[1]) if key else None
    return mapping or 2, dash or 0


def changed(root: Tree, changes: Changes, fresh: Callable[[object], Any]) -> Tree:
    """Make the changes in the tree and return it.

    Args:
        root: What ruamel has read.
        changes: They were made on plain values before, so that no path runs through a scalar.
        fresh: Makes what ruamel writes from a plain value.
    """
    for key, value in changes.items():
        depth = _unshare(root, key[:-1])
        if value is not REMOVED:
            below = _nested(key[depth + 1 :], value)
            _put(_node(root, key[:depth]), key[depth], fresh(below), fresh)
        elif depth == len(key) - 1:
            root = _remove(root, key[:-1], key[-1], fresh)
    return root


def _nested(path: Key, value: object) -> object:
    for part in reversed(path):
        value = {part: value}
    return value


def _unshare(root: Tree, path: Key) -> int:
    """Give each mapping on a path a place of its own; return how many of them there are."""
    node = root
    for depth, part in enumerate(path):
        if not hasattr(node.get(part), "items"):
            return depth
        if _times(root, node[part]) > 1:
            _replace_shared(node, part)
        node = node[part]
    return len(path)


def _replace_shared(node: Tree, part: str) -> None:
    """Give this place a mapping of its own: a change here is none where its alias stands."""
    own = deepcopy(node[part])
    own.yaml_set_anchor(None)
    node[part] = own


def _times(node: Tree, wanted: Tree) -> int:
    children = _children(node)
    return sum((child is wanted) + _times(child, wanted) for child in children)


def _children(node: Tree) -> Iterator[Tree]:
    if hasattr(node, "items"):
        yield from node.values()
    elif isinstance(node, list):
        yield from node


def _put(parent: Tree, name: str, value: Tree, fresh: Callable[[object], Any]) -> None:
    if name in parent:
        rest = _take(parent, name)
        rest = _above(parent, name) + rest
        parent[name] = value
        _give(parent, name, rest)
        return
    if not parent:
        parent.fa.set_block_style()
    rest = _take(parent, _last(parent)) if parent else ""
    parent[fresh(name)] = value
    _give(parent, name, rest)


def _remove(root: Tree, path: Key, name: str, fresh: Callable[[object], Any]) -> Tree:
    """Remove a key and return the root: a new one where nothing but comments is left of it."""
    parent = _node(root, path)
    if name not in parent:
        return root
    rest, before = _take(parent, name), _before(parent, name)
    above = _above(parent, name)
    del parent[name]
    parent.ca.items.pop(name, None)
    if before is not None:
        _give(parent, before, above + rest)
    elif parent:
        _put_above(parent, above + rest)
    else:
        return _emptied(root, path, above + rest, fresh)
    return root


def _emptied(root: Tree, path: Key, rest: str, fresh: Callable[[object], Any]) -> Tree:
    """Put an empty mapping where the last key of one was removed."""
    empty = fresh({})
    empty.fa.set_flow_style()
    if not path:
        text = _texts(root.ca.comment[1]) if root.ca.comment else ""
        _put_above(empty, text + rest)
        return empty
    above = _node(root, path[:-1])
    between = _above(above, path[-1])
    above[path[-1]] = empty
    _give(above, path[-1], between + rest)
    return root


def _node(root: Tree, path: Key) -> Tree:
    for part in path:
        root = root[part]
    return root


def _above(parent: Tree, name: str) -> str:
    """Take away, and return, the comments between a key and its value below it."""
    from_key = parent.ca.items.get(name) or []
    texts = [_texts(tokens) for tokens in from_key[3:4]]
    if texts:
        from_key[3] = None
    value = parent[name]
    if hasattr(value, "ca") and value.ca.comment:
        value.ca.comment = [value.ca.comment[0], None]
    return "".join(texts)


def _texts(tokens: Tree) -> str:
    return "".join(token.value for token in tokens or [])


def _put_above(parent: Tree, rest: str) -> None:
    """Let text stand before the first key of a mapping, behind what stands there already."""
    from amx.core.config.writer import comment_token

    if not rest:
        return
    own, above = [*(parent.ca.comment or []), None, None][:2]
    parent.ca.comment = [own, [*(above or []), comment_token(rest)]]


def _take(parent: Tree, name: Any) -> str:
    """Take away, and return, what follows the line on which a value ends."""
    holder, key, place = _holder(parent, name)
    tokens = holder.ca.items.get(key)
    token = tokens[place] if tokens and len(tokens) > place else None
    if token is None:
        return ""
    if _is_block_scalar(holder[key]):
        tokens[place] = None
        return str(token.value)
    own, _, rest = token.value.partition("\n")
    if own:
        token.value = f"{own}\n"
    else:
        tokens[place] = None
    return str(rest)


def _give(parent: Tree, name: Any, rest: str) -> None:
    from amx.core.config.writer import comment_token

    if not rest:
        return
    holder, key, place = _holder(parent, name)
    tokens = holder.ca.items.setdefault(key, [None, None, None, None])
    token = tokens[place]
    if token is None:
        tokens[place] = comment_token(rest if _is_block_scalar(holder[key]) else f"\n{rest}")
    else:
        token.value += rest


def _is_block_scalar(value: Tree) -> bool:
    return getattr(value, "style", None) in ("|", ">")


def _holder(parent: Tree, name: Any) -> tuple[Tree, Any, int]:
    """Find the leaf on which the comment after a value hangs."""
    value = parent[name]
    is_block = hasattr(value, "fa") and not value.fa.flow_style()
    if is_block and isinstance(value, dict | list) and value:  # no set, no text with a tag
        return _holder(value, _last(value))
    return parent, name, _AFTER_VALUE if hasattr(parent, "items") else _AFTER_ITEM


def _last(parent: Tree) -> Any:
    return list(parent)[-1] if hasattr(parent, "items") else len(parent) - 1


def _before(parent: Tree, name: str) -> Any:
    names = list(parent)
    place = names.index(name)
    return names[place - 1] if place else None
