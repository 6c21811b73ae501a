"""Blocks of suspended autosave, and threads, for the tests of them."""

import threading
from collections.abc import Callable

import pytest

from amx.core.config.file import ConfigFile
from amx.core.config.model import Changes
from amx.core.errors import Busy
from tests.config.editors import WAIT_S


def in_a_thread(work: Callable[[], object]) -> None:
    """Do some work in a thread of its own, to its end; what it raises fails the test."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - it is raised again
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(WAIT_S)
    assert not thread.is_alive()
    if raised:
        raise raised[0]


def in_a_block(file: ConfigFile, changes: Changes, *then: Callable[[], object]) -> None:
    """Make changes in a block, and do something else at its end."""
    with file.suspended():
        file.patch(changes)
        for act in then:
            act()


def patched_by_a_thread(file: ConfigFile, changes: Changes) -> Callable[[], None]:
    """Return what lets a thread without a block make changes."""
    return lambda: in_a_thread(lambda: file.patch(changes))


def fail() -> None:
    """Raise what nobody but a test raises."""
    raise ZeroDivisionError


class Elsewhere:
    """A thread that stands inside a block of its own until it is told how to leave."""

    def __init__(self, file: ConfigFile, changes: Changes) -> None:
        self._file, self._changes = file, changes
        self._inside, self._go = threading.Event(), threading.Event()
        self._error: Exception | None = None
        self.raised: list[BaseException] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._inside.wait(WAIT_S)

    def _run(self) -> None:
        try:
            with self._file.suspended():
                self._file.patch(self._changes)
                self._inside.set()
                self._go.wait(WAIT_S)
                if self._error:
                    raise self._error
        except (ValueError, Busy) as error:
            self.raised.append(error)
            self._inside.set()

    def leave(self, error: Exception | None = None) -> None:
        """Leave the block, by an error if one is given."""
        self._error = error
        self._go.set()
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()
