"""A small disk for the shared store's database, in a mount namespace that nobody else sees.

Only root can mount one; where the kernel refuses, the storm goes without. What is mounted goes
with the last process of the namespace.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from tests.postgres import PostgresServer

APART = "--apart"
"""Says that the namespace is there."""

SIZE = "256m"

_PROBE = ("unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt")


class SmallDisk:
    """A disk that can be filled.

    Args:
        folder: Where it is mounted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Take all the space that is left."""
        with self._filler.open("wb", buffering=0) as filler:
            for block in (b"\0" * (1 << 20), b"\0" * (1 << 12)):
                with suppress(OSError):
                    while filler.write(block):
                        pass

    def free(self) -> None:
        """Give the space back."""
        self._filler.unlink()


def can_mount() -> bool:
    """Tell whether this process may have mounts of its own."""
    if os.geteuid() != 0:
        return False
    try:
        return subprocess.run(_PROBE, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def go_apart(module: str, arguments: Sequence[str]) -> NoReturn:
    """Become the same program in a mount namespace of its own."""
    command = ["unshare", "--mount", sys.executable, "-m", module, APART, *arguments]
    os.execvp(command[0], command)  # noqa: S606 - the same program with the same arguments


@contextmanager
def small_disk(server: PostgresServer) -> Iterator[SmallDisk]:
    """Give a server's tablespace ``small`` a disk of its own."""
    folder = server.socket_folder.with_name("small")
    folder.mkdir()
    owner = server.socket_folder.stat()
    options = f"size={SIZE},mode=0700,uid={owner.st_uid},gid={owner.st_gid}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "small", folder], check=True)
    try:
        place = folder / "space"
        place.mkdir(mode=0o700)
        os.chown(place, owner.st_uid, owner.st_gid)
        server.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
