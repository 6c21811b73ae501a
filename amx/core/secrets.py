"""Secrets: how they are referred to, how they are had, and that they are never shown."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from amx.core.errors import SecretUnavailable

REDACTED = "***"

_SENSITIVE = (
    "password|passwd|passphrase|(?<![a-z])(?:pass|pwd|bearer)(?![a-z])"
    "|secret|token|(?:api|access|private)[-_]?key|credential|authorization"
)
"""Names of keys whose values are secrets, unless they are references or name a command."""

_HARMLESS = r"_(?:command|env|path|file)$|^max_(?:\w+_)?tokens$"
"""Names that only say where a secret is, or how many words a model may use."""

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

_COMMAND_TIMEOUT_S = 30


def is_secret_key(key: str) -> bool:
    """Tell whether the value under this key is a secret."""
    return bool(re.search(_SENSITIVE, key, re.IGNORECASE)) and not re.search(
        _HARMLESS, key, re.IGNORECASE
    )


def is_reference(value: object) -> bool:
    """Tell whether a value only refers to a secret (``${VAR}`` or ``keyring:…``)."""
    return isinstance(value, str) and (
        bool(_REFERENCE.fullmatch(value)) or value.startswith("keyring:")
    )


def resolve(text: str, environ: Mapping[str, str], *, where: str) -> str:
    """Return the text with each ``${VAR}`` replaced by the variable's value.

    Raises:
        SecretUnavailable: a variable is not set; the message names it and ``where``.
    """

    def value_of(match: re.Match[str]) -> str:
        name = match[1]
        if name not in environ:
            msg = f"{where} refers to ${{{name}}}, and {name} is not set. Nothing was changed."
            raise SecretUnavailable(
                msg, hint=f"export {name}=…", details={"variable": name, "key": where}
            )
        return environ[name]

    return _REFERENCE.sub(value_of, text)


def redact(value: object, key: str = "") -> object:
    """Return a configuration value fit to be shown: secrets below it are hidden.

    References stay, since they say where a secret is and not what it is.
    """
    if isinstance(value, Mapping):
        # Below ``tokens:`` everything is one, whatever its own name.
        return {
            name: redact(item, key if is_secret_key(key) else str(name))
            for name, item in value.items()
        }
    if is_secret_key(key) and value not in (None, "") and not is_reference(value):
        return REDACTED
    if isinstance(value, list):
        return [redact(item, key) for item in value]
    if isinstance(value, str):
        return redact_url(value)
    return value


def redact_url(text: str) -> str:
    """Return the text with the secrets of any URL or libpq string in it hidden."""
    text = re.sub(r"(://[^/@\s:]*:)\S*@", rf"\1{REDACTED}@", text)
    named = rf"((?:{_SENSITIVE})[\w-]*\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&]+)"
    return re.sub(named, rf"\1{REDACTED}", text, flags=re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Password:
    """A password that is fetched when it is needed and never shown, not even by ``repr``."""

    where: str
    text: str | None = field(default=None, repr=False)
    command: str | None = field(default=None, repr=False)

    def reveal(self, environ: Mapping[str, str]) -> str | None:
        """Return the password; ``None`` leaves it to libpq (.pgpass, service file).

        Raises:
            SecretUnavailable: the variable is not set, the command failed, or the reference is
                one that only the original tool could follow.
        """
        if self.command:
            return _output_of(self.command, environ, self.where)
        if self.text is None:
            return None
        if self.text.startswith("keyring:"):
            msg = f"{self.where} refers to the original tool's keyring, which amx does not read."
            hint = "Give it as ${VAR}: amx config set KEY '${VAR}', or by password_command."
            raise SecretUnavailable(msg, hint=hint)
        return resolve(self.text, environ, where=self.where)


def _output_of(command: str, environ: Mapping[str, str], where: str) -> str:
    try:
        done = subprocess.run(  # noqa: S602 - the user's own command, from the user's own file
            command,
            shell=True,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_COMMAND_TIMEOUT_S,
            check=True,
            text=True,
        )
    except subprocess.TimeoutExpired as error:
        msg = f"The password_command of {where} did not end within {_COMMAND_TIMEOUT_S} s."
        raise SecretUnavailable(msg) from error
    except (subprocess.CalledProcessError, OSError, UnicodeDecodeError) as error:
        status = getattr(error, "returncode", None)
        msg = f"The password_command of {where} failed (exit {status})."
        raise SecretUnavailable(msg, hint="Run it by hand to see why.") from error
    return done.stdout.rstrip("\r\n")
