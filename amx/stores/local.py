"""The local history in SQLite: the source of truth for this installation's rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from sqlite3 import Connection
from typing import TYPE_CHECKING

from amx.core.clock import now
from amx.core.errors import LocalStoreFailed
from amx.core.ids import uuid7
from amx.core.models import Row, Values
from amx.core.rows import RowT, clean, values_of
from amx.core.tables import ATTRIBUTION, BY_NAME, Table
from amx.stores import conversations
from amx.stores.database import LocalDatabase
from amx.stores.reads import Reads
from amx.stores.schema import (
    ENTERED,
    NEVER_ENTERED,
    ORIGIN,
    PRIVATE,
    RENAME_NEW,
    RENAME_OLD,
    TRACES,
    UNDECIDED,
    VERSION,
)

if TYPE_CHECKING:
    from amx.core.attribution import Attribution
    from amx.core.ports import Writer

ENTER = f"""
INSERT INTO outbox (table_name, row_id, local_id, revision, queued_at)
SELECT ?, id, local_id, revision, ?
  FROM {{table}}
 WHERE id = ? AND entered = {ENTERED}
    ON CONFLICT (table_name, row_id) DO UPDATE
   SET revision = excluded.revision, state = 'pending', last_error = NULL
"""
"""Enter one row as it is, where it is marked as entered: table, moment, row id.

A quarantined entry is opened again.
"""

_STAMPED_ONCE = {"id", "created_at", *(column.name for column in ATTRIBUTION)}


class SQLiteLocalStore(Reads):
    """The local history of one installation, in one file, opened when first used.

    A row and its outbox entry are one transaction: whatever is acknowledged is either known to
    the outbox or was written while shared mode was off.

    Args:
        path: The file; made with its folder when something is written.
        attribution: Who acts; asked once per transaction, and only when a row is new.
        is_shared: Whether shared mode is on; asked inside each transaction.
        is_private: Whether text that is written now may not be shared; asked likewise.
        is_read_only: Change nothing, not even the schema; a missing file is an empty history.
    """

    def __init__(
        self,
        path: Path,
        *,
        attribution: Callable[[], Attribution],
        is_shared: Callable[[], bool],
        is_private: Callable[[], bool] = lambda: False,
        is_read_only: bool = False,
    ) -> None:
        self.database = LocalDatabase(path, is_read_only=is_read_only)
        self.has_written_shared = False
        self.is_private = is_private
        self._query = self.database.query
        self._columns = lambda table: conversations.read(table, self.database.version)
        self._attribution = attribution
        self._is_shared = is_shared

    @contextmanager
    def transaction(self) -> Iterator[Writer]:
        with self.database.transaction() as connection:
            writer = _SQLiteWriter(connection, self._attribution, self._is_shared, self.is_private)
            yield writer
        # Only now is it durable.
        self.has_written_shared |= writer.has_entered

    def has_open_run(self) -> bool:
        """Tell whether a run has no terminal status: it runs, or it was killed."""
        return bool(self.database.query("SELECT 1 FROM runs WHERE status = 'running' LIMIT 1"))

    def remove_traces(self) -> None:
        self.database.rewrite()
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM state WHERE key = ?", (TRACES,))

    def close(self) -> None:
        """Close this thread's connection; the next use opens another."""
        self.database.close()


