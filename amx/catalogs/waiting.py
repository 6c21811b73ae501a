"""Waits for a database in a way that Ctrl-C, SIGTERM and a deadline can end."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


def answer(ask: Callable[[], T], timeout_s: float, abandon: Callable[[], None]) -> T:
    """Return what ``ask`` returns, or raise what it raises; it runs in a thread of its own.

    Python sees a signal only between two steps of its main thread, and a driver's call is one
    step, however long. Where the wait ends first, ``abandon`` is called and the thread is left
    to itself; it does not keep the process from ending.

    Raises:
        TimeoutError: there was no answer within ``timeout_s`` seconds.
    """
    future: Future[T] = Future()

    def work() -> None:
        with _Told(future):
            future.set_result(ask())

    threading.Thread(target=work, daemon=True).start()
    try:
        return future.result(timeout_s)
    finally:
        if not future.done():
            abandon()


class _Told(Generic[T]):
    """Hands whatever the block raises to whoever waits for its answer."""

    def __init__(self, future: "Future[T]") -> None:
        self._future = future

    def __enter__(self) -> None:
        return

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is not None:
            self._future.set_exception(error)
        return True
