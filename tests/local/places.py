"""Local stores for tests, and rows to put into them."""

from dataclasses import dataclass, field
from pathlib import Path

from amx.core.attribution import Attribution
from amx.core.conversations import Session
from amx.core.ports import Where
from amx.core.turns import Turn
from amx.core.work import Event, Run
from amx.stores.local import SQLiteLocalStore
from amx.stores.outbox import SQLiteOutbox

ANN = Attribution(created_by="ann", hostname="laptop", client_version="0.1.0")
BEN = Attribution(
    created_by="ben",
    hostname="server",
    client_version="0.2.0",
    actor="nightly",
    actor_kind="cron",
    run_url="https://ci.example/7",
)

MOMENT = "2026-01-31T23:59:59.000000Z"


@dataclass
class Place:
    """One installation's store, whose user and shared mode a test may change at will."""

    path: Path
    who: Attribution = ANN
    is_shared: bool = True
    is_read_only: bool = False
    local: SQLiteLocalStore = field(init=False)
    outbox: SQLiteOutbox = field(init=False)

    def __post_init__(self) -> None:
        self.local = SQLiteLocalStore(
            self.path,
            attribution=lambda: self.who,
            is_shared=lambda: self.is_shared,
            is_read_only=self.is_read_only,
        )
        self.outbox = SQLiteOutbox(self.local)

    def put_event(self, subject: str = "it") -> Event:
        with self.local.transaction() as writer:
            return writer.put(event(subject))

    def queued(self) -> list[tuple[str, int, int, str]]:
        entries = self.outbox.entries(is_quarantined_only=False, limit=None)
        return [(one.table, one.local_id, one.revision, one.state) for one in entries]

    def counted(self) -> tuple[int, int]:
        counts = self.outbox.counts()
        return counts.pending, counts.quarantined

    def events(self, where: Where | None = None) -> list[Event]:
        return list(self.local.select(Event, where))


def event(subject: str = "it") -> Event:
    return Event(kind="test", subject=subject, details={"a": [1, None, "ü"]})


def run(profile: str = "shop") -> Run:
    return Run(
        profile=profile,
        identity="v1:one",
        target="sqlite:/shop.db",
        describer="evidence",
        started_at=MOMENT,
    )


def session(profile: str = "shop", identity: str = "v1:one") -> Session:
    return Session(
        profile=profile,
        identity=identity,
        target="sqlite:/shop.db",
        started_at=MOMENT,
        last_active_at=MOMENT,
    )


def turn(of: Session, index: int = 1) -> Turn:
    return Turn(
        session_id=of.id,
        turn_index=index,
        role="user",
        content="which?",
        profile=of.profile,
        identity=of.identity,
    )


def put_all(place: Place) -> None:
    """Write a session with a turn, two events and a run, children before parents."""
    with place.local.transaction() as writer:
        writer.put(event())
        opened = writer.put(session())
        writer.put(turn(opened))
        writer.put(event())
        writer.put(run())


def sent(one: Event | Run | Session) -> tuple[str, str, int]:
    return ({Event: "events", Run: "runs", Session: "sessions"}[type(one)], one.id, one.revision)
