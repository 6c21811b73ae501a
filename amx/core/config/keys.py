"""Dotted keys: ``db_profiles.shop.host``, a part with a dot in it quoted: ``a."b.c".d``."""

import re

from amx.core.errors import UsageError
from amx.core.secrets import is_secret_key, redact

Key = tuple[str, ...]

_NAMED_BY_USER = ("db_profiles", "llm_profiles")
"""Keys below which the user's own names stand: a profile called ``token`` is no secret."""

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_PART = rf'({_QUOTED}|[^."]+)(\.|$)'
_PLAIN = r'[^.\s"]+'


def key_of(text: str) -> Key:
    """Return the parts of a dotted key.

    Raises:
        UsageError: a part is empty or a quote is not closed.
    """
    parts, position = [], 0
    while match := re.compile(_PART).match(text, position):
        parts.append(_unquoted(match[1]))
        position = match.end()
        if not match[2]:
            break
    if position != len(text) or text.endswith(".") or not parts or not all(parts):
        msg = f"{text!r} is no key: its parts are separated by single dots. Nothing was changed."
        raise UsageError(msg, hint='amx config get db_profiles."a.b".host')
    return tuple(parts)


def dotted(key: Key) -> str:
    """Return the text that `key_of` reads as these parts."""
    return ".".join(part if re.fullmatch(_PLAIN, part) else _quoted(part) for part in key)


def _unquoted(part: str) -> str:
    return re.sub(r"\\(.)", r"\1", part[1:-1], flags=re.DOTALL) if part[0] == '"' else part


def _quoted(part: str) -> str:
    escaped = part.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def secret_part(key: Key) -> str | None:
    """Return the part of a key that says that what stands below it is a secret."""
    own = key[2:] if key[0] in _NAMED_BY_USER else key
    return next((part for part in own if is_secret_key(part)), None)


def redacted(key: Key, value: object) -> object:
    """Return the value under a key fit to be shown: secrets in it are hidden."""
    return redact(value, secret_part(key) or key[-1])
