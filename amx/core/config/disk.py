"""Files on disk: written whole and synced, never retried after a failed fsync."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from amx.core.digest import sha256

PRIVATE = 0o600

_CHUNK = 1 << 20

_NO_LINKS = {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EMLINK, errno.EXDEV, errno.ENOSYS}
"""What file systems without hard links, or kernels that protect them, answer."""


class Sight(NamedTuple):
    """What a file was when it was looked at: two equal sights are one state of it."""

    place: tuple[int, ...]
    digest: bytes

    @property
    def owner(self) -> tuple[int, int]:
        """User and group."""
        return self.place[-2], self.place[-1]


class NotAFile(OSError):
    """The path names a folder, a pipe or a device."""


def reason(error: OSError) -> str:
    """Return why a system call failed, in words and by its name."""
    name = errno.errorcode.get(error.errno or 0)
    return f"{error.strerror} ({name})" if name else str(error)


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """Open a regular file to be read.

    Raises:
        NotAFile: it is something else; a pipe is not waited for.
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotAFile(f"{path} is not a regular file")
        yield descriptor
    finally:
        os.close(descriptor)


def chunks(descriptor: int) -> Iterator[bytes]:
    """Yield what a descriptor holds, from its beginning, piece by piece."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    while piece := os.read(descriptor, _CHUNK):
        yield piece


def look(path: Path) -> Sight | None:
    """Look at a file, contents included; None where there is none."""
    try:
        with opened(path) as descriptor:
            place = _place(os.fstat(descriptor))
            return Sight(place, digest_of(chunks(descriptor)))
    except FileNotFoundError:
        return None


def seen(descriptor: int) -> tuple[Sight, bytes]:
    """Look at an open file that is small enough to be had whole; return its bytes, too."""
    place = _place(os.fstat(descriptor))
    data = b"".join(chunks(descriptor))
    return Sight(place, digest_of(iter([data]))), data


def digest_of(pieces: Iterator[bytes]) -> bytes:
    """Return a digest of the bytes."""
    digest = sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


def write_new(path: Path, pieces: Iterator[bytes], owner: tuple[int, int] | None) -> bytes:
    """Create a private file that must not be there, write it whole and sync it.

    Returns:
        The digest of what was written.

    Raises:
        OSError: it is there already, or a call failed; what was written stays for the caller
            to remove.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, PRIVATE)
    digest = sha256()
    try:
        os.fchmod(descriptor, PRIVATE)  # a umask may have taken even the owner's bits
        _give_to(descriptor, owner)
        for piece in pieces:
            digest.update(piece)
            _write_all(descriptor, piece)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return digest.digest()


def duplicate(source: Path, target: Path) -> None:
    """Give a private file a second name, or a synced copy where there are no hard links."""
    if not source.is_symlink() and stat.S_IMODE(source.stat().st_mode) != PRIVATE:
        source.chmod(PRIVATE)
    try:
        target.hardlink_to(source)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        copy(source, target)


def copy(source: Path, target: Path) -> bytes:
    """Copy a file to a new private one, its time with it, and sync it; return the digest."""
    with opened(source) as descriptor:
        status = os.fstat(descriptor)
        digest = write_new(target, chunks(descriptor), (status.st_uid, status.st_gid))
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    return digest


def make_private(folder: Path) -> None:
    """Make a folder, and what is missing above it, each for its owner only and durable.

    Raises:
        OSError: something else is in its place, or it cannot be made.
    """
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing or [folder]):
        one.mkdir(mode=0o700, exist_ok=True)
        if missing:
            sync_folder(one.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_mount_point(path: Path) -> bool:
    """Tell whether a single file is mounted here: it cannot be replaced by rename.

    Source: proc_pid_mountinfo(5); the fifth field, blanks in it as octal.
    """
    try:
        lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    except OSError:
        return False
    wanted = os.fsencode(path)
    for sign in (b"\\", b" ", b"\t", b"\n"):
        wanted = wanted.replace(sign, b"\\%03o" % sign[0])
    return any(line.split(b" ")[4] == wanted for line in lines)


def _place(status: os.stat_result) -> tuple[int, ...]:
    times = (status.st_mtime_ns, status.st_ctime_ns)
    owner = (status.st_uid, status.st_gid)
    return (status.st_dev, status.st_ino, status.st_size, *times, *owner)


def _give_to(descriptor: int, owner: tuple[int, int] | None) -> None:
    status = os.fstat(descriptor)
    if owner is None or owner == (status.st_uid, status.st_gid):
        return
    try:
        os.fchown(descriptor, *owner)
    except PermissionError:
        if owner[0] != status.st_uid:  # of a private file, the group alone matters to nobody
            raise


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
