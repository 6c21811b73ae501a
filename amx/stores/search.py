"""Full-text search over catalogs, in the local store, by SQLite's FTS5.

Source: sqlite.org, SQLite FTS5 Extension.
"""

from collections.abc import Iterable, Sequence
from sqlite3 import Connection
from sqlite3 import Row as Record

from amx.core.catalog import CatalogDocument, Hit
from amx.core.rows import clean
from amx.stores.local import SQLiteLocalStore

WEIGHTS = (10.0, 4.0, 1.0)
"""Of a match in the name, the description, and the other words of an asset."""

MOST_WORDS = 64
"""Of a search; what goes beyond says no more, and an FTS5 expression has a limit."""

SHORTEST_PREFIX = 3
"""A word of at least so many characters is looked for as the beginning of a word too."""


class SQLiteCatalogIndex:
    """One full-text index per identity; names count more than descriptions.

    Args:
        local: The store that holds it; one that is read-only and has no file yet finds nothing.
    """

    def __init__(self, local: SQLiteLocalStore) -> None:
        self._database = local.database

    def digest(self, identity: str) -> str | None:
        records = self._database.query(
            "SELECT digest FROM catalog_indexes WHERE identity = ?", (identity,)
        )
        return str(records[0]["digest"]) if records else None

    def refresh(self, identity: str, digest: str, documents: Iterable[CatalogDocument]) -> None:
        # Documents may come from a slow catalog: they are had before the transaction is begun.
        complete = list(documents)
        with self._database.transaction() as connection:
            _remove(connection, identity)
            for document in complete:
                _add(connection, identity, document)
            connection.execute(
                "INSERT INTO catalog_indexes (identity, digest) VALUES (?, ?)", (identity, digest)
            )

    def tables(self, identity: str, names: Sequence[tuple[str, str]]) -> Sequence[CatalogDocument]:
        records = self._database.query(
            "SELECT * FROM catalog_documents WHERE identity = ? AND column_name IS NULL "
            "ORDER BY id",
            (identity,),
        )
        wanted = set(names)
        return [
            _document(record)
            for record in records
            if (record["schema_name"], record["table_name"]) in wanted
        ]

    def search(self, identity: str, words: Sequence[str], limit: int) -> Sequence[Hit]:
        expression = match_expression(words)
        if not expression:
            return []
        records = self._database.query(
            f"""
            SELECT d.schema_name, d.table_name, d.column_name, d.kind, d.type, d.description,
                   d.words, -bm25(catalog_words, {", ".join(map(str, WEIGHTS))}) AS score
              FROM catalog_words
              JOIN catalog_documents AS d ON d.id = catalog_words.rowid
             WHERE catalog_words MATCH ? AND d.identity = ?
             ORDER BY score DESC, d.id
             LIMIT ?
            """,
            (expression, identity, max(0, limit)),
        )
        return [_hit(record) for record in records]

    def named(self, identity: str, name: str) -> Sequence[CatalogDocument]:
        records = self._database.query(
            """
            SELECT schema_name, table_name, column_name, kind, type, description, words
              FROM catalog_documents
             WHERE identity = ?
               AND coalesce(column_name, table_name) = ? COLLATE NOCASE
            """,
            (identity, clean(name)),
        )
        return [_document(record) for record in records]


def match_expression(words: Sequence[str]) -> str:
    """Return an FTS5 expression that matches any of the words, whatever is in them.

    Each word stands as a string, in which only a quote is special; a whole word that matches
    counts twice, being also its own beginning.
    """
    cleaned = dict.fromkeys(word for word in map(clean, words) if word.strip())
    terms: list[str] = []
    for word in list(cleaned)[:MOST_WORDS]:
        quoted = '"{}"'.format(word.replace('"', '""'))
        terms.append(quoted)
        if len(word) >= SHORTEST_PREFIX:
            terms.append(f"{quoted} *")
    return " OR ".join(terms)


def _remove(connection: Connection, identity: str) -> None:
    connection.execute(
        "DELETE FROM catalog_words WHERE rowid IN "
        "(SELECT id FROM catalog_documents WHERE identity = ?)",
        (identity,),
    )
    connection.execute("DELETE FROM catalog_documents WHERE identity = ?", (identity,))
    connection.execute("DELETE FROM catalog_indexes WHERE identity = ?", (identity,))


def _add(connection: Connection, identity: str, document: CatalogDocument) -> None:
    added = connection.execute(
        "INSERT INTO catalog_documents (identity, schema_name, table_name, column_name, kind, "
        "type, description, words) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            identity,
            clean(document.schema),
            clean(document.table),
            None if document.column is None else clean(document.column),
            document.kind,
            clean(document.type),
            clean(document.description),
            clean(document.words),
        ),
    )
    # The table's name is a word of its columns, and weighs less there than on the table itself.
    words = f"{document.table} {document.words}" if document.column else document.words
    connection.execute(
        "INSERT INTO catalog_words (rowid, name, description, words) VALUES (?, ?, ?, ?)",
        (
            added.lastrowid,
            clean(document.column or document.table),
            clean(document.description),
            clean(words),
        ),
    )


def _hit(record: Record) -> Hit:
    return Hit(document=_document(record), score=record["score"])


def _document(record: Record) -> CatalogDocument:
    return CatalogDocument(
        schema=record["schema_name"],
        table=record["table_name"],
        column=record["column_name"],
        kind=record["kind"],
        type=record["type"],
        description=record["description"],
        words=record["words"],
    )
