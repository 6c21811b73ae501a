"""Both sides as the state machine of the outbox sees them, by SQL of its own; and the DBA."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import psycopg2

from amx.core.models import Values
from amx.core.ports import SharedStore
from amx.core.profiles import profile_of
from amx.core.rows import canonical_json
from amx.core.sending import Deadline
from amx.core.tables import SHARED_TABLES, Column, Kind, Table
from amx.stores.postgres import PostgresSharedStore
from amx.stores.sqlite import SQLiteSharedStore
from tests.postgres import PostgresServer
from tests.shared.machine_model import POISON, Change, Entry, Key, Rows

TEXTS = {
    "runs": "error",
    "sessions": "title",
    "results": "description",
    "turns": "content",
    "events": "subject",
}
"""The column of each table that may hold poison."""

NAMES = {table.name: table.names for table in SHARED_TABLES}


class Side(Protocol):
    """A shared store, and beside it what watches it."""

    def store(self) -> SharedStore:
        """Return the store, with a connection of its own."""

    def rows(self) -> Rows:
        """Return all rows of the store."""

    def changes(self) -> list[Change]:
        """Return all updates and deletions that there ever were."""

    def refuse(self, *, is_refusing: bool) -> None:
        """Let the DBA forbid poison, or allow it again."""

    def close(self) -> None:
        """Let go of what is open."""


class SQLiteSide:
    """A shared store in a file.

    Args:
        folder: Where its file is made.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "team.db"
        self._profile = profile_of("team", {"backend": "sqlite", "path": str(self._path)}, {})
        self.store().bootstrap(Deadline(60))
        with self._connected() as connection:
            connection.executescript("".join(_sqlite_watch()))

    def store(self) -> SharedStore:
        return SQLiteSharedStore(self._profile)

    def rows(self) -> Rows:
        with self._connected() as connection:
            return rows_of(connection)

    def changes(self) -> list[Change]:
        with self._connected() as connection:
            return [Change(*record) for record in connection.execute("SELECT * FROM changes")]

    def refuse(self, *, is_refusing: bool) -> None:
        with self._connected() as connection:
            for table, column in TEXTS.items():
                for event in ("INSERT", "UPDATE"):
                    name = f"{table}_{event}_poison"
                    connection.execute(f"DROP TRIGGER IF EXISTS {name}")
                    if is_refusing:
                        connection.execute(
                            f"CREATE TRIGGER {name} BEFORE {event} ON {table} "
                            f"WHEN NEW.{column} = '{POISON}' "
                            "BEGIN SELECT RAISE(ABORT, 'the DBA says no'); END"
                        )

    def close(self) -> None:
        """Nothing is."""

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
            yield connection


def _sqlite_watch() -> Iterator[str]:
    yield 'CREATE TABLE changes ("table" TEXT, id TEXT, before INTEGER, after INTEGER);'
    for table in SHARED_TABLES:
        for event, after in (("UPDATE", "NEW.revision"), ("DELETE", "NULL")):
            yield (
                f"CREATE TRIGGER {table.name}_{event}_watched AFTER {event} ON {table.name} BEGIN "
                f"INSERT INTO changes VALUES ('{table.name}', OLD.id, OLD.revision, {after}); END;"
            )


class PostgresSide:
    """A shared store in a database of its own.

    Args:
        server: Where it is made.
        tablespace: On which disk of it.
    """

    def __init__(self, server: PostgresServer, tablespace: str = "pg_default") -> None:
        self.database = database = server.new_database(tablespace)
        settings = {"backend": "postgresql", "host": server.host, "port": server.port}
        named = {**settings, "user": server.user, "database": database}
        self._profile = profile_of("team", named, os.environ)
        with closing(self.store()) as store:
            store.bootstrap(Deadline(60))
        self._dsn = server.dsn(database)
        self.connect()
        self._ask("".join(_postgres_watch()))

    def connect(self) -> None:
        """Connect, at first or after the server was away."""
        self._connection = psycopg2.connect(self._dsn)
        self._connection.autocommit = True

    def store(self) -> SharedStore:
        return PostgresSharedStore(self._profile, "AMX", None, os.environ)

    def rows(self) -> Rows:
        found: dict[Key, Values] = {}
        for table in SHARED_TABLES:
            columns = ", ".join(_as_text(column) for column in table.columns)
            for record in self._ask(f'SELECT {columns} FROM "AMX".{table.name}'):
                row = dict(zip(table.names, record, strict=True))
                found[table.name, str(row["id"])] = _plain(table, row)
        return found

    def changes(self) -> list[Change]:
        return [Change(*record) for record in self._ask("SELECT * FROM changes")]  # type: ignore[arg-type]  # as the table has it

    def refuse(self, *, is_refusing: bool) -> None:
        for table, column in TEXTS.items():
            self._ask(f'DROP TRIGGER IF EXISTS poison ON "AMX".{table}')
            if is_refusing:
                self._ask(
                    f'CREATE TRIGGER poison BEFORE INSERT OR UPDATE ON "AMX".{table} FOR EACH ROW '
                    f"WHEN (NEW.{column} = '{POISON}') EXECUTE FUNCTION refuse()"
                )

    def _ask(self, sql: str) -> list[tuple[object, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        self._connection.close()


def _postgres_watch() -> Iterator[str]:
    yield """
        CREATE TABLE changes ("table" TEXT, id TEXT, before BIGINT, after BIGINT);
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the DBA says no'; END $$;
        CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        AS $$ BEGIN INSERT INTO public.changes VALUES (TG_TABLE_NAME, OLD.id, OLD.revision,
            CASE TG_OP WHEN 'UPDATE' THEN NEW.revision END); RETURN NULL; END $$;"""
    for table in SHARED_TABLES:
        yield (
            f'CREATE TRIGGER watched AFTER UPDATE OR DELETE ON "AMX".{table.name} '
            "FOR EACH ROW EXECUTE FUNCTION watch();"
        )


def _as_text(column: Column) -> str:
    if column.kind is not Kind.TIMESTAMP:
        return column.name
    return f"""to_char({column.name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


def _plain(table: Table, row: Mapping[str, object]) -> Values:
    """Return a row in the form of the local store: JSON as its one text."""
    kinds = {column.name: column.kind for column in table.columns}
    return {
        name: canonical_json(value) if kinds[name] is Kind.JSON else value  # type: ignore[misc]  # text or a number
        for name, value in row.items()
    }


def rows_of(connection: sqlite3.Connection) -> Rows:
    """Return all rows of all shared tables of a SQLite file."""
    return {
        (table, str(record[0])): dict(zip(names, record, strict=True))
        for table, names in NAMES.items()
        for record in connection.execute(f"SELECT {', '.join(names)} FROM {table}")
    }


def local_side(path: Path) -> tuple[Rows, Mapping[Key, Entry]]:
    """Return the rows and the entries of a local store."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT table_name, row_id, revision, state FROM outbox")
        entries = {(table, row_id): Entry(*entry) for table, row_id, *entry in found}
        return rows_of(connection), entries
