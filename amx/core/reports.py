"""What services report: the queue, a replay, a comparison, the team."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


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
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """How the local rows and the shared rows compare; counts of rows.

    ``elsewhere`` are shared rows that another copy of this installation wrote under an origin
    which this one has left; ``orphans`` are shared rows whose parent is not there, because it
    could not be sent yet or was taken away.
    """

    checked: int
    pending: int
    missing: int
    stale: int
    altered: int
    extra: int
    elsewhere: int = 0
    orphans: int = 0

    @property
    def has_all(self) -> bool:
        """Whether the shared store has all that it was sent, in its latest revision."""
        return not (self.missing or self.stale or self.altered)

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


class Bootstrap(NamedTuple):
    """What a bootstrap leaves, and the schema version it found; None where it found none."""

    meta: StoreMeta
    found: int | None

    @property
    def upgraded_from(self) -> int | None:
        """The version before, where there was an older one."""
        is_older = self.found is not None and self.found < self.meta.schema_version
        return self.found if is_older else None

    @property
    def words(self) -> str:
        """What was done to the schema, in few words."""
        if self.found is None:
            return "created"
        before = self.upgraded_from
        return "found" if before is None else f"upgraded from version {before}"
