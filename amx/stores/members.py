"""Who wrote what, put together from one row per person, machine and version."""

from collections.abc import Sequence

from amx.core.reports import Member
from amx.core.teammates import Wanted

Tally = tuple[str, str, str, int, int, int, str]


_LAST_ACTIVE = {"runs": "started_at", "sessions": "last_active_at"}


def condition(table: str, wanted: Wanted, mark: str) -> tuple[str, list[object]]:
    """Return the SQL condition for the rows that are wanted, and its parameters.

    Args:
        table: The table of the rows.
        wanted: Which of them.
        mark: How the backend's driver writes a parameter.
    """
    known = {
        f"(created_by = {mark} OR actor = {mark})": wanted.by,
        f"hostname = {mark}": wanted.host,
        f"client_version = {mark}": wanted.version,
        f"identity = {mark}": wanted.identity,
        f"{_LAST_ACTIVE[table]} >= {mark}": wanted.since,
    }
    asked = {sql: value for sql, value in known.items() if value is not None}
    params = [value for sql, value in asked.items() for _ in range(sql.count(mark))]
    kept = "status <> 'deleted'" if table == "sessions" else "TRUE"
    return " AND ".join([kept, *asked]), [*params, wanted.limit]


def members_of(tallies: Sequence[Tally]) -> list[Member]:
    """Return one member for each person on each machine, the one seen last first."""
    grouped: dict[tuple[str, str], list[Tally]] = {}
    for tally in tallies:
        grouped.setdefault(tally[:2], []).append(tally)
    members = [_member(who, of_one) for who, of_one in grouped.items()]
    by_name = sorted(members, key=lambda one: (one.created_by, one.hostname))
    return sorted(by_name, key=lambda one: one.last_seen_at, reverse=True)


def _member(who: tuple[str, str], tallies: list[Tally]) -> Member:
    return Member(
        created_by=who[0],
        hostname=who[1],
        client_versions=sorted({tally[2] for tally in tallies}),
        runs=sum(tally[3] for tally in tallies),
        sessions=sum(tally[4] for tally in tallies),
        events=sum(tally[5] for tally in tallies),
        last_seen_at=max(tally[6] for tally in tallies),
    )
