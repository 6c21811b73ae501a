"""How far a command has come, in one line that a terminal shows again and again."""

import time
from collections.abc import Callable

_WIDTH = 20


class Pace:
    """The pace of one piece of work: how much is done, how fast, and how long the rest takes.

    Args:
        clock: Gives the time in seconds, from wherever it counts.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: tuple[float, int] | None = None

    def words(self, done: int, total: int, what: str) -> str:
        """Return the line; the rate is known from the second call on.

        Args:
            done: How many are done.
            total: How many there are, as far as is known now.
            what: What they are: ``rows sent``.
        """
        now = self._clock()
        filled = _WIDTH * done // max(1, total)
        line = f"[{'#' * filled:.<{_WIDTH}}] {done}/{total} {what}"
        if self._first is None:
            self._first = (now, done)
            return line
        seconds, made = now - self._first[0], done - self._first[1]
        if seconds <= 0 or made <= 0:
            return line
        rate = made / seconds
        return f"{line}, {rate:,.0f}/s, {(total - done) / rate:.0f} s left"
