"""A real PostgreSQL of the suite's own: 18, or the machine's.

A watchdog process ends the server and removes its folder when this process is gone, however it
went.
"""

import ctypes
import itertools
import os
import select
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import psycopg2

from tests.embedded import ENVIRONMENT, Place, find_place

StopMode = Literal["smart", "fast", "immediate"]

SUPERUSER = "postgres"
START_S = 60
"""How long a start may take on a machine that is busy; it needs a third of a second."""

_BUILTIN = ["--locale-provider=builtin", "--locale=C.UTF-8", "--lc-collate=C", "--lc-ctype=C"]
"""A locale that every machine has, from PostgreSQL 17 on."""

_IPC_RMID = 0  # <linux/ipc.h>

_WATCHDOG = """
cat > /dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2> /dev/null) && kill -QUIT "$pid" 2> /dev/null
tries=0
while [ -e "$1/data/postmaster.pid" ] && [ "$tries" -lt 200 ]; do
    tries=$((tries + 1))
    sleep 0.05
done
rm -rf -- "$1"
"""

_HBA = f"""
local all {SUPERUSER}              trust
host  all {SUPERUSER} 127.0.0.1/32 trust
local all all                      scram-sha-256
host  all all         127.0.0.1/32 scram-sha-256
"""


class PostgresServer:
    """One cluster: started at once, on a port that it keeps over restarts.

    The superuser ``postgres`` needs no password; any other role needs its own (SCRAM).

    Args:
        fsync: Whether commits reach the disk; off unless a test is about that.
        programs: Where the server's programs are; those of PostgreSQL 18 where nothing is said.
        port: Where it listens, if that is not to be any free port.
    """

    host = "127.0.0.1"
    user = SUPERUSER

    def __init__(
        self, *, fsync: bool = False, programs: Path | None = None, port: int | None = None
    ) -> None:
        self._place = find_place(programs)
        self._folder = self._place.folder
        self._locale = _BUILTIN if programs is None else ["--locale=C.UTF-8"]
        self._data = self._folder / "data"
        self._names = itertools.count(1)
        self._watchdog = _watch(self._folder)
        self.port = port or free_port()
        try:
            self._initialise(fsync=fsync)
            self.start()
        except RuntimeError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def place(self) -> Place:
        """Where it runs, and under which account."""
        return self._place

    @property
    def socket_folder(self) -> Path:
        """Where its Unix socket is; as ``host`` it reaches the server without TCP."""
        return self._folder / "socket"

    @property
    def log(self) -> str:
        """Everything that the server has logged so far."""
        path = self._folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def dsn(self, database: str = "postgres") -> str:
        """Return the superuser's connection string for one database."""
        return f"host={self.host} port={self.port} user={self.user} dbname={database}"

    def new_database(self, tablespace: str = "pg_default") -> str:
        """Create an empty database and return its name."""
        name = f"test_{next(self._names)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0 TABLESPACE {tablespace}")
        return name

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement as superuser, in autocommit, and return its rows, if it has any."""
        with closing(psycopg2.connect(self.dsn(database))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        log = str(self._folder / "log")
        self._run("pg_ctl", "start", "-w", "-t", str(START_S), "-l", log, "-D", str(self._data))

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop it and wait until it is gone."""
        self._run("pg_ctl", "stop", "-w", "-m", mode, "-D", str(self._data))

    def kill(self) -> None:
        """Kill the postmaster and all its children with SIGKILL, as a power cut would.

        What a dead server leaves behind (its pid file, its socket, its shared memory) is taken
        away: until init has reaped the dead, its pid would seem to be alive to `start`.
        """
        pid_file = self._data / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        _kill_family(int(lines[0]))
        for left in (pid_file, *self.socket_folder.iterdir()):
            left.unlink()
        ctypes.CDLL(None).shmctl(int(lines[6].split()[1]), _IPC_RMID, None)

    def is_running(self) -> bool:
        """Tell whether the server is up."""
        return self._place.run("pg_ctl", "status", "-D", str(self._data)).returncode == 0

    def require_tls(self, certificate: bytes, key: bytes) -> None:
        """Take connections over TCP with TLS only, from now on."""
        self._place.give(self._data / "server.crt", certificate)
        self._place.give(self._data / "server.key", key)
        rules = _HBA.replace("host ", "hostssl ")
        (self._data / "pg_hba.conf").write_text(rules)
        for setting in ("ssl = on", "ssl_cert_file = 'server.crt'", "ssl_key_file = 'server.key'"):
            self.execute(f"ALTER SYSTEM SET {setting}")
        self.execute("SELECT pg_reload_conf()")

    def close(self) -> None:
        """End it and remove all that it wrote; harmless a second time."""
        self._watchdog.communicate()

    def _initialise(self, *, fsync: bool) -> None:
        options = ["--no-sync", "--no-instructions", "--encoding=UTF8", "--auth=trust"]
        self._run(
            "initdb", *options, *self._locale, f"--username={SUPERUSER}", f"--pgdata={self._data}"
        )
        (self._data / "pg_hba.conf").write_text(_HBA)
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write(
                f"port = {self.port}\n"
                f"listen_addresses = '{self.host}'\n"
                f"unix_socket_directories = '{self.socket_folder}'\n"
                f"fsync = {'on' if fsync else 'off'}\n"
                "shared_buffers = 64MB\n"
                "timezone = 'UTC'\n"
            )

    def _run(self, program: str, *args: str) -> None:
        done = self._place.run(program, *args)
        if done.returncode:
            msg = f"{program} {' '.join(args)} failed ({done.returncode}):\n{done.stdout}{self.log}"
            raise RuntimeError(msg)


def _watch(folder: Path) -> subprocess.Popen[bytes]:
    """Start the process that clears up once its input, which only we hold, is closed."""
    return subprocess.Popen(
        ["/bin/sh", "-c", _WATCHDOG, "watchdog", str(folder)],
        cwd="/",
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((PostgresServer.host, 0))
        port: int = probe.getsockname()[1]
        return port


def _kill_family(postmaster: int) -> None:
    """Kill a stopped postmaster with all its children and wait until none is left."""
    os.kill(postmaster, signal.SIGSTOP)  # so that it can start no child that would be missed
    for process in [postmaster, *_children(postmaster)]:
        try:
            descriptor = os.pidfd_open(process)
        except ProcessLookupError:
            continue
        try:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            select.select([descriptor], [], [])
        except ProcessLookupError:
            continue
        finally:
            os.close(descriptor)


def _children(parent: int) -> Iterator[int]:
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == parent:
            yield int(status.parent.name)
