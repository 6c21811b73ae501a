"""The replayer: takes rows from the outbox, sends them to the shared store, confirms them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from amx.core import back_off
from amx.core.clock import now
from amx.core.errors import SchemaTooNew, SharedStoreError, SharedStoreMismatch, Systemic
from amx.core.flight import Flight, Landed, call_deadline
from amx.core.locks import store_lock
from amx.core.models import Values
from amx.core.ports import Outbox, SharedStore
from amx.core.reports import ReplayReport, StoreMeta
from amx.core.sending import Deadline, Position
from amx.core.sifting import Sifted
from amx.core.tables import SCHEMA_VERSION, Table
from amx.core.targets import LAST_FLUSH, STORE_ID, STORE_VERSION

BATCH_ROWS = 2500
BATCH_BYTES = 4 << 20

_BATCH_ROWS = "batch_rows"

_TIMED_OUT = "57014"

_LAST = "\U0010ffff"
"""Sorts behind every id."""

Progress = Callable[[int, int], None]


class Verdict(Enum):
    """What a row that was sent turns out to be."""

    DELIVERED = "delivered"
    BEHIND = "behind"
    FOREIGN = "foreign"


def verdict_of(row: Values, stored: Values | None) -> Verdict:
    """Judge a row by what the store holds instead of it; None where the store took it.

    The same revision with other content, or a higher one, means that the local store went back
    in time: nobody else writes rows of this origin.
    """
    if stored is None or dict(stored) == dict(row):
        return Verdict.DELIVERED
    if stored["origin_id"] != row["origin_id"]:
        return Verdict.FOREIGN
    return Verdict.BEHIND


def check_store(meta: StoreMeta | None, remembered: str | None, target: str) -> StoreMeta:
    """Return the meta of a store that rows may be sent to.

    Raises:
        Systemic: it has no schema, or an older one than this client writes.
        SchemaTooNew: it has a schema that this client does not understand.
        SharedStoreMismatch: it is another store than the one that was enabled.
    """
    if meta is None:
        message = f"{target} has no shared schema. The rows stay queued."
        raise Systemic(message, hint="amx history-store enable")
    if meta.schema_version < SCHEMA_VERSION:
        message = f"The shared schema at {target} has version {meta.schema_version}, and this"
        message += f" client writes version {SCHEMA_VERSION}. The rows stay queued."
        raise Systemic(message, hint="amx history-store enable")
    if meta.oldest_writer > SCHEMA_VERSION:
        message = f"The shared schema at {target} has version {meta.schema_version}, which this"
        message += " client is too old for: upgrade amx. The rows stay queued."
        raise SchemaTooNew(message, hint=_UPGRADE)
    if remembered and meta.store_id != remembered:
        message = f"Another store answers at {target} than the one that was enabled"
        message += f" ({meta.store_id}, not {remembered}). Nothing was sent; the rows stay queued."
        raise SharedStoreMismatch(message, hint="amx history-store enable")
    return meta


_UPGRADE = "pip install --upgrade amx"


def _never() -> bool:
    return False


class OutboxReplayer:
    """Delivers what is queued.

    Args:
        outbox: What is queued.
        open_store: Gives the store; called only when there is something to send.
        lock_path: The lock that one flusher of this installation holds.
        on_rolled_back: Told how many rows were found to be behind the store: the local store
            was restored from a backup, or cloned.
    """

    def __init__(
        self,
        outbox: Outbox,
        open_store: Callable[[], SharedStore],
        *,
        lock_path: Path,
        on_rolled_back: Callable[[int], None],
    ) -> None:
        self._outbox = outbox
        self._open_store = open_store
        self._lock_path = lock_path
        self._on_rolled_back = on_rolled_back

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
        if not self._outbox.counts().pending:
            return self._report(_Drain(self._outbox), began)
        with store_lock(self._lock_path, wait_s=wait_s, purpose="flush"):
            store = self._open_store()
            drain = _Drain(self._outbox, limit, is_stopping, progress)
            try:
                self._check(store, deadline)
                drain.run(store, deadline)
            except SharedStoreError as error:
                drain.problem, drain.hint = error.message, error.hint
                self._note_failure(error)
            finally:
                store.close()
            if drain.behind:
                self._on_rolled_back(drain.behind)
        return self._report(drain, began)

    def _check(self, store: SharedStore, deadline: Deadline) -> None:
        meta = store.meta(call_deadline(deadline))
        meta = check_store(meta, self._outbox.state(STORE_ID), store.target)
        self._outbox.set_state({STORE_ID: meta.store_id, STORE_VERSION: str(meta.schema_version)})

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
        done = []
        for row in sifted.accepted:
            instead = stored.get(str(row["id"]))
            match verdict_of(row, instead):
                case Verdict.DELIVERED:
                    done.append(_sent(table, row))
                case Verdict.BEHIND if instead is not None:
                    self._raise_above(table, str(row["id"]), int(instead["revision"] or 0))
                case _:
                    self.outbox.quarantine(_sent(table, row), _FOREIGN)
        if not sifted.problem:
            for row, error in sifted.rejected:
                self.outbox.quarantine(_sent(table, row), f"{error.sqlstate}: {error.message}")
        return done

    def _raise_above(self, table: Table, row_id: str, revision: int) -> None:
        if self.outbox.pending_among(table.name, [row_id]):
            self.outbox.raise_revision(table.name, row_id, revision)
            self.behind += 1

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
