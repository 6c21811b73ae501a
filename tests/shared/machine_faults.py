"""What happens to replays, for the state machine of the outbox: faults, company, and death."""

import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from amx.core.errors import Transient
from amx.core.models import Values
from amx.core.ports import SharedStore
from amx.core.reports import StoreMeta
from amx.core.rows import row_of, values_of
from amx.core.sending import Deadline, NotTaken
from amx.core.tables import Table
from tests.shared.machine_world import KINDS, Written

Deed = Callable[[Sequence[Values]], None]
"""What happens beside the sending of these rows."""


@dataclass
class Played:
    """A shared store, and what happens just before and just after each call of `upsert`.

    Args:
        real: The store.
        before: Deeds of the calls, in order, before anything was sent.
        after: The same, after the store has committed and before that is known.
        is_out: Whether the first question already fails.
    """

    real: SharedStore
    before: Iterator[Deed]
    after: Iterator[Deed]
    is_out: bool = False
    sent: list[int] = field(default_factory=list)

    def meta(self, deadline: Deadline) -> StoreMeta | None:
        if self.is_out:
            outage()
        return self.real.meta(deadline)

    def upsert(
        self, table: Table, values: Sequence[Values], deadline: Deadline
    ) -> Sequence[NotTaken]:
        self.sent.append(len(values))
        next(self.before, calm)(values)
        not_taken = self.real.upsert(table, values, deadline)
        next(self.after, calm)(values)
        return not_taken

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the real store has
        return getattr(self.real, name)


def calm(_values: Sequence[Values]) -> None:
    """Nothing happens."""


def outage(_values: Sequence[Values] = ()) -> None:
    """The connection is lost: before anything was sent, or before the answer came."""
    raise Transient("server closed the connection unexpectedly")


def time_out(_values: Sequence[Values]) -> None:
    """The server says that it took too long."""
    raise Transient("canceling statement", details={"sqlstate": "57014"})


def death(_values: Sequence[Values] = ()) -> None:
    """This process is killed."""
    os.kill(os.getpid(), signal.SIGKILL)


def dies(work: Callable[[], object]) -> bool:
    """Do the work in a child; tell whether it was killed.

    Whoever calls holds no connection to a SQLite file: none survives a fork.
    """
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return True
    assert status == 0, "a child failed by itself"
    return False


class Pipe:
    """What a child has acknowledged before it was killed."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()

    def tell(self, written: Written) -> None:
        """Tell the parent what was acknowledged."""
        pairs = [[row.TABLE, values_of(row), values_of(found)] for row, found in written]
        os.write(self._writer, json.dumps(pairs).encode())

    def heard(self) -> Written:
        """Return what the child has told, and close."""
        os.close(self._writer)
        with os.fdopen(self._reader, "rb") as told:
            pairs = json.loads(told.read() or "[]")
        return [
            (row_of(KINDS[table], row), row_of(KINDS[table], found)) for table, row, found in pairs
        ]
