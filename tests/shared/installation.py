"""One engineer's installation: a local store with its outbox, and a way to the shared store."""

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from amx.core.models import Row, Values
from amx.core.outbox import OutboxReplayer
from amx.core.ports import SharedStore
from amx.core.reports import ReplayReport, VerifyReport
from amx.core.sending import Deadline, NotTaken
from amx.core.tables import Table
from amx.core.verify import Verifier
from amx.core.work import Event, Run
from amx.stores.local import SQLiteLocalStore
from amx.stores.outbox import SQLiteOutbox
from tests.shared import rows
from tests.support import Amx


class Installation:
    """A local store in a folder of its own, in shared mode."""

    def __init__(self, folder: Path, store: SharedStore) -> None:
        folder.mkdir(exist_ok=True)
        self.path = folder / "local.db"
        self.lock_path = folder / "flush.lock"
        self.store = store
        self.rolled_back: list[int] = []
        self.restored: list[Path] = []
        self.open()

    def open(self) -> None:
        """Open the local store, as the next command would."""
        self.local = SQLiteLocalStore(
            self.path, attribution=lambda: rows.WHO, is_shared=lambda: True
        )
        self.outbox = SQLiteOutbox(self.local)

    def write(self, count: int = 1, **fields: object) -> list[Run]:
        """Write runs."""
        with self.local.transaction() as writer:
            return [writer.put(_run(**fields)) for _ in range(count)]

    def change(self, run: Run, **fields: object) -> Run:
        """Change a run."""
        with self.local.transaction() as writer:
            return writer.put(replace(run, **fields))  # type: ignore[arg-type]  # passed on as it came

    def note(self, kind: str = "enable") -> Row:
        """Write an event."""
        with self.local.transaction() as writer:
            return writer.put(Event(kind=kind, subject="team"))

    def replayer(self, store: SharedStore | None = None) -> OutboxReplayer:
        """Return a replayer to this store, or to the installation's own."""
        return OutboxReplayer(
            self.outbox,
            lambda: store or self.store,
            lock_path=self.lock_path,
            on_rolled_back=self.rolled_back.append,
            on_restored=lambda: self.restored.append(self.path),
        )

    def replay(self, store: SharedStore | None = None, **options: object) -> ReplayReport:
        """Replay, with all the time in the world."""
        return self.replayer(store).replay(Deadline(60), **options)  # type: ignore[arg-type]  # passed on as it came

    def verify(self) -> VerifyReport:
        """Compare both sides."""
        return Verifier(self.outbox, self.store).verify()

    def backed_up(self) -> Callable[[], None]:
        """Back the local store up; return what restores it."""
        copy = self.path.with_suffix(".copy")
        copy.unlink(missing_ok=True)
        with closing(sqlite3.connect(self.path)) as ours, closing(sqlite3.connect(copy)) as backup:
            ours.backup(backup)

        def restore() -> None:
            self.local.close()
            for suffix in ("", "-wal", "-shm"):  # whoever has it open still, has what was there
                self.path.with_name(f"{self.path.name}{suffix}").unlink(missing_ok=True)
            shutil.copy(copy, self.path)
            self.open()

        return restore


class Faulty:
    """A shared store that fails where it is told to; everything else is the real one's."""

    def __init__(self, store: SharedStore, fault: Callable[[Sequence[Values]], None]) -> None:
        self.real = store
        self.fault = fault
        self.sent: list[int] = []

    def upsert(
        self, table: Table, values: Sequence[Values], deadline: Deadline
    ) -> Sequence[NotTaken]:
        """Let the fault happen, then do what the real store does."""
        self.sent.append(len(values))
        self.fault(values)
        return self.real.upsert(table, values, deadline)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the real store has
        return getattr(self.real, name)


def equal(checked: int, pending: int = 0) -> VerifyReport:
    """Return the report of two sides that agree."""
    return VerifyReport(checked=checked, pending=pending, missing=0, stale=0, altered=0, extra=0)


def write_session(amx: Amx, **env: str) -> None:
    """Write one row of the history by the real program."""
    done = amx("session", "new", env=env)
    assert done.code == 0, done.err


def _run(**fields: object) -> Run:
    own = {"profile": "sales", "identity": "v1:aa", "target": "sqlite:/x", "describer": "evidence"}
    return Run(**{**own, "started_at": rows.MOMENT, **fields})  # type: ignore[arg-type]  # passed on as it came
