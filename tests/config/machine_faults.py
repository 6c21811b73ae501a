"""Processes that die, and calls that fail, for the state machine of guard 4."""

import errno
import os
from collections.abc import Callable

from tests.config.support import killed_at

Act = Callable[[int, str, tuple[object, ...]], None]

ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES, errno.EDQUOT, errno.EBUSY)


def failing(n: int, number: int) -> Act:
    """Fail the n-th call, unless it closes something."""

    def fail(count: int, name: str, _: tuple[object, ...]) -> None:
        if count == n and name != "close":
            raise OSError(number, os.strerror(number))

    return fail


def meddling(n: int, act: Callable[[], None]) -> Act:
    """Do something before the n-th file is opened, as long as a save is guarded against it.

    Not guarded: what happens between the last look at the live file and the rename over it.
    """
    opened: list[str] = []
    is_over: list[bool] = []

    def meddle(_: int, name: str, args: tuple[object, ...]) -> None:
        if name == "rename" and str(args[0]).endswith(".shadow"):
            is_over.append(True)
        if name == "open":
            opened.append(name)
            if len(opened) == n and not is_over:
                act()

    return meddle


def dies_at(n: int, work: Callable[[], object]) -> bool:
    """Do the work in a child that dies at its n-th call; tell whether it did.

    What the work raises ends the child, too, which is not ours to tell: the folder says it.
    """

    def whole_life() -> None:
        try:
            work()
        finally:
            os._exit(0)

    return killed_at(n, whole_life)
