"""The processes of the storm: writers and flushers of installations, with the code of amx."""

import json
import os
import random
import select
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from amx.core.attribution import Attribution
from amx.core.bounded import BoundedStore
from amx.core.delivery import deliver
from amx.core.errors import AmxError, Busy
from amx.core.models import Row, Values
from amx.core.outbox import OutboxReplayer
from amx.core.profiles import Profile, profile_of
from amx.core.rows import row_of, values_of
from amx.core.sending import Deadline
from amx.core.work import Event, Run
from amx.stores.local import SQLiteLocalStore
from amx.stores.outbox import SQLiteOutbox
from amx.stores.postgres import PostgresSharedStore
from tests.proofs.chaos_ground import Ledger

SCHEMA = "AMX"
ROLE = "storm"
PASSWORD = "a storm's"

BUDGET_S = 1.0
"""Of a delivery in passing."""

FLUSH_S = 2.0
"""How long one flush goes on."""

_MOST_ROWS = 8
_LARGE = 20_000
_NOT_TRIED = ("tried again in", "another flush is under way")
_WRITE_PAUSE_S = (0.005, 0.05)
_FLUSH_PAUSE_S = (0.05, 0.3)

KINDS: Mapping[str, type[Row]] = {kind.TABLE: kind for kind in (Run, Event)}


@dataclass(frozen=True)
class Sea:
    """Where the storm takes place: installations in a folder, and the way to the store."""

    folder: Path
    host: str
    port: int
    database: str
    conductor: int = field(default_factory=os.getpid)
    """The process that started the workers: without it they end."""

    @property
    def ledger(self) -> Ledger:
        """What happened, a line each."""
        return Ledger(self.folder / "ledger")

    @property
    def is_over(self) -> bool:
        """Whether the workers shall end."""
        return (self.folder / "over").exists() or os.getppid() != self.conductor

    def end(self) -> None:
        """Tell the workers to end."""
        (self.folder / "over").touch()

    def profile(self) -> Profile:
        """Return the profile of the store, with a writer's rights only."""
        settings = {"backend": "postgresql", "host": self.host, "port": self.port}
        secret = {"user": ROLE, "password": "${STORM_PASSWORD}", "database": self.database}
        return profile_of("team", {**settings, **secret}, ENVIRON)

    def log(self, home: str, writer: str) -> Path:
        """Return the file in which a writer keeps what was acknowledged to it."""
        return self.folder / home / f"{writer}.log"


ENVIRON = {"STORM_PASSWORD": PASSWORD}


class Home:
    """One installation, as one process has it."""

    def __init__(self, sea: Sea, name: str, who: str) -> None:
        folder = sea.folder / name
        folder.mkdir(exist_ok=True)
        self._sea = sea
        self._attribution = Attribution(
            created_by=who, hostname="laptop", client_version=f"0.{len(who)}.0", actor=who
        )
        self.lock_path = folder / "flush.lock"
        self.local = SQLiteLocalStore(
            folder / "local.db", attribution=lambda: self._attribution, is_shared=lambda: True
        )
        self.outbox = SQLiteOutbox(self.local)

    def store(self) -> BoundedStore:
        """Return the shared store, its calls bounded."""
        profile = self._sea.profile()
        return BoundedStore(lambda: PostgresSharedStore(profile, SCHEMA, None, ENVIRON), "team")

    def replayer(self) -> OutboxReplayer:
        """Return what delivers."""
        return OutboxReplayer(
            self.outbox, self.store, lock_path=self.lock_path, on_rolled_back=self._rolled_back
        )

    def _rolled_back(self, rows: int) -> None:
        self._sea.ledger.note("mistaken", f"{rows} rows are said to be of a restored backup")


def writer(sea: Sea, home_name: str, name: str, seed: int) -> None:
    """Write and change rows, keep what was acknowledged, deliver in passing; until the end."""
    dice = random.Random(seed)  # noqa: S311 - a seed, to try the same again
    home, path = Home(sea, home_name, name), sea.log(home_name, name)
    mine: dict[str, Row] = {row["id"]: row_of(KINDS[table], row) for table, row in logged(path)}
    while not sea.is_over:
        with suppress(Busy):
            acknowledged = _write(home, mine, dice)
            _keep(path, acknowledged)
            mine.update({row.id: row for row in acknowledged})
            warning = deliver(
                home.outbox, home.replayer(), lock_path=home.lock_path, budget_s=BUDGET_S
            )
            is_tried = not any(words in (warning or "") for words in _NOT_TRIED)
            sea.ledger.note("delivery" if is_tried else "queued", warning or "")
        pause(dice, _WRITE_PAUSE_S)


def _write(home: Home, mine: Mapping[str, Row], dice: random.Random) -> list[Row]:
    runs = [row for row in mine.values() if isinstance(row, Run)]
    chosen = dice.sample(runs, min(len(runs), dice.randint(0, _MOST_ROWS)))
    wanted: list[Row] = [replace(run, proposed=run.proposed + 1) for run in chosen]
    wanted += [_new_run(dice) for _ in range(dice.randint(0, _MOST_ROWS))]
    wanted.append(Event(kind="storm", subject=f"it's {dice.random()}", details={"ü": [1, None]}))
    with home.local.transaction() as transaction:
        return [transaction.put(row) for row in wanted]


def _new_run(dice: random.Random) -> Run:
    text = "x" * _LARGE if dice.random() < 0.02 else None
    return Run(
        profile="sales",
        identity="v1:aa",
        target="sqlite:/x",
        describer="evidence",
        started_at="2026-01-31T23:59:59.000001Z",
        error=text,
    )


def _keep(path: Path, rows: list[Row]) -> None:
    """Append what was acknowledged, by one call, and sync it."""
    lines = [json.dumps([row.TABLE, values_of(row)]) for row in rows]
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, ("\n".join(lines) + "\n").encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def logged(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what a writer has kept, in its order: tables and rows."""
    text = path.read_text() if path.exists() else ""
    for line in text.split("\n")[:-1]:  # what has no end was not kept
        table, row = json.loads(line)
        yield table, row


def flusher(sea: Sea, home_name: str, name: str, seed: int) -> None:
    """Flush again and again; until the end. It is another account than the writers'."""
    dice = random.Random(seed)  # noqa: S311 - a seed, to try the same again
    home = Home(sea, home_name, name)
    while not sea.is_over:
        try:
            home.outbox.set_state({"batch_rows": str(dice.choice((1, 7, 50, 2000)))})
            report = home.replayer().replay(Deadline(FLUSH_S))
            sea.ledger.note("interrupted" if report.problem else "flush", report.problem or "")
        except Busy:
            sea.ledger.note("busy")
        except AmxError as error:
            sea.ledger.note("error", error.message)
        pause(dice, _FLUSH_PAUSE_S)


def pause(dice: random.Random, limits: tuple[float, float]) -> None:
    """Wait a moment."""
    select.select([], [], [], dice.uniform(*limits))


def settled(sea: Sea, home_name: str) -> tuple[Values, ...]:
    """Return the rows of an installation that its outbox still holds after a last flush."""
    home = Home(sea, home_name, "last")
    home.outbox.reopen(None)
    home.replayer().replay(Deadline(FLUSH_S * 20))
    return tuple(
        {"table": entry.table, "id": entry.row_id, "error": entry.last_error}
        for entry in home.outbox.entries(is_quarantined_only=False, limit=None)
    )
