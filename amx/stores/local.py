"""The local history in SQLite: the source of truth for this installation's rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from sqlite3 import Connection
from sqlite3 import Row as Record
from typing import TYPE_CHECKING

from amx.core.clock import now
from amx.core.errors import LocalStoreFailed
from amx.core.ids import uuid7
from amx.core.models import Row, Values
from amx.core.rows import RowT, clean, row_of, values_of
from amx.core.tables import ATTRIBUTION, BY_NAME, Table
from amx.stores.database import LocalDatabase
from amx.stores.schema import ENTERED, NEVER_ENTERED, ORIGIN

if TYPE_CHECKING:
    from amx.core.attribution import Attribution
    from amx.core.ports import Where, Writer

LARGEST_ID = 2**63 - 1
"""Of SQLite's integers. Source: sqlite.org, Datatypes in SQLite, 2."""

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


class _Reads:
    """What a store and a transaction of it read alike, each by its own ``_query``."""

    _query: Callable[[str, tuple[object, ...]], list[Record]]

    def find(self, kind: type[RowT], key: int | str) -> RowT | None:
        if isinstance(key, int) and not 0 < key <= LARGEST_ID:
            return None
        column = "local_id" if isinstance(key, int) else "id"
        value = key if isinstance(key, int) else clean(key)
        table = BY_NAME[kind.TABLE]
        sql = f"SELECT {', '.join(table.names)} FROM {table.name} WHERE {column} = ?"
        records = self._query(sql, (value,))
        return row_of(kind, _values(records[0])) if records else None

    def select(
        self,
        kind: type[RowT],
        where: Where | None = None,
        *,
        is_newest_first: bool = False,
        limit: int | None = None,
    ) -> Sequence[RowT]:
        table, wanted = BY_NAME[kind.TABLE], where or {}
        if unknown := set(wanted) - set(table.names):
            msg = f"{table.name} has no {sorted(unknown)}"
            raise KeyError(msg)
        conditions = " AND ".join(f"{name} IS ?" for name in wanted) or "1"
        values = (clean(value) if isinstance(value, str) else value for value in wanted.values())
        records = self._query(
            f"SELECT {', '.join(table.names)} FROM {table.name} WHERE {conditions} "
            f"ORDER BY local_id {'DESC' if is_newest_first else 'ASC'} LIMIT ?",
            (*values, -1 if limit is None else max(0, min(limit, LARGEST_ID))),
        )
        return [row_of(kind, _values(record)) for record in records]

    def fingerprint(self, kind: type[RowT], where: Where) -> str:
        table = BY_NAME[kind.TABLE]
        conditions = " AND ".join(f"{name} IS ?" for name in where) or "1"
        # A revision only rises and a row is never removed: no change leaves both as they are.
        records = self._query(
            f"SELECT count(*) || ' ' || total(revision) FROM {table.name} WHERE {conditions}",
            tuple(where.values()),
        )
        return str(records[0][0]) if records else ""

    def active_session(self, profile: str, identity: str) -> str | None:
        records = self._query(
            "SELECT session_id FROM active_sessions WHERE profile = ? AND identity = ?",
            (clean(profile), identity),
        )
        return str(records[0]["session_id"]) if records else None


class SQLiteLocalStore(_Reads):
    """The local history of one installation, in one file, opened when first used.

    A row and its outbox entry are one transaction: whatever is acknowledged is either known to
    the outbox or was written while shared mode was off.

    Args:
        path: The file; made with its folder when something is written.
        attribution: Who acts; asked once per transaction, and only when a row is new.
        is_shared: Whether shared mode is on; asked inside each transaction.
        is_read_only: Change nothing, not even the schema; a missing file is an empty history.
    """

    def __init__(
        self,
        path: Path,
        *,
        attribution: Callable[[], Attribution],
        is_shared: Callable[[], bool],
        is_read_only: bool = False,
    ) -> None:
        self.database = LocalDatabase(path, is_read_only=is_read_only)
        self.has_written_shared = False
        self._query = self.database.query
        self._attribution = attribution
        self._is_shared = is_shared

    @contextmanager
    def transaction(self) -> Iterator[Writer]:
        with self.database.transaction() as connection:
            writer = _SQLiteWriter(connection, self._attribution, self._is_shared)
            yield writer
        # Only now is it durable.
        self.has_written_shared |= writer.has_entered

    def has_open_run(self) -> bool:
        """Tell whether a run has no terminal status: it runs, or it was killed."""
        return bool(self.database.query("SELECT 1 FROM runs WHERE status = 'running' LIMIT 1"))

    def close(self) -> None:
        """Close this thread's connection; the next use opens another."""
        self.database.close()


class _SQLiteWriter(_Reads):
    """One transaction's reads and writes."""

    def __init__(
        self,
        connection: Connection,
        attribution: Callable[[], Attribution],
        is_shared: Callable[[], bool],
    ) -> None:
        self.has_entered = False
        self._connection = connection
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

    @cached_property
    def _attribution(self) -> Attribution:
        return self._ask_attribution()

    @cached_property
    def _is_shared(self) -> bool:
        return self._ask_is_shared()

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
        # A row that was ever entered is entered again, whether shared mode is on or not.
        entered = "1" if self._is_shared else "entered > 0"
        done = self._connection.execute(
            f"UPDATE {table.name} SET {settings}, revision = revision + 1, entered = {entered} "
            "WHERE id = ? AND local_id = ?",
            (*changed.values(), row.id, row.local_id),
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


def _values(record: Record) -> Values:
    return {name: record[name] for name in record.keys()}  # noqa: SIM118 - a Row iterates values


def _changeable(values: Values) -> dict[str, str | int | None]:
    fixed = _STAMPED_ONCE | {"revision", "updated_at", "updated_by_version"}
    return {name: value for name, value in values.items() if name not in fixed}
