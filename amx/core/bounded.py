"""A shared store that never keeps its caller longer than the deadline.

No time-out of a driver frees a caller from a silent name server, or from a peer that acknowledges
bytes and never answers. So all calls run in one daemon thread, which is abandoned at the deadline;
it touches nothing but the store.
"""

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from amx.core.errors import Transient
from amx.core.models import Values
from amx.core.outcome import Outcome
from amx.core.ports import SharedStore
from amx.core.reports import Bootstrap, Member, StoreMeta
from amx.core.sending import Deadline, NotTaken, Number, Numbers
from amx.core.shapes import Shape
from amx.core.tables import Table
from amx.core.teammates import Wanted

T = TypeVar("T")

GRACE_S = 0.2
"""The store may use all of its deadline; only then it is called silent."""


class BoundedStore:
    """The shared store that ``open_store`` gives, its calls bounded. Once silent, it is given up.

    Args:
        open_store: Makes the store; runs in the thread too, since a password may take its time.
        target: Where the store is, in words.
    """

    def __init__(self, open_store: Callable[[], SharedStore], target: str) -> None:
        self._open = open_store
        self._target = target
        self._store: SharedStore | None = None
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_silent = False

    @property
    def target(self) -> str:  # noqa: D102 - as all below: the Protocol has the docstrings
        return self._target

    def meta(self, deadline: Deadline) -> StoreMeta | None:  # noqa: D102 - the Protocol has it
        return self._call(lambda store: store.meta(deadline), deadline)

    def bootstrap(self, deadline: Deadline) -> Bootstrap:  # noqa: D102 - the Protocol has it
        return self._call(lambda store: store.bootstrap(deadline), deadline)

    def shapes(  # noqa: D102 - the Protocol has it
        self, role: str | None, deadline: Deadline
    ) -> tuple[Shape, Shape]:
        return self._call(lambda store: store.shapes(role, deadline), deadline)

    def upsert(  # noqa: D102 - the Protocol has it
        self, table: Table, rows: Sequence[Values], deadline: Deadline
    ) -> Sequence[NotTaken]:
        return self._call(lambda store: store.upsert(table, rows, deadline), deadline)

    def rows(  # noqa: D102 - the Protocol has it
        self, table: Table, origins: Sequence[str], after: str, limit: int, deadline: Deadline
    ) -> Sequence[Values]:
        return self._call(
            lambda store: store.rows(table, origins, after, limit, deadline), deadline
        )

    def numbers(  # noqa: D102 - the Protocol has it
        self, origin: str, above: Mapping[str, int], deadline: Deadline
    ) -> Mapping[str, Numbers]:
        return self._call(lambda store: store.numbers(origin, above, deadline), deadline)

    def numbered(  # noqa: D102 - the Protocol has it
        self, table: Table, origin: str, after: Number, limit: int, deadline: Deadline
    ) -> Sequence[Number]:
        return self._call(
            lambda store: store.numbered(table, origin, after, limit, deadline), deadline
        )

    def orphans(self, table: Table, origins: Sequence[str], deadline: Deadline) -> int:  # noqa: D102 - the Protocol has it
        return self._call(lambda store: store.orphans(table, origins, deadline), deadline)

    def newest(  # noqa: D102 - the Protocol has it
        self, table: Table, wanted: Wanted, deadline: Deadline
    ) -> Sequence[Values]:
        return self._call(lambda store: store.newest(table, wanted, deadline), deadline)

    def team(self, since: str | None, deadline: Deadline) -> Sequence[Member]:  # noqa: D102 - the Protocol has it
        return self._call(lambda store: store.team(since, deadline), deadline)

    def close(self) -> None:  # noqa: D102 - the Protocol has it
        if self._thread is not None and not self._is_silent:
            self._work.put(None)
            self._thread.join(GRACE_S)

    def _call(self, act: Callable[[SharedStore], T], deadline: Deadline) -> T:
        if self._is_silent:
            raise self._silence()
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, daemon=True)
            self._thread.start()
        outcome: Outcome[T] = Outcome()
        self._work.put(lambda: outcome.of(lambda: act(self._opened())))
        try:
            return outcome.wait(deadline.remaining_s + GRACE_S)
        except TimeoutError as error:
            self._is_silent = True
            raise self._silence() from error

    def _silence(self) -> Transient:
        return Transient(f"{self._target} did not answer in time")

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            work()
        if self._store is not None:
            self._store.close()

    def _opened(self) -> SharedStore:
        if self._store is None:
            self._store = self._open()
        return self._store
