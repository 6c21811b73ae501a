"""Files on disk: written whole and synced, never retried after a failed fsync."""

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from amx.core.digest import blake2b

PRIVATE = 0o600

_CHUNK = 1 << 20

_NO_LINKS = {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EMLINK, errno.EXDEV, errno.ENOSYS}
"""What file systems without hard links, or kernels that protect them, answer."""


class Sight(NamedTuple):
    """What a file was when it was looked at: two equal sights are one state of it."""

    inode: tuple[int, int]
    owner: tuple[int, int]
    size: int
    changed_ns: int
    digest: bytes

    def is_of(self, status: os.stat_result) -> bool:
        """Tell whether these are the facts of the same file, its contents not looked at."""
        return self[:-1] == _facts(status)

    def is_like(self, status: os.stat_result) -> bool:
        """Tell whether these are the size and the time of another name, or of a copy, of it."""
        return (self.size, self.changed_ns) == (status.st_size, status.st_mtime_ns)

    @property
    def words(self) -> str:
        """All of it as one line."""
        return f"{self[:-1]} {self.digest.hex()}"


class NotAFile(OSError):
    """The path names a folder, a pipe or a device."""


def reason(error: OSError) -> str:
    """Return why a system call failed, in words and by its name."""
    name = errno.errorcode.get(error.errno or 0)
    return f"{error.strerror} ({name})" if name else str(error)


@contextmanager
def opened(path: Path | str) -> Iterator[int]:
    """Open a regular file to be read.

    Raises:
        NotAFile: it is something else; a pipe is not waited for.
        OSError: it cannot be opened.
    """
    descriptor, _ = _opened(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def chunks(descriptor: int) -> Iterator[bytes]:
    """Yield what a descriptor holds, from its beginning, piece by piece."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    while piece := os.read(descriptor, _CHUNK):
        yield piece


def words_of(path: Path | str) -> str | None:
    """Return how the words of this file's sight begin, its contents not looked at."""
    try:
        return str(_facts(os.stat(path)))  # noqa: PTH116 - a save is counted in microseconds
    except FileNotFoundError:
        return None


def look(path: Path | str, *, make_durable: bool = False) -> Sight | None:
    """Look at a file, contents included; None where there is none.

    Args:
        path: The file.
        make_durable: Whether what it holds is synced, too: whoever wrote it may not have done it.
    """
    try:
        descriptor, status = _opened(path)
    except FileNotFoundError:
        return None
    try:
        digest = digest_of(_contents(descriptor, status.st_size))
        if make_durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return Sight(*_facts(status), digest)


def read_whole(path: Path | str, most: int | None = None) -> tuple[bytes, os.stat_result]:
    """Read a file that is small enough to be had whole.

    Args:
        path: The file.
        most: Of a file of more bytes than these nothing is read.

    Returns:
        Its bytes, and what it was just before they were read.
    """
    descriptor, status = _opened(path)
    try:
        is_read = most is None or status.st_size <= most
        data = b"".join(_contents(descriptor, status.st_size)) if is_read else b""
    finally:
        os.close(descriptor)
    return data, status


def sight_of(data: bytes, status: os.stat_result) -> Sight:
    """Return the sight of a file that was read whole."""
    return Sight(*_facts(status), blake2b(data, digest_size=32).digest())


def digest_of(pieces: Iterable[bytes]) -> bytes:
    """Return a digest of the bytes."""
    digest = blake2b(digest_size=32)
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


def write_new(path: Path | str, pieces: Iterator[bytes], owner: tuple[int, int] | None) -> bytes:
    """Create a private file that must not be there, write it whole and sync it.

    Returns:
        The digest of what was written.

    Raises:
        OSError: it is there already, or a call failed; what was written stays for the caller
            to remove.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, PRIVATE)
    digest = blake2b(digest_size=32)
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


def link(source: Path | str, target: Path | str) -> bool:
    """Give a file a second name; False where this file cannot have one.

    Raises:
        OSError: it could, but a call failed.
    """
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return False
    return True


def copy(source: Path | str, target: Path | str) -> bytes:
    """Copy a file to a new private one, its time with it, and sync it; return the digest."""
    with opened(source) as descriptor:
        status = os.fstat(descriptor)
        digest = write_new(target, chunks(descriptor), (status.st_uid, status.st_gid))
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    return digest


def remove(path: Path | str) -> None:
    """Remove a name, if it is there."""
    if os.path.lexists(path):
        os.unlink(path)  # noqa: PTH108 - a save is counted in microseconds


def make_private(folder: Path) -> None:
    """Make a folder, and what is missing above it, each for its owner only and durable.

    What a killed predecessor has made of it, and not synced, becomes durable with it.

    Raises:
        OSError: something else is in its place, or it cannot be made.
    """
    if folder.is_dir():
        return
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    if not missing:
        folder.mkdir()  # something else in its place is an error
    for one in reversed(missing):
        _sync_if_allowed(one.parent.parent)
        one.mkdir(mode=0o700, exist_ok=True)
        one.chmod(0o700)  # a umask may have taken even the owner's bits
        sync_folder(one.parent)


def make_name_durable(folder: Path) -> None:
    """Make the name of a folder durable, as far as the folder above it is ours to open."""
    _sync_if_allowed(folder.parent)


def _sync_if_allowed(folder: Path) -> None:
    with suppress(PermissionError):
        sync_folder(folder)


def sync_folder(folder: Path | str) -> None:
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


def _opened(path: Path | str) -> tuple[int, os.stat_result]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NotAFile(f"{path} is not a regular file")
    except OSError:
        os.close(descriptor)
        raise
    return descriptor, status


def _contents(descriptor: int, size: int) -> Iterable[bytes]:
    """Return what a descriptor just opened holds; a small file costs one call.

    A byte more than there should be is asked for: it tells whether that was all.
    """
    first = os.read(descriptor, min(size, _CHUNK) + 1)
    return (first,) if len(first) == size else chunks(descriptor)


def _facts(status: os.stat_result) -> tuple[tuple[int, int], tuple[int, int], int, int]:
    inode, owner = (status.st_dev, status.st_ino), (status.st_uid, status.st_gid)
    return inode, owner, status.st_size, status.st_mtime_ns


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
