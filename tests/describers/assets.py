"""Tables and facts for tests, and what is said of them."""

from amx.core.catalog import ColumnFacts, ColumnInfo, Proposal, TableInfo
from amx.describers.evidence import EvidenceDescriber


def described(table: TableInfo, facts: dict[str, ColumnFacts]) -> list[Proposal]:
    return list(EvidenceDescriber().describe(table, facts))


def text_of(
    column: ColumnInfo,
    facts: ColumnFacts | None = None,
    *,
    table: str = "thing",
    kind: str = "table",
) -> str:
    info = TableInfo(schema="public", name=table, kind=kind, columns=(column,))
    return described(info, {column.name: facts} if facts else {})[1].description


def counted(
    rows: int,
    *,
    nulls: int = 0,
    distinct: int = 5,
    ends: tuple[str, str] | None = None,
    is_sampled: bool = False,
) -> ColumnFacts:
    low, high = ends or (None, None)
    return ColumnFacts(
        rows=rows,
        nulls=nulls,
        distinct=distinct,
        minimum=low,
        maximum=high,
        is_sampled=is_sampled,
    )
