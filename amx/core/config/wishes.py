"""Changes that wait to be saved, each with what its maker knew when it was made."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

from amx.core.config.keys import Key
from amx.core.config.merge import conflict, meets
from amx.core.config.model import Changes, plain, planned, same, value_at

Values = Mapping[str, object]


class Wish(NamedTuple):
    """A new value for a key (`REMOVED`: none), and its place in the order of all of them."""

    value: object
    base: Values
    order: int

    def __repr__(self) -> str:
        return f"Wish({self.order})"


Wishes: TypeAlias = dict[Key, Wish]
Wanted: TypeAlias = dict[str, object] | None


def joined(*parts: Wishes) -> Wishes:
    """Return all wishes in the order in which they were made.

    The last one for a key counts, and with it goes what was wished below that key before.
    """
    every = [(key, wish) for part in parts for key, wish in part.items()]
    result: Wishes = {}
    for key, wish in sorted(every, key=lambda one: one[1].order):
        for below in [one for one in result if one[: len(key)] == key]:
            del result[below]
        result[key] = wish
    return result


def changes_of(wishes: Wishes) -> Changes:
    """Return the changes alone."""
    return {key: wish.value for key, wish in wishes.items()}


def wanted_of(wishes: Wishes, values: dict[str, object]) -> Wanted:
    """Return what the wishes make of the values of the file; None where they change nothing.

    Raises:
        EditConflict: a wish meets a change made since its maker knew the value.
        UsageError: a wish is of another type than its key, or below a value.
    """
    refuse_conflicts(wishes, values)
    return planned(values, changes_of(wishes))


def refuse_conflicts(wishes: Wishes, theirs: Values) -> None:
    """Let only wishes pass that meet no change made since their maker knew the value.

    Args:
        wishes: What this process wants.
        theirs: What the file says.

    Raises:
        EditConflict: with the keys and both values; secrets in them are hidden.
    """
    met = [key for key, wish in wishes.items() if meets(wish.base, theirs, key, wish.value)]
    if met:
        raise conflict(met, theirs, changes_of(wishes))


def effective(wishes: Wishes) -> Wishes:
    """Leave out wishes for what their maker knew to be so anyway: set, and set back."""
    return {
        key: wish
        for key, wish in wishes.items()
        if any(above in wishes for above in _above(key))
        or not same(plain(wish.value), value_at(wish.base, key))
    }


def _above(key: Key) -> Iterator[Key]:
    return (key[:length] for length in range(1, len(key)))
