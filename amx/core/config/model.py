"""What the configuration holds: its declared keys, its values, and changes of them.

Keys that are not declared are kept and allowed: the file is also the original tool's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, cast

from amx.core.config.keys import Key, dotted
from amx.core.config.kinds import faults
from amx.core.errors import UsageError


class Removed(Enum):
    """The type of `REMOVED`."""

    REMOVED = "removed"


REMOVED: Final = Removed.REMOVED
"""In a change: the key is taken away."""

Changes = Mapping[Key, object]
"""New values by key; what they do not name stays as it is on disk."""


DEFAULTS: Mapping[Key, object] = {
    ("history_store_enabled",): False,
    ("history_store_schema",): "AMX",
    ("delivery_budget_s",): 2,
    ("share_questions",): True,
}


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration as it was read; ``raw`` is all of it, unknown keys included."""

    raw: Mapping[str, object] = field(default_factory=dict, repr=False)

    @property
    def profiles(self) -> Mapping[str, Mapping[str, object]]:
        """The settings of each profile, by its name."""
        found = cast("Mapping[str, Mapping[str, object] | None]", self.raw.get("db_profiles") or {})
        return {name: settings or {} for name, settings in found.items()}

    @property
    def active_profile(self) -> str | None:
        """The name of the profile that is active where nothing else is said."""
        return self._text("active_db_profile")

    @property
    def active_llm_profile(self) -> tuple[str, Mapping[str, object] | None] | None:
        """The name and the settings of the active model, if any; None for settings not there."""
        name = self._text("active_llm_profile")
        found = cast(
            "Mapping[str, Mapping[str, object] | None]", self.raw.get("llm_profiles") or {}
        )
        return (name, (found[name] or {}) if name in found else None) if name else None

    @property
    def is_shared(self) -> bool:
        """Whether shared mode is on."""
        return self._value("history_store_enabled") is True

    @property
    def history_store_profile(self) -> str | None:
        """The name of the shared store's profile."""
        return self._text("history_store_profile")

    @property
    def history_store_schema(self) -> str:
        """The schema of the shared store."""
        return self._text("history_store_schema") or "AMX"

    @property
    def history_store_database(self) -> str | None:
        """The database of the shared store, where it is not its profile's."""
        return self._text("history_store_database")

    @property
    def has_shared_questions(self) -> bool:
        """Whether the text of questions and answers may leave this installation."""
        return self._value("share_questions") is True

    @property
    def delivery_budget_s(self) -> float:
        """How many seconds a command may spend on immediate delivery."""
        return float(cast("float", self._value("delivery_budget_s")))

    def glossary_of(self, profile: str) -> str | None:
        """The file of abbreviations of a profile, else the one of all."""
        own = self.profiles.get(profile, {}).get("glossary_file")
        return cast("str | None", own) or self._text("glossary_file")

    def _value(self, name: str) -> object:
        value = self.raw.get(name)
        return DEFAULTS.get((name,)) if value is None else value

    def _text(self, name: str) -> str | None:
        return cast("str | None", self._value(name)) or None


def value_at(values: Mapping[str, object], key: Key) -> object:
    """Return the value under a key; `REMOVED` where there is none."""
    found: object = values
    for part in key:
        if not isinstance(found, Mapping) or part not in found:
            return REMOVED
        found = found[part]
    return found


def applied(values: Mapping[str, object], changes: Changes) -> dict[str, object]:
    """Return the values with the changes made in them; the given ones stay as they are.

    Raises:
        UsageError: a change lies below a value that is not a mapping.
    """
    result = dict(values)
    for key, value in changes.items():
        result = _with(result, key, value, above=())
    return result


def planned(values: dict[str, object], changes: Changes) -> dict[str, object] | None:
    """Return the values that changes lead to; None where they change nothing.

    Raises:
        UsageError: a change is of another type than its key, or below a value.
    """
    wanted = applied(values, changes)
    if same(wanted, values):
        return None
    found = list(faults(wanted, values))
    old = set(faults(values)) if found else set()
    for fault in found:
        if fault not in old:
            raise UsageError(f"{fault.problem}. Nothing was changed.")
    return wanted


def _with(values: Mapping[str, object], key: Key, value: object, above: Key) -> dict[str, object]:
    result = dict(values)
    name, *rest = key
    if not rest:
        if value is REMOVED:
            result.pop(name, None)
        else:
            result[name] = plain(value)
        return result
    below = result.get(name)
    if below is not None and not isinstance(below, Mapping):
        msg = f"{dotted((*above, name))} is a value and has no keys below it. Nothing was changed."
        raise UsageError(msg, hint=f"amx config get {dotted((*above, name))}")
    if below is not None or value is not REMOVED:
        result[name] = _with(below or {}, tuple(rest), value, (*above, name))
    return result


def plain(value: object) -> object:
    """Return a value as plain dicts and lists."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def same(one: object, two: object) -> bool:
    """Tell whether two values are equal, types included.

    ``1``, ``True`` and ``1.0`` differ, as do ``0.0`` and ``-0.0``; NaN equals itself.
    """
    if one is two or type(one) is not type(two):
        return one is two
    if isinstance(one, dict) and isinstance(two, dict):
        if one.keys() != two.keys():
            return False
        for name, value in one.items():  # noqa: SIM110 - half of the time of a generator
            if not same(value, two[name]):
                return False
        return True
    if isinstance(one, list | tuple) and isinstance(two, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return repr(one) == repr(two) if isinstance(one, float) else one == two


def differing(one: Mapping[str, object], two: Mapping[str, object]) -> list[Key]:
    """Return the keys whose values differ, as deep as both sides have mappings."""
    keys: list[Key] = []
    for name in [*one, *(name for name in two if name not in one)]:
        left, right = one.get(name, REMOVED), two.get(name, REMOVED)
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            keys += [(name, *key) for key in differing(left, right)]
        elif not same(left, right):
            keys.append((name,))
    return keys


def leaves(values: Mapping[str, object], above: Key = ()) -> Iterator[Key]:
    """Yield the keys of all values that are not mappings, in their order."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*above, name))
        else:
            yield (*above, name)
