"""Shared mode: turned on and off, flushed, checked. What `history-store` is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

from amx.core.errors import AmxError, Systemic, Transient, UnknownId
from amx.core.sending import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from amx.core.bounded import BoundedStore
    from amx.core.config.model import Config
    from amx.core.enabling import Enabled
    from amx.core.outbox import OutboxReplayer, Progress
    from amx.core.ports import Outbox, SharedStore
    from amx.core.profiles import Profile
    from amx.core.reports import OutboxEntry, ReplayReport, VerifyReport
    from amx.core.status import StoreStatus
    from amx.core.targets import Target
    from amx.core.verify import Verifier

ENABLE_S = 30.0
LOCK_WAIT_S = 5.0
FOR_EVER_S = 10.0 * 365 * 86400

T = TypeVar("T")

Patch: TypeAlias = "Mapping[tuple[str, ...], object]"


class Surroundings(NamedTuple):
    """What shared mode needs of the program around it.

    ``patch`` changes the configuration durably, and ``config`` then tells it as it is;
    ``record`` records an event of a kind, about a subject, with details; ``warn`` says one line.
    """

    config: Callable[[], Config]
    profile_named: Callable[[str], Profile]
    patch: Callable[[Patch], None]
    record: Callable[[str, str, Mapping[str, object]], object]
    open_store: Callable[[Profile, str, str | None], SharedStore]
    warn: Callable[[str], None]


class SharingService:
    """Guards 2 and 3 as far as they need no terminal.

    Args:
        around: The program around it.
        outbox: The local side.
        lock_path: The lock that one flusher of this installation holds.
    """

    def __init__(self, around: Surroundings, outbox: Outbox, lock_path: Path) -> None:
        self._around = around
        self._outbox = outbox
        self.lock_path = lock_path
        self._has_told = False

    @property
    def around(self) -> Surroundings:
        """The program around it."""
        return self._around

    @property
    def replayer(self) -> OutboxReplayer:
        """What delivers to the target that the queue belongs to."""
        from amx.core.outbox import OutboxReplayer

        return OutboxReplayer(
            self._outbox,
            self._store_of_queue,
            lock_path=self.lock_path,
            on_rolled_back=self._note_rolled_back,
            on_restored=self._note_restored,
        )

    def store(self) -> SharedStore:
        """Return the store that the queue belongs to, its calls bounded.

        Raises:
            SharedModeOff: there never was one.
            UnknownProfile: its profile is gone.
            TargetMismatch: its profile now points at something else.
        """
        target, profile = self._current()
        return bounded(self._around, profile, target)

    def status(self) -> StoreStatus:
        """Return mode, target and queue; the shared store is not asked."""
        from amx.core import targets
        from amx.core.status import status_of

        return status_of(self._outbox, targets.remembered(self._outbox), self._around.config())

    def enable(self, profile_name: str, schema: str, database: str | None) -> Enabled:
        """Create or check the schema, then turn dual-writing on, then say what is lacking.

        Raises:
            UnknownProfile: there is none of this name.
            UsageError: no schema can have this name.
            TargetMismatch: rows are queued for another target.
            SharedStoreError: the store cannot be had; nothing was changed.
        """
        from amx.core.enabling import enable

        return enable(self._around, self._outbox, profile_name, schema, database)

    def disable(self) -> bool:
        """Turn dual-writing off on this machine; queue and shared rows stay.

        Returns:
            Whether it was on.
        """
        if not self._around.config().is_shared:
            return False
        # Recorded first: once it is off, the team would not be told.
        self._record("disable", {"queued": self._outbox.counts().pending})
        try:
            self._around.patch({("history_store_enabled",): False})
        except AmxError as error:
            self._record("enable", {"because": f"it could not be disabled: {error.code}"})
            raise
        return True

    def is_awaited(self, profile_name: str) -> bool:
        """Tell whether rows are queued for the store that a profile leads to."""
        from amx.core.targets import remembered

        target, counts = remembered(self._outbox), self._outbox.counts()
        is_its = target is not None and target.profile == profile_name
        return is_its and counts.pending + counts.quarantined > 0

    def flush(
        self,
        *,
        limit: int | None = None,
        timeout_s: float | None = None,
        wait_s: float = 0.0,
        is_stopping: Callable[[], bool] = lambda: False,
        progress: Progress | None = None,
    ) -> ReplayReport:
        """Deliver what is queued, whatever the back-off says and whether shared mode is on.

        Raises:
            Busy: another flush holds the lock.
            Refused: the store, or the profile, is not the one that the rows are queued for.
        """
        if not self._outbox.counts().pending:  # needs nothing of what delivers
            return self._nothing_flushed()
        deadline = Deadline(FOR_EVER_S if timeout_s is None else timeout_s)
        return self.replayer.replay(
            deadline, limit=limit, wait_s=wait_s, is_stopping=is_stopping, progress=progress
        )

    def entries(self, *, is_quarantined_only: bool, limit: int | None) -> list[OutboxEntry]:
        """Return what is queued, oldest first."""
        return list(self._outbox.entries(is_quarantined_only=is_quarantined_only, limit=limit))

    def retry(self, ids: list[int] | None) -> int:
        """Make quarantined entries pending again: these, or all; return how many.

        Raises:
            UnknownId: one of them is not quarantined here.
        """
        known = {entry.id for entry in self.entries(is_quarantined_only=True, limit=None)}
        unknown = sorted(set(ids or ()) - known)
        if unknown:
            msg = f"No quarantined entry has the id {unknown[0]}. Nothing was changed."
            raise UnknownId(msg, hint="amx history-store pending --quarantined")
        return self._outbox.reopen(ids)

    def drop(self, *, is_quarantined_only: bool) -> int:
        """Empty the queue; local rows stay. Return how many entries were dropped."""
        dropped = self._outbox.drop(is_quarantined_only=is_quarantined_only)
        if dropped:
            self._record("drop", {"dropped": dropped, "quarantined_only": is_quarantined_only})
        return dropped

    def enter_missing(self) -> int:
        """Enter every local row that the shared store lacks; return how many.

        Raises:
            SharedStoreError: the store could not be read.
        """
        return self._verified(lambda verifier: verifier.enter_missing())

    def verify(self) -> VerifyReport:
        """Compare local rows and shared rows, row by row.

        Raises:
            SharedStoreError: the store could not be read.
        """
        from amx.core.targets import RESTORED_AT

        report = self._verified(lambda verifier: verifier.verify())
        if report.has_all and self._outbox.state(RESTORED_AT):
            self._outbox.set_state({RESTORED_AT: None})
        return report

    def repair(self) -> int:
        """Enter what the shared store lacks, has older or has altered; return how many.

        Raises:
            SharedStoreError: the store could not be read.
        """
        return self._verified(lambda verifier: verifier.repair())

    def _nothing_flushed(self) -> ReplayReport:
        from amx.core.reports import ReplayReport

        counts = self._outbox.counts()
        return ReplayReport(
            delivered=0, pending=counts.pending, quarantined=counts.quarantined, seconds=0.0
        )

    def _store_of_queue(self) -> SharedStore:
        """Return the store to deliver to: from now on the queue belongs to it."""
        from amx.core import targets

        target, profile = self._current()
        if targets.remembered(self._outbox) is None:
            targets.remember(self._outbox, target)
        return bounded(self._around, profile, target)

    def _current(self) -> tuple[Target, Profile]:
        from amx.core import targets

        around = self._around
        return targets.current(self._outbox, around.config(), around.profile_named)

    def _verified(self, act: Callable[[Verifier], T]) -> T:
        """Compare while no flush of this installation moves rows from one side to the other."""
        from amx.core.locks import store_lock
        from amx.core.verify import Verifier

        with store_lock(self.lock_path, wait_s=LOCK_WAIT_S, purpose="verify"):
            return self.read(lambda store: act(Verifier(self._outbox, store)))

    def read(self, act: Callable[[SharedStore], T]) -> T:
        """Read the store, once it was recognised as the one that was enabled.

        Raises:
            SharedStoreError: it could not be read.
        """
        from amx.core.outbox import check_store
        from amx.core.targets import STORE_ID

        store = self.store()
        try:
            meta = store.meta(Deadline(ENABLE_S))
            check_store(meta, self._outbox.state(STORE_ID), store.target)
            return act(store)
        except (Transient, Systemic) as error:
            msg = f"The shared store could not be read: {error.message.removesuffix('.')}."
            hint = error.hint or "amx history-store status"
            raise type(error)(msg, hint=hint, details=error.details) from error
        finally:
            store.close()

    def _note_rolled_back(self, rows: int) -> None:
        from amx.core.origins import PRESENT
        from amx.core.telling import rolled_back_words

        self._record("rolled-back", {"rows": rows, "new_origin": self._outbox.state(PRESENT)})
        if not self._has_told:
            self._around.warn(rolled_back_words(rows))
        self._has_told = True

    def _note_restored(self) -> None:
        from amx.core.telling import RESTORED

        self._record("store-restored", {})
        self._around.warn(RESTORED)

    def _record(self, kind: str, details: Mapping[str, object]) -> None:
        record(self._around, self._outbox, kind, details)


def bounded(around: Surroundings, profile: Profile, target: Target) -> BoundedStore:
    """Return the store of a target, its calls bounded."""
    from amx.core.bounded import BoundedStore

    return BoundedStore(
        lambda: around.open_store(profile, target.schema, target.database), target.words
    )


def record(around: Surroundings, outbox: Outbox, kind: str, details: Mapping[str, object]) -> None:
    """Record an event about the target that the queue belongs to."""
    from amx.core import targets

    target = targets.remembered(outbox)
    around.record(kind, target.words if target else "", details)
