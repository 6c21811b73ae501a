"""Reads a profile's own PostgreSQL database. Every transaction is read-only."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from amx.catalogs.postgres_tables import (
    FINGERPRINT,
    FOREIGN_KEYS,
    KEYS,
    TABLES,
    tables_of,
)
from amx.catalogs.values import (
    COLUMNS_AT_ONCE,
    FACTS_TIMEOUT_S,
    SAMPLE_ROWS,
    chunks,
    hint_of,
    message_of,
    rendered,
)
from amx.catalogs.waiting import answer
from amx.core.catalog import ColumnFacts, TableInfo
from amx.core.errors import (
    DatabaseRefused,
    DatabaseUnreachable,
    RowsRejected,
    Systemic,
    Transient,
)
from amx.core.profiles import Profile
from amx.core.sending import Deadline
from amx.core.words import is_private
from amx.drivers import postgres as driver

CONNECT_TIMEOUT_S = 10.0
QUERY_TIMEOUT_S = 30.0

_GRACE_S = 1.0
"""The server may use all of its time; only then it is called silent."""

_OF_THE_SERVER = ("08", "53", "57P", "XX")
"""SQLSTATE classes that no other table would escape; all others are told of one table."""

_ORDERED = "DENST"
"""Type categories with least and greatest values (manual, 51.64): dates, enums, numbers, text."""

_COUNTABLE = ("uuid", "inet", "cidr", "macaddr", "bool")
"""Further types with equality, whose least and greatest values say nothing."""

_SCHEMAS = """
SELECT nspname
FROM pg_catalog.pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
ORDER BY nspname
"""

_COMPARABLE = """
SELECT c.relkind, c.reltuples::bigint, a.attname, t.typcategory, coalesce(b.typname, t.typname)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
WHERE n.nspname = %s AND c.relname = %s
ORDER BY a.attnum
"""

_IN_ONE_WAY = "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; "
"""Values read the same whatever the role's settings are."""

_Column = tuple[str, str, str]
"""Name, type category, type name."""


