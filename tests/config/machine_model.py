"""What the state machine of guard 4 believes: dicts, and lists of bytes. It uses nothing of amx.

The meaning of a text is PyYAML's reading, as SPEC.md says; ``REMOVED`` alone is ours, since a
change is written with it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

import yaml

from amx.core.config.model import REMOVED
from amx.core.errors import AmxError

Values = dict[str, object]
Key = tuple[str, ...]
Changes = dict[Key, object]
History = tuple[bytes, ...]
"""The generations, newest first."""

KEPT = 5

COMMENT = re.compile(rb"#c\d+;")
"""Every comment of this machine is one of a kind, so that a lost one is missed."""


class BelowAValue(Exception):
    """A change lies below a value that is no mapping."""


class Draft(NamedTuple):
    """A text of an edit and the one that it began from; None for what is not there."""

    text: bytes | None
    base: bytes | None

    @property
    def is_changed(self) -> bool:
        """Whether there is anything in it that could be lost."""
        return None not in self and self.text != self.base


@dataclass
class Plan:
    """What a save must come to: an error, new values, or neither: nothing is written."""

    error: type[AmxError] | None = None
    values: Values | None = None


class Wish(NamedTuple):
    """A change that may have to wait: its value, what its maker knew, and when it was made."""

    value: object
    base: Values
    order: int


Wishes = dict[Key, Wish]

_ORDER = count()


@dataclass
class Known:
    """What one long-lived `ConfigFile` knows."""

    is_background: bool = False
    base: Values | None = None
    has_existed: bool = False
    frames: list[Wishes] = field(default_factory=list)
    deferred: Wishes = field(default_factory=dict)

    def wished(self, changes: Mapping[Key, object]) -> Wishes:
        """Return changes as wishes of now."""
        base = self.base or {}
        return {key: Wish(value, base, next(_ORDER)) for key, value in changes.items()}

    def learn(self, changes: Mapping[Key, object] | None, values: Values) -> None:
        """Know its own changes from now on; not those of others, which it has not seen."""
        try:
            known = None if changes is None or self.base is None else applied(self.base, changes)
        except BelowAValue:
            known = None
        self.base, self.has_existed = values if known is None else known, True


def joined(*parts: Wishes) -> Wishes:
    """Return wishes in their order: the last one for a key counts, also for all below it."""
    result: Wishes = {}
    every = [(key, wish) for part in parts for key, wish in part.items()]
    for key, wish in sorted(every, key=lambda one: one[1].order):
        result = {other: one for other, one in result.items() if other[: len(key)] != key}
        result[key] = wish
    return result


def changes_of(wishes: Wishes) -> Changes:
    """Return the changes alone."""
    return {key: wish.value for key, wish in wishes.items()}


def effective(wishes: Wishes) -> Wishes:
    """Leave out what was set, and set back."""
    return {
        key: wish
        for key, wish in wishes.items()
        if any(key[:depth] in wishes for depth in range(1, len(key)))
        or typed(wish.value) != typed(at(wish.base, key))
    }


def parsed(data: bytes) -> Values:
    """Return what a text means."""
    values = yaml.safe_load(data)
    assert isinstance(values, dict)
    return values


def comments(data: bytes) -> list[bytes]:
    """Return the comments of a text."""
    return COMMENT.findall(data)


def rotated(live: bytes | None, history: History) -> History:
    """Return the generations after a live file's bytes have become the newest one."""
    if live is None or (history and history[0] == live):
        return history
    return (live, *history)[:KEPT]


def at(values: object, key: Key) -> object:
    """Return the value under a key; `REMOVED` where there is none."""
    for part in key:
        if not isinstance(values, dict) or part not in values:
            return REMOVED
        values = values[part]
    return values


def applied(values: Values, changes: Mapping[Key, object]) -> Values:
    """Return the values with the changes made.

    Raises:
        BelowAValue: a change lies below a value.
    """
    for key, value in changes.items():
        values = _with(values, key, value)
    return values


def _with(values: Values, key: Key, value: object) -> Values:
    result, (name, *rest) = dict(values), key
    below = result.get(name)
    if rest and below is not None and not isinstance(below, dict):
        raise BelowAValue
    if rest and (below is not None or value is not REMOVED):
        result[name] = _with(below or {}, tuple(rest), value)  # type: ignore[arg-type]  # a dict, see above
    elif not rest and value is REMOVED:
        result.pop(name, None)
    elif not rest:
        result[name] = value
    return result


def typed(value: object) -> object:
    """Return something that is equal for equal values of equal types, in whatever order."""
    if isinstance(value, dict):
        return frozenset((name, typed(item)) for name, item in value.items())
    if isinstance(value, list):
        return tuple(map(typed, value))
    return type(value).__name__, repr(value)


def between(old: Values, new: Values, above: Key = ()) -> Changes:
    """Return the changes that lead from one to the other, as deep as both have mappings."""
    changes: Changes = {}
    for name in [*old, *(name for name in new if name not in old)]:
        key, one, two = (*above, name), old.get(name, REMOVED), new.get(name, REMOVED)
        if isinstance(one, dict) and isinstance(two, dict):
            changes.update(between(one, two, key))
        elif typed(one) != typed(two):
            changes[key] = two
    return changes


def met(base: Values, theirs: Values, changes: Mapping[Key, object]) -> list[Key]:
    """Return the keys of the changes that others have changed, too, to another value."""
    return [key for key, value in changes.items() if _is_met(base, theirs, key, value)]


def _is_met(base: Values, theirs: Values, key: Key, value: object) -> bool:
    for depth in range(1, len(key)):
        before, now = at(base, key[:depth]), at(theirs, key[:depth])
        if isinstance(now, dict) or typed(before) == typed(now):
            continue
        if now is not REMOVED and now is not None:
            return True
        if isinstance(before, dict):
            return value is not REMOVED
    before, now = typed(at(base, key)), typed(at(theirs, key))
    return now not in (before, typed(value))


def wrong(values: Values) -> set[Key]:
    """Return the declared keys, of those that this machine uses, that have another type."""
    kinds: dict[Key, type] = {
        ("history_store_enabled",): bool,
        ("active_db_profile",): str,
        ("db_profiles",): dict,
    }
    for name in _keys(values.get("db_profiles")):
        kinds["db_profiles", name] = dict
        kinds["db_profiles", name, "host"] = str
    is_wrong = {key for key, kind in kinds.items() if _is_other(at(values, key), kind)}
    ports = {("db_profiles", name, "port") for name in _keys(values.get("db_profiles"))}
    return is_wrong | {key for key in ports if not _is_port(at(values, key))}


def _keys(value: object) -> list[str]:
    return list(value) if isinstance(value, dict) else []


def _is_other(value: object, kind: type) -> bool:
    return not (value is REMOVED or value is None or isinstance(value, kind))


def _is_port(value: object) -> bool:
    if isinstance(value, str):
        return bool(re.fullmatch("[0-9, ]*", value))
    return value is REMOVED or value is None or (type(value) is int and 0 <= value < 1 << 16)


def leaves(values: Values, above: Key = ()) -> Iterator[Key]:
    """Yield the keys of all that is no mapping."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, (*above, name))
        else:
            yield (*above, name)
