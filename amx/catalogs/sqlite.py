"""Reads a profile's own SQLite file. The file is opened read-only, and never made."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Any

from amx.catalogs.sqlite_file import only_this_table, open_read_only, quoted, translated
from amx.catalogs.values import FACTS_TIMEOUT_S, SAMPLE_ROWS, chunks, rendered
from amx.core.catalog import ColumnFacts, ColumnInfo, ForeignKey, TableInfo
from amx.core.digest import sha256
from amx.core.profiles import Profile
from amx.core.sending import Deadline
from amx.core.words import is_private

_INTERRUPT_AGAIN_S = 0.05
"""An interrupt that comes before its statement has begun is lost, so it is repeated."""

_HIDDEN = 1
"""Columns of virtual tables that ``SELECT *`` leaves out (SQLite's pragma page, table_xinfo)."""

_Keys = Mapping[str, ForeignKey]


class SQLiteCatalog:
    """The catalog of one SQLite file; it is opened when first asked.

    A view that cannot be read (its tables are gone) is told of without columns.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        sample_rows: int = SAMPLE_ROWS,
        facts_timeout_s: float = FACTS_TIMEOUT_S,
    ) -> None:
        self._profile = profile
        self._sample_rows = sample_rows
        self._facts_timeout_s = facts_timeout_s

    def server_identity(self) -> str | None:
        return None

    def fingerprint(self) -> str:
        # All that `tables` tells stands in the text of the schema; its counter (PRAGMA
        # schema_version) repeats where a file is made anew.
        with translated(self._profile):
            rows = self._connection.execute(
                "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid"
            ).fetchall()
        return sha256(repr(rows).encode("utf-8", "surrogatepass")).hexdigest()

    def tables(self) -> Sequence[TableInfo]:
        with translated(self._profile):
            found = [TableInfo(schema="main", name=name, kind=kind) for name, kind in self._names()]
            described = [replace(table, columns=self._columns(table.name)) for table in found]
            keys = {table.name: self._foreign_keys(table.name, described) for table in described}
            return [_with_keys(table, keys[table.name]) for table in described]

    def facts(self, table: TableInfo) -> Mapping[str, ColumnFacts]:
        columns = [column for column in table.columns if _is_comparable(column.type)]
        deadline = Deadline(self._facts_timeout_s)
        facts: dict[str, ColumnFacts] = {}
        with translated(self._profile), suppress(TimeoutError), only_this_table():
            for group in chunks(columns) if columns else ():
                facts |= self._facts_of(table, group, deadline)
        return facts

    def close(self) -> None:
        if "_connection" in vars(self):
            self._connection.close()
            del self._connection

    @cached_property
    def _connection(self) -> sqlite3.Connection:
        return open_read_only(self._profile)

    def _names(self) -> list[tuple[str, str]]:
        # PRAGMA table_list is empty before SQLite 3.37; then nothing is known to be a shadow.
        return self._connection.execute(
            """
            SELECT name, type
            FROM sqlite_master
            WHERE type IN ('table', 'view')
              AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
              AND name NOT IN (
                  SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'
              )
            ORDER BY name
            """
        ).fetchall()

    def _columns(self, table: str) -> tuple[ColumnInfo, ...]:
        rows: list[tuple[str, str, int, str | None, int, int]] = []
        unique: set[str] = set()
        with only_this_table():
            rows = self._connection.execute(
                'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)',
                (table,),
            ).fetchall()
            unique = self._unique_columns(table)
        has_one_key = sum(bool(pk) for *_, pk, _ in rows) == 1
        return tuple(
            ColumnInfo(
                name=name,
                type=type_,
                # An INTEGER PRIMARY KEY is the rowid, which is never missing; other primary
                # keys may be, by a bug that SQLite keeps (its page on CREATE TABLE, 3.5).
                is_nullable=not (
                    is_required or (pk and has_one_key and type_.upper() == "INTEGER")
                ),
                is_primary_key=bool(pk),
                is_unique=name in unique,
                default=default,
            )
            for name, type_, is_required, default, pk, hidden in rows
            if hidden != _HIDDEN
        )

    def _unique_columns(self, table: str) -> set[str]:
        rows = self._connection.execute(
            """
            SELECT min(c.name)
            FROM pragma_index_list(?) AS i, pragma_index_info(i.name) AS c
            WHERE i."unique" AND i.origin <> 'pk' AND NOT i.partial
            GROUP BY i.name
            HAVING count(*) = 1
            """,
            (table,),
        )
        return {name for (name,) in rows if name is not None}

    def _foreign_keys(self, table: str, tables: Sequence[TableInfo]) -> _Keys:
        # One row per column of each key; the key declared last is listed first. A column in
        # several keys is told with its own one before one that it shares.
        rows = self._connection.execute(
            """
            SELECT "from", "table", "to", seq
            FROM pragma_foreign_key_list(?) AS k
            ORDER BY count(*) OVER (PARTITION BY id), id DESC, seq
            """,
            (table,),
        )
        targets = {one.name.lower(): one for one in tables}
        keys: dict[str, ForeignKey] = {}
        for column, target, named, place in rows:
            found = _target(targets.get(target.lower()), target, named, place)
            if found is not None:
                keys.setdefault(column.lower(), found)
        return keys

    def _facts_of(
        self, table: TableInfo, columns: Sequence[ColumnInfo], deadline: Deadline
    ) -> Mapping[str, ColumnFacts]:
        limit = self._sample_rows
        source = quoted(table.name)
        counted = f"SELECT count(*) FROM (SELECT 1 FROM {source} LIMIT {limit + 1})"
        is_sampled = int(self._row(counted, deadline)[0]) > limit
        names = ", ".join(quoted(column.name) for column in columns)
        wanted = ", ".join(_aggregates(column, table.name) for column in columns)
        row = self._row(
            f"SELECT count(*), {wanted} FROM (SELECT {names} FROM {source} LIMIT {limit})",
            deadline,
        )
        return {
            column.name: ColumnFacts(
                rows=row[0],
                nulls=row[0] - present,
                distinct=distinct,
                minimum=rendered(minimum),
                maximum=rendered(maximum),
                is_sampled=is_sampled,
            )
            for column, (present, distinct, minimum, maximum) in zip(
                columns, chunks(row[1:], 4), strict=True
            )
        }

    def _row(self, sql: str, deadline: Deadline) -> tuple[Any, ...]:
        """Return one row by the deadline, or raise TimeoutError.

        The statement runs beside the caller, whom Ctrl-C so reaches at once. SQLite's progress
        handler would do for the deadline, but it swallows what a signal raises in it.
        """
        from concurrent.futures import ThreadPoolExecutor, wait

        with ThreadPoolExecutor(max_workers=1) as pool:
            connection = self._connection
            future = pool.submit(lambda: connection.execute(sql).fetchone())
            try:
                row: tuple[Any, ...] = future.result(deadline.remaining_s)
                return row
            finally:
                while not future.done():
                    connection.interrupt()
                    wait([future], timeout=_INTERRUPT_AGAIN_S)


def _aggregates(column: ColumnInfo, table: str) -> str:
    name = quoted(column.name)
    ends = "NULL, NULL" if is_private(column.name, table) else f"min({name}), max({name})"
    return f"count({name}), count(DISTINCT {name}), {ends}"


def _is_comparable(type_: str) -> bool:
    low = type_.lower()
    return not any(word in low for word in ("blob", "binary", "json", "xml", "geom", "image"))


def _target(
    target: TableInfo | None, name: str, column: str | None, place: int
) -> ForeignKey | None:
    """Return where a key points; without a column in it, to the primary key of its target."""
    if column is None:
        keys = [one.name for one in target.columns if one.is_primary_key] if target else []
        column = keys[place] if place < len(keys) else None
    if column is None:
        return None
    known = target.columns if target else ()
    spelled = next((one.name for one in known if one.name.lower() == column.lower()), column)
    return ForeignKey(schema="main", table=target.name if target else name, column=spelled)


def _with_keys(table: TableInfo, keys: _Keys) -> TableInfo:
    columns = [replace(one, foreign_key=keys.get(one.name.lower())) for one in table.columns]
    return replace(table, columns=tuple(columns))
