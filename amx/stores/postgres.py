"""The shared store on PostgreSQL. Each method is one transaction, most a single round trip."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING, cast

from amx.core.errors import SharedStoreError, Systemic, Transient
from amx.core.models import Values
from amx.core.profiles import Profile
from amx.core.reports import Bootstrap, Member, StoreMeta
from amx.core.rows import canonical_json
from amx.core.sending import Deadline, NotTaken, Number, Numbers
from amx.core.shapes import Shape
from amx.core.tables import SCHEMA_VERSION, Kind, Table
from amx.core.teammates import Wanted
from amx.drivers.postgres import RETRIED_AT_ONCE, connect, copy_rows, insert_rows, query, quoted
from amx.stores import upsert
from amx.stores.members import Tally, members_of
from amx.stores.numbering import (
    numbered_sql,
    numbers_of,
    numbers_parameters,
    numbers_sql,
    orphans_sql,
)
from amx.stores.postgres_views import moment, newest_query, selected, team_query
from amx.stores.steps import META

if TYPE_CHECKING:
    from amx.drivers.postgres import Connection
    from amx.stores.postgres_schema import PostgresSchema

_ATTEMPTS = 3

COPIED_FROM = 500
"""So many rows are a backlog: they are copied. Fewer go in one statement, one round trip."""

_NO_TEMPORARY_TABLE = ("42501", "0A000")  # no right, no such feature

_NO_SCHEMA = ("42P01", "3F000")  # undefined table, invalid schema name


class PostgresSharedStore:
    """The team's store in a schema of a PostgreSQL database.

    Connects when first asked, and again after a connection was lost.

    Args:
        profile: The server, and the role that writes.
        schema: Where the shared tables are; any name.
        database: Instead of the profile's own database.
        environ: Where the password's ``${VAR}`` is looked up.
        copied_from: So many rows or more are copied, where the role may make temporary tables.
    """

    def __init__(
        self,
        profile: Profile,
        schema: str,
        database: str | None,
        environ: Mapping[str, str],
        *,
        copied_from: int = COPIED_FROM,
    ) -> None:
        self._profile = replace(profile, database=database or profile.database, schema=schema)
        self._schema = schema
        self._environ = environ
        self._copied_from = copied_from
        self._may_copy = True
        self._connection: Connection | None = None

    @property
    def target(self) -> str:
        return self._profile.target

    def meta(self, deadline: Deadline) -> StoreMeta | None:
        try:
            return self._read_meta(deadline)
        except Systemic as error:
            if error.details.get("sqlstate") in _NO_SCHEMA:
                return None
            raise

    def bootstrap(self, deadline: Deadline) -> Bootstrap:
        before = self.meta(deadline)
        found = before.schema_version if before else None
        if before is not None and before.schema_version >= SCHEMA_VERSION:
            return Bootstrap(before, found)
        is_ours = self._in_schema(deadline).make(found)
        meta = self._read_meta(deadline)
        if meta is None:
            msg = f"{self.target} has lost its row of {META}"
            raise Systemic(msg)
        return Bootstrap(meta, found if is_ours else meta.schema_version)

    def shapes(self, role: str | None, deadline: Deadline) -> tuple[Shape, Shape]:
        return self._in_schema(deadline).shapes(role)

    def upsert(
        self, table: Table, rows: Sequence[Values], deadline: Deadline
    ) -> Sequence[NotTaken]:
        refused = self._refused(table, rows, deadline)
        if not refused:
            return []
        stored = self._stored(table, list(refused), deadline)
        if len(stored) != len(refused):
            msg = f"rows of {table.name} went away while they were written"
            raise Transient(msg)
        return [NotTaken(str(values["id"]), values) for values in stored]

    def rows(
        self, table: Table, origins: Sequence[str], after: str, limit: int, deadline: Deadline
    ) -> Sequence[Values]:
        found = self._query(
            f"""
            SELECT {selected(table)}
            FROM {self._place(table.name)}
            WHERE origin_id = ANY(%s) AND id > %s
            ORDER BY id
            LIMIT %s""",
            (list(origins), after, limit),
            deadline,
        )
        return [_values(table, record) for record in found]

    def numbers(
        self, origin: str, above: Mapping[str, int], deadline: Deadline
    ) -> Mapping[str, Numbers]:
        parameters = numbers_parameters(origin, above)
        return numbers_of(self._query(numbers_sql(self._place, "%s"), parameters, deadline))

    def numbered(
        self, table: Table, origin: str, after: Number, limit: int, deadline: Deadline
    ) -> Sequence[Number]:
        sql = numbered_sql(table, self._place, "%s")
        found = self._query(sql, (origin, after[0], *after, limit), deadline)
        return cast("list[Number]", found)

    def orphans(self, table: Table, origins: Sequence[str], deadline: Deadline) -> int:
        sql = orphans_sql(table, self._place, "= ANY(%s)")
        [(count,)] = self._query(sql, (list(origins),), deadline)
        return cast("int", count)

    def newest(self, table: Table, wanted: Wanted, deadline: Deadline) -> Sequence[Values]:
        sql, params = newest_query(table, self._place(table.name), wanted)
        return [_values(table, record) for record in self._query(sql, params, deadline)]

    def team(self, since: str | None, deadline: Deadline) -> Sequence[Member]:
        return members_of(
            cast("list[Tally]", self._query(team_query(self._place), (since,), deadline))
        )

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._may_copy = True

    def _read_meta(self, deadline: Deadline) -> StoreMeta | None:
        found = self._query(
            f"""
            SELECT schema_version, oldest_writer, store_id, epoch, bootstrapped_by,
                   {moment("bootstrapped_at")}
            FROM {self._place(META)}
            WHERE singleton = %s""",
            (True,),
            deadline,
        )
        if not found:
            return None  # whoever bootstraps makes it again, under another random id
        version, oldest, store_id, epoch, author, made_at = found[0]
        return StoreMeta(
            schema_version=cast("int", version),
            oldest_writer=cast("int", oldest),
            store_id=str(store_id),
            epoch=cast("int", epoch),
            bootstrapped_by=str(author),
            bootstrapped_at=str(made_at),
        )

    def _refused(self, table: Table, rows: Sequence[Values], deadline: Deadline) -> set[str]:
        """Write what is newer, all or nothing; return the ids of what was not taken.

        A deadlock is tried again at once.
        """
        for attempt in range(_ATTEMPTS):
            try:
                return self._written(table, rows, deadline)
            except Transient as error:
                is_worth_it = error.details.get("sqlstate") in RETRIED_AT_ONCE
                if not is_worth_it or attempt == _ATTEMPTS - 1:
                    self._forget(error)
                    raise
        raise AssertionError

    def _written(self, table: Table, rows: Sequence[Values], deadline: Deadline) -> set[str]:
        connection = self._connected(deadline)
        fields = list(map(itemgetter(*table.names), rows))
        if self._may_copy and len(rows) >= self._copied_from:
            place = f"{quoted(self._schema)}.{quoted(table.name)}"
            how = upsert.by_copy(place, table)
            try:
                found = copy_rows(connection, how, fields, timeout_s=deadline.remaining_s)
                return {str(record[0]) for record in found}
            except Systemic as error:
                if error.details.get("sqlstate") not in _NO_TEMPORARY_TABLE:
                    raise
                self._may_copy = False
        sql = upsert.from_values(self._place(table.name), table)
        found = insert_rows(connection, sql, fields, timeout_s=deadline.remaining_s)
        return {str(row["id"]) for row in rows} - {str(record[0]) for record in found}

    def _stored(self, table: Table, ids: list[str], deadline: Deadline) -> list[Values]:
        found = self._query(
            f"""
            SELECT {selected(table)}
            FROM {self._place(table.name)}
            WHERE id = ANY(%s)
            ORDER BY id""",
            (ids,),
            deadline,
        )
        return [_values(table, record) for record in found]

    def _in_schema(self, deadline: Deadline) -> "PostgresSchema":
        from amx.stores.postgres_schema import PostgresSchema

        return PostgresSchema(lambda sql, params: self._query(sql, params, deadline), self._schema)

    def _query(
        self, sql: str, params: Sequence[object], deadline: Deadline
    ) -> list[tuple[object, ...]]:
        try:
            connection = self._connected(deadline)
            return query(connection, sql, params, timeout_s=deadline.remaining_s)
        except Transient as error:
            self._forget(error)
            raise

    def _connected(self, deadline: Deadline) -> "Connection":
        if deadline.is_over:
            msg = "the time for the shared store is over"
            raise Transient(msg)
        if self._connection is None:
            timeout_s = deadline.remaining_s
            self._connection = connect(self._profile, self._environ, timeout_s=timeout_s)
        return self._connection

    def _forget(self, error: SharedStoreError) -> None:
        """Let go of a connection whose state is unknown after this error."""
        if not error.details.get("sqlstate") or (
            self._connection is not None and self._connection.closed
        ):
            self.close()

    def _place(self, table: str) -> str:
        """Return a table's quoted name for a statement with parameters, hence ``%%``."""
        return f"{quoted(self._schema)}.{quoted(table)}".replace("%", "%%")


def _values(table: Table, record: Sequence[object]) -> Values:
    return {
        column.name: _canonical(value) if column.kind is Kind.JSON else cast("str | int", value)
        for column, value in zip(table.columns, record, strict=True)
    }


def _canonical(value: object) -> str | None:
    """Return the one text of what JSONB reordered; what amx never wrote stays as it is."""
    if value is None:
        return None
    try:
        return canonical_json(json.loads(str(value)))
    except (TypeError, ValueError):
        return str(value)
