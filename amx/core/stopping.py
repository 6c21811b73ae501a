"""Ctrl-C and SIGTERM as a wish that work obeys between two steps."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from amx.core.errors import Interrupted, Terminated

_WISHES = (signal.SIGINT, signal.SIGTERM)


class StopWish:
    """Whether somebody wished the work to stop, and by which signal."""

    def __init__(self) -> None:
        self._signal: int | None = None

    def is_there(self) -> bool:
        """Tell whether the work shall stop."""
        return self._signal is not None

    def obey(self, message: str) -> None:
        """End the command where it was wished for; else do nothing.

        Raises:
            Interrupted: by Ctrl-C.
            Terminated: by SIGTERM.
        """
        if self._signal is not None:
            raise _error_of(self._signal)(message)

    def note(self, number: int, _frame: FrameType | None) -> None:
        """Keep the wish; a second one is not waited for.

        Raises:
            Interrupted: it is the second wish, Ctrl-C.
            Terminated: it is the second wish, SIGTERM.
        """
        if self._signal is not None:
            msg = "Stopped at once; what was being sent stays queued."
            raise _error_of(number)(msg)
        self._signal = number


def _error_of(number: int) -> type[Interrupted]:
    return Interrupted if number == signal.SIGINT else Terminated


@contextmanager
def stop_wishes() -> Iterator[StopWish]:
    """Turn the signals into a wish for the length of the block. For the main thread only."""
    wish = StopWish()
    before = {number: signal.signal(number, wish.note) for number in _WISHES}
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