class PostgresCatalog:
    """The catalog of one schema; it connects when first asked."""

    def __init__(
        self,
        profile: Profile,
        environ: Mapping[str, str],
        *,
        sample_rows: int = SAMPLE_ROWS,
        facts_timeout_s: float = FACTS_TIMEOUT_S,
    ) -> None:
        self._profile = profile
        self._environ = environ
        self._connection: Any = None  # psycopg2's, which only the driver may name
        self._sample_rows = sample_rows
        self._facts_timeout_s = facts_timeout_s

    def server_identity(self) -> str | None:
        asked = (
            "has_function_privilege(to_regprocedure('pg_catalog.pg_control_system()'), 'EXECUTE')"
        )
        if not self._query(f"SELECT {asked}")[0][0]:
            return None
        return str(self._query("SELECT system_identifier FROM pg_control_system()")[0][0])

    def fingerprint(self) -> str:
        digests = self._query(FINGERPRINT, (self._profile.schema,) * FINGERPRINT.count("%s"))[0]
        if digests[0] is None:
            self._check_schema()
        return " ".join(one or "-" for one in digests)

    def tables(self) -> Sequence[TableInfo]:
        schema = self._profile.schema
        rows = self._query(TABLES, (schema,))
        if not rows:
            self._check_schema()
        keys = self._query(KEYS, (schema,))
        return tables_of(schema, rows, keys, self._query(FOREIGN_KEYS, (schema,)))

    def facts(self, table: TableInfo) -> Mapping[str, ColumnFacts]:
        rows = self._query(_COMPARABLE, (table.schema, table.name))
        known = {column.name for column in table.columns}
        columns: list[_Column] = [
            (name, category, type_)
            for _, _, name, category, type_ in rows
            if name in known and (category in _ORDERED or type_ in _COUNTABLE)
        ]
        facts: dict[str, ColumnFacts] = {}
        deadline = Deadline(self._facts_timeout_s)
        with suppress(_OnlyThisTable):
            source, is_sampled = self._source(table, rows[0], deadline) if rows else ("", False)
            for group in chunks(columns, COLUMNS_AT_ONCE) if columns else ():
                facts |= self._facts_of(table.name, source, group, deadline, is_sampled=is_sampled)
        return facts

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _query(
        self, sql: str, params: Sequence[object] = (), timeout_s: float = QUERY_TIMEOUT_S
    ) -> list[tuple[Any, ...]]:
        def ask() -> list[tuple[Any, ...]]:
            if self._connection is None:
                self._connection = driver.connect(
                    self._profile, self._environ, timeout_s=CONNECT_TIMEOUT_S, is_read_only=True
                )
            return driver.query(self._connection, sql, params, timeout_s=timeout_s)

        with _translated(self._profile):
            return answer(ask, CONNECT_TIMEOUT_S + timeout_s + _GRACE_S, self._abandon)

    def _abandon(self) -> None:
        """Forget a connection that is in use: to close it would mean to wait for it.

        The server ends its statement by itself when its time is over.
        """
        self._connection = None

    def _looked(self, sql: str, deadline: Deadline) -> tuple[Any, ...]:
        with _of_one_table():
            return self._query(_IN_ONE_WAY + sql, timeout_s=deadline.remaining_s)[0]

    def _check_schema(self) -> None:
        schemas = [row[0] for row in self._query(_SCHEMAS)]
        if self._profile.schema not in schemas:
            reason = f"there is no schema {self._profile.schema!r}; schemas: {', '.join(schemas)}"
            raise DatabaseRefused(
                message_of(self._profile, "refused", reason),
                hint=f"amx config set db_profiles.{self._profile.name}.schema …",
                details={"schemas": schemas},
            )

    def _source(
        self, table: TableInfo, row: tuple[Any, ...], deadline: Deadline
    ) -> tuple[str, bool]:
        """Return the rows to look at, as what follows FROM, and whether they are a sample."""
        kind, estimate = row[:2]
        name = f"{driver.quoted(table.schema)}.{driver.quoted(table.name)}"
        limit = self._sample_rows
        counted = f"SELECT count(*) FROM (SELECT 1 FROM {name} LIMIT {limit + 1}) AS s"
        if self._looked(counted, deadline)[0] <= limit:
            return name, False
        if kind in "rpm" and estimate > limit:
            # Whole pages from all over the table, and the same ones each time.
            share = 100 * limit / estimate
            return f"{name} TABLESAMPLE SYSTEM ({share:.6f}) REPEATABLE (0)", True
        return f"(SELECT * FROM {name} LIMIT {limit}) AS s", True

    def _facts_of(
        self,
        table: str,
        source: str,
        columns: Sequence[_Column],
        deadline: Deadline,
        *,
        is_sampled: bool,
    ) -> Mapping[str, ColumnFacts]:
        wanted = ", ".join(_aggregates(column, table) for column in columns)
        row = self._looked(f"SELECT count(*), {wanted} FROM {source}", deadline)
        return {
            name: ColumnFacts(
                rows=row[0],
                nulls=row[0] - present,
                distinct=distinct,
                minimum=rendered(minimum),
                maximum=rendered(maximum),
                is_sampled=is_sampled,
            )
            for (name, _, _), (present, distinct, minimum, maximum) in zip(
                columns, chunks(row[1:], 4), strict=True
            )
        }


class _OnlyThisTable(Exception):
    """The facts of one table cannot be had; those of others can."""


def _aggregates(column: _Column, table: str) -> str:
    name, category, _ = column
    one = driver.quoted(name)
    has_ends = category in _ORDERED and not is_private(name, table)
    ends = f"left(min({one})::text, 200), left(max({one})::text, 200)" if has_ends else "NULL, NULL"
    return f"count({one}), count(DISTINCT {one}), {ends}"


@contextmanager
def _of_one_table() -> Iterator[None]:
    try:
        yield
    except (DatabaseRefused, DatabaseUnreachable) as error:
        sqlstate = str(error.details.get("sqlstate") or "08")
        if sqlstate.startswith(_OF_THE_SERVER):
            raise
        raise _OnlyThisTable from error


@contextmanager
def _translated(profile: Profile) -> Iterator[None]:
    hint = hint_of(profile)
    try:
        yield
    except Transient as error:
        message = message_of(profile, "cannot be reached", error.message)
        raise DatabaseUnreachable(message, hint=hint, details=error.details) from error
    except TimeoutError as error:
        message = message_of(profile, "cannot be reached", "it did not answer in time")
        raise DatabaseUnreachable(message, hint=hint) from error
    except (Systemic, RowsRejected) as error:
        message = message_of(profile, "refused", error.message)
        raise DatabaseRefused(message, hint=hint, details=error.details) from error
