"""What `amx db` changes in the configuration: pure decisions, returned as patches."""

import re
from collections.abc import Mapping
from pathlib import Path

from amx.core.config.model import REMOVED, Changes, Config
from amx.core.errors import Refused, UnknownProfile, UsageError
from amx.core.pasting import argument
from amx.core.rows import clean

_NAME = re.compile(r"[^\x00-\x20\x7f/\\'\"$`]{1,64}")

_ONLY_FOR = {
    "sqlite": {"path"},
    "postgresql": {
        "host",
        "port",
        "database",
        "user",
        "schema",
        "sslmode",
        "sslrootcert",
        "service",
        "passfile",
        "target_session_attrs",
        "password",
        "password_command",
    },
}


def added(config: Config, name: str, backend: str, settings: Mapping[str, str | None]) -> Changes:
    """Return the patch that adds a profile; the first one becomes the active one.

    Raises:
        UsageError: the name is taken or cannot be one, or the settings do not fit the backend.
    """
    _check_name(config, name)
    given = {key: value for key, value in settings.items() if value is not None}
    for key, value in given.items():
        if clean(value) != value:
            message = f"The value of --{key.replace('_', '-')} is not text. Nothing was changed."
            raise UsageError(message)
    _check(backend, given)
    profile: dict[str, object] = {"backend": backend, **given}
    if backend == "sqlite":
        profile["path"] = _absolute(given["path"])
    if given.get("port", "").isdecimal():
        profile["port"] = int(given["port"])
    patch: dict[tuple[str, ...], object] = {("db_profiles", name): profile}
    if not config.active_profile:
        patch["active_db_profile",] = name
    return patch


def used(config: Config, name: str) -> Changes:
    """Return the patch that makes a profile the active one.

    Raises:
        UnknownProfile: there is none of this name.
    """
    _require(config, name)
    return {("active_db_profile",): name}


def renamed(config: Config, old: str, new: str) -> Changes:
    """Return the patch that gives a profile another name, wherever the configuration names it.

    Raises:
        UnknownProfile: there is none of the old name.
        UsageError: the new name is taken or cannot be one.
    """
    _require(config, old)
    _check_name(config, new)
    profiles = config.raw["db_profiles"]
    settings = profiles[old] if isinstance(profiles, Mapping) else None
    patch: dict[tuple[str, ...], object] = {
        ("db_profiles", old): REMOVED,
        ("db_profiles", new): settings,
    }
    for key in ("active_db_profile", "history_store_profile"):
        if config.raw.get(key) == old:
            patch[key,] = new
    return patch


def removed(config: Config, name: str, *, is_awaited: bool) -> Changes:
    """Return the patch that removes a profile; its sessions and runs stay.

    Args:
        config: The configuration.
        name: The profile.
        is_awaited: Whether rows are queued for the shared store that it leads to.

    Raises:
        UnknownProfile: there is none of this name.
        Refused: the shared store is reached through it, or rows are queued for it.
    """
    _require(config, name)
    if config.is_shared and config.history_store_profile == name:
        message = f"The shared store is reached through the profile {name!r}. Nothing was changed."
        raise Refused(message, hint="amx history-store disable")
    if is_awaited:
        message = f"Rows are queued for the shared store behind {name!r}. Nothing was changed."
        raise Refused(message, hint="amx history-store flush-pending, or drop-pending")
    patch: dict[tuple[str, ...], object] = {("db_profiles", name): REMOVED}
    if config.active_profile == name:
        patch["active_db_profile",] = REMOVED
    return patch


def _check_name(config: Config, name: str) -> None:
    if not _NAME.fullmatch(name):
        message = f"{name!r} cannot name a profile: no spaces, quotes, slashes or control"
        raise UsageError(f"{message} characters, at most 64 in all. Nothing was changed.")
    if name in config.profiles:
        message = f"There is a profile {name!r} already. Nothing was changed."
        raise UsageError(message, hint=f"amx db show {argument(name)}")


def _require(config: Config, name: str) -> None:
    if name not in config.profiles:
        raise UnknownProfile(name, list(config.profiles))


def _check(backend: str, given: Mapping[str, str]) -> None:
    foreign = sorted(set(given) - _ONLY_FOR[backend])
    if foreign:
        words = ", ".join(f"--{key.replace('_', '-')}" for key in foreign)
        message = f"A {backend} profile takes no {words}. Nothing was changed."
        raise UsageError(message, hint="amx db add --help")
    needed = "path" if backend == "sqlite" else "database"
    if not given.get(needed) and not given.get("service"):
        message = f"A {backend} profile needs --{needed}. Nothing was changed."
        raise UsageError(message, hint="amx db add --help")
    for port in given.get("port", "").split(",") if given.get("port") else ():
        if not port.isdecimal() or not 0 < int(port) < 65536:  # noqa: PLR2004 - ports have 16 bits
            message = f"--port {port} is not a port (1 to 65535). Nothing was changed."
            raise UsageError(message)


def _absolute(path: str) -> str:
    try:
        return str(Path(path).expanduser().absolute())
    except (RuntimeError, OSError) as error:  # no such home; no working folder
        message = f"--path {path} names no place on this machine. Nothing was changed."
        raise UsageError(message) from error
