"""What the local store does with conversations beyond reading and writing their rows.

Each function works inside the transaction of its connection.
"""

from collections.abc import Iterable
from sqlite3 import Connection

from amx.core.clock import now
from amx.core.tables import Table
from amx.stores.schema import ENTERED, PRIVATE, SHARED, UNDECIDED

HIDDEN = {"sessions": {"title": "''"}, "turns": {"content": "''", "citations": "'[]'"}}
"""By table, the columns whose text may be private, and what the team reads instead."""

KEPT_TITLE = f"""CASE
  WHEN title IS NOT ? THEN ?
  WHEN privacy = {UNDECIDED} AND entered = {ENTERED} AND NOT EXISTS (
    SELECT 1 FROM outbox WHERE table_name = 'sessions' AND row_id = sessions.id) THEN {SHARED}
  ELSE privacy END"""
"""The privacy of a session that is changed: a new title has its own, what was delivered stays."""


def shown(table: Table, version: int) -> str:
    """Return a table's columns as the team may read them: private text is left out."""
    hidden = HIDDEN.get(table.name, {}) if version > 1 else {}
    return ", ".join(_shown(table.name, name, hidden.get(name)) for name in table.names)


def _shown(table: str, name: str, blank: str | None) -> str:
    column = f"{table}.{name}"
    if blank is None:
        return column
    return f"CASE WHEN {table}.privacy = {PRIVATE} THEN {blank} ELSE {column} END AS {name}"


def read(table: Table, version: int) -> str:
    """Return a table's columns as this installation reads them, in a schema of this version."""
    instead = {"owner": "profile AS owner"} if version == 1 else {}
    return ", ".join([*table.names, *(instead.get(name, name) for name in table.local)])


def hide(connection: Connection, table: Table, row_ids: Iterable[str], *, also: int) -> None:
    """Make rows private whose text the team has not; ``also`` those of this privacy."""
    if table.name in HIDDEN:
        connection.executemany(
            f"UPDATE {table.name} SET privacy = {PRIVATE} WHERE id = ? AND privacy IN (?, ?)",
            [(row_id, UNDECIDED, also) for row_id in row_ids],
        )


def hide_pending(connection: Connection, table: Table, after: str, rows: int) -> None:
    """Make private what would be sent next, unless the team has its text already."""
    found = connection.execute(
        "SELECT row_id FROM outbox WHERE table_name = ? AND row_id > ? AND state = 'pending' "
        "ORDER BY row_id LIMIT ?",
        (table.name, after, rows),
    )
    hide(connection, table, [row[0] for row in found], also=UNDECIDED)


def blank(connection: Connection, session_id: str, client_version: str, entered: str) -> int:
    """Blank the text of a session's turns, point at none of it, and return how many are entered.

    Args:
        connection: Of a transaction.
        session_id: The session.
        client_version: The version that changes the rows.
        entered: What becomes of the column of this name.
    """
    moment = now()
    connection.execute("DELETE FROM active_sessions WHERE session_id = ?", (session_id,))
    connection.execute(
        "UPDATE turns SET content = '', citations = '[]', revision = revision + 1, "
        f"updated_at = ?, updated_by_version = ?, entered = {entered} WHERE session_id = ?",
        (moment, client_version, session_id),
    )
    done = connection.execute(
        f"""
        INSERT INTO outbox (table_name, row_id, local_id, revision, queued_at)
        SELECT 'turns', id, local_id, revision, ?
          FROM turns
         WHERE session_id = ? AND entered = {ENTERED}
            ON CONFLICT (table_name, row_id) DO UPDATE
           SET revision = excluded.revision, state = 'pending', last_error = NULL""",
        (moment, session_id),
    )
    return done.rowcount


def follow(connection: Connection, old: str, new: str) -> None:
    """Let all that names a profile by its present name follow it to another one."""
    from amx.core.targets import KEY as TARGET

    connection.execute("UPDATE sessions SET owner = ? WHERE owner = ?", (new, old))
    connection.execute("UPDATE active_sessions SET profile = ? WHERE profile = ?", (new, old))
    connection.execute(
        "UPDATE state SET value = json_set(value, '$.profile', ?) "
        "WHERE key = ? AND json_extract(value, '$.profile') = ?",
        (new, TARGET, old),
    )
