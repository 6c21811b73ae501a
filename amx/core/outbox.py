"""The replayer: takes rows from the outbox, sends them to the shared store, confirms them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from amx.core import back_off, marks
from amx.core.clock import now
from amx.core.errors import SharedStoreError
from amx.core.flight import Flight, Landed, call_deadline
from amx.core.locks import store_lock
from amx.core.models import Values
from amx.core.origins import adopt, begin_origin
from amx.core.ports import Outbox, SharedStore
from amx.core.reports import ReplayReport
from amx.core.sending import Deadline, Position
from amx.core.sifting import Sifted
from amx.core.tables import Table
from amx.core.targets import LAST_FLUSH, STORE_ID, STORE_VERSION
from amx.core.verdicts import Verdict, check_store, verdict_of

BATCH_ROWS = 2500
BATCH_BYTES = 4 << 20

_BATCH_ROWS = "batch_rows"

_TIMED_OUT = "57014"

_LAST = "\U0010ffff"
"""Sorts behind every id."""

Progress = Callable[[int, int], None]


def _never() -> bool:
    return False


class OutboxReplayer:
    """Delivers what is queued.

    Args:
        outbox: What is queued.
        open_store: Gives the store; called only when there is something to send.
        lock_path: The lock that one flusher of this installation holds.
        on_rolled_back: Told, once a new origin was begun, how many rows were moved to it or
            found to be behind the store: the local store was restored from a backup, or cloned.
        on_restored: Told once that the shared store has forgotten what it had confirmed.
    """

    def __init__(
        self,
        outbox: Outbox,
        open_store: Callable[[], SharedStore],
        *,
        lock_path: Path,
        on_rolled_back: Callable[[int], None],
        on_restored: Callable[[], None] = lambda: None,
    ) -> None:
        self._outbox = outbox
        self._open_store = open_store
        self._lock_path = lock_path
        self._on_rolled_back = on_rolled_back
        self._on_restored = on_restored

    def replay(
        self,
        deadline: Deadline,
        *,
        limit: int | None = None,
        is_stopping: Callable[[], bool] = _never,
        progress: Progress | None = None,
        wait_s: float = 0.0,
    ) -> ReplayReport:
        """Deliver what can be delivered now and report what is left.

        An entry leaves the outbox only after the shared store has committed its row, so a crash
        in between delivers the row twice; the revision check of `SharedStore.upsert` makes that
        harmless. A store that fails ends the replay: its ``problem`` is reported, and the
        back-off is kept for those who deliver in passing.

        Args:
            deadline: When to stop.
            limit: Send at most this many rows.
            is_stopping: Asked between batches.
            progress: Told how many rows were delivered, and how many are left.
            wait_s: How long to wait for another flusher.

        Raises:
            Busy: another flusher holds the lock.
            LocalStoreFailed: the lock's file can be neither opened nor made.
            SharedStoreMismatch: another store answers than the one that was enabled.
        """
        began = time.monotonic()
        if (
            deadline.is_over or not self._outbox.counts().pending
        ):  # no time says nothing of the store
            return self._report(_Drain(self._outbox), began)
        with store_lock(self._lock_path, wait_s=wait_s, purpose="flush"):
            store = self._open_store()
            drain = _Drain(self._outbox, limit, is_stopping, progress)
            try:
                drain.found = self._check(store, deadline)
                drain.run(store, deadline)
                if self._tell_behind(drain):  # of which the store is told, too
                    drain.run(store, deadline)
            except SharedStoreError as error:
                drain.problem, drain.hint = error.message, error.hint
                self._note_failure(error)
            finally:
                store.close()
                drain.keep_marks()
            self._tell_behind(drain)
        return self._report(drain, began)

    def _check(self, store: SharedStore, deadline: Deadline) -> marks.Found:
        """Recognise the store, and whether either side went back in time, before it gets a row."""
        meta = store.meta(call_deadline(deadline))
        meta = check_store(meta, self._outbox.state(STORE_ID), store.target)
        self._outbox.set_state({STORE_ID: meta.store_id, STORE_VERSION: str(meta.schema_version)})
        found = marks.look(self._outbox, store, meta, deadline)
        if found.moved is not None:
            self._on_rolled_back(found.moved)
            marks.settle(self._outbox)
        if found.is_restored:
            self._on_restored()
        return found

    def _tell_behind(self, drain: "_Drain") -> bool:
        behind, drain.behind = drain.behind, 0
        if drain.found and drain.has_copied:  # else the origin of these rows was left before
            begin_origin(self._outbox)
            drain.found, drain.has_copied = None, False
        if behind:
            self._on_rolled_back(behind)
        return behind > 0

    def _note_failure(self, error: SharedStoreError) -> None:
        back_off.note_failure(self._outbox, error.message)
        if error.details.get("sqlstate") == _TIMED_OUT:
            half = max(1, _batch_rows(self._outbox) // 2)
            self._outbox.set_state({_BATCH_ROWS: str(half)})

    def _report(self, drain: "_Drain", began: float) -> ReplayReport:
        counts = self._outbox.counts()
        return ReplayReport(
            delivered=drain.delivered,
            pending=counts.pending,
            quarantined=counts.quarantined,
            seconds=round(time.monotonic() - began, 3),
            problem=drain.problem,
            hint=drain.hint,
        )


@dataclass(slots=True)
class _Drain:
    """One replay under way."""

    outbox: Outbox
    limit: int | None = None
    is_stopping: Callable[[], bool] = _never
    progress: Progress | None = None
    delivered: int = 0
    behind: int = 0
    problem: str | None = None
    hint: str | None = None
    paused: set[str] = field(default_factory=set)
    found: marks.Found | None = None
    has_copied: bool = False

    def run(self, store: SharedStore, deadline: Deadline) -> None:
        """Send batch after batch, and begin anew while rows came in or back meanwhile.

        While the store works on a batch, the one before is confirmed and the next is read.
        """
        flight = Flight(store, deadline)
        size = _batch_rows(self.outbox)
        after: Position | None = None
        has_moved = False

        def is_over() -> bool:
            return deadline.is_over or self.is_stopping()

        while not (is_over() or self._is_full()):
            batch = self.outbox.take(after, self._at_most(size), BATCH_BYTES)
            landed = self._land(flight)
            if batch is not None and batch.table.name not in self.paused and not is_over():
                flight.start(batch)
            has_moved |= self._dealt_with(landed)
            del landed  # or a third batch would be kept while the next is read
            if batch is not None:
                is_paused = batch.table.name in self.paused
                after = Position(batch.table.name, _LAST) if is_paused else batch.last
            elif has_moved and self.outbox.counts().pending:
                after, has_moved = None, False
            else:
                break
            if self.limit is not None:  # what was delivered decides how much is taken next
                has_moved |= self._dealt_with(self._land(flight))
        self._dealt_with(self._land(flight))
        if not self.problem:
            self._note_success()

    def _land(self, flight: Flight) -> Landed | None:
        """Wait for the batch that is under way, and note what speaks against sending more."""
        try:
            landed = flight.land()
        except SharedStoreError as error:
            batch = flight.batch
            if batch is not None:
                sent = [_sent(batch.table, row) for row in batch.rows]
                self.outbox.note_attempt(sent, error.message)
            raise
        if landed and landed.sifted.problem:
            self.problem = f"{landed.batch.table.name}: {landed.sifted.problem}"
            self.paused.add(landed.batch.table.name)
            back_off.note_failure(self.outbox, self.problem)
        return landed

    def _dealt_with(self, landed: Landed | None) -> bool:
        """Confirm what was delivered; return whether the queue has changed."""
        if landed is None:
            return False
        sifted = landed.sifted
        done = self._settle(landed.batch.table, sifted)
        self.delivered += self.outbox.confirm(done)
        if self.progress:
            self.progress(self.delivered, self.outbox.counts().pending)
        return bool(done or sifted.rejected or sifted.not_taken) and not sifted.problem

    def _settle(self, table: Table, sifted: Sifted) -> list[tuple[str, str, int]]:
        """Deal with what was not delivered; return what was."""
        stored = {one.row_id: one.stored for one in sifted.not_taken}
        delivered = sifted.accepted
        if stored:
            delivered = [row for row in delivered if row["id"] not in stored]
        for row in sifted.accepted if stored else ():
            if row["id"] not in stored:
                continue
            instead = stored[str(row["id"])]
            match verdict_of(row, instead):
                case Verdict.DELIVERED:
                    delivered.append(row)
                case Verdict.BEHIND:
                    self._raise_above(table, row, int(instead["revision"] or 0))
                case Verdict.COPIED:
                    adopt(self.outbox, table.name, str(row["id"]), str(instead["origin_id"]))
                case _:
                    self.outbox.quarantine(_sent(table, row), _FOREIGN)
        if not sifted.problem:
            for row, error in sifted.rejected:
                self.outbox.quarantine(_sent(table, row), f"{error.sqlstate}: {error.message}")
        if self.found:
            self.found.marks.note(table.name, delivered)
        name = table.name  # this is the path of a million rows
        return [(name, str(row["id"]), int(row["revision"] or 0)) for row in delivered]

    def _raise_above(self, table: Table, row: Values, revision: int) -> None:
        # What was changed since, another flusher may have sent in its new form.
        if self.outbox.is_current(_sent(table, row)):
            self.outbox.raise_revision(table.name, str(row["id"]), revision)
            self.behind += 1
            self.has_copied |= self.found is not None and self.found.is_present(row)

    def keep_marks(self) -> None:
        """Keep how far the store is known to have our rows."""
        if self.found:
            self.found.marks.keep(self.outbox)

    def _note_success(self) -> None:
        back_off.note_success(self.outbox)
        self.outbox.set_state({LAST_FLUSH: now(), _BATCH_ROWS: None})

    def _is_full(self) -> bool:
        return self.limit is not None and self.delivered >= self.limit

    def _at_most(self, size: int) -> int:
        return size if self.limit is None else min(size, self.limit - self.delivered)


_FOREIGN = "another installation holds a row with this id"


def _batch_rows(outbox: Outbox) -> int:
    return int(outbox.state(_BATCH_ROWS) or BATCH_ROWS)


def _sent(table: Table, row: Values) -> tuple[str, str, int]:
    return table.name, str(row["id"]), int(row["revision"] or 0)
