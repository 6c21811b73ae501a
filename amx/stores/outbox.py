"""The outbox in the local store: pointers to rows that the shared store does not have.

Every method is one or more short transactions; none is open while the network is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar

from amx.core.counts import QueueCounts
from amx.core.rows import clean
from amx.core.tables import BY_NAME, SHARED_TABLES, Table
from amx.stores.conversations import HIDDEN, hide, hide_pending, shown
from amx.stores.entries import drop, enter, without_guard
from amx.stores.local import SQLiteLocalStore
from amx.stores.schema import COUNTERS, ENTERED, SHARED

if TYPE_CHECKING:
    from sqlite3 import Connection

    from amx.core.models import Values
    from amx.core.reports import OutboxEntry
    from amx.core.sending import Batch, Number, Position

CHUNK = 2_000
"""Entries per transaction: about 10 ms, for which other writers wait."""

CONFIRMED = 5_000
"""Entries that one transaction removes: a whole batch, in about 25 ms."""

Sent = tuple[str, str, int]
"""A table, the id of a row, and the revision of it that was sent."""

_Record = tuple[str | int | None, ...]

_Item = TypeVar("_Item")

_KEEP = "INSERT INTO state (key, value) VALUES (?, ?) ON CONFLICT (key)"


class SQLiteOutbox:
    """The outbox of one local store.

    Args:
        local: The store; one that is read-only and has no file yet has an empty outbox.
    """

    def __init__(self, local: SQLiteLocalStore) -> None:
        self._database = local.database
        self._is_private = local.is_private

    def counts(self) -> QueueCounts:
        oldest = self._database.query(
            "SELECT MIN(queued_at) AS moment FROM outbox WHERE state = 'pending'"
        )
        return QueueCounts(
            pending=int(self.state(COUNTERS["pending"]) or 0),
            quarantined=int(self.state(COUNTERS["quarantined"]) or 0),
            oldest_pending_at=oldest[0]["moment"] if oldest else None,
        )

    def take(self, after: Position | None, rows: int, max_bytes: int) -> Batch | None:
        from amx.core.sending import Batch

        names = [table.name for table in SHARED_TABLES]
        first = names.index(after.table) if after else 0
        for table in SHARED_TABLES[first:]:
            behind = after.row_id if after and after.table == table.name else ""
            if table.name in HIDDEN and self._is_private():
                with self._database.transaction() as connection:
                    hide_pending(connection, table, behind, rows)
            if taken := self._pending_rows(table, behind, rows, max_bytes):
                return Batch(table, taken)
        return None

    def confirm(self, sent: Sequence[Sent]) -> int:
        by_table = groupby(sent, key=itemgetter(0))
        return sum(self._confirm(table, [one[1:] for one in group]) for table, group in by_table)

    def quarantine(self, sent: Sent, reason: str) -> None:
        self._for_each(
            "UPDATE outbox SET state = 'quarantined', attempts = attempts + 1, last_error = ? "
            "WHERE table_name = ? AND row_id = ? AND revision = ?",
            [(clean(reason), *sent)],
        )

    def is_current(self, sent: Sent) -> bool:
        sql = "SELECT 1 FROM outbox WHERE table_name = ? AND row_id = ? AND revision = ?"
        return bool(self._database.query(sql, sent))

    def note_attempt(self, sent: Sequence[Sent], reason: str) -> None:
        self._for_each(
            "UPDATE outbox SET attempts = attempts + 1, last_error = ? "
            "WHERE table_name = ? AND row_id = ? AND revision = ?",
            [(clean(reason), *one) for one in sent],
        )

    def entries(self, *, is_quarantined_only: bool, limit: int | None) -> Sequence[OutboxEntry]:
        from amx.core.reports import OutboxEntry

        which = "state = 'quarantined'" if is_quarantined_only else "1"
        records = self._database.query(
            'SELECT id, table_name AS "table", row_id, local_id, revision, state, attempts, '
            f"queued_at, last_error FROM outbox WHERE {which} ORDER BY id LIMIT ?",
            (-1 if limit is None else max(0, limit),),
        )
        return [OutboxEntry(**dict(record)) for record in records]

    def reopen(self, ids: Sequence[int] | None) -> int:
        sql = "UPDATE outbox SET state = 'pending', last_error = NULL WHERE state = 'quarantined'"
        if ids is not None:
            return self._for_each(f"{sql} AND id = ?", [(one,) for one in ids])
        with self._database.transaction() as connection:
            return connection.execute(sql).rowcount

    def drop(self, *, is_quarantined_only: bool) -> int:
        which = "state = 'quarantined'" if is_quarantined_only else "1"
        newest = self._database.query("SELECT MAX(id) AS id FROM outbox")
        last = newest[0]["id"] if newest else None
        dropped = 0
        while True:
            # What is entered meanwhile stays: it is behind the last.
            with self._database.transaction() as connection:
                chunk = connection.execute(
                    f"SELECT id, table_name, row_id FROM outbox WHERE id <= ? AND {which} "
                    f"ORDER BY id LIMIT {CHUNK}",
                    (last,),
                ).fetchall()
                dropped += drop(connection, chunk)
            if len(chunk) < CHUNK:
                return dropped

    def enter_missing(self) -> int:
        return sum(self._enter_missing(table) for table in SHARED_TABLES)

    def count_missing(self) -> int:
        missing = 0
        for table in SHARED_TABLES:
            for record in self._database.query(
                f"SELECT COUNT(*) AS missing FROM {table.name} WHERE entered <> {ENTERED}"
            ):
                missing += record["missing"]
        return missing

    def enter(self, table: str, row_ids: Sequence[str]) -> int:
        entered = 0
        for chunk in _chunks(row_ids):
            with self._database.transaction() as connection:
                entered += self._again(connection, BY_NAME[table], chunk)
        return entered

    def raise_revision(self, table: str, row_id: str, above: int) -> None:
        self.raise_revisions(table, [(row_id, above)])

    def raise_revisions(self, table: str, rows: Sequence[tuple[str, int]]) -> None:
        known = BY_NAME[table]
        for chunk in _chunks(rows):
            with self._database.transaction() as connection:
                connection.executemany(
                    f"UPDATE {known.name} SET revision = ? + 1 WHERE id = ? AND revision <= ?",
                    [(above, row_id, above) for row_id, above in chunk],
                )
                self._again(connection, known, [row_id for row_id, _ in chunk])

    def numbered(self, table: Table, origin: str, after: Number, limit: int) -> Sequence[Number]:
        records = self._database.query(
            f"SELECT local_id, id FROM {table.name} "
            "WHERE local_id >= ? AND (local_id, id) > (?, ?) AND origin_id = ? "
            "ORDER BY local_id LIMIT ?",
            (after[0], *after, origin, limit),
        )
        return [(record["local_id"], record["id"]) for record in records]

    def move_to_origin(self, table: str, row_ids: Sequence[str], origin: str) -> int:
        name = BY_NAME[table].name
        moved = 0
        for chunk in _chunks(row_ids):
            with self._database.transaction() as connection, without_guard(connection, name):
                done = connection.executemany(
                    f"UPDATE {name} SET origin_id = ? WHERE id = ? AND origin_id <> ?",
                    [(origin, row_id, origin) for row_id in chunk],
                )
                moved += max(0, done.rowcount)
        return moved

    def local_rows(self, table: Table, after: str, limit: int) -> Sequence[Values]:
        records = self._database.query(
            f"SELECT {shown(table, self._database.version)} FROM {table.name} "
            "WHERE id > ? ORDER BY id LIMIT ?",
            (after, limit),
        )
        return [dict(record) for record in records]

    def pending_among(self, table: str, row_ids: Sequence[str]) -> set[str]:
        found: set[str] = set()
        for row_id in row_ids:
            sql = "SELECT row_id FROM outbox WHERE table_name = ? AND row_id = ?"
            found.update(record["row_id"] for record in self._database.query(sql, (table, row_id)))
        return found

    def state(self, key: str) -> str | None:
        records = self._database.query("SELECT value FROM state WHERE key = ?", (key,))
        return str(records[0]["value"]) if records else None

    def keep_first(self, key: str, value: str) -> str:
        with self._database.transaction() as connection:
            connection.execute(f"{_KEEP} DO NOTHING", (key, clean(value)))
            found = connection.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
        return str(found["value"])

    def set_state(self, facts: Mapping[str, str | None]) -> None:
        kept = [(key, clean(value)) for key, value in facts.items() if value is not None]
        gone = [(key,) for key, value in facts.items() if value is None]
        with self._database.transaction() as connection:
            connection.executemany("DELETE FROM state WHERE key = ?", gone)
            connection.executemany(f"{_KEEP} DO UPDATE SET value = excluded.value", kept)

    def _pending_rows(self, table: Table, after: str, rows: int, max_bytes: int) -> list[Values]:
        columns = shown(table, self._database.version)
        # The cross join keeps SQLite from starting with the table instead of the outbox.
        sql = (
            f"SELECT {columns} FROM outbox CROSS JOIN {table.name} "
            f"ON {table.name}.id = outbox.row_id "
            "WHERE outbox.table_name = ? AND outbox.row_id > ? AND outbox.state = 'pending' "
            "ORDER BY outbox.row_id LIMIT ?"
        )
        with self._database.translated():
            connection = self._database.connection()
            if connection is None:
                return []
            with closing(connection.cursor()) as cursor:
                cursor.row_factory = None  # plain tuples: this is the path of a million rows
                cursor.execute(sql, (table.name, after, rows))
                names, within = table.names, _within(cursor, max_bytes)
                return [dict(zip(names, record, strict=True)) for record in within]

    def _again(self, connection: Connection, table: Table, row_ids: Sequence[str]) -> int:
        if self._is_private():  # the store has lost or altered the text, and gets it no more
            hide(connection, table, row_ids, also=SHARED)
        return enter(connection, table, row_ids)

    def _confirm(self, table: str, sent: Sequence[tuple[str, int]]) -> int:
        """Remove entries of one table: one walk over their keys, half the work of one by one."""
        removed = 0
        for chunk in _chunks(sent, CONFIRMED):
            revisions = dict(chunk)
            with self._database.transaction() as connection:
                connection.create_function(
                    "is_sent", 2, lambda row_id, revision, of=revisions: of.get(row_id) == revision
                )
                removed += connection.execute(
                    "DELETE FROM outbox WHERE table_name = ? AND row_id BETWEEN ? AND ? "
                    "AND is_sent(row_id, revision)",
                    (table, min(revisions), max(revisions)),
                ).rowcount
        return removed

    def _enter_missing(self, table: Table) -> int:
        sql = f"SELECT id FROM {table.name} WHERE entered <> {ENTERED} ORDER BY id LIMIT {CHUNK}"
        entered = 0
        while True:
            with self._database.transaction() as connection:
                row_ids = [record["id"] for record in connection.execute(sql)]
                entered += enter(connection, table, row_ids)
            if len(row_ids) < CHUNK:
                return entered

    def _for_each(self, sql: str, parameters: Sequence[tuple[object, ...]]) -> int:
        """Run a statement for each of these, a chunk per transaction; count the rows changed."""
        changed = 0
        for chunk in _chunks(parameters):
            with self._database.transaction() as connection:
                changed += max(0, connection.executemany(sql, chunk).rowcount)
        return changed


def _within(records: Iterable[_Record], max_bytes: int) -> Iterator[_Record]:
    """Yield records until the text of the next would exceed the limit; the first always fits."""
    size = 0
    for index, record in enumerate(records):
        size += _bytes(record)
        if index and size > max_bytes:
            return
        yield record


def _bytes(record: _Record) -> int:
    """Return how much text a record is, measured in one piece; whatever else it holds is small."""
    text = "".join([value for value in record if value.__class__ is str])
    return len(text) if text.isascii() else len(text.encode())


def _chunks(items: Sequence[_Item], size: int = CHUNK) -> Iterator[Sequence[_Item]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
