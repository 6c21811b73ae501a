"""The shared store in a SQLite file: the embedded default for trying shared mode."""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from urllib.parse import quote

from amx.core.errors import RowsRejected, SharedStoreError, Systemic, Transient
from amx.core.models import Values
from amx.core.profiles import Profile
from amx.core.reports import Bootstrap, Member, StoreMeta
from amx.core.sending import Deadline, NotTaken, Number, Numbers
from amx.core.shapes import Shape
from amx.core.tables import SCHEMA_VERSION, Table
from amx.core.teammates import Wanted
from amx.stores.ddl import updatable
from amx.stores.members import Tally, condition, members_of
from amx.stores.numbering import (
    numbered_sql,
    numbers_of,
    numbers_parameters,
    numbers_sql,
    orphans_sql,
)
from amx.stores.schema import APPLICATION_ID
from amx.stores.steps import META

_BUSY_TIMEOUT_S = 30.0

_TRANSIENT = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}

_ROWS = {
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_RANGE,
    sqlite3.SQLITE_TOOBIG,
}


class SQLiteSharedStore:
    """The team's store in one file, which only `bootstrap` ever creates.

    Opens it anew for each call: a file that was deleted or replaced meanwhile is noticed.
    """

    def __init__(self, profile: Profile) -> None:
        self._path = Path(profile.path)
        self._target = profile.target

    @property
    def target(self) -> str:
        return self._target

    def meta(self, deadline: Deadline) -> StoreMeta | None:
        with self._open(deadline) as connection:
            return _meta(connection)

    def bootstrap(self, deadline: Deadline) -> Bootstrap:
        with self._open(deadline, mode="rwc") as connection:
            meta = _meta(connection)
            if meta is not None and meta.schema_version >= SCHEMA_VERSION:
                return Bootstrap(meta, meta.schema_version)
            return self._made(connection)

    def shapes(self, role: str | None, deadline: Deadline) -> tuple[Shape, Shape]:  # noqa: ARG002 - a file has no roles
        from amx.stores.sqlite_schema import expected_shape, shape_of

        with self._open(deadline) as connection:
            return expected_shape(), shape_of(connection)

    def upsert(
        self, table: Table, rows: Sequence[Values], deadline: Deadline
    ) -> Sequence[NotTaken]:
        settings = ", ".join(f"{name} = excluded.{name}" for name in updatable(table))
        sql = f"""
            INSERT INTO {table.name} ({", ".join(table.names)})
            VALUES ({", ".join("?" * len(table.names))})
            ON CONFLICT (id) DO UPDATE
            SET {settings}
            WHERE {table.name}.revision < excluded.revision
              AND {table.name}.origin_id = excluded.origin_id"""
        with self._open(deadline) as connection, _transaction(connection):
            return [
                _stored(connection, table, str(row["id"]))
                for row in rows
                if not connection.execute(sql, [row[name] for name in table.names]).rowcount
            ]

    def rows(
        self, table: Table, origins: Sequence[str], after: str, limit: int, deadline: Deadline
    ) -> Sequence[Values]:
        with self._open(deadline) as connection:
            found = connection.execute(
                f"""
                SELECT {", ".join(table.names)}
                FROM {table.name}
                WHERE origin_id IN ({", ".join("?" * len(origins))}) AND id > ?
                ORDER BY id
                LIMIT ?""",
                (*origins, after, limit),
            )
            return [dict(zip(table.names, record, strict=True)) for record in found]

    def numbers(
        self, origin: str, above: Mapping[str, int], deadline: Deadline
    ) -> Mapping[str, Numbers]:
        with self._open(deadline) as connection:
            parameters = numbers_parameters(origin, above)
            return numbers_of(connection.execute(numbers_sql(str, "?"), parameters).fetchall())

    def numbered(
        self, table: Table, origin: str, after: Number, limit: int, deadline: Deadline
    ) -> Sequence[Number]:
        with self._open(deadline) as connection:
            sql = numbered_sql(table, str, "?")
            return connection.execute(sql, (origin, after[0], *after, limit)).fetchall()

    def orphans(self, table: Table, origins: Sequence[str], deadline: Deadline) -> int:
        among = f"IN ({', '.join('?' * len(origins))})"
        with self._open(deadline) as connection:
            found = connection.execute(orphans_sql(table, str, among), origins).fetchone()
            return int(found[0])

    def newest(self, table: Table, wanted: Wanted, deadline: Deadline) -> Sequence[Values]:
        which, params = condition(table.name, wanted, "?")
        with self._open(deadline) as connection:
            found = connection.execute(
                f"""
                SELECT {", ".join(table.names)}
                FROM {table.name}
                WHERE {which}
                ORDER BY id DESC
                LIMIT ?""",
                params,
            )
            return [dict(zip(table.names, record, strict=True)) for record in found]

    def team(self, since: str | None, deadline: Deadline) -> Sequence[Member]:
        with self._open(deadline) as connection:
            found = connection.execute(
                f"""
                SELECT created_by, hostname, client_version,
                       SUM(runs), SUM(sessions), SUM(events), MAX(updated_at)
                FROM (
                    SELECT {_WHO}, 1 AS runs, 0 AS sessions, 0 AS events FROM runs
                    UNION ALL
                    SELECT {_WHO}, 0, 1, 0 FROM sessions
                    UNION ALL
                    SELECT {_WHO}, 0, 0, 1 FROM events
                )
                WHERE updated_at >= ?
                GROUP BY created_by, hostname, client_version""",
                (since or "",),
            )
            return members_of(cast("list[Tally]", found.fetchall()))

    def close(self) -> None:
        """Nothing is held between calls."""

    def _made(self, connection: sqlite3.Connection) -> Bootstrap:
        """Create or upgrade the schema, unless another process has just done it."""
        from amx.stores.sqlite_schema import make

        with _transaction(connection):
            before = _meta(connection)
            found = before.schema_version if before else None
            if found is None or found < SCHEMA_VERSION:
                make(connection, found)
            meta = _meta(connection)
        if meta is None:
            msg = f"{self._target} has lost its row of {META}"
            raise Systemic(msg)
        return Bootstrap(meta, found)

    @contextmanager
    def _open(self, deadline: Deadline, *, mode: str = "rw") -> Iterator[sqlite3.Connection]:
        timeout_s = min(deadline.remaining_s, _BUSY_TIMEOUT_S)
        address = f"file:{quote(os.fsencode(self._path))}?mode={mode}"
        try:
            connection = sqlite3.connect(address, timeout_s, uri=True, isolation_level=None)
            try:
                _check_shared(connection, self._target)
                yield connection
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise _error_of(error, self._target) from error
        except (UnicodeError, OverflowError) as error:
            msg = f"a value cannot be encoded: {type(error).__name__}"
            raise RowsRejected(msg, sqlstate="client") from error


