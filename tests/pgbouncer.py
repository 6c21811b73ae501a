"""A real pgbouncer of the suite's own, in transaction mode, before a server of the suite's."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.embedded import ENVIRONMENT
from tests.postgres import PostgresServer, free_port

PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin:/usr/local/sbin")
"""Where this machine has it; None where it has none."""

_SETTINGS = """
[databases]
* = host={host} port={server} {login}
[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {pool}
server_reset_query =
server_login_retry = 1
log_connections = 0
log_disconnections = 0
log_stats = 0
"""


class Bouncer:
    """One pgbouncer, whose clients all are one role of the server.

    Args:
        server: What it stands before.
        pool: How many connections to the server its clients share.
        login: As whom, in libpq's words; the server's superuser, if left out.
    """

    host = "127.0.0.1"

    def __init__(self, server: PostgresServer, *, pool: int = 1, login: str = "") -> None:
        self._place = server.place
        self._folder = Path(tempfile.mkdtemp(prefix="pgbouncer-", dir=server.place.folder))
        self._folder.chmod(0o755)
        self.port = free_port()
        self._settings = self._folder / "pgbouncer.ini"
        text = _SETTINGS.format(
            host=self.host,
            server=server.port,
            login=login or f"user={server.user}",
            port=self.port,
            pool=pool,
        )
        self._place.give(self._settings, text.encode())
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it takes connections.

        Raises:
            RuntimeError: it does not; with what it has said.
        """
        self._process = subprocess.Popen(
            [str(PROGRAM), str(self._settings)],
            **self._place.as_account,
            cwd="/",
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        said = []
        for line in self._process.stderr or ():
            if "process up" in line:
                return
            said.append(line)
        self.stop()
        raise RuntimeError("pgbouncer does not start:\n" + "".join(said))

    def stop(self) -> None:
        """Kill it, its clients' connections with it."""
        self._process.kill()
        self._process.communicate()
