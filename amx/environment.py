"""What the environment of a command says: its flags, its folders, its files."""

import sys
from functools import cached_property
from pathlib import Path

from amx.core.errors import UsageError

LOCK_TIMEOUT_S = 5.0


class Environment:
    """The environment of one command.

    Args:
        environ: The variables; the global options are written over them.
    """

    def __init__(self, environ: dict[str, str]) -> None:
        self.environ = environ
        self.exported = frozenset(name for name in environ if environ[name])
        """The variables that the caller's shell has set, whatever the options say."""

    @property
    def is_debugging(self) -> bool:
        """Whether tracebacks are shown."""
        return self._is_on("AMX_DEBUG")

    @property
    def is_background(self) -> bool:
        """Whether this process is a background worker."""
        return self._is_on("AMX_BACKGROUND")

    @property
    def is_without_model(self) -> bool:
        """Whether no model is asked, whichever is configured."""
        return self._is_on("AMX_NO_MODEL")

    @property
    def requires_delivery(self) -> bool:
        """Whether rows that are still queued at the end are a failure."""
        return self._is_on("AMX_REQUIRE_DELIVERY")

    @property
    def lock_timeout_s(self) -> float:
        """How long a save of the configuration waits for another one, in seconds.

        Raises:
            UsageError: what was said is no length of time.
        """
        named = self.environ.get("AMX_LOCK_TIMEOUT")
        if not named:
            return LOCK_TIMEOUT_S
        from amx.core.durations import seconds_of

        return seconds_of(named)

    @property
    def has_terminal(self) -> bool:
        """Whether somebody can be asked: standard input and standard error are terminals."""
        if self._is_on("AMX_NO_INPUT"):
            return False
        return all(stream and stream.isatty() for stream in (sys.stdin, sys.stderr))

    @property
    def session_key(self) -> str | None:
        """The session named for this command, if any."""
        return self.environ.get("AMX_SESSION") or None

    @cached_property
    def home(self) -> Path:
        """The folder of this installation; it need not exist."""
        named = self.environ.get("AMX_HOME")
        return _path(named or "~/.amx", "AMX_HOME")

    @cached_property
    def config_path(self) -> Path:
        """The configuration file; it need not exist."""
        named = self.environ.get("AMX_CONFIG")
        return _file_path(named, "AMX_CONFIG") if named else self.home / "config.yml"

    @cached_property
    def local_path(self) -> Path:
        """The local store's file; it need not exist."""
        named = self.environ.get("AMX_LOCAL_DB")
        return _file_path(named, "AMX_LOCAL_DB") if named else self.home / "local.db"

    @property
    def flush_lock_path(self) -> Path:
        """The lock that one flusher of this installation holds."""
        return self.local_path.with_name(f"{self.local_path.name}.flush.lock")

    def _is_on(self, variable: str) -> bool:
        return self.environ.get(variable, "").lower() not in ("", "0", "no", "false")


def _path(named: str, variable: str) -> Path:
    """Return the absolute path that was named.

    Raises:
        UsageError: it stands on a home or a working directory that is not there.
    """
    try:
        return Path(named).expanduser().absolute()
    except (RuntimeError, OSError) as error:
        message = f"There is no folder that {named} could stand in. Nothing was changed."
        raise UsageError(message, hint=f"export {variable}=/a/path") from error


def _file_path(named: str, variable: str) -> Path:
    path = _path(named, variable)
    if not path.name:
        message = f"{variable} names {path}, which is no file. Nothing was changed."
        raise UsageError(message, hint=f"export {variable}=/a/file")
    return path
