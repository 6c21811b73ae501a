"""Profiles, and the identity of what they point at."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from amx.core.digest import sha256
from amx.core.errors import ConfigInvalid
from amx.core.secrets import Password, redact_url, resolve

BACKENDS = ("postgresql", "sqlite")

IDENTITY_VERSION = "v1"
"""Of the fingerprint: what goes into it, and how, never changes under one version."""

DEFAULT_PORT = 5432

_REQUIRED = {"postgresql": "database", "sqlite": "path"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A named database connection, its ``${VAR}`` references resolved.

    ``options`` are further libpq parameters (``sslmode``, ``sslrootcert``, ``service`` …).
    """

    name: str
    backend: str
    host: str = ""
    port: str = ""
    database: str = ""
    schema: str = ""
    user: str = ""
    path: str = ""
    password: Password = field(default_factory=lambda: Password(where=""), repr=False)
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """A fingerprint of what the profile points at, the same for every name of it.

        Of backend, lower-cased literal hosts as a sorted set, port, database and schema, or the
        resolved path; never of credentials, TLS options or the profile's name.
        """
        text = "\0".join(self._pointed_at())  # a part with a NUL was refused
        digest = sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
        return f"{IDENTITY_VERSION}:{digest[:32]}"

    @property
    def target(self) -> str:
        """What the profile points at, in words; without user and secrets."""
        if self.backend == "sqlite":
            return f"sqlite:{redact_url(self.path)}"
        if "service" in self.options:
            place = f"service={redact_url(self.options['service'])}"
        else:
            place = ",".join(_hosts(redact_url(self.host), redact_url(self.port)))
        return f"postgresql://{place}/{redact_url(self.database)}?schema={redact_url(self.schema)}"

    def _pointed_at(self) -> list[str]:
        if self.backend == "sqlite":
            return [self.backend, self.path]
        service = self.options.get("service", "")
        hosts = sorted(set(_hosts(self.host, self.port)))
        return [self.backend, service, self.database, self.schema, *hosts]


def profile_of(name: str, settings: Mapping[str, object], environ: Mapping[str, str]) -> Profile:
    """Make a profile from its mapping in the configuration.

    Raises:
        ConfigInvalid: a key is missing or has a value that it cannot have.
        SecretUnavailable: a ``${VAR}`` in it is not set.
    """
    where = f"db_profiles.{name}"
    texts = {key: _text(settings, key) for key in settings if key not in _SECRET}
    if nul := next((key for key, text in texts.items() if "\0" in text), None):
        raise ConfigInvalid(f"{where}.{nul} holds a NUL, which no connection can be made with.")
    resolved = {
        key: resolve(value, environ, where=f"{where}.{key}") for key, value in texts.items()
    }
    backend = resolved.pop("backend", "") or "postgresql"
    if backend not in BACKENDS:
        msg = f"{where}.backend is {backend!r}; amx reads {' and '.join(BACKENDS)}."
        raise ConfigInvalid(msg, hint="amx db list")
    if not resolved.get(_REQUIRED[backend]) and not resolved.get("service"):
        msg = f"{where} has no {_REQUIRED[backend]}, which a {backend} profile needs."
        raise ConfigInvalid(msg, hint=f"amx config set {where}.{_REQUIRED[backend]} …")
    make = _sqlite if backend == "sqlite" else _postgresql
    return make(name, resolved, _password(settings, where))


_SECRET = ("password", "password_command")

_LIBPQ_OPTIONS = (
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "service",
    "passfile",
    "target_session_attrs",
    "application_name",
)


def _postgresql(name: str, texts: Mapping[str, str], password: Password) -> Profile:
    is_by_service = bool(texts.get("service"))
    return Profile(
        name=name,
        backend="postgresql",
        host=(texts.get("host") or ("" if is_by_service else "localhost")).lower(),
        port=texts.get("port") or ("" if is_by_service else str(DEFAULT_PORT)),
        database=texts.get("database", ""),
        schema=texts.get("schema") or "public",
        user=texts.get("user", ""),
        password=password,
        options={key: texts[key] for key in _LIBPQ_OPTIONS if texts.get(key)},
    )


def _sqlite(name: str, texts: Mapping[str, str], password: Password) -> Profile:
    path = _resolved(texts["path"], name)
    return Profile(name=name, backend="sqlite", path=path, schema="main", password=password)


def _resolved(path: str, name: str) -> str:
    try:
        return os.path.realpath(Path(path).expanduser())
    except (RuntimeError, ValueError, OSError) as error:  # no such home; NUL; no working folder
        msg = f"db_profiles.{name}.path names no place on this machine: {redact_url(str(error))}."
        raise ConfigInvalid(msg, hint=f"amx config set db_profiles.{name}.path …") from error


def _password(settings: Mapping[str, object], where: str) -> Password:
    text, command = (_text(settings, key) or None for key in _SECRET)
    return Password(where=f"{where}.password", text=text, command=command)


def _text(settings: Mapping[str, object], key: str) -> str:
    value = settings.get(key)
    is_text = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value) if is_text else ""


def _hosts(host: str, port: str) -> list[str]:
    """Pair each host with its port, as libpq does (its manual, 32.1.1.3)."""
    hosts, ports = host.split(","), port.split(",")
    if len(ports) == 1:
        ports *= len(hosts)
    return [f"{one}:{two or DEFAULT_PORT}" for one, two in zip(hosts, ports, strict=False)]
