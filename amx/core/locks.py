"""Locks between processes that die with their process.

`flock` and POSIX record locks are dropped by the kernel at SIGKILL, so none is ever stale. Lock
files are permanent: unlinking one would split its waiters between two inodes.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from amx.core.errors import Busy, LocalStoreFailed

CHECK_PLACE = "Look at the rights of the file and of its folder, and at the space on its disk."
"""What helps where a file of amx cannot be used."""

POLL_S = 0.02
"""How often a waiter looks again: `flock` has no time-out of its own."""


@contextmanager
def file_lock(path: Path, *, wait_s: float, purpose: str) -> Iterator[None]:
    """Hold the exclusive lock of this file for the length of the block.

    The holder's process id and purpose stand in the file for whoever meets it locked.

    Raises:
        Busy: another process still holds it after ``wait_s`` seconds.
        OSError: the file can be neither opened nor made.
    """
    with _held(_opened(path), path, wait_s, purpose):
        yield


@contextmanager
def store_lock(path: Path, *, wait_s: float, purpose: str) -> Iterator[None]:
    """Hold an exclusive lock beside the local store, as `file_lock` does.

    Raises:
        Busy: another process still holds it after ``wait_s`` seconds.
        LocalStoreFailed: the file can be neither opened nor made.
    """
    try:
        descriptor = _opened(path)
    except OSError as error:
        msg = f"The lock file {path} cannot be opened: {error.strerror}. Nothing was changed."
        raise LocalStoreFailed(msg, hint=CHECK_PLACE) from error
    with _held(descriptor, path, wait_s, purpose):
        yield


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


@contextmanager
def _held(descriptor: int, path: Path, wait_s: float, purpose: str) -> Iterator[None]:
    try:
        _acquire(descriptor, path, time.monotonic() + wait_s)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {purpose}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


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
            holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()
            raise Busy(
                f"{path.name} is locked by another process ({holder or 'unknown'}). "
                "Nothing was changed.",
                hint="Try again in a moment.",
                details={"path": str(path), "holder": holder},
            )
        time.sleep(POLL_S)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
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
