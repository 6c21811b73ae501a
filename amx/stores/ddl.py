"""The shared schema as SQL text, made from `core/tables.py`.

It is what `enable` runs and what `dump-ddl` prints: there is no other.
"""

from collections.abc import Iterator

from amx.core.tables import ATTRIBUTION, KEY, SCHEMA_VERSION, SHARED_TABLES, Table
from amx.core.targets import check_name
from amx.drivers.postgres import quoted
from amx.stores.columns import Spec, literal, meta_specs, specs_of
from amx.stores.steps import META, indexes_of, meta_statements, place_of

FIXED = {KEY.name, "created_at", *(column.name for column in ATTRIBUTION)}
"""The key and the first stamp: no update changes them."""

SCHEMA_COMMENT = "Shared history of amx: who ran and asked what, on which machine and version."

META_COMMENT = "One row: what this store says of itself."


def bootstrap_ddl(backend: str, schema: str, *, grant_to: str | None = None) -> str:
    """Return the SQL that creates the shared schema where it is missing, and upgrades an older one.

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
        return "\n".join(sqlite_statements()) + "\n"
    check_name(schema, "schema")
    statements = [*_schema_statements(schema), *postgresql_statements(schema)]
    if grant_to is not None:
        check_name(grant_to, "role")
        statements += _grants(schema, grant_to)
    return "\n".join(statements) + "\n"


def updatable(table: Table) -> tuple[str, ...]:
    """Return the columns that an update may change: neither the key nor the first stamp."""
    return tuple(name for name in table.names if name not in FIXED)


def sqlite_statements() -> Iterator[str]:
    """Yield the statements that make a file a shared store, one by one."""
    yield f"-- Shared store of amx in a file, version {SCHEMA_VERSION}; harmless to run again."
    for table in SHARED_TABLES:
        yield _commented_table(table.name, table.comment, specs_of(table, "sqlite"))
        yield from (one.statement(quoted(table.name)) for one in indexes_of(table.name))
    yield _commented_table(META, META_COMMENT, meta_specs("sqlite"))
    yield from meta_statements(None)


def postgresql_statements(schema: str) -> Iterator[str]:
    """Yield the statements that make everything inside a schema that is there."""
    for table in SHARED_TABLES:
        place = place_of(schema, table.name)
        yield from _table(place, table.comment, specs_of(table, "postgresql"))
        yield from (one.statement(place) for one in indexes_of(table.name))
    yield from _table(place_of(schema, META), META_COMMENT, meta_specs("postgresql"))
    yield from meta_statements(schema)


def _schema_statements(schema: str) -> Iterator[str]:
    yield f"-- Shared schema of amx, version {SCHEMA_VERSION}; harmless to run again for its owner."
    yield f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)};"
    yield f"COMMENT ON SCHEMA {quoted(schema)} IS {literal(SCHEMA_COMMENT)};"


def _table(place: str, comment: str, specs: list[Spec]) -> Iterator[str]:
    definitions = ",\n    ".join(spec.definition for spec in specs)
    yield f"CREATE TABLE IF NOT EXISTS {place} (\n    {definitions}\n);"
    yield f"COMMENT ON TABLE {place} IS {literal(comment)};"
    for spec in specs:
        yield f"COMMENT ON COLUMN {place}.{quoted(spec.name)} IS {literal(spec.comment)};"


def _commented_table(name: str, comment: str, specs: list[Spec]) -> str:
    """Return a table with its comments inside the statement: SQLite keeps its text."""
    last = len(specs) - 1
    lines = [
        f"    {spec.definition}{',' if place < last else ''} -- {spec.comment}"
        for place, spec in enumerate(specs)
    ]
    head = f"CREATE TABLE IF NOT EXISTS {quoted(name)} ( -- {comment}"
    return "\n".join([head, *lines, ");"])


def _grants(schema: str, role: str) -> Iterator[str]:
    to = f"TO {quoted(role)};"
    yield f"GRANT USAGE ON SCHEMA {quoted(schema)} {to}"
    yield f"GRANT SELECT ON {place_of(schema, META)} {to}"
    for table in SHARED_TABLES:
        place = place_of(schema, table.name)
        yield f"GRANT SELECT ON {place} {to}"
        yield f"GRANT INSERT ({_names(table.names)}) ON {place} {to}"
        yield f"GRANT UPDATE ({_names(updatable(table))}) ON {place} {to}"


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(map(quoted, names))
