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

_MOST_LINES = 5000
"""To compare texts takes the product of their lengths: larger ones are merged by keys alone."""


def between(base: Values, new: Values) -> Changes:
    """Return the changes that lead from one configuration to another."""
    return {key: value_at(new, key) for key in differing(base, new)}


def conflicts(base: Values, theirs: Values, changes: Changes) -> list[Key]:
    """Return the keys of the changes that meet another change of the same value.

    Args:
        base: What both sides knew.
        theirs: What the other side made of it.
        changes: What this side wants to change.
    """
    return [key for key, value in changes.items() if _meets(base, theirs, key, value)]


def refuse_conflicts(base: Values, theirs: Values, changes: Changes) -> None:
    """Let only changes pass that meet no other change of the same value.

    Raises:
        EditConflict: with the key and both values; secrets in them are hidden.
    """
    found = conflicts(base, theirs, changes)
    if found:
        raise _conflict(found, theirs, changes)


def merged_text(base: str, mine: str, theirs: str) -> str | None:
    """Merge two edits of one text, line by line; None where both changed the same lines.

    What the result means is for the caller to check, by reading it.
    """
    old, *new = (text.splitlines(keepends=True) for text in (base, mine, theirs))
    if max(map(len, (old, *new))) > _MOST_LINES:
        return None
    edits = sorted({edit for lines in new for edit in _edits(old, lines)})
    merged: list[str] = []
    position = last_start = -1
    for start, end, lines in edits:
        if start < position or start == last_start:
            return None
        merged += [*old[max(position, 0) : start], *lines]
        last_start, position = start, end
    return "".join(merged + old[max(position, 0) :])


def _edits(old: list[str], new: list[str]) -> Iterator[Edit]:
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag != "equal":
            yield start, end, tuple(new[new_start:new_end])


def _meets(base: Values, theirs: Values, key: Key, value: object) -> bool:
    mine = REMOVED if value is REMOVED else plain(value)
    before, now = value_at(base, key), value_at(theirs, key)
    if not same(before, now):
        return not same(mine, now)
    above = (key[:length] for length in range(1, len(key)))
    return value is not REMOVED and any(_became_a_value(base, theirs, one) for one in above)


def _became_a_value(base: Values, theirs: Values, key: Key) -> bool:
    """Tell whether there are no keys any more below one where there could be some."""
    now = value_at(theirs, key)
    has_place = now is REMOVED or now is None or isinstance(now, Mapping)
    return not has_place and not same(value_at(base, key), now)


def _conflict(keys: list[Key], theirs: Values, changes: Changes) -> EditConflict:
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


def _nearest(values: Values, key: Key) -> object:
    """Return the value under a key or, where one above it has become a value, that one."""
    for length in range(1, len(key)):
        above = value_at(values, key[:length])
        if above is not REMOVED and above is not None and not isinstance(above, Mapping):
            return above
    return value_at(values, key)


def _shown(key: Key, value: object) -> str:
    return "removed" if value is REMOVED else repr(redacted(key, value))
