"""The rows of the work: runs, what they propose, and events."""

from dataclasses import dataclass, field
from typing import ClassVar

from amx.core.models import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Row):
    """One production of proposed descriptions on one profile."""

    TABLE: ClassVar[str] = "runs"

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

    TABLE: ClassVar[str] = "results"

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
class Event(Row):
    """Something that happened; never changed afterwards."""

    TABLE: ClassVar[str] = "events"

    kind: str
    subject: str
    profile: str | None = None
    details: object = field(default_factory=dict)
