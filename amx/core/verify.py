"""Proof that local rows and shared rows agree: both sides are streamed in key order."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from itertools import groupby, islice
from typing import NamedTuple

from amx.core.models import Values
from amx.core.origins import left_origins, origins_of
from amx.core.ports import Outbox, SharedStore
from amx.core.reports import VerifyReport
from amx.core.sending import Deadline
from amx.core.tables import SHARED_TABLES, Table

PAGE_ROWS = 1000

ENTER_ROWS = 2000
"""So many differing rows are entered again at a time."""

CALL_S = 60.0


class State(Enum):
    """How one row stands on both sides."""

    EQUAL = "equal"
    PENDING = "pending"
    MISSING = "missing"
    STALE = "stale"
    ALTERED = "altered"
    EXTRA = "extra"
    ELSEWHERE = "elsewhere"


class Comparison(NamedTuple):
    """One row, as it stands on both sides."""

    table: Table
    row_id: str
    state: State
    shared_revision: int


def state_of(local: Values | None, shared: Values | None, *, is_pending: bool) -> State:
    """Judge one row by its two sides, at least one of which is there."""
    if local is None:
        return State.EXTRA
    if is_pending:
        return State.PENDING
    if shared is None:
        return State.MISSING
    if dict(local) == dict(shared):
        return State.EQUAL
    is_older = int(shared["revision"] or 0) < int(local["revision"] or 0)
    return State.STALE if is_older else State.ALTERED


class Verifier:
    """Compares the rows of this installation, under every origin that it ever had.

    Args:
        outbox: The local side.
        store: The shared side.
    """

    def __init__(self, outbox: Outbox, store: SharedStore) -> None:
        self._outbox = outbox
        self._store = store

    def verify(self) -> VerifyReport:
        """Compare all rows, in memory that does not grow with them.

        Raises:
            SharedStoreError: the shared store could not be read to its end.
        """
        counts = Counter(one.state for one in self._comparisons())
        compared = (State.EQUAL, State.MISSING, State.STALE, State.ALTERED)
        return VerifyReport(
            checked=sum(counts[state] for state in compared),
            pending=counts[State.PENDING],
            missing=counts[State.MISSING],
            stale=counts[State.STALE],
            altered=counts[State.ALTERED],
            extra=counts[State.EXTRA],
            elsewhere=counts[State.ELSEWHERE],
            orphans=self._orphans(),
        )

    def enter_missing(self) -> int:
        """Enter every row that the shared store lacks; return how many.

        Raises:
            SharedStoreError: the shared store could not be read to its end.
        """
        return self._enter({State.MISSING})

    def repair(self) -> int:
        """Enter every row that the shared store lacks, has older or has altered; return how many.

        What was altered is sent in a higher revision. The first stamp of a row is beyond it: no
        update changes that.

        Raises:
            SharedStoreError: the shared store could not be read to its end.
        """
        return self._enter({State.MISSING, State.STALE, State.ALTERED})

    def _enter(self, states: set[State]) -> int:
        """Enter what is in one of these states, a chunk of one table in one transaction."""
        entered = 0
        differing = (one for one in self._comparisons() if one.state in states)
        for name, ones in groupby(differing, lambda one: one.table.name):
            while chunk := list(islice(ones, ENTER_ROWS)):
                entered += len(chunk)
                altered = [one for one in chunk if one.state is State.ALTERED]
                above = [(one.row_id, one.shared_revision) for one in altered]
                self._outbox.raise_revisions(name, above)
                lacked = [one.row_id for one in chunk if one.state is not State.ALTERED]
                self._outbox.enter(name, lacked)
        return entered

    def _orphans(self) -> int:
        origins = origins_of(self._outbox)
        children = [table for table in SHARED_TABLES if table.parent]
        return sum(self._store.orphans(one, origins, Deadline(CALL_S)) for one in children)

    def _comparisons(self) -> Iterator[Comparison]:
        for table in SHARED_TABLES:
            yield from self._compare(table)

    def _compare(self, table: Table) -> Iterator[Comparison]:
        origins, left = origins_of(self._outbox), left_origins(self._outbox)
        mine = _stream(lambda after: self._outbox.local_rows(table, after, PAGE_ROWS))
        theirs = _stream(
            lambda after: self._store.rows(table, origins, after, PAGE_ROWS, Deadline(CALL_S))
        )
        for local, shared in merged(mine, theirs):
            row_id = str((local or shared or {})["id"])
            is_equal = local is not None and shared is not None and dict(local) == dict(shared)
            is_pending = not is_equal and bool(self._outbox.pending_among(table.name, [row_id]))
            state = state_of(local, shared, is_pending=is_pending)
            if state is State.EXTRA and shared and _is_elsewhere(table, shared, left):
                state = State.ELSEWHERE
            yield Comparison(
                table,
                row_id,
                state,
                int((shared or {}).get("revision") or 0),
            )


def _is_elsewhere(table: Table, shared: Values, left: Mapping[str, Mapping[str, int]]) -> bool:
    """Tell whether another copy wrote a row, under an origin that this installation has left."""
    first = left.get(str(shared["origin_id"]), {}).get(table.name)
    return first is not None and int(shared["local_id"] or 0) >= first


def merged(
    mine: Iterator[Values], theirs: Iterator[Values]
) -> Iterator[tuple[Values | None, Values | None]]:
    """Pair the rows of two sides that are both in key order; a row of one side has None beside."""
    local, shared = next(mine, None), next(theirs, None)
    while local is not None or shared is not None:
        if shared is None or (local is not None and str(local["id"]) < str(shared["id"])):
            yield local, None
            local = next(mine, None)
        elif local is None or str(local["id"]) > str(shared["id"]):
            yield None, shared
            shared = next(theirs, None)
        else:
            yield local, shared
            local, shared = next(mine, None), next(theirs, None)


def _stream(page: Callable[[str], Sequence[Values]]) -> Iterator[Values]:
    rows = page("")
    while rows:
        yield from rows
        rows = page(str(rows[-1]["id"]))
