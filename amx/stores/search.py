"""Full-text search over catalogs, in the local store, by SQLite's FTS5.

Source: sqlite.org, SQLite FTS5 Extension.
"""

from collections.abc import Iterable, Mapping, Sequence
from sqlite3 import Connection
from sqlite3 import Row as Record

from amx.core.asking.documents import CatalogDocument, IndexState, TableName, Target, Word
from amx.core.asking.terms import stems_in
from amx.core.clock import now
from amx.core.rows import clean
from amx.stores.local import SQLiteLocalStore

MOST_STEMS = 64
"""Of a search; what goes beyond says no more, and an FTS5 expression has a limit."""

_COLUMNS = """d.schema_name, d.table_name, d.column_name, d.kind, d.type, d.description, d.names,
  d.told, d.is_key, d.is_unique, d.is_required, d.target_schema, d.target_table, d.target_column"""


class SQLiteCatalogIndex:
    """One full-text index per identity.

    Args:
        local: The store that holds it; one that is read-only and has no file yet finds nothing.
    """

    def __init__(self, local: SQLiteLocalStore) -> None:
        self._database = local.database

    def state(self, identity: str) -> IndexState | None:
        records = self._database.query(
            "SELECT digest, made_at, tables FROM catalog_indexes WHERE identity = ?", (identity,)
        )
        return IndexState(*records[0]) if records else None

    def refresh(
        self,
        identity: str,
        digest: str,
        documents: Iterable[CatalogDocument],
        vocabulary: Iterable[Word],
    ) -> bool:
        # Documents may come from a slow catalog: they are had before the transaction is begun.
        complete, words = list(documents), list(vocabulary)
        with self._database.transaction() as connection:
            if _has(connection, identity, digest):
                return False
            _remove(connection, identity)
            _add_all(connection, identity, complete)
            connection.executemany(
                "INSERT OR IGNORE INTO catalog_vocabulary VALUES (?, ?, ?, ?, ?)",
                ((identity, clean(one.stem), clean(one.word), *one[2:]) for one in words),
            )
            tables = sum(one.column is None for one in complete)
            connection.execute(
                "INSERT INTO catalog_indexes VALUES (?, ?, ?, ?)",
                (identity, digest, now(), tables),
            )
        return True

    def vocabulary(self, identity: str) -> Mapping[str, Word]:
        records = self._database.query(
            "SELECT stem, word, in_tables, anywhere FROM catalog_vocabulary WHERE identity = ?",
            (identity,),
        )
        return {record[0]: Word(*record) for record in records}

    def tables(self, identity: str) -> Sequence[CatalogDocument]:
        return self._documents("d.identity = ? AND d.id = d.owner", (identity,))

    def links(self, identity: str) -> Sequence[CatalogDocument]:
        return self._documents("d.identity = ? AND d.target_table IS NOT NULL", (identity,))

    def of(self, identity: str, tables: Sequence[TableName]) -> Sequence[CatalogDocument]:
        return [
            document
            for schema, table in tables
            for document in self._documents(
                "d.identity = ? AND d.schema_name = ? AND d.table_name = ?",
                (identity, clean(schema), clean(table)),
            )
        ]

    def search(self, identity: str, stems: Sequence[str], limit: int) -> Sequence[CatalogDocument]:
        expression = match_expression(stems)
        if not expression:
            return []
        # The tables of the columns that match are found with them, each once.
        return self._documents(
            """
            d.id IN (
                WITH found AS MATERIALIZED (
                    SELECT f.id, f.owner
                      FROM catalog_words
                      JOIN catalog_documents AS f ON f.id = catalog_words.rowid
                     WHERE catalog_words MATCH ? AND f.identity = ?
                     ORDER BY bm25(catalog_words, 4.0, 1.0)
                     LIMIT ?)
                SELECT id FROM found UNION SELECT owner FROM found)
            """,
            (expression, identity, max(0, limit)),
        )

    def named(self, identity: str, name: str) -> Sequence[CatalogDocument]:
        return self._documents(
            "d.identity = ? AND coalesce(d.column_name, d.table_name) = ? COLLATE NOCASE",
            (identity, clean(name)),
        )

    def _documents(self, where: str, values: tuple[object, ...]) -> Sequence[CatalogDocument]:
        records = self._database.query(
            f"SELECT {_COLUMNS} FROM catalog_documents AS d WHERE {where} ORDER BY d.id", values
        )
        return [_document(record) for record in records]


def match_expression(stems: Sequence[str]) -> str:
    """Return an FTS5 expression that matches any of the stems, whatever is in them.

    Each stands as a string, in which only a quote is special.
    """
    cleaned = dict.fromkeys(stem for stem in map(clean, stems) if stem.strip())
    return " OR ".join('"{}"'.format(one.replace('"', '""')) for one in list(cleaned)[:MOST_STEMS])


def _has(connection: Connection, identity: str, digest: str) -> bool:
    """Tell whether another process was faster."""
    found = connection.execute(
        "SELECT 1 FROM catalog_indexes WHERE identity = ? AND digest = ?", (identity, digest)
    )
    return found.fetchone() is not None


def _remove(connection: Connection, identity: str) -> None:
    connection.execute(
        "DELETE FROM catalog_words WHERE rowid IN "
        "(SELECT id FROM catalog_documents WHERE identity = ?)",
        (identity,),
    )
    for table in ("catalog_documents", "catalog_vocabulary", "catalog_indexes"):
        connection.execute(f"DELETE FROM {table} WHERE identity = ?", (identity,))


def _add_all(connection: Connection, identity: str, documents: Sequence[CatalogDocument]) -> None:
    [last] = connection.execute("SELECT coalesce(max(id), 0) FROM catalog_documents").fetchone()
    owners: dict[TableName, int] = {
        one.owner: number for number, one in enumerate(documents, last + 1) if one.column is None
    }
    connection.executemany(
        f"INSERT INTO catalog_documents VALUES ({', '.join('?' * 17)})",
        (
            (number, owners[one.owner], identity, *_values(one))
            for number, one in enumerate(documents, last + 1)
        ),
    )
    connection.executemany(
        "INSERT INTO catalog_words (rowid, names, told) VALUES (?, ?, ?)",
        (
            (number, _searched(one.names), _searched(one.told))
            for number, one in enumerate(documents, last + 1)
        ),
    )


def _searched(groups: str) -> str:
    return " ".join(stems_in(clean(groups)))


def _values(document: CatalogDocument) -> tuple[object, ...]:
    values = (*document[:-1], *(document.target or (None, None, None)))
    return tuple(clean(value) if isinstance(value, str) else value for value in values)


def _document(record: Record) -> CatalogDocument:
    values = tuple(record)
    target = None if values[-2] is None else Target._make(values[-3:])
    return CatalogDocument._make((*values[:-3], target))
