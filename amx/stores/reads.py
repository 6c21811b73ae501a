"""What the local store and a transaction of it read alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amx.core.rows import RowT, clean, row_of
from amx.core.tables import BY_NAME, Table
from amx.stores.schema import RENAME_NEW, RENAME_OLD, TRACES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from sqlite3 import Row as Record

    from amx.core.models import Values
    from amx.core.ports import Where

LARGEST_ID = 2**63 - 1
"""Of SQLite's integers. Source: sqlite.org, Datatypes in SQLite, 2."""


class Reads:
    """What a store and a transaction of it read alike, each by its own ``_query``."""

    _query: Callable[[str, tuple[object, ...]], list[Record]]
    _columns: Callable[[Table], str]

    def find(self, kind: type[RowT], key: int | str) -> RowT | None:
        if isinstance(key, int) and not 0 < key <= LARGEST_ID:
            return None
        column = "local_id" if isinstance(key, int) else "id"
        value = key if isinstance(key, int) else clean(key)
        table = BY_NAME[kind.TABLE]
        sql = f"SELECT {self._columns(table)} FROM {table.name} WHERE {column} = ?"
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
        if unknown := set(wanted).difference(table.names, table.local):
            msg = f"{table.name} has no {sorted(unknown)}"
            raise KeyError(msg)
        conditions = " AND ".join(f"{name} IS ?" for name in wanted) or "1"
        values = (clean(value) if isinstance(value, str) else value for value in wanted.values())
        records = self._query(
            f"SELECT {self._columns(table)} FROM {table.name} WHERE {conditions} "
            f"ORDER BY local_id {'DESC' if is_newest_first else 'ASC'} LIMIT ?",
            (*values, -1 if limit is None else max(0, min(limit, LARGEST_ID))),
        )
        return [row_of(kind, _values(record)) for record in records]

    def active_session(self, profile: str, identity: str) -> str | None:
        records = self._query(
            "SELECT session_id FROM active_sessions WHERE profile = ? AND identity = ?",
            (clean(profile), identity),
        )
        return str(records[0]["session_id"]) if records else None

    def renaming(self) -> tuple[str, str] | None:
        sql = "SELECT value FROM state WHERE key IN (?, ?) ORDER BY key DESC"
        found = [str(record["value"]) for record in self._query(sql, (RENAME_OLD, RENAME_NEW))]
        return (found[0], found[1]) if found else None

    def has_traces(self) -> bool:
        return bool(self._query("SELECT 1 FROM state WHERE key = ?", (TRACES,)))


def _values(record: Record) -> Values:
    return {name: record[name] for name in record.keys()}  # noqa: SIM118 - a Row iterates values
