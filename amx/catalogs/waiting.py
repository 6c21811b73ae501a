"""Waits for a database in a way that Ctrl-C, SIGTERM and a deadline can end."""

import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from amx.core.outcome import Outcome

T = TypeVar("T")


def answer(ask: Callable[[], T], timeout_s: float, abandon: Callable[[], None]) -> T:
    """Return what ``ask`` returns, or raise what it raises; it runs in a thread of its own.

    Python sees a signal only between two steps of its main thread, and a driver's call is one
    step, however long. Where the wait ends first, ``abandon`` is called and the thread is left
    to itself; it does not keep the process from ending.

    Raises:
        TimeoutError: there was no answer within ``timeout_s`` seconds.
    """
    outcome: Outcome[T] = Outcome()
    threading.Thread(target=partial(outcome.of, ask), daemon=True).start()
    try:
        return outcome.wait(timeout_s)
    finally:
        if not outcome.is_there:
            abandon()
