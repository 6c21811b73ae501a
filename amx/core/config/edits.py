"""What ``config set``, ``unset``, ``get`` and ``show`` mean: changes, and values to be seen."""

import math
from collections.abc import Mapping
from datetime import date

from amx.core.config import syntax
from amx.core.config.keys import Key, dotted, key_of, redacted, secret_part
from amx.core.config.kinds import ANY, Kind, kind_of
from amx.core.config.model import (
    DEFAULTS,
    REMOVED,
    Changes,
    Config,
    differing,
    leaves,
    value_at,
)
from amx.core.errors import UnknownKey, UsageError
from amx.core.rows import clean
from amx.core.secrets import is_reference, redact, redact_url


def assignment(key_text: str, value_text: str, *, is_verbatim: bool) -> Changes:
    """Return the change that sets a key to what a user typed.

    Raises:
        UsageError: the key or the value is none, the value is of another type than the key, or it
            is a secret that should not stand in the file.
    """
    if clean(key_text + value_text) != key_text + value_text:
        raise UsageError("The key or the value is not text. Nothing was changed.")
    key = key_of(key_text)
    value = value_text if is_verbatim else syntax.scalar(value_text)
    _refuse_type(key, value)
    if isinstance(value, str) and value and _is_secret(key, value):
        msg = f"{dotted(key)} would hold a secret in plain text. Nothing was changed."
        variable = key[-1].upper().replace("-", "_").replace(" ", "_")
        raise UsageError(msg, hint=f"amx config set {dotted(key)} '${{{variable}}}'")
    return {key: value}


def removal(config: Config, key_text: str) -> Changes:
    """Return the change that takes a key away.

    Raises:
        UnknownKey: it is not there.
    """
    key = key_of(key_text)
    _present(config, key)
    return {key: REMOVED}


def seen(config: Config, key_text: str) -> object:
    """Return the value under a key, its secrets hidden.

    Raises:
        UnknownKey: it is not there.
    """
    key = key_of(key_text)
    return redacted(key, jsonable(_present(config, key)))


def shown(config: Config) -> Mapping[str, object]:
    """Return all values, secrets hidden."""
    return {name: redact(jsonable(value), name) for name, value in config.raw.items()}


def origins(
    config: Config, lines: Mapping[Key, int], path: str, environ: Mapping[str, str]
) -> list[dict[str, object]]:
    """Return each value with where it comes from: a line of the file, a variable, a default."""
    found = {key: (value_at(config.raw, key), f"{path}:{lines[key]}") for key in lines}
    for key in leaves(config.raw):
        found.setdefault(key, (value_at(config.raw, key), path))
    for key, value in DEFAULTS.items():
        found.setdefault(key, (value, "default"))
    if environ.get("AMX_PROFILE"):
        found["active_db_profile",] = (environ["AMX_PROFILE"], "AMX_PROFILE")
    return [
        {
            "key": dotted(key),
            "value": redacted(key, jsonable(value)),
            "origin": origin,
        }
        for key, (value, origin) in found.items()
    ]


Values = Mapping[str, object]


def differences(then: Values | None, now: Values | None) -> list[dict[str, object]] | None:
    """Return what differs between two configurations, secrets hidden; absent is None.

    Where one of the two cannot be understood (None), nothing can be said: None.
    """
    if then is None or now is None:
        return None

    def side(values: Values, key: Key) -> object:
        value = value_at(values, key)
        hidden = redacted(key, jsonable(value))
        return None if value is REMOVED else hidden

    return [
        {"key": dotted(key), "then": side(then, key), "now": side(now, key)}
        for key in differing(then, now)
    ]


def text_of(value: object) -> str:
    """Return a value as a person reads it: text as it is, anything else as YAML."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping | list):
        return syntax.text_of(value).rstrip("\n")
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def jsonable(value: object) -> object:
    """Return a value as JSON can hold it: dates and bytes as text, sets as lists."""
    if isinstance(value, Mapping):
        return {str(name): jsonable(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [jsonable(item) for item in value]
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _present(config: Config, key: Key) -> object:
    value = value_at(config.raw, key)
    if value is REMOVED:
        msg = f"The configuration has no key {dotted(key)}. Nothing was changed."
        raise UnknownKey(msg, hint="amx config show", details={"key": dotted(key)})
    return value


def _refuse_type(key: Key, value: object) -> None:
    kind = kind_of(key)
    if value is None:
        msg = f"VALUE is null, which is no value for {dotted(key)}. Nothing was changed."
        raise UsageError(msg, hint=f"amx config unset {dotted(key)}")
    if kind is None or kind.accepts(value):
        return
    hints = {
        Kind.TEXT: "Give --string to take VALUE as it is.",
        Kind.MAPPING: f"amx config set {dotted((*key, ANY))} VALUE, for a key below it",
    }
    msg = f"{dotted(key)} must be {kind.value}. Nothing was changed."
    raise UsageError(msg, hint=hints.get(kind))


def _is_secret(key: Key, value: str) -> bool:
    if secret_part(key):
        return not is_reference(value)
    return "${" not in value and redact_url(value) != value
