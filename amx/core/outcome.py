"""What work in one thread comes to, handed to the thread that waits for it."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Outcome(Generic[T]):
    """What a piece of work returns or raises: made in one thread, had in another.

    The standard library's future would do, but it brings the logging of the whole program along.
    """

    def __init__(self) -> None:
        self._is_there = threading.Event()
        self._returned: list[T] = []
        self._raised: BaseException | None = None

    @property
    def is_there(self) -> bool:
        """Whether the work is over."""
        return self._is_there.is_set()

    def of(self, work: Callable[[], T]) -> None:
        """Do the work and keep what it returns or raises. Never raises."""
        try:
            self._returned.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._raised = error
        self._is_there.set()

    def wait(self, timeout_s: float) -> T:
        """Return what the work returned, or raise what it raised. Signals end the wait.

        Raises:
            TimeoutError: the work was not over within ``timeout_s`` seconds.
        """
        if not self._is_there.wait(min(timeout_s, threading.TIMEOUT_MAX)):
            raise TimeoutError
        if self._raised is not None:
            raise self._raised
        return self._returned[0]
