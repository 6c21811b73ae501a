"""Shared mode: turned on and off, flushed, checked. What `history-store` is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from amx.core import back_off, targets
from amx.core.bounded import BoundedStore
from amx.core.config.model import REMOVED, Config
from amx.core.errors import Systemic, Transient, UnknownId
from amx.core.locks import file_lock
from amx.core.origins import begin_origin
from amx.core.outbox import STORE_ID, STORE_VERSION, OutboxReplayer, Progress, check_store
from amx.core.ports import Outbox, SharedStore
from amx.core.profiles import Profile
from amx.core.reports import Member, OutboxEntry, ReplayReport, StoreMeta, VerifyReport
from amx.core.sending import Deadline
from amx.core.status import StoreStatus, status_of
from amx.core.targets import Target, target_of
from amx.core.verify import Verifier

ENABLE_S = 30.0
TEAM_S = 30.0
LOCK_WAIT_S = 5.0
FOR_EVER_S = 10.0 * 365 * 86400

T = TypeVar("T")

Patch = Mapping[tuple[str, ...], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What shared mode needs of the program around it.

    ``patch`` changes the configuration durably, and ``config`` then tells it as it is;
    ``record`` records an event of a kind, about a subject, with details.
    """

    config: Callable[[], Config]
    profile_named: Callable[[str], Profile]
    patch: Callable[[Patch], None]
    record: Callable[[str, str, Mapping[str, object]], object]
    open_store: Callable[[Profile, str, str | None], SharedStore]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enabled:
    """What `enable` found and did."""

    target: Target
    meta: StoreMeta
    is_new: bool
    lacking: int

    @property
    def document(self) -> Mapping[str, object]:
        """What was done, as scripts read it."""
        return {
            "enabled": True,
            "target": self.target.words,
            "schema_version": self.meta.schema_version,
            "created": self.is_new,
            "lacking": self.lacking,
        }

    @property
    def words(self) -> str:
        """What was done, in one line."""
        state = "created" if self.is_new else "found"
        version = f"schema version {self.meta.schema_version} ({state})"
        lacking = f" It lacks {self.lacking} earlier local rows." if self.lacking else ""
        return f"Shared mode is on: {self.target.words}, {version}.{lacking}"


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

    @property
    def replayer(self) -> OutboxReplayer:
        """What delivers to the target that the queue belongs to."""
        return OutboxReplayer(
            self._outbox,
            self._store_of_queue,
            lock_path=self.lock_path,
            on_rolled_back=self._note_rolled_back,
        )

    def store(self) -> SharedStore:
        """Return the store that the queue belongs to, its calls bounded.

        Raises:
            SharedModeOff: there never was one.
            UnknownProfile: its profile is gone.
            TargetMismatch: its profile now points at something else.
        """
        target, profile = self._current()
        return self._bounded(profile, target)

    def status(self) -> StoreStatus:
        """Return mode, target and queue; the shared store is not asked."""
        return status_of(self._outbox, targets.remembered(self._outbox), self._around.config())

    def enable(self, profile_name: str, schema: str, database: str | None) -> Enabled:
        """Create or check the schema, then turn dual-writing on, then say what is lacking.

        Raises:
            UnknownProfile: there is none of this name.
            TargetMismatch: rows are queued for another target.
            SharedStoreError: the store cannot be had; nothing was changed.
        """
        profile = self._around.profile_named(profile_name)
        target = target_of(profile, schema, database)
        targets.check_switch(self._outbox, target)
        store = self._bounded(profile, target)
        try:
            before = _known(store)
            meta = check_store(store.bootstrap(Deadline(ENABLE_S)), None, target.words)
            lacking = Verifier(self._outbox, store).verify().missing
        except Transient as error:
            raise Transient(_not_enabled(error), details=error.details) from error
        except Systemic as error:
            hint = error.hint or f"amx history-store dump-ddl --profile {profile_name}"
            raise Systemic(_not_enabled(error), hint=hint, details=error.details) from error
        finally:
            store.close()
        self._turn_on(target, meta)
        return Enabled(target=target, meta=meta, is_new=before is None, lacking=lacking)

    def disable(self) -> bool:
        """Turn dual-writing off on this machine; queue and shared rows stay.

        Returns:
            Whether it was on.
        """
        if not self._around.config().is_shared:
            return False
        self._record("disable", {"queued": self._outbox.counts().pending})
        self._around.patch({("history_store_enabled",): False})
        return True

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
        return self._verified(lambda verifier: verifier.verify())

    def repair(self) -> int:
        """Enter what the shared store lacks, has older or has altered; return how many.

        Raises:
            SharedStoreError: the store could not be read.
        """
        return self._verified(lambda verifier: verifier.repair())

    def team(self, since: str | None) -> list[Member]:
        """Return who wrote what, as the shared store tells it now.

        Raises:
            SharedStoreError: the store could not be read.
        """
        store = self.store()
        try:
            return list(store.team(since, Deadline(TEAM_S)))
        finally:
            store.close()

    def _store_of_queue(self) -> SharedStore:
        """Return the store to deliver to: from now on the queue belongs to it."""
        target, profile = self._current()
        if targets.remembered(self._outbox) is None:
            targets.remember(self._outbox, target)
        return self._bounded(profile, target)

    def _current(self) -> tuple[Target, Profile]:
        around = self._around
        return targets.current(self._outbox, around.config(), around.profile_named)

    def _verified(self, act: Callable[[Verifier], T]) -> T:
        """Compare while no flush of this installation moves rows from one side to the other."""
        store = self.store()
        with file_lock(self.lock_path, wait_s=LOCK_WAIT_S, purpose="verify"):
            try:
                meta = store.meta(Deadline(ENABLE_S))
                check_store(meta, self._outbox.state(STORE_ID), store.target)
                return act(Verifier(self._outbox, store))
            finally:
                store.close()

    def _bounded(self, profile: Profile, target: Target) -> BoundedStore:
        around = self._around
        return BoundedStore(
            lambda: around.open_store(profile, target.schema, target.database), target.words
        )

    def _turn_on(self, target: Target, meta: StoreMeta) -> None:
        changes: dict[tuple[str, ...], object] = {
            ("history_store_enabled",): True,
            ("history_store_profile",): target.profile,
            ("history_store_schema",): target.schema,
        }
        if target.database or self._around.config().history_store_database:
            changes["history_store_database",] = target.database or REMOVED
        self._around.patch(changes)
        targets.remember(self._outbox, target)
        back_off.note_success(self._outbox)
        self._outbox.set_state({STORE_ID: meta.store_id, STORE_VERSION: str(meta.schema_version)})
        self._record("enable", {"store_id": meta.store_id, "profile": target.profile})

    def _note_rolled_back(self, rows: int) -> None:
        origin = begin_origin(self._outbox)
        self._record("rolled-back", {"rows": rows, "new_origin": origin})

    def _record(self, kind: str, details: Mapping[str, object]) -> None:
        target = targets.remembered(self._outbox)
        self._around.record(kind, target.words if target else "", details)


def _known(store: SharedStore) -> StoreMeta | None:
    """Return what the store says of itself, or None where it is not there yet.

    A file that does not exist cannot be told from one out of reach: `bootstrap` finds out.
    """
    try:
        return store.meta(Deadline(ENABLE_S))
    except Transient:
        return None


def _not_enabled(error: Systemic | Transient) -> str:
    return f"{error.message.removesuffix('.')}. Shared mode was not turned on; nothing was changed."
