"""The shared schema as SQL text, made from `core/tables.py`.

It is what `enable` runs and what `dump-ddl` prints: there is no other.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from amx.core.tables import (
    ATTRIBUTION,
    KEY,
    OLDEST_WRITER,
    SCHEMA_VERSION,
    SHARED_TABLES,
    Column,
    Kind,
    Table,
)
from amx.core.targets import check_name
from amx.drivers.postgres import quoted

META = "meta"
"""The table in which a store says of itself what it is."""

_FIXED = {KEY.name, "created_at", *(column.name for column in ATTRIBUTION)}

_SCHEMA_COMMENT = "Shared history of amx: who ran and asked what, on which machine and version."

_META_COMMENT = "One row: what this store says of itself."


class _Fixed(NamedTuple):
    """A column that the client never writes: its whole definition, by backend."""

    name: str
    definitions: Mapping[str, str]
    comment: str


_TYPES: Mapping[str, Mapping[Kind, str]] = {
    "postgresql": {
        Kind.TEXT: "TEXT",
        Kind.INTEGER: "BIGINT",
        Kind.TIMESTAMP: "TIMESTAMPTZ",
        Kind.JSON: "JSONB",
    },
    "sqlite": {
        Kind.TEXT: "TEXT",
        Kind.INTEGER: "INTEGER",
        Kind.TIMESTAMP: "TEXT",
        Kind.JSON: "TEXT",
    },
}

# Byte order, which is also Python's and SQLite's: `verify` merges the two sides by it.
_KEY_TYPES = {"postgresql": 'TEXT COLLATE "C"', "sqlite": "TEXT"}

_SERVER_COLUMNS = (
    _Fixed(
        "db_user",
        {"postgresql": "TEXT NOT NULL DEFAULT SESSION_USER"},
        "Session user of the first insert, as the server knows it.",
    ),
    _Fixed(
        "received_at",
        {"postgresql": "TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()"},
        "When the first insert arrived, by the server's clock.",
    ),
)

_META_COLUMNS = (
    _Fixed(
        "singleton",
        {
            "postgresql": "BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (singleton)",
            "sqlite": "INTEGER PRIMARY KEY DEFAULT 1 CHECK (singleton = 1)",
        },
        "Always true: there is one row.",
    ),
    _Fixed(
        "schema_version",
        {"postgresql": "BIGINT NOT NULL", "sqlite": "INTEGER NOT NULL"},
        "Version of this schema.",
    ),
    _Fixed(
        "oldest_writer",
        {"postgresql": "BIGINT NOT NULL", "sqlite": "INTEGER NOT NULL"},
        "Oldest schema version whose clients may still write here.",
    ),
    _Fixed(
        "store_id",
        {
            "postgresql": "TEXT NOT NULL DEFAULT gen_random_uuid()::TEXT",
            "sqlite": "TEXT NOT NULL DEFAULT (lower(hex(randomblob(16))))",
        },
        "Random id of this store: another store at the same address is noticed.",
    ),
    _Fixed(
        "epoch",
        {"postgresql": "BIGINT NOT NULL DEFAULT 1", "sqlite": "INTEGER NOT NULL DEFAULT 1"},
        "Raised by whoever restores this store from a backup.",
    ),
    _Fixed(
        "bootstrapped_by",
        {
            "postgresql": "TEXT NOT NULL DEFAULT SESSION_USER",
            "sqlite": "TEXT NOT NULL DEFAULT 'dump-ddl'",
        },
        "Who created this schema.",
    ),
    _Fixed(
        "bootstrapped_at",
        {
            "postgresql": "TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()",
            "sqlite": "TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))",
        },
        "When this schema was created.",
    ),
)


def bootstrap_ddl(backend: str, schema: str, *, grant_to: str | None = None) -> str:
    """Return the SQL that creates the shared schema where it is missing.

    Byte-identical for the same arguments; harmless to run again for its owner; holds no
    transaction statement, so it runs under ``psql --single-transaction``.

    Args:
        backend: ``postgresql`` or ``sqlite`` (a file has no schemas: its name is ignored).
        schema: Name of the schema, whatever characters it has.
        grant_to: Role that shall read everything and write rows, but neither the columns that
            the server fills nor, later, who wrote a row first.

    Raises:
        UsageError: no schema or role can have this name.
    """
    if backend == "sqlite":
        return "\n".join(_sqlite_statements()) + "\n"
    check_name(schema, "schema")
    statements = [*_postgresql_statements(schema)]
    if grant_to is not None:
        check_name(grant_to, "role")
        statements += _grants(schema, grant_to)
    return "\n".join(statements) + "\n"


def updatable(table: Table) -> tuple[str, ...]:
    """Return the columns that an update may change: neither the key nor the first stamp."""
    return tuple(name for name in table.names if name not in _FIXED)


def _postgresql_statements(schema: str) -> Iterator[str]:
    yield f"-- Shared schema of amx, version {SCHEMA_VERSION}; harmless to run again for its owner."
    yield f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)};"
    yield f"COMMENT ON SCHEMA {quoted(schema)} IS {_literal(_SCHEMA_COMMENT)};"
    for table in SHARED_TABLES:
        definitions = [*_definitions(table, "postgresql"), *_server_definitions()]
        comments = [(column.name, column.comment) for column in table.columns]
        comments += [(column.name, column.comment) for column in _SERVER_COLUMNS]
        yield from _table(_place(schema, table.name), definitions, table.comment, comments)
        yield _index(table.name, _place(schema, table.name))
    place = _place(schema, META)
    comments = [(column.name, column.comment) for column in _META_COLUMNS]
    yield from _table(place, _meta_definitions("postgresql"), _META_COMMENT, comments)
    yield _meta_row(place)


def _sqlite_statements() -> Iterator[str]:
    yield f"-- Shared store of amx in a file, version {SCHEMA_VERSION}; harmless to run again."
    for table in SHARED_TABLES:
        definitions = _definitions(table, "sqlite")
        comments = [column.comment for column in table.columns]
        yield _commented_table(table.name, table.comment, definitions, comments)
        yield _index(table.name, quoted(table.name))
    comments = [column.comment for column in _META_COLUMNS]
    yield _commented_table(META, _META_COMMENT, _meta_definitions("sqlite"), comments)
    yield _meta_row(quoted(META))


def _table(
    place: str, definitions: list[str], comment: str, comments: list[tuple[str, str]]
) -> Iterator[str]:
    yield f"CREATE TABLE IF NOT EXISTS {place} (\n    " + ",\n    ".join(definitions) + "\n);"
    yield f"COMMENT ON TABLE {place} IS {_literal(comment)};"
    for name, text in comments:
        yield f"COMMENT ON COLUMN {place}.{quoted(name)} IS {_literal(text)};"


def _commented_table(name: str, comment: str, definitions: list[str], comments: list[str]) -> str:
    """Return a table with its comments inside the statement: SQLite keeps its text."""
    last = len(definitions) - 1
    lines = [
        f"    {definition}{',' if place < last else ''} -- {text}"
        for place, (definition, text) in enumerate(zip(definitions, comments, strict=True))
    ]
    head = f"CREATE TABLE IF NOT EXISTS {quoted(name)} ( -- {comment}"
    return "\n".join([head, *lines, ");"])


def _definitions(table: Table, backend: str) -> list[str]:
    return [_definition(column, backend) for column in table.columns]


def _definition(column: Column, backend: str) -> str:
    name = quoted(column.name)
    if column is KEY:
        return f"{name} {_KEY_TYPES[backend]} NOT NULL PRIMARY KEY CHECK ({name} <> '')"
    words = [name, _TYPES[backend][column.kind]]
    if not column.is_nullable:
        words.append("NOT NULL")
    if column.is_filled:
        words.append(f"CHECK ({name} <> '')")
    if column.choices:
        words.append(f"CHECK ({name} IN ({', '.join(map(_literal, column.choices))}))")
    if column.kind is Kind.JSON and backend == "sqlite":
        words.append(f"CHECK (json_valid({name}))")
    return " ".join(words)


def _server_definitions() -> list[str]:
    return [
        f"{quoted(column.name)} {column.definitions['postgresql']}" for column in _SERVER_COLUMNS
    ]


def _meta_definitions(backend: str) -> list[str]:
    return [f"{quoted(column.name)} {column.definitions[backend]}" for column in _META_COLUMNS]


def _meta_row(place: str) -> str:
    return (
        f"INSERT INTO {place} (singleton, schema_version, oldest_writer) "
        f"VALUES (TRUE, {SCHEMA_VERSION}, {OLDEST_WRITER}) ON CONFLICT DO NOTHING;"
    )


def _index(name: str, place: str) -> str:
    index = quoted(f"{name}_origin")
    return f"CREATE INDEX IF NOT EXISTS {index} ON {place} (origin_id, local_id);"


def _grants(schema: str, role: str) -> Iterator[str]:
    to = f"TO {quoted(role)};"
    yield f"GRANT USAGE ON SCHEMA {quoted(schema)} {to}"
    yield f"GRANT SELECT ON {_place(schema, META)} {to}"
    for table in SHARED_TABLES:
        place = _place(schema, table.name)
        yield f"GRANT SELECT ON {place} {to}"
        yield f"GRANT INSERT ({_names(table.names)}) ON {place} {to}"
        yield f"GRANT UPDATE ({_names(updatable(table))}) ON {place} {to}"


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(map(quoted, names))


def _place(schema: str, table: str) -> str:
    return f"{quoted(schema)}.{quoted(table)}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
