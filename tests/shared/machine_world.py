"""What the state machine of the outbox works with: an installation, a shared store, a model."""

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path

from hypothesis.stateful import RuleBasedStateMachine, invariant

from amx.core.attribution import Attribution
from amx.core.conversations import Session
from amx.core.ids import uuid7
from amx.core.models import Row, Values
from amx.core.outbox import BATCH_ROWS
from amx.core.ports import SharedStore, Writer
from amx.core.rows import row_of, values_of
from amx.core.turns import Turn
from amx.core.verify import Verifier
from amx.core.work import Event, Result, Run
from amx.stores.local import SQLiteLocalStore
from amx.stores.outbox import SQLiteOutbox
from tests.shared import rows
from tests.shared.installation import Installation, equal
from tests.shared.machine_model import POISON, Key, Model, Sight
from tests.shared.machine_sides import TEXTS, Side, SQLiteSide, local_side

COUNTED: Counter[str] = Counter()
"""What the machine has tried, over all its examples."""

KINDS: dict[str, type[Row]] = {kind.TABLE: kind for kind in (Run, Session, Result, Turn, Event)}

PEOPLE = (
    rows.WHO,
    Attribution(created_by="grace", hostname="hopper", client_version="0.2.0"),
    Attribution(
        created_by="uid:990",
        hostname="runner",
        client_version="0.9.0",
        actor="nightly",
        actor_kind="cron",
        run_url="https://ci/7",
    ),
)
"""Who writes, or replays what another has written."""

BOUND = {"profile": "sales", "identity": "v1:aa"}

MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where files need no disk: kills are no power cuts, so it does not matter what was synced."""

_TICKS = count(1)

Written = list[tuple[Row, Row]]
"""Rows as they were wanted, and as they were acknowledged."""


@dataclass
class Situation:
    """Who acts just now, and whether shared mode is on."""

    who: Attribution = PEOPLE[0]
    is_shared: bool = True


class Home(Installation):
    """An installation in a situation."""

    def __init__(self, folder: Path, store: SharedStore, situation: Situation) -> None:
        self.situation = situation
        super().__init__(folder, store)

    def open(self) -> None:
        """Open the local store, as the next command would."""
        self.local = SQLiteLocalStore(
            self.path,
            attribution=lambda: self.situation.who,
            is_shared=lambda: self.situation.is_shared,
        )
        self.outbox = SQLiteOutbox(self.local)


class World(RuleBasedStateMachine):
    """One installation, its shared store, and the comparison of both with the model."""

    def __init__(self) -> None:
        super().__init__()
        self.temporary = tempfile.TemporaryDirectory(prefix="amx-machine-", dir=MEMORY)
        self.folder = Path(self.temporary.name)
        self.side = self.make_side()
        self.situation = Situation()
        self.home = self.home_again("home")
        self.home.outbox.counts()  # makes the file
        self.model = Model()
        self.is_refusing = True
        self.side.refuse(is_refusing=True)
        self.restore: Callable[[], None] | None = None

    def make_side(self) -> Side:
        """Make a shared store."""
        return SQLiteSide(self.folder)

    def home_again(self, lock: str) -> Home:
        """Return the installation as another process has it; by another lock if that is told."""
        home = Home(self.folder / "home", self.side.store(), self.situation)
        home.lock_path = self.folder / f"{lock}.lock"
        return home

    def teardown(self) -> None:
        """Let everything arrive, unless something went wrong; remove what was made."""
        if sys.exc_info()[0] is None:
            self.everything_arrives_in_the_end()
        self.home.store.close()
        self.home.local.close()
        self.side.close()
        self.temporary.cleanup()

    # --- what is there

    def sight(self) -> Sight:
        """Look at both sides."""
        return Sight(*local_side(self.home.path), self.side.rows(), self.side.changes())

    def keys(self, *tables: str) -> list[Key]:
        """Return the rows of these tables, or of all, in the order in which they were made."""
        return sorted(key for key in self.model.now.rows if not tables or key[0] in tables)

    def row(self, key: Key) -> Row:
        """Return a row as a command has read it."""
        return row_of(KINDS[key[0]], self.model.now.rows[key])

    # --- what is written

    def new_rows(self, kind: str, pick: int, text: str) -> list[Row]:
        """Return a new row, and its parent changed with it; nothing where it has no parent."""
        if kind in ("runs", "sessions", "events"):
            return [_new(kind, text)]
        parents = self.keys("runs" if kind == "results" else "sessions")
        if not parents:
            return []
        parent = self.row(parents[pick % len(parents)])
        if isinstance(parent, Run):
            changed: Row = replace(parent, proposed=parent.proposed + 1)
            return [changed, _new(kind, text, run_id=parent.id)]
        assert isinstance(parent, Session)
        turns = parent.turn_count + 1
        child = _new(kind, text, session_id=parent.id, turn_index=turns)
        return [replace(parent, turn_count=turns), child]

    def changed_row(self, key: Key, text: str) -> Row:
        """Return a row, changed."""
        return replace(self.row(key), **{TEXTS[key[0]]: text})  # type: ignore[arg-type]  # a column of text

    def text(self, *, is_poison: bool = False) -> str:
        """Return a text that no other row has, or poison."""
        return POISON if is_poison else f"text {next(_TICKS)}"

    def write(self, wanted: Sequence[Row]) -> None:
        """Write rows in one transaction and believe what was acknowledged."""
        with self.home.local.transaction() as writer:
            written = put_all(writer, wanted)
        self.believe(written)

    def believe(self, written: Written) -> None:
        """Believe rows that were acknowledged."""
        stamp = asdict(self.situation.who)
        for wanted, found in written:
            values = values_of(found)
            self.model.acknowledge(wanted, values, stamp, is_shared=self.situation.is_shared)
        COUNTED["writes"] += len(written)

    # --- what is replayed

    def batches_of(self, size: int) -> None:
        """Let the next replay send so many rows at once."""
        assert size < BATCH_ROWS
        self.home.outbox.set_state({"batch_rows": str(size)})

    def drop(self, *, is_quarantined_only: bool) -> None:
        """Drop what is queued, and owe it no more."""
        _, entries = local_side(self.home.path)
        doomed = {
            key
            for key, entry in entries.items()
            if entry.state == "quarantined" or not is_quarantined_only
        }
        dropped = self.home.outbox.drop(is_quarantined_only=is_quarantined_only)
        assert dropped == len(doomed)
        self.model.now.owed -= doomed
        COUNTED["drops"] += bool(dropped)

    def verifier(self) -> Verifier:
        """Return what compares both sides, as amx does it."""
        return Verifier(self.home.outbox, self.home.store)

    # --- the comparison

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        """Nothing acknowledged is lost, nothing doubled, stamped anew, or older than before."""
        sight = self.sight()
        self.model.learn(sight)
        violations = list(self.model.violations(sight))
        assert not violations, "\n".join(violations)
        counts = self.home.outbox.counts()
        states = Counter(entry.state for entry in sight.entries.values())
        assert (counts.pending, counts.quarantined) == (states["pending"], states["quarantined"])

    def everything_arrives_in_the_end(self) -> None:
        """After a last flush the shared store is the model; after a repair wholly so."""
        self.side.refuse(is_refusing=False)
        self.home.outbox.reopen(None)
        report = self.home.replay()
        assert (report.pending, report.quarantined, report.problem) == (0, 0, None)
        self.everything_is_as_the_model_says()
        self.home.outbox.enter_missing()
        self.verifier().repair()
        self.home.replay()
        sight = self.sight()
        kept = {key: row for key, row in sight.shared.items() if key in self.model.now.rows}
        assert kept == sight.local
        assert replace(self.verifier().verify(), extra=0) == equal(len(kept))
        left = {key: row for key, row in sight.shared.items() if key not in kept}
        assert not left or self.model.is_restored, f"nobody wrote {left}"


def put_all(writer: Writer, wanted: Sequence[Row]) -> Written:
    """Write rows; return them beside what was written."""
    return [(row, writer.put(row)) for row in wanted]


def _new(kind: str, text: str, **fields: object) -> Row:
    values: Values = getattr(rows, kind.removesuffix("s"))(**{TEXTS[kind]: text, **fields})
    unstamped = {"id": uuid7(), "local_id": None, "revision": 0}
    return row_of(KINDS[kind], {**values, **unstamped})
