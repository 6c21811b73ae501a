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
        if self._signal == signal.SIGINT:
            raise Interrupted(message)
        if self._signal is not None:
            raise Terminated(message)

    def note(self, number: int, _frame: FrameType | None) -> None:
        """Keep the wish; a second one is not waited for.

        Raises:
            Interrupted: it is the second wish.
        """
        if self._signal is not None:
            msg = "Stopped at once; what was being sent stays queued."
            raise Interrupted(msg)
        self._signal = number


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
