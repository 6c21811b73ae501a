"""The tables of the search index over catalogs: a cache in the local store, made anew at will."""

from collections.abc import Iterator


def version_2_catalog() -> Iterator[str]:
    """Yield the statements that put the second index in the place of the first."""
    for table in ("catalog_words", "catalog_documents", "catalog_indexes"):
        yield f"DROP TABLE {table}"
    yield """CREATE TABLE catalog_indexes (
  identity TEXT PRIMARY KEY NOT NULL,
  digest TEXT NOT NULL,
  made_at TEXT NOT NULL,
  tables INTEGER NOT NULL
) WITHOUT ROWID"""
    yield """CREATE TABLE catalog_documents (
  id INTEGER PRIMARY KEY,
  owner INTEGER NOT NULL,
  identity TEXT NOT NULL,
  schema_name TEXT NOT NULL,
  table_name TEXT NOT NULL,
  column_name TEXT,
  kind TEXT NOT NULL,
  type TEXT NOT NULL,
  description TEXT NOT NULL,
  names TEXT NOT NULL,
  told TEXT NOT NULL,
  is_key INTEGER NOT NULL,
  is_unique INTEGER NOT NULL,
  is_required INTEGER NOT NULL,
  target_schema TEXT,
  target_table TEXT,
  target_column TEXT
)"""
    yield "CREATE INDEX catalog_documents_by_table ON catalog_documents (identity, owner)"
    yield (
        "CREATE INDEX catalog_documents_by_target ON catalog_documents (identity) "
        "WHERE target_table IS NOT NULL"
    )
    yield """CREATE TABLE catalog_vocabulary (
  identity TEXT NOT NULL,
  stem TEXT NOT NULL,
  word TEXT NOT NULL,
  in_tables INTEGER NOT NULL,
  anywhere INTEGER NOT NULL,
  PRIMARY KEY (identity, stem)
) WITHOUT ROWID"""
    yield """CREATE VIRTUAL TABLE catalog_words USING fts5 (
  names, told, tokenize = 'unicode61'
)"""
