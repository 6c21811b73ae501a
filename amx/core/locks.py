"""Locks between processes that die with their process.

`flock` and POSIX record locks are dropped by the kernel at SIGKILL, so none is ever stale. Lock
files are permanent: unlinking one would split its waiters between two inodes.
"""

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple, Self

from amx.core.errors import Busy, LocalStoreFailed

CHECK_PLACE = "Look at the rights of the file and of its folder, and at the space on its disk."
"""What helps where a file of amx cannot be used."""

_PRIVATE = 0o600
_SIGNATURE_BYTES = 255
_NOTE_BYTES = 255

POLL_S = 0.02
"""How often a waiter looks again: `flock` has no time-out of its own."""


class Holder(NamedTuple):
    """Who holds a lock, as it stands in the lock file.

    ``pid`` counts in the holder's own container, so that ``host`` belongs to it; ``since`` is UTC.
    """

    pid: str
    host: str
    purpose: str
    since: str

    @classmethod
    def of_this_process(cls, purpose: str) -> "Holder":
        """Describe the process that calls."""
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return cls(str(os.getpid()), _host(), purpose, since)

    @classmethod
    def of_descriptor(cls, descriptor: int) -> "Holder | None":
        """Read who wrote a lock file last; None where nobody said who."""
        line = os.pread(descriptor, _SIGNATURE_BYTES, 0).decode("utf-8", "replace")
        parts = line.partition("\n")[0].rstrip(" ").split("\t")
        return cls(*parts) if len(parts) == len(cls._fields) else None

    @property
    def words(self) -> str:
        """The holder in one phrase."""
        return f"process {self.pid} on {self.host}: {self.purpose}, since {self.since}"


@cache
def _host() -> str:
    return os.uname().nodename.encode(errors="replace").decode()  # it need not be UTF-8


class FileLock:
    """The exclusive lock of a file; it is held for the length of a `with` block, once.

    Who holds it, what for and since when stands in the file for whoever meets it locked.

    Args:
        path: The lock file; it is made where it is not there.
        wait_s: How long to wait for another process that holds it, in seconds.
        purpose: What it is held for.

    Attributes:
        note: What the holder before has left with `leave`; empty where it was killed, or failed.

    Raises:
        Busy: when the block is entered, and another process still holds it after that time.
        OSError: the file can be neither opened nor made.
    """

    def __init__(self, path: Path, *, wait_s: float, purpose: str) -> None:
        self._path = path
        self._wait_s = wait_s
        self._purpose = purpose
        self.note = ""

    def __enter__(self) -> Self:
        self._descriptor = _opened(self._path)
        is_held = False
        try:
            _acquire(self._descriptor, self._path, time.monotonic() + self._wait_s)
            note = os.pread(self._descriptor, _NOTE_BYTES, _SIGNATURE_BYTES + 1)
            self.note = note.decode("ascii", "replace").rstrip()
            _sign(self._descriptor, self._purpose)
            is_held = True
        finally:
            if not is_held:
                os.close(self._descriptor)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def leave(self, note: str) -> None:
        """Leave a note of one line for the next holder; it is gone as soon as that one holds it."""
        os.pwrite(self._descriptor, _padded(note, _NOTE_BYTES), _SIGNATURE_BYTES + 1)


@contextmanager
def store_lock(path: Path, *, wait_s: float, purpose: str) -> Iterator[None]:
    """Hold an exclusive lock beside the local store for the length of the block.

    Raises:
        Busy: another process still holds it after ``wait_s`` seconds.
        LocalStoreFailed: the file can be neither opened nor made.
    """
    with ExitStack() as holding:
        try:
            holding.enter_context(FileLock(path, wait_s=wait_s, purpose=purpose))
        except OSError as error:
            msg = f"The lock file {path} cannot be opened: {error.strerror}. Nothing was changed."
            raise LocalStoreFailed(msg, hint=CHECK_PLACE) from error
        yield


def _opened(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _PRIVATE)
    try:
        _lend(descriptor, path.parent)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _lend(descriptor: int, folder: Path) -> None:
    """Keep a lock file usable for the owner of its folder, whoever made it under whatever umask."""
    mine, user = os.fstat(descriptor), os.geteuid()
    if user == 0 and mine.st_uid == 0 and (owner := os.stat(folder)).st_uid != 0:  # noqa: PTH116 - as above
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    if user in (0, mine.st_uid) and stat.S_IMODE(mine.st_mode) != _PRIVATE:
        os.fchmod(descriptor, _PRIVATE)


def _sign(descriptor: int, purpose: str) -> None:
    """Write who holds the lock over who held it, and over the note that one has left.

    To truncate the file first would cost a disk's time.
    """
    line = "\t".join(Holder.of_this_process(purpose))
    os.pwrite(descriptor, _padded(line, _SIGNATURE_BYTES) + _NO_NOTE, 0)


def _padded(line: str, length: int) -> bytes:
    return line.encode()[:length].ljust(length) + b"\n"


_NO_NOTE = _padded("", _NOTE_BYTES)


@contextmanager
def shared_lock(path: Path, *, purpose: str) -> Iterator["Holder | None"]:
    """Keep others from taking an exclusive lock for the length of the block, without waiting.

    Yields None then; or, where somebody holds it exclusively just now, that holder.

    Raises:
        OSError: the file can be neither opened nor made.
    """
    descriptor = _opened(path)
    try:
        is_ours = _try(descriptor, fcntl.LOCK_SH)
        if is_ours:
            _sign(descriptor, purpose)
        yield None if is_ours else Holder.of_descriptor(descriptor) or _UNKNOWN
    finally:
        os.close(descriptor)


_UNKNOWN = Holder("unknown", "unknown", "unknown", "unknown")


def is_held(path: Path) -> bool:
    """Tell whether some process holds this lock just now; who takes it meets what else is wrong."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _try(descriptor)
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, end: float) -> None:
    while not _try(descriptor):
        if time.monotonic() >= end:
            holder = Holder.of_descriptor(descriptor) or _UNKNOWN
            raise Busy(
                f"{path.name} is locked by another process ({holder.words}). Nothing was changed.",
                hint="Try again in a moment.",
                details={"path": str(path), "holder": holder._asdict()},
            )
        time.sleep(POLL_S)


def _try(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class NumberLocks:
    """One lock per number, all in one file: a run holds its own for as long as it lives.

    Record locks belong to the process and end when it closes *any* descriptor of the file, so a
    process opens the file once and keeps it open.

    Source: fcntl(2), "Advisory record locking".
    """

    def __init__(self, path: Path) -> None:
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            msg = f"The lock file {path} cannot be opened: {error.strerror}. Nothing was changed."
            raise LocalStoreFailed(msg, hint=CHECK_PLACE) from error
        self._mine: set[int] = set()

    def hold(self, number: int) -> None:
        """Hold the lock of this number until the process ends or lets go of it."""
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        self._mine.add(number)

    def release(self, number: int) -> None:
        """Let go of the lock of this number."""
        self._mine.discard(number)
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, number)

    def is_held(self, number: int) -> bool:
        """Tell whether this or another process holds the lock of this number."""
        if number in self._mine:
            return True
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except OSError:
            return True
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, number)
        return False
