"""What is known of a catalog, made ready to be searched: its assets and its vocabulary."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from amx.core.asking.documents import CatalogDocument, Target, Word
from amx.core.asking.terms import groups_of, stems_in, told_of, written
from amx.core.catalog import ColumnInfo, TableInfo
from amx.core.catalog_ports import Describer
from amx.core.glossary import Glossary
from amx.core.words import readings_of, split
from amx.core.work import Result

Asset = tuple[str, str, str | None]
"""Schema, table, and column (None for the table itself)."""

Descriptions = Mapping[Asset, str]


class Known(NamedTuple):
    """Descriptions of a catalog: all of them, and those that people wrote or accepted."""

    descriptions: Descriptions
    told: Descriptions


def known_of(
    tables: Sequence[TableInfo],
    describer: Describer,
    accepted: Iterable[Result],
    latest: Iterable[Result],
) -> Known:
    """Return the best description of each asset.

    That is an accepted one that is not yet written to the database, else the database's own
    comment, else one that was written there, else what the latest run counted, else what the
    name says. Only the first three are words of people; the others are made of the names.

    Args:
        tables: The catalog.
        describer: Says what the names say.
        accepted: Accepted and applied results, oldest first.
        latest: Results of the latest completed run.
    """
    comments = {asset: text for asset, text in _comments(tables) if text}
    by_status: dict[str, dict[Asset, str]] = {"accepted": {}, "applied": {}}
    for one in accepted:
        by_status[one.status][_asset(one)] = one.description
    told = {**by_status["applied"], **comments, **by_status["accepted"]}
    counted = {
        _asset(one): one.description
        for one in latest
        if one.provenance == "evidence" and one.status == "proposed"
    }
    made = {
        (one.schema, one.table, one.column): one.description
        for table in tables
        for one in describer.describe(table, {})
    }
    return Known({**made, **counted, **told}, told)


def _comments(tables: Sequence[TableInfo]) -> Iterable[tuple[Asset, str | None]]:
    for table in tables:
        yield (table.schema, table.name, None), table.comment
        for column in table.columns:
            yield (table.schema, table.name, column.name), column.comment


def _asset(result: Result) -> Asset:
    return result.schema_name, result.table_name, result.column_name


def documents_of(
    tables: Sequence[TableInfo], known: Known, glossary: Glossary
) -> list[CatalogDocument]:
    """Return each table followed by its columns, as the index holds them."""
    return [
        document
        for table in tables
        for document in (
            _table_document(table, known, glossary),
            *(_column_document(table, column, known, glossary) for column in table.columns),
        )
    ]


def _table_document(table: TableInfo, known: Known, glossary: Glossary) -> CatalogDocument:
    asset = (table.schema, table.name, None)
    return CatalogDocument(
        schema=table.schema,
        table=table.name,
        column=None,
        kind=table.kind,
        description=known.descriptions.get(asset, ""),
        names=written(groups_of(table.name, glossary)),
        told=written(told_of(known.told.get(asset, ""), glossary)),
    )


def _column_document(
    table: TableInfo, column: ColumnInfo, known: Known, glossary: Glossary
) -> CatalogDocument:
    asset = (table.schema, table.name, column.name)
    key = column.foreign_key
    told = told_of(known.told.get(asset, ""), glossary)
    # What a column refers to is said of it, whatever it is called.
    near = groups_of(key.table, glossary) if key else ()
    return CatalogDocument(
        schema=table.schema,
        table=table.name,
        column=column.name,
        kind="column",
        type=column.type,
        description=known.descriptions.get(asset, ""),
        names=written(groups_of(column.name, glossary)),
        told=written(dict.fromkeys((*told, *near))),
        is_key=column.is_primary_key,
        is_unique=column.is_unique,
        is_required=not column.is_nullable,
        target=Target(key.schema, key.table, key.column) if key else None,
    )


def vocabulary_of(documents: Sequence[CatalogDocument], glossary: Glossary) -> list[Word]:
    """Return the words that documents are made of, with how many tables have each."""
    named: dict[str, set[object]] = {}
    having: dict[str, set[object]] = {}
    for document in documents:
        for stem in stems_in(document.names):
            having.setdefault(stem, set()).add(document.owner)
            if document.column is None:
                named.setdefault(stem, set()).add(document.owner)
        for stem in stems_in(document.told):
            having.setdefault(stem, set()).add(document.owner)
    words = _spelled(documents, glossary)
    return [
        Word(stem, words.get(stem, stem), len(named.get(stem, ())), len(owners))
        for stem, owners in having.items()
    ]


def _spelled(documents: Sequence[CatalogDocument], glossary: Glossary) -> dict[str, str]:
    """Return a word for each stem, as the names spell it: ``customer``, not ``custom``."""
    found: dict[str, str] = {}
    for document in documents:
        for token in split(document.column or document.table, glossary):
            words = (token, *(w for one in readings_of(token, glossary) for w in one.split()))
            for word in words:
                for stem, *_ in groups_of(word, glossary):
                    found.setdefault(stem, word)
    return found
