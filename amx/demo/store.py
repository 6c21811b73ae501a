"""The shared store of the demo: a file, or a schema of its own on a real server."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from amx.core.errors import UsageError
from amx.demo.proxy import Proxy

PASSWORD = "AMX_DEMO_PASSWORD"  # noqa: S105 - the name of a variable
"""Where the engineers of the demo find the password of `--postgres`."""


class DemoStore(Protocol):
    """A store that can be taken away and brought back."""

    @property
    def words(self) -> tuple[str, ...]:
        """What `amx db add` needs to know of it."""

    @property
    def enable(self) -> tuple[str, ...]:
        """What `amx history-store enable` needs to know beside the profile."""

    @property
    def environ(self) -> Mapping[str, str]:
        """What the engineers have in their environment."""

    def take_away(self) -> None:
        """Make it unreachable."""

    def bring_back(self) -> None:
        """Make it reachable again."""

    def close(self) -> None:
        """Leave nothing behind."""


class FileStore:
    """A SQLite file; taken away by renaming it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "team.db"
        self._away = folder / "team.db.away"
        self.words = ("--backend", "sqlite", "--path", str(self._path))
        self.enable: tuple[str, ...] = ()
        self.environ: Mapping[str, str] = {}

    def take_away(self) -> None:
        self._path.rename(self._away)

    def bring_back(self) -> None:
        self._away.rename(self._path)

    def close(self) -> None:
        pass


class ServerStore:
    """A schema of its own on a real PostgreSQL, reached through a door that can be shut."""

    def __init__(self, dsn: str) -> None:
        from amx.drivers.postgres import parse_dsn

        self._dsn = dsn
        parts = parse_dsn(dsn)
        if not parts.get("dbname"):
            message = "--postgres needs a database: postgresql://user@host:port/database"
            raise UsageError(message)
        host, port = parts.get("host", "localhost"), parts.get("port", "5432")
        if "," in host + port:
            raise UsageError("--postgres takes one host. Nothing was changed.")
        self._schema = f"amx_demo_{secrets.token_hex(4)}"
        self._proxy = Proxy(host, int(port))
        self.words: tuple[str, ...] = ("--backend", "postgresql", "--host", "127.0.0.1")
        self.words += ("--port", str(self._proxy.port), "--database", parts["dbname"])
        if parts.get("user"):
            self.words += ("--user", parts["user"])
        if parts.get("sslmode"):
            self.words += ("--sslmode", parts["sslmode"])
        password = parts.get("password") or os.environ.get("PGPASSWORD")
        self.environ = {PASSWORD: password} if password else {}
        self.words += ("--password-env", PASSWORD) if password else ()
        self.enable = ("--schema", self._schema)

    def take_away(self) -> None:
        self._proxy.shut()

    def bring_back(self) -> None:
        self._proxy.open()

    def close(self) -> None:
        from amx.drivers.postgres import drop_schema

        drop_schema(self._dsn, self._schema)
