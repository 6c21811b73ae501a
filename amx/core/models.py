"""The rows of the history and the values that services exchange.

A row's fields are the columns of its table (see ``tables.py``), name for name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from amx.core.ids import uuid7

Values = Mapping[str, str | int | None]
"""One row as its columns: JSON as canonical text, times as RFC 3339 text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Who wrote a row first, where, with which version. Stamped once, never changed."""

    created_by: str
    hostname: str
    client_version: str
    actor: str | None = None
    actor_kind: str = "human"
    run_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What every row of the history has.

    ``id`` is its key everywhere; ``local_id`` its number on this installation, ``None`` until
    the row is first written. The rest below is stamped by the writer, not by the maker of the
    row; unstamped rows are refused by the schema.
    """

    id: str = field(default_factory=uuid7)
    local_id: int | None = None
    revision: int = 0
    created_at: str = ""
    updated_at: str = ""
    updated_by_version: str = ""
    created_by: str = ""
    hostname: str = ""
    client_version: str = ""
    origin_id: str = ""
    actor: str | None = None
    actor_kind: str = "human"
    run_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Row):
    """One production of proposed descriptions on one profile."""

    profile: str
    identity: str
    target: str
    describer: str
    status: str = "running"
    started_at: str
    ended_at: str | None = None
    proposed: int = 0
    accepted: int = 0
    applied: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(Row):
    """One proposal for one asset; ``column_name`` is ``None`` for a table or a view."""

    run_id: str
    schema_name: str
    table_name: str
    column_name: str | None = None
    asset_kind: str
    description: str
    provenance: str
    status: str = "proposed"
    evidence: object = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(Row):
    """A conversation, bound for life to the profile and the identity it began under."""

    profile: str
    identity: str
    target: str
    title: str = ""
    status: str = "open"
    turn_count: int = 0
    started_at: str
    last_active_at: str
    ended_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn(Row):
    """One utterance of a session.

    ``profile`` and ``identity`` repeat the session's; the database refuses a turn whose pair
    differs.
    """

    session_id: str
    turn_index: int
    role: str
    content: str
    provenance: str | None = None
    profile: str
    identity: str
    citations: object = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Row):
    """Something that happened; never changed afterwards."""

    kind: str
    subject: str
    profile: str | None = None
    details: object = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEntry:
    """A pointer to a row that the shared store does not have in its latest revision."""

    id: int
    table: str
    row_id: str
    local_id: int
    revision: int
    state: str
    attempts: int
    queued_at: str
    last_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCounts:
    """How much is queued, and since when."""

    pending: int
    quarantined: int
    oldest_pending_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """What one replay did and what is left."""

    delivered: int
    pending: int
    quarantined: int
    seconds: float
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """How the local rows and the shared rows compare; counts of rows."""

    checked: int
    pending: int
    missing: int
    stale: int
    altered: int
    extra: int

    @property
    def is_equal(self) -> bool:
        """Whether every row that is not pending is the same on both sides."""
        return not (self.missing or self.stale or self.altered or self.extra)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One person on one machine, as the shared store knows them."""

    created_by: str
    hostname: str
    client_versions: Sequence[str]
    runs: int
    sessions: int
    events: int
    last_seen_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreMeta:
    """What a shared store says of itself."""

    schema_version: int
    oldest_writer: int
    store_id: str
    epoch: int
    bootstrapped_by: str
    bootstrapped_at: str
