"""The keys of the configuration that amx knows, and their types."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple, cast

from amx.core.config.keys import Key, dotted
from amx.core.profiles import BACKENDS

Values = Mapping[str, object]

ANY = "*"

_PORTS = r"[0-9, ]*|.*\$\{\w+\}.*"
"""What a port may be as text: nothing, one per host, or a reference."""


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
    *("target_session_attrs", "application_name", "glossary_file"),
)

_LLM_TEXTS = ("provider", "model", "api_base", "api_key", "api_key_command", "ca_bundle")

_LLM_NUMBERS = ("temperature", "max_tokens", "timeout_s")

DECLARED: Mapping[Key, Kind] = {
    ("db_profiles",): Kind.MAPPING,
    ("db_profiles", ANY): Kind.MAPPING,
    **{("db_profiles", ANY, name): Kind.TEXT for name in _PROFILE_TEXTS},
    ("db_profiles", ANY, "port"): Kind.PORT,
    ("active_db_profile",): Kind.TEXT,
    ("llm_profiles",): Kind.MAPPING,
    ("llm_profiles", ANY): Kind.MAPPING,
    **{("llm_profiles", ANY, name): Kind.TEXT for name in _LLM_TEXTS},
    **{("llm_profiles", ANY, name): Kind.NUMBER for name in _LLM_NUMBERS},
    ("active_llm_profile",): Kind.TEXT,
    ("history_store_enabled",): Kind.BOOLEAN,
    ("history_store_profile",): Kind.TEXT,
    ("history_store_schema",): Kind.TEXT,
    ("history_store_database",): Kind.TEXT,
    ("delivery_budget_s",): Kind.NUMBER,
    ("share_questions",): Kind.BOOLEAN,
    ("glossary_file",): Kind.TEXT,
}
"""Every key that amx knows, and its type. An absent value (null) is of every type."""


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


def faults(values: Values, old: Values | None = None) -> Iterator[Fault]:
    """Find the declared keys of another type than their own.

    The keys of a profile whose backend amx does not read are that backend's own affair.

    Args:
        values: Where to look.
        old: What the values were made of: an object that both have is not looked at.
    """
    yield from _faults(values, old or {}, (), ())


def _faults(values: Values, old: Values, above: Key, pattern: Key) -> Iterator[Fault]:
    for name, value in values.items():
        known = old.get(name)
        if value is known:
            continue
        kind, part = DECLARED.get((*pattern, name)), name
        if kind is None:
            kind, part = DECLARED.get((*pattern, ANY)), ANY
        if kind is None or value is None:
            continue
        if not kind.accepts(value):
            yield Fault((*above, name), kind)
        elif isinstance(value, Mapping) and not (above == ("db_profiles",) and _is_foreign(value)):
            # What was the affair of another backend may be a fault now.
            below = known if isinstance(known, Mapping) and not _is_foreign(known) else {}
            yield from _faults(value, below, (*above, name), (*pattern, part))


def _is_foreign(profile: Values) -> bool:
    backend = profile.get("backend")
    return isinstance(backend, str) and backend not in ("", *BACKENDS)
