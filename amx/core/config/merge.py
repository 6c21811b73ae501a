"""Reconcile: changes of one side and of another since both knew the same configuration.

A mapping is merged key by key; a list or a scalar is an atom. What both sides changed, to different
values, is a conflict: nobody's change is dropped to make room for another's.
"""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from amx.core.config.keys import Key, dotted, redacted
from amx.core.config.model import REMOVED, Changes, differing, plain, same, value_at
from amx.core.errors import EditConflict

Values = Mapping[str, object]

Edit: TypeAlias = tuple[int, int, tuple[str, ...]]
"""These lines in place of those from the first number to before the second."""

_MOST_LINES = 2000
"""To compare texts takes the product of their lengths: larger ones are merged by keys alone."""


def between(base: Values, new: Values) -> Changes:
    """Return the changes that lead from one configuration to another."""
    return {key: value_at(new, key) for key in differing(base, new)}


def meets(base: Values, theirs: Values, key: Key, value: object) -> bool:
    """Tell whether a change meets another change of the same value.

    Args:
        base: What both sides knew.
        theirs: What the other side made of it.
        key: What this side changes.
        value: Its new value; `REMOVED` takes it away.
    """
    for above in (key[:length] for length in range(1, len(key))):
        before, now = value_at(base, above), value_at(theirs, above)
        if isinstance(now, Mapping) or same(before, now):
            continue
        if now is not REMOVED and now is not None:
            return True  # it has become a value: there is nothing below it any more
        if isinstance(before, Mapping):
            return value is not REMOVED  # it was taken away with everything below it
    before, now = value_at(base, key), value_at(theirs, key)
    return not same(before, now) and not same(plain(value), now)


def conflicts(base: Values, theirs: Values, changes: Changes) -> list[Key]:
    """Return the keys of the changes that meet another change of the same value."""
    return [key for key, value in changes.items() if meets(base, theirs, key, value)]


def conflict(keys: list[Key], theirs: Values, changes: Changes) -> EditConflict:
    """Return what is told of changes that meet others: both values, secrets in them hidden."""
    met = [
        {
            "key": dotted(key),
            "mine": _shown(key, changes[key]),
            "theirs": _shown(key, _nearest(theirs, key)),
        }
        for key in keys
    ]
    words = (
        f"{one['key']} was changed by somebody else meanwhile: here {one['mine']}, "
        f"on disk {one['theirs']}"
        for one in met
    )
    hint = f"amx config get {met[0]['key']}; then try again"
    details = {**met[0], "conflicts": met}
    return EditConflict(f"{'; '.join(words)}. Nothing was changed.", hint=hint, details=details)


def merged_text(base: str, mine: str, theirs: str, *, is_mine_first: bool = False) -> str | None:
    """Merge two edits of one text, line by line.

    Where both changed the same lines the result is None or, with ``is_mine_first``, has mine.
    What it means is for the caller to check, by reading it.
    """
    old, *new = (text.splitlines(keepends=True) for text in (base, mine, theirs))
    if max(map(len, (old, *new))) > _MOST_LINES:
        return None
    ours, others = (set(_edits(old, lines)) for lines in new)
    if is_mine_first:
        others = {one for one in others if not any(_overlap(one, two) for two in ours)}
    merged: list[str] = []
    position, last_start = 0, -1
    for start, end, lines in sorted(ours | others):
        if start < position or start == last_start:
            return None
        merged += [*old[position:start], *lines]
        last_start, position = start, end
    return "".join(merged + old[position:])


def _overlap(one: Edit, two: Edit) -> bool:
    return one[0] == two[0] or (one[0] < two[1] and two[0] < one[1])


def _edits(old: list[str], new: list[str]) -> Iterator[Edit]:
    from difflib import SequenceMatcher

    for tag, start, end, new_start, new_end in SequenceMatcher(None, old, new).get_opcodes():
        if tag != "equal":
            yield start, end, tuple(new[new_start:new_end])


def _nearest(values: Values, key: Key) -> object:
    """Return the value under a key or, where one above it has become a value, that one."""
    for length in range(1, len(key)):
        above = value_at(values, key[:length])
        if above is not REMOVED and above is not None and not isinstance(above, Mapping):
            return above
    return value_at(values, key)


def _shown(key: Key, value: object) -> str:
    return "removed" if value is REMOVED else repr(redacted(key, value))
