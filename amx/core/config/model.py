"""What the configuration holds: its declared keys, its values, and changes of them.

Keys that are not declared are kept and allowed: the file is also the original tool's.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple, cast

from amx.core.config.keys import Key, dotted
from amx.core.errors import UsageError
from amx.core.profiles import BACKENDS

ANY = "*"

_PORTS = r"[0-9, ]*|.*\$\{\w+\}.*"
"""What a port may be as text: nothing, one per host, or a reference."""


class Removed(Enum):
    """The type of `REMOVED`."""

    REMOVED = "removed"


REMOVED: Final = Removed.REMOVED
"""In a change: the key is taken away."""

Changes = Mapping[Key, object]
"""New values by key; what they do not name stays as it is on disk."""


class Kind(Enum):
    """The type of a declared key, in the words of an error."""

    TEXT = "text"
    BOOLEAN = "true or false"
    NUMBER = "a number of zero or more"
    PORT = "a port number"
    MAPPING = "a mapping"

    def accepts(self, value: object) -> bool:
        """Tell whether a value is of this type."""
        return _ACCEPTS[self](value)


def _is_number(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and cast("float", value) >= 0 and not math.isinf(cast("float", value))


def _is_port(value: object) -> bool:
    if isinstance(value, str):
        return bool(re.fullmatch(_PORTS, value))
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 16


_ACCEPTS: Mapping[Kind, Callable[[object], bool]] = {
    Kind.TEXT: lambda value: isinstance(value, str),
    Kind.BOOLEAN: lambda value: isinstance(value, bool),
    Kind.NUMBER: _is_number,
    Kind.PORT: _is_port,
    Kind.MAPPING: lambda value: isinstance(value, Mapping),
}

_PROFILE_TEXTS = (
    *("backend", "host", "database", "user", "schema", "path", "password", "password_command"),
    *("sslmode", "sslrootcert", "sslcert", "sslkey", "service", "passfile"),
    *("target_session_attrs", "application_name"),
)

_LLM_TEXTS = ("provider", "model", "api_base", "api_key")

DECLARED: Mapping[Key, Kind] = {
    ("db_profiles",): Kind.MAPPING,
    ("db_profiles", ANY): Kind.MAPPING,
    **{("db_profiles", ANY, name): Kind.TEXT for name in _PROFILE_TEXTS},
    ("db_profiles", ANY, "port"): Kind.PORT,
    ("active_db_profile",): Kind.TEXT,
    ("llm_profiles",): Kind.MAPPING,
    ("llm_profiles", ANY): Kind.MAPPING,
    **{("llm_profiles", ANY, name): Kind.TEXT for name in _LLM_TEXTS},
    ("llm_profiles", ANY, "temperature"): Kind.NUMBER,
    ("active_llm_profile",): Kind.TEXT,
    ("history_store_enabled",): Kind.BOOLEAN,
    ("history_store_profile",): Kind.TEXT,
    ("history_store_schema",): Kind.TEXT,
    ("history_store_database",): Kind.TEXT,
    ("delivery_budget_s",): Kind.NUMBER,
    ("share_questions",): Kind.BOOLEAN,
}
"""Every key that amx knows, and its type. An absent value (null) is of every type."""

DEFAULTS: Mapping[Key, object] = {
    ("history_store_enabled",): False,
    ("history_store_schema",): "AMX",
    ("delivery_budget_s",): 2,
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
    def delivery_budget_s(self) -> float:
        """How many seconds a command may spend on immediate delivery."""
        return float(cast("float", self._value("delivery_budget_s")))

    def _value(self, name: str) -> object:
        value = self.raw.get(name)
        return DEFAULTS.get((name,)) if value is None else value

    def _text(self, name: str) -> str | None:
        return cast("str | None", self._value(name)) or None


class Fault(NamedTuple):
    """A declared key whose value is of another type."""

    key: Key
    kind: Kind

    @property
    def problem(self) -> str:
        """What is wrong, without the value: it may be a secret."""
        return f"{dotted(self.key)} must be {self.kind.value}"


def kind_of(key: Key) -> Kind | None:
    """Return the declared type of a key, if it has one."""
    for pattern, kind in DECLARED.items():
        if len(pattern) == len(key) and all(
            one in (ANY, two) for one, two in zip(pattern, key, strict=True)
        ):
            return kind
    return None


def faults(values: Mapping[str, object]) -> Iterator[Fault]:
    """Find the declared keys of another type than their own.

    The keys of a profile whose backend amx does not read are that backend's own affair.
    """
    yield from _faults(values, (), ())


def _faults(values: Mapping[str, object], above: Key, pattern: Key) -> Iterator[Fault]:
    for name, value in values.items():
        kind, part = DECLARED.get((*pattern, name)), name
        if kind is None:
            kind, part = DECLARED.get((*pattern, ANY)), ANY
        if kind is None or value is None:
            continue
        if not kind.accepts(value):
            yield Fault((*above, name), kind)
        elif isinstance(value, Mapping) and not (above == ("db_profiles",) and _is_foreign(value)):
            yield from _faults(value, (*above, name), (*pattern, part))


def _is_foreign(profile: Mapping[str, object]) -> bool:
    backend = profile.get("backend")
    return isinstance(backend, str) and backend not in ("", *BACKENDS)


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
    found = list(faults(wanted))
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
    if type(one) is not type(two):
        return False
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(same(one[name], two[name]) for name in one)
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
