"""What a catalog tells, and what is proposed about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """Where a column points."""

    schema: str
    table: str
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnInfo:
    """A column of a profile's database, as its catalog tells."""

    name: str
    type: str
    is_nullable: bool = True
    is_primary_key: bool = False
    is_unique: bool = False
    comment: str | None = None
    default: str | None = None
    foreign_key: ForeignKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableInfo:
    """A table or a view of a profile's database, as its catalog tells."""

    schema: str
    name: str
    kind: str = "table"
    comment: str | None = None
    columns: tuple[ColumnInfo, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFacts:
    """What the values of a column say; counted over all rows or over a sample of them."""

    rows: int
    nulls: int
    distinct: int
    minimum: str | None = None
    maximum: str | None = None
    is_sampled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A proposed description of one asset."""

    schema: str
    table: str
    column: str | None
    asset_kind: str
    description: str
    provenance: str
    evidence: Mapping[str, object] = field(default_factory=dict)
