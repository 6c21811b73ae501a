"""How PostgreSQL is asked for rows as texts, and for what the whole team did."""

from collections.abc import Callable

from amx.core.tables import Column, Kind, Table
from amx.core.teammates import Wanted
from amx.stores.members import condition

_WHO = "created_by, hostname, client_version, updated_at"


def newest_query(table: Table, place: str, wanted: Wanted) -> tuple[str, list[object]]:
    """Return what asks for anybody's rows, newest first: a key begins with its time (RFC 9562)."""
    which, params = condition(table.name, wanted, "%s")
    sql = f"""
        SELECT {selected(table)}
        FROM {place}
        WHERE {which}
        ORDER BY id DESC
        LIMIT %s"""
    return sql, params


def team_query(place_of: Callable[[str], str]) -> str:
    """Return what asks who wrote how much since a point in time, its only parameter."""
    return f"""
        SELECT created_by, hostname, client_version,
               SUM(runs)::BIGINT, SUM(sessions)::BIGINT, SUM(events)::BIGINT,
               {moment("MAX(updated_at)")}
        FROM (
            SELECT *, 1 AS runs, 0 AS sessions, 0 AS events
            FROM (SELECT {_WHO} FROM {place_of("runs")}) AS one
            UNION ALL
            SELECT *, 0, 1, 0
            FROM (SELECT {_WHO} FROM {place_of("sessions")}) AS two
            UNION ALL
            SELECT *, 0, 0, 1
            FROM (SELECT {_WHO} FROM {place_of("events")}) AS three
        ) AS work
        WHERE updated_at >= COALESCE(%s::TIMESTAMPTZ, '-infinity')
        GROUP BY created_by, hostname, client_version"""


def selected(table: Table) -> str:
    """Return the columns of a row as they are read."""
    return ", ".join(_as_text(column) for column in table.columns)


def moment(expression: str) -> str:
    """Return a point in time as text: psycopg2's own datetimes end with the year 9999."""
    return f"""to_char({expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


def _as_text(column: Column) -> str:
    """Return how a column is read, so that psycopg2 makes no Python values of its own.

    Its datetimes end with the year 9999, and its JSON would lose large numbers.
    """
    if column.kind is Kind.TIMESTAMP:
        return moment(column.name)
    return f"{column.name}::TEXT" if column.kind is Kind.JSON else column.name
