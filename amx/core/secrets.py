"""Secrets: how they are referred to, how they are had, and that they are never shown."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from amx.core.errors import SecretUnavailable

REDACTED = "***"

_SENSITIVE = (
    "password|passwd|passphrase|(?<![a-z])(?:pass|pwd|bearer)(?![a-z])"
    "|secret|token|(?:api|access|private|account|encryption|signing)[-_]?key|credential"
    r"|authorization|(?<![a-z])(?:pat|auth|cookies?|jwt|sig)(?![\w-])"
)
"""Names of keys whose values are secrets, unless they are references or name a command."""

_PLACE = r"_(?:command|env|path|file)"

_COUNT = r"max_(?:\w+_)?tokens"

_HARMLESS = rf"{_PLACE}$|^{_COUNT}$"
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
    if is_secret_key(key) and value not in (None, ""):
        return value if is_reference(value) else REDACTED
    if isinstance(value, list):
        return [redact(item, key) for item in value]
    if isinstance(value, str):
        return redact_url(value)
    return value


def redact_url(text: str) -> str:
    """Return the text with every secret in it hidden that can be known by its place.

    That is: the password of a URL, and of an address without scheme; what stands before the ``@``
    of a web address, where it may be a token; the value of a name that is one of a secret, however
    it is written (libpq, ODBC, JSON, YAML, a header, an option); a private key.
    """
    for pattern, shown in _IN_TEXT:
        text = re.sub(pattern, shown, text)
    return text


_QUOTED = r"""'(?:[^'\\]|\\.|'')*+'|"(?:[^"\\]|\\.|"")*+\""""

_NAME = (
    r"(?<!://)(?<![\w@-])"  # a host may be called ``auth``
    rf"(?=[\w-]*?(?:{_SENSITIVE}))(?!(?:[\w-]*?{_PLACE}|{_COUNT})(?![\w-]))"
)
"""Begins with the name of a secret. No part of a pattern is tried twice: a text may be long."""

_VALUE, _LOGIN = rf"\1{REDACTED}", rf"\1{REDACTED}@"

_UNTIL_AT = r"(?:[^\s@]{0,2000}+@)++"

_AFTER_EQUALS = rf"{_QUOTED}|\{{[^}}\n]*+\}}|[^;=&\n]++(?=;)|[^\s&]++(?:(?!&[^\s&=]*+=)&[^\s&=]*+)*"
"""As ODBC, libpq and URLs write it. In ``(…)*+`` Python 3.11.2 forgets to heed a look ahead."""

_AFTER_COLON = rf"{_QUOTED}|(?:[|>][^\n]*+\n\s*+)?[^\n]++"

_IN_TEXT = (
    (r"(?s)(-----BEGIN [^-\n]*PRIVATE KEY[^-\n]*-----).*?(?:-----END[^-\n]*-----|\Z)", _VALUE),
    (rf"(://[^/\s:]*+:){_UNTIL_AT}", _LOGIN),
    # A password with a blank in it; a port, and an address later in the sentence, are none.
    (r"""(://[^/\s:]*+:)(?!\d+(?:[\s/,;?)'"]|$))[^\n/@'"]{0,200}+@""", _LOGIN),
    (r"(?i)(https?://)[^/@\s]++@", _LOGIN),
    (rf"(?<![\w.:@-])(?!mailto:|keyring:)([\w.+%-]++:)(?!//){_UNTIL_AT}(?=[\w\[])", _LOGIN),
    (rf"(?is)({_NAME}[\w-]++[\\\"']*+\s*+=\s*+)(?:{_AFTER_EQUALS})", _VALUE),
    (rf"(?is)({_NAME}[\w-]++[\\\"']*+\s*+:\s*+)(?:{_AFTER_COLON})", _VALUE),
    (rf"(?is)((?=--){_NAME}[\w-]++\s++)(?!-)(?:{_QUOTED}|\S++)", _VALUE),
)


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
            hint = f"Give it as ${{VAR}}: amx config set KEY '${{VAR}}', or by {_command_of(self.where)}."
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
    except subprocess.TimeoutExpired:
        command_key = _command_of(where)
        msg = f"The {command_key} of {where} did not end within {_COMMAND_TIMEOUT_S} s."
        raise SecretUnavailable(msg) from None  # the cause holds the command
    except (subprocess.CalledProcessError, OSError, UnicodeDecodeError) as error:
        status = getattr(error, "returncode", None)
        msg = f"The {_command_of(where)} of {where} failed (exit {status})."
        raise SecretUnavailable(msg, hint="Run it by hand to see why.") from None
    return done.stdout.rstrip("\r\n")


def _command_of(where: str) -> str:
    """Return the key that may stand beside a secret's: ``password_command``."""
    return f"{where.rpartition('.')[2]}_command"
