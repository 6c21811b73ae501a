"""Proposes descriptions from what the database itself says: no model, no network.

Nothing is invented. A description holds the words of a name, keys, and counted facts; every
reading of an abbreviation stands in the evidence, and one that is not certain in the text too.
"""

from collections.abc import Mapping, Sequence

from amx.core.catalog import ColumnFacts, ColumnInfo, Proposal, TableInfo
from amx.core.glossary import BUILT_IN, Glossary
from amx.core.words import Reading, read, split
from amx.describers.types import Sort, sort_of
from amx.describers.wording import (
    counted,
    ends,
    head,
    listed,
    things,
    title,
    values,
)

PROVENANCE = "evidence"

_AUDIT = frozenset({"created", "deleted", "inserted", "modified", "updated"})
"""Words of dates that say when a row was touched, not what it is about."""

Facts = Mapping[str, ColumnFacts]


class EvidenceDescriber:
    """Describes by names, types, keys, comments and counted values.

    Args:
        glossary: What abbreviations in names stand for.
    """

    def __init__(self, glossary: Glossary = BUILT_IN) -> None:
        self._glossary = glossary

    @property
    def provenance(self) -> str:
        return PROVENANCE

    def describe(self, table: TableInfo, facts: Facts) -> Sequence[Proposal]:
        glossary = self._glossary
        beside = [token for column in table.columns for token in split(column.name, glossary)]
        of_table = read(table.name, beside, glossary)
        return [
            _proposal(
                table,
                None,
                table.comment or _table_text(table, of_table, facts, glossary),
                _table_evidence(table, of_table, facts),
            ),
            *(
                _of_column(table, of_table, one, facts.get(one.name), glossary)
                for one in table.columns
            ),
        ]


def _of_column(
    table: TableInfo,
    of_table: Reading,
    column: ColumnInfo,
    facts: ColumnFacts | None,
    glossary: Glossary,
) -> Proposal:
    reading = read(column.name, (*of_table.tokens, *of_table.words), glossary)
    text = column.comment or _column_text(table, of_table, column, reading, facts)
    return _proposal(table, column.name, text, _column_evidence(column, reading, facts))


def _proposal(
    table: TableInfo, column: str | None, description: str, evidence: Mapping[str, object]
) -> Proposal:
    kind = "view" if table.kind.endswith("view") else "table"
    return Proposal(
        schema=table.schema,
        table=table.name,
        column=column,
        asset_kind="column" if column is not None else kind,
        description=description,
        provenance=PROVENANCE,
        evidence=evidence,
    )


def _column_text(
    table: TableInfo,
    of_table: Reading,
    column: ColumnInfo,
    reading: Reading,
    facts: ColumnFacts | None,
) -> str:
    known = ", ".join(values(column, facts, table))
    keys = _keys(table, column)
    if column.is_primary_key and known.startswith("from "):
        keys, known = [*keys[:-1], f"{keys[-1]}, {known}"], ""
    parts = [head(column, reading, table, of_table), *keys, known]
    text = "; ".join(part for part in parts if part) + "."
    if facts is not None and facts.is_sampled:
        text += f" Values seen in a sample of {facts.rows:,} rows."
    return text + _doubts(reading)


def _keys(table: TableInfo, column: ColumnInfo) -> list[str]:
    found = []
    if column.foreign_key:
        key = column.foreign_key
        schema = "" if key.schema == table.schema else f"{key.schema}."
        itself = " in the same table" if _is_itself(table, column) else ""
        found.append(f"refers to {schema}{key.table}.{key.column}{itself}")
    if column.is_primary_key:
        is_alone = len(_primary_key(table)) == 1
        found.append("the primary key" if is_alone else "part of the primary key")
    return found


def _table_text(table: TableInfo, reading: Reading, facts: Facts, glossary: Glossary) -> str:
    head = _table_head(table, reading, glossary)
    first = f"{head}; {', '.join(_table_facts(table, facts))}."
    sentences = [first, _holds(table, glossary), _refers(table), _covers(table, facts, glossary)]
    return " ".join(sentence for sentence in sentences if sentence) + _doubts(reading)


def _table_head(table: TableInfo, reading: Reading, glossary: Glossary) -> str:
    keys = [one for one in table.columns if one.is_primary_key]
    targets = [one.foreign_key.table for one in keys if one.foreign_key]
    if len(keys) > 1 and len(keys) == len(set(targets)):
        linked = [things(read(name, glossary=glossary)) for name in targets]
        return f"Links {listed(linked)}"
    name = title(things(reading)) if reading.words else f"A {table.kind} named {table.name}"
    return name if table.kind == "table" else f"{name} (a {table.kind})"


