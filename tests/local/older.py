"""A local store of an older version, as that version's amx has left it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from amx.stores import migrations

FIRST = 1


def made_older(path: Path, of: Path) -> None:
    """Make a store of the first version with all rows of another one that it has a place for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "STEPS", migrations.STEPS[:FIRST])
        patch.setattr(migrations, "VERSION", FIRST)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            migrations.migrate(connection)
            connection.execute("ATTACH ? AS new", (str(of),))
            for table in ("runs", "sessions", "results", "turns", "events", "active_sessions"):
                columns = ", ".join(
                    name for _, name, *_ in connection.execute(f"PRAGMA main.table_info({table})")
                )
                connection.execute(
                    f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}"
                )
            for table in ("outbox", "state"):
                connection.execute(f"INSERT OR IGNORE INTO main.{table} SELECT * FROM new.{table}")


def schema(path: Path) -> list[tuple[object, ...]]:
    """Return the schema of a store's file, and its version."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 2")
        return [*found.fetchall(), connection.execute("PRAGMA user_version").fetchone()]


def rows(path: Path, table: str, columns: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1").fetchall()
