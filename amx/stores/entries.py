"""What the outbox does inside a transaction: enter rows, drop entries, put an origin right."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from sqlite3 import Connection
from sqlite3 import Row as Record

from amx.core.clock import now
from amx.core.tables import SHARED_TABLES, Table
from amx.stores.local import ENTER
from amx.stores.schema import DROPPED, ENTERED


@contextmanager
def without_guard(connection: Connection, table: str) -> Iterator[None]:
    """Lift the trigger that freezes the stamps of a table, inside one transaction.

    Nobody else ever sees the table without it: it is made again, word for word, before the end,
    and a transaction that does not get there is undone as a whole.
    """
    name = f"{table}_attribution"
    (sql,) = connection.execute(
        "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?", (name,)
    ).fetchone()
    connection.execute(f"DROP TRIGGER {name}")
    yield
    connection.execute(sql)


def drop(connection: Connection, entries: Sequence[Record]) -> int:
    """Remove entries; return how many."""
    # Rows are marked, so that `enter_missing` finds them and a later change still enters them.
    for table in SHARED_TABLES:
        connection.executemany(
            f"UPDATE {table.name} SET entered = {DROPPED} WHERE id = ?",
            [(entry["row_id"],) for entry in entries if entry["table_name"] == table.name],
        )
    connection.executemany("DELETE FROM outbox WHERE id = ?", [(one["id"],) for one in entries])
    return len(entries)


def enter(connection: Connection, table: Table, row_ids: Sequence[str]) -> int:
    """Enter rows of a table as they are; return how many."""
    moment = now()
    connection.executemany(
        f"UPDATE {table.name} SET entered = {ENTERED} WHERE id = ? AND entered <> {ENTERED}",
        [(row_id,) for row_id in row_ids],
    )
    done = connection.executemany(
        ENTER.format(table=table.name), [(table.name, moment, row_id) for row_id in row_ids]
    )
    return max(0, done.rowcount)