def _table_facts(table: TableInfo, facts: Facts) -> list[str]:
    if not table.columns and table.kind != "table":
        return ["its columns could not be read"]
    key = _primary_key(table)
    keyed = f"keyed by {listed(key)}" if key else ""
    parts = [_rows(facts), counted(len(table.columns), "column"), keyed]
    return [part for part in parts if part]


def _rows(facts: Facts) -> str:
    one = next(iter(facts.values()), None)
    if one is None:
        return "rows not counted"
    return f"more than {one.rows:,} rows" if one.is_sampled else counted(one.rows, "row")


def _holds(table: TableInfo, glossary: Glossary) -> str:
    own = [one for one in table.columns if not one.is_primary_key and not one.foreign_key]
    beside = [token for one in own for token in split(one.name, glossary)]
    tokens = read(table.name, beside, glossary).words
    names = [read(one.name, tokens, glossary).phrase or one.name for one in own]
    return f"Holds {listed(names)}." if names else ""


def _refers(table: TableInfo) -> str:
    names = [
        "itself" if _is_itself(table, one) else one.foreign_key.table
        for one in table.columns
        if one.foreign_key
    ]
    return f"Refers to {listed(list(dict.fromkeys(names)))}." if names else ""


def _covers(table: TableInfo, facts: Facts, glossary: Glossary) -> str:
    dated = [
        (one, ends(one, facts[one.name]))
        for one in table.columns
        if one.name in facts and _is_business_date(one, glossary)
    ]
    found = [(one, text) for one, text in dated if text]
    return f"{found[0][0].name} runs {found[0][1]}." if len(found) == 1 else ""


def _is_business_date(column: ColumnInfo, glossary: Glossary) -> bool:
    words = set(read(column.name, glossary=glossary).words)
    return sort_of(column.type) in {Sort.DATE, Sort.MOMENT} and not words & _AUDIT


def _is_itself(table: TableInfo, column: ColumnInfo) -> bool:
    key = column.foreign_key
    return key is not None and (key.schema, key.table) == (table.schema, table.name)


def _primary_key(table: TableInfo) -> list[str]:
    return [one.name for one in table.columns if one.is_primary_key]


def _doubts(reading: Reading) -> str:
    return "".join(
        f" “{token}” may stand for {' or '.join(readings)}."
        for token, readings in reading.undecided.items()
    )


def _named(reading: Reading) -> dict[str, object]:
    found: dict[str, object] = {
        "name_tokens": list(reading.tokens),
        "expansions": dict(reading.expansions),
    }
    if reading.undecided:
        found["undecided"] = {token: list(many) for token, many in reading.undecided.items()}
    return found


def _counted(facts: ColumnFacts | None) -> dict[str, object]:
    return {
        "rows": facts.rows if facts else None,
        "distinct": facts.distinct if facts else None,
        "nulls": facts.nulls if facts else None,
        "minimum": facts.minimum if facts else None,
        "maximum": facts.maximum if facts else None,
        "is_sampled": facts.is_sampled if facts else None,
    }


def _column_evidence(
    column: ColumnInfo, reading: Reading, facts: ColumnFacts | None
) -> Mapping[str, object]:
    key = column.foreign_key
    return {
        **_named(reading),
        "type": column.type,
        "is_primary_key": column.is_primary_key,
        "is_unique": column.is_unique,
        "is_nullable": column.is_nullable,
        "references": f"{key.schema}.{key.table}.{key.column}" if key else None,
        **({"comment": column.comment} if column.comment else {}),
        **_counted(facts),
    }


def _table_evidence(table: TableInfo, reading: Reading, facts: Facts) -> Mapping[str, object]:
    one = next(iter(facts.values()), None)
    keys = [column.foreign_key for column in table.columns if column.foreign_key]
    return {
        **_named(reading),
        "kind": table.kind,
        "columns": len(table.columns),
        "primary_key": _primary_key(table),
        "references": list(dict.fromkeys(f"{key.schema}.{key.table}" for key in keys)),
        **({"comment": table.comment} if table.comment else {}),
        "rows": one.rows if one else None,
        "is_sampled": one.is_sampled if one else None,
    }