_WHO = "created_by, hostname, client_version, updated_at"


def _check_shared(connection: sqlite3.Connection, target: str) -> None:
    """Keep away from a local store, which has tables of the same names."""
    if connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID:
        msg = f"{target} is the local store of an installation, which is never shared"
        raise Systemic(msg, hint="amx db add team --backend sqlite --path ANOTHER_FILE")


def _meta(connection: sqlite3.Connection) -> StoreMeta | None:
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (META,)).fetchone():
        return None
    record = connection.execute(
        """
        SELECT schema_version, oldest_writer, store_id, epoch, bootstrapped_by, bootstrapped_at
        FROM meta"""
    ).fetchone()
    if record is None:
        return None
    version, oldest, store_id, epoch, author, moment = record
    return StoreMeta(
        schema_version=version,
        oldest_writer=oldest,
        store_id=store_id,
        epoch=epoch,
        bootstrapped_by=author,
        bootstrapped_at=moment,
    )


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Keep all of it or nothing: a connection that is closed in between rolls back."""
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.execute("COMMIT")


def _stored(connection: sqlite3.Connection, table: Table, row_id: str) -> NotTaken:
    record = connection.execute(
        f"SELECT {', '.join(table.names)} FROM {table.name} WHERE id = ?",
        (row_id,),
    ).fetchone()
    return NotTaken(row_id, dict(zip(table.names, record, strict=True)))


def _error_of(error: sqlite3.Error, target: str) -> SharedStoreError:
    """Return the error for what SQLite says.

    Source: sqlite.org/rescode.html; the low byte of an extended code is its primary code.
    """
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    reason = f"{target}: {error}"
    if primary in _ROWS or isinstance(error, sqlite3.DataError | sqlite3.InterfaceError):
        return RowsRejected(str(error), sqlstate=name)
    kind = Transient if primary in _TRANSIENT else Systemic
    return kind(reason, details={"sqlstate": name})
