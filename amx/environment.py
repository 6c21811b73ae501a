"""What the environment of a command says: its flags, its folders, its files."""

import sys
from functools import cached_property
from pathlib import Path

from amx.core.errors import UsageError


class Environment:
    """The environment of one command.

    Args:
        environ: The variables; the global options are written over them.
    """

    def __init__(self, environ: dict[str, str]) -> None:
        self.environ = environ

    @property
    def is_debugging(self) -> bool:
        """Whether tracebacks are shown."""
        return self._is_on("AMX_DEBUG")

    @property
    def is_background(self) -> bool:
        """Whether this process is a background worker."""
        return self._is_on("AMX_BACKGROUND")

    @property
    def requires_delivery(self) -> bool:
        """Whether rows that are still queued at the end are a failure."""
        return self._is_on("AMX_REQUIRE_DELIVERY")

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
        try:
            path = Path(named).expanduser() if named else Path("~/.amx").expanduser()
        except RuntimeError as error:
            message = "There is no home folder to keep anything in. Nothing was changed."
            raise UsageError(message, hint="export AMX_HOME=/a/folder") from error
        return path.absolute()

    @cached_property
    def config_path(self) -> Path:
        """The configuration file; it need not exist."""
        named = self.environ.get("AMX_CONFIG")
        return Path(named).expanduser().absolute() if named else self.home / "config.yml"

    @cached_property
    def local_path(self) -> Path:
        """The local store's file; it need not exist."""
        named = self.environ.get("AMX_LOCAL_DB")
        return Path(named).expanduser().absolute() if named else self.home / "local.db"

    def _is_on(self, variable: str) -> bool:
        return self.environ.get(variable, "").lower() not in ("", "0", "no", "false")
