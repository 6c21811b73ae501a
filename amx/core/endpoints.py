"""The model endpoint that the configuration names: where it is, what is asked of it, for how long.

An endpoint is what ``api_base`` says. A profile without it configures none: nothing leaves this
machine because of a model's name.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast
from urllib.parse import urlsplit

from amx.core.errors import ConfigInvalid, SecretUnavailable
from amx.core.secrets import Password, is_reference, redact_url, resolve

TIMEOUT_S = 60.0
"""For one answer in all, tries and waits between them included, where nothing else is said."""

LONGEST_S = 3600.0

PLAIN = "amx ask --no-model QUESTION"
"""The way on without a model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An OpenAI-compatible endpoint, its ``${VAR}`` references resolved.

    ``key`` is shown nowhere, not even by ``repr``; nor is ``url``, which may hold a password.
    """

    where: str
    url: str = field(repr=False)
    model: str
    key: str | None = field(default=None, repr=False)
    has_literal_key: bool = False
    timeout_s: float = TIMEOUT_S
    temperature: float | None = None
    max_tokens: int | None = None
    ca_bundle: str | None = None

    @property
    def place(self) -> str:
        """Where it is, in words, without secrets."""
        return redact_url(self.url)

    @property
    def connect_s(self) -> float:
        """How long connecting may take."""
        return min(5.0, self.timeout_s / 2)

    @property
    def first_s(self) -> float:
        """How long the first byte of the answer may take, once it was asked for."""
        return self.timeout_s / 2

    @property
    def gap_s(self) -> float:
        """How long it may be silent between two pieces of the answer."""
        return self.timeout_s / 4


class Model(Protocol):
    """Words answers."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def warnings(self) -> Sequence[str]:
        """What is wrong with how it is configured, though it can be asked."""

    def words(self, messages: Sequence[Mapping[str, str]]) -> Generator[str, None, None]:
        """Yield the text of its answer as it comes; closed before its end, it asks no further.

        Raises:
            NoAnswer: there is none, or it was broken off; the text says why, without secrets.
        """


def active_endpoint(
    name: str, settings: Mapping[str, object] | None, environ: Mapping[str, str]
) -> Endpoint:
    """Make the endpoint of the active LLM profile, which has these settings, or is not there.

    Raises:
        ConfigInvalid: there is none, or it cannot be used.
        SecretUnavailable: the key, or a ``${VAR}``, cannot be had.
    """
    if settings is None:
        msg = f"active_llm_profile is {name!r}, and llm_profiles has none of this name."
        raise ConfigInvalid(
            f"{msg} Nothing was sent.", hint=f"amx config get llm_profiles\n{PLAIN}"
        )
    return endpoint_of(name, settings, environ)


def endpoint_of(name: str, settings: Mapping[str, object], environ: Mapping[str, str]) -> Endpoint:
    """Make an endpoint from an LLM profile of the configuration.

    Raises:
        ConfigInvalid: a key is missing or has a value that it cannot have.
        SecretUnavailable: the key, or a ``${VAR}``, cannot be had.
    """
    where = f"llm_profiles.{name}"
    model, base, bundle = (
        resolve(_text(settings, key), environ, where=f"{where}.{key}").strip()
        for key in ("model", "api_base", "ca_bundle")
    )
    if not model:
        raise _invalid(f"{where} has no model", f"{where}.model NAME")
    if not _is_address(base):
        raise _invalid(f"{where}.api_base is no address", f"{where}.api_base https://HOST/v1")
    literal = _text(settings, "api_key")
    command = _text(settings, "api_key_command") or None
    secret = Password(where=f"{where}.api_key", text=literal or None, command=command)
    limit = _number(settings, "max_tokens")
    return Endpoint(
        where=where,
        url=f"{base.rstrip('/')}/chat/completions",
        model=model,
        key=_sendable(secret.reveal(environ), secret.where),
        has_literal_key=bool(literal) and not command and not is_reference(literal),
        timeout_s=_timeout_s(settings, where),
        temperature=_number(settings, "temperature"),
        max_tokens=None if limit is None else int(limit),
        ca_bundle=bundle or None,
    )


def _is_address(base: str) -> bool:
    """Tell whether this is the address of a server; its query would swallow what is added to it."""
    try:
        parts = urlsplit(base)
        has_place = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    is_plain = base.isascii() and base.isprintable() and " " not in base
    return is_plain and has_place and parts.scheme in ("http", "https") and "?" not in base


def _sendable(key: str | None, where: str) -> str | None:
    """Return a key fit for a header: a line break at its end is none of it."""
    key = (key or "").strip()
    if not (key.isascii() and key.isprintable()):
        msg = f"{where} holds characters that no header can carry. Nothing was sent."
        raise SecretUnavailable(msg, hint="Look at the variable for line breaks and the like.")
    return key or None


def _timeout_s(settings: Mapping[str, object], where: str) -> float:
    seconds = _number(settings, "timeout_s")
    if seconds == 0:
        raise _invalid(f"{where}.timeout_s is zero", f"{where}.timeout_s 60")
    return TIMEOUT_S if seconds is None else min(seconds, LONGEST_S)


def _invalid(problem: str, remedy: str) -> ConfigInvalid:
    return ConfigInvalid(
        f"{problem}. Nothing was sent.",
        hint=f"amx config set {remedy}\n{PLAIN}",
    )


def _text(settings: Mapping[str, object], key: str) -> str:
    value = settings.get(key)
    return value if isinstance(value, str) else ""


def _number(settings: Mapping[str, object], key: str) -> float | None:
    return cast("float | None", settings.get(key))