class _SQLiteWriter(Reads):
    """One transaction's reads and writes."""

    def __init__(
        self,
        connection: Connection,
        attribution: Callable[[], Attribution],
        is_shared: Callable[[], bool],
        is_private: Callable[[], bool],
    ) -> None:
        self.has_entered = False
        self._connection = connection
        self._columns = lambda table: conversations.read(table, VERSION)
        self._ask_is_private = is_private
        self._query = lambda sql, values: connection.execute(sql, values).fetchall()
        self._ask_attribution = attribution
        self._ask_is_shared = is_shared

    def put(self, row: RowT) -> RowT:
        table = BY_NAME[row.TABLE]
        if row.local_id is None:
            self._insert(table, self._stamped(row))
        else:
            self._update(table, row)
        written = self.find(type(row), row.id)
        if written is None:
            msg = f"a row just written to {table.name} is not there"
            raise LookupError(msg)
        return written

    def point_session(self, profile: str, identity: str, session_id: str | None) -> None:
        if session_id is None:
            sql = "DELETE FROM active_sessions WHERE profile = ? AND identity = ?"
            self._connection.execute(sql, (clean(profile), identity))
            return
        self._connection.execute(
            "INSERT INTO active_sessions (profile, identity, session_id) VALUES (?, ?, ?) "
            "ON CONFLICT (profile, identity) DO UPDATE SET session_id = excluded.session_id",
            (clean(profile), identity, session_id),
        )

    def blank_turns(self, session_id: str) -> None:
        version = self._attribution.client_version
        entered = conversations.blank(self._connection, session_id, version, self._entered)
        self.has_entered |= entered > 0
        self._connection.execute(
            "INSERT INTO state (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING",
            (TRACES, now()),
        )

    def begin_renaming(self, old: str, new: str) -> None:
        self._connection.executemany(
            "INSERT INTO state (key, value) VALUES (?, ?)",
            [(RENAME_OLD, clean(old)), (RENAME_NEW, clean(new))],
        )

    def end_renaming(self, *, is_done: bool) -> None:
        names = self.renaming() if is_done else None
        if names:
            conversations.follow(self._connection, *names)
        forget = "DELETE FROM state WHERE key IN (?, ?)"
        self._connection.execute(forget, (RENAME_OLD, RENAME_NEW))

    @cached_property
    def _attribution(self) -> Attribution:
        return self._ask_attribution()

    @cached_property
    def _is_shared(self) -> bool:
        return self._ask_is_shared()

    @cached_property
    def _privacy(self) -> int:
        return PRIVATE if self._ask_is_private() else UNDECIDED

    @property
    def _entered(self) -> str:
        """What becomes of ``entered``: a row that ever was is again, whether mode is on or not."""
        return "1" if self._is_shared else "entered > 0"

    @cached_property
    def _origin(self) -> str:
        known = self._query("SELECT value FROM state WHERE key = ?", (ORIGIN,))
        if known:
            return str(known[0]["value"])
        origin = uuid7()
        self._connection.execute("INSERT INTO state (key, value) VALUES (?, ?)", (ORIGIN, origin))
        return origin

    def _stamped(self, row: RowT) -> RowT:
        moment, who = now(), self._attribution
        return replace(
            row,
            revision=1,
            created_at=moment,
            updated_at=moment,
            updated_by_version=who.client_version,
            created_by=who.created_by,
            hostname=who.hostname,
            client_version=who.client_version,
            origin_id=self._origin,
            actor=who.actor,
            actor_kind=who.actor_kind,
            run_url=who.run_url,
        )

    def _insert(self, table: Table, row: Row) -> None:
        values = {name: value for name, value in values_of(row).items() if name != "local_id"}
        values["entered"] = ENTERED if self._is_shared else NEVER_ENTERED
        if table.name in conversations.HIDDEN:
            values["privacy"] = self._privacy
        if table.local:
            values["owner"] = values["profile"]
        places = ", ".join("?" * len(values))
        self._connection.execute(
            f"INSERT INTO {table.name} ({', '.join(values)}) VALUES ({places})",
            tuple(values.values()),
        )
        self._enter(table, row.id)

    def _update(self, table: Table, row: Row) -> None:
        """Write the row's own columns; the revision follows the stored one, not the caller's."""
        changed = _changeable(values_of(row)) | {
            "updated_at": now(),
            "updated_by_version": self._attribution.client_version,
        }
        settings = ", ".join(f"{name} = ?" for name in changed)
        given = [*changed.values()]
        if "title" in changed:
            settings += f", privacy = {conversations.KEPT_TITLE}"
            given += [changed["title"], self._privacy]
        done = self._connection.execute(
            f"UPDATE {table.name} SET {settings}, revision = revision + 1, "
            f"entered = {self._entered} WHERE id = ? AND local_id = ?",
            (*given, row.id, row.local_id),
        )
        if not done.rowcount:
            msg = f"The local store has no row {row.local_id} in {table.name}; nothing was changed."
            raise LocalStoreFailed(msg)
        self._enter(table, row.id)

    def _enter(self, table: Table, row_id: str) -> None:
        """Enter a row into the outbox, where it is marked as entered."""
        sql = ENTER.format(table=table.name)
        done = self._connection.execute(sql, (table.name, now(), row_id))
        self.has_entered |= done.rowcount > 0


def _changeable(values: Values) -> dict[str, str | int | None]:
    fixed = _STAMPED_ONCE | {"revision", "updated_at", "updated_by_version"}
    return {name: value for name, value in values.items() if name not in fixed}
