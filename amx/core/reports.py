"""What services report: the queue, a replay, a comparison, the team."""

from collections.abc import Sequence
from dataclasses import dataclass

from amx.core.counts import QueueCounts

__all__ = [
    "Member",
    "OutboxEntry",
    "QueueCounts",
    "ReplayReport",
    "StoreMeta",
    "VerifyReport",
]


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
