"""Profiles, and the identity of what they point at."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from amx.core.digest import sha256
from amx.core.errors import ConfigInvalid
from amx.core.hosts import DEFAULT_PORT, places_of, shown
from amx.core.secrets import Password, redact_url, resolve

BACKENDS = ("postgresql", "sqlite")

IDENTITY_VERSION = "v1"
"""Of the fingerprint: what goes into it, and how, never changes under one version.

A release that makes it otherwise names it otherwise, and still makes this one, too: a session is
compared in the version that it was bound with.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A named database connection, its ``${VAR}`` references and its service resolved.

    ``options`` are further libpq parameters (``sslmode``, ``sslrootcert``, ``hostaddr`` …).
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
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def identity(self) -> str:
        """A fingerprint of what the profile points at, the same for every name of it.

        Of backend, literal hosts with their ports as a set, database and schema, or the resolved
        path; never of credentials, TLS options or the profile's name. Hosts are compared without
        case and final dot, IPv6 addresses and folders of sockets in one form.
        """
        text = "\0".join(self._pointed_at())  # a part with a NUL was refused
        digest = sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
        return f"{IDENTITY_VERSION}:{digest[:32]}"

    @property
    def target(self) -> str:
        """What the profile points at, in words; without user and secrets."""
        if self.backend == "sqlite":
            return f"sqlite:{redact_url(self.path)}"
        said, safe = self._hosts, redact_url(self._hosts)
        place = safe if said != safe else ",".join(shown(*one) for one in self._places())
        return f"postgresql://{place}/{redact_url(self.database)}?schema={redact_url(self.schema)}"

    def _pointed_at(self) -> list[str]:
        if self.backend == "sqlite":
            return [self.backend, self.path]
        hosts = sorted(f"{host}:{port}" for host, port in self._places())
        no_service = ""  # its name had this place before what it stands for was read
        return [self.backend, no_service, self.database, self.schema, *hosts]

    @property
    def _hosts(self) -> str:
        # Where there is an address libpq connects to it: the name is for certificates only.
        return self.options.get("hostaddr") or self.host

    def _places(self) -> list[tuple[str, str]]:
        return places_of(self._hosts, self.port)


def profile_of(name: str, settings: Mapping[str, object], environ: Mapping[str, str]) -> Profile:
    """Make a profile from its mapping in the configuration.

    Raises:
        ConfigInvalid: a key is missing or has a value that it cannot have.
        SecretUnavailable: a ``${VAR}`` in it is not set.
    """
    where = f"db_profiles.{name}"
    texts = _resolved(settings, environ, where)
    backend = texts.get("backend", "postgresql")
    if backend not in BACKENDS:
        msg = f"{where}.backend is {backend!r}; amx reads {' and '.join(BACKENDS)}."
        raise ConfigInvalid(msg, hint="amx db list")
    if backend == "sqlite":
        path = _path(_required(texts, "path", where), where)
        password = _password(settings, where)
        return Profile(name=name, backend=backend, path=path, schema="main", password=password)
    return _postgresql(name, texts, _password(settings, where), _served(texts, environ, where))


_SECRET = ("password", "password_command")

_LIBPQ_OPTIONS = (
    "hostaddr",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "passfile",
    "target_session_attrs",
    "application_name",
)
"""What a profile may say to libpq beside what it points at; a service may say anything."""


def _resolved(
    settings: Mapping[str, object], environ: Mapping[str, str], where: str
) -> dict[str, str]:
    """Return what is said, its references resolved; none of them may be set to nothing."""
    found = {}
    for key in (key for key in settings if key not in _SECRET):
        text = _text(settings, key)
        if "\0" in text:
            raise ConfigInvalid(f"{where}.{key} holds a NUL, which no connection can be made with.")
        if value := resolve(text, environ, where=f"{where}.{key}"):
            found[key] = value
        elif text:
            msg = f"{where}.{key} is {text}, and that is set to nothing. Nothing was changed."
            raise ConfigInvalid(msg)
    return found


def _served(texts: Mapping[str, str], environ: Mapping[str, str], where: str) -> dict[str, str]:
    if not texts.get("service"):
        return {}
    from amx.core.services import settings_of

    served = settings_of(texts["service"], environ, where=f"{where}.service")
    database = served.pop("dbname", None)
    return served if database is None else {**served, "database": database}


def _postgresql(
    name: str, texts: Mapping[str, str], password: Password, served: dict[str, str]
) -> Profile:
    """Make a profile of what it says itself and, where it is silent, of what its service says."""
    where = f"db_profiles.{name}"
    if not (password.text or password.command):
        password = replace(password, text=served.get("password"))
    options = {key: served[key] for key in served if key not in _NO_OPTIONS}
    options |= {key: texts[key] for key in _LIBPQ_OPTIONS if key in texts}
    said = {**served, **texts}
    profile = Profile(
        name=name,
        backend="postgresql",
        host=said.get("host") or ("" if "hostaddr" in options else "localhost"),
        port=said.get("port", DEFAULT_PORT),
        database=_required(said, "database", where),
        schema=texts.get("schema", "public"),
        user=said.get("user", ""),
        password=password,
        options=options,
    )
    try:
        _ = profile.identity
    except ValueError as error:
        msg = f"{where}.port does not give each of several hosts its port. Nothing was changed."
        raise ConfigInvalid(msg, hint=f"amx config set {where}.port …") from error
    return profile


_NO_OPTIONS = {"host", "port", "database", "user", "password"}


def _required(texts: Mapping[str, str], key: str, where: str) -> str:
    if key in texts:
        return texts[key]
    backend = "sqlite" if key == "path" else "postgresql"
    msg = f"{where} has no {key}, which a {backend} profile needs."
    raise ConfigInvalid(msg, hint=f"amx config set {where}.{key} …")


def _path(path: str, where: str) -> str:
    try:
        return os.path.realpath(Path(path).expanduser())
    except (RuntimeError, ValueError, OSError) as error:  # no such home; NUL; no working folder
        msg = f"{where}.path names no place on this machine: {redact_url(str(error))}."
        raise ConfigInvalid(msg, hint=f"amx config set {where}.path …") from error


def _password(settings: Mapping[str, object], where: str) -> Password:
    text, command = (_text(settings, key) or None for key in _SECRET)
    return Password(where=f"{where}.password", text=text, command=command)


def _text(settings: Mapping[str, object], key: str) -> str:
    value = settings.get(key)
    is_text = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value) if is_text else ""
