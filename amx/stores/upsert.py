"""The upsert as PostgreSQL's SQL, for rows in the statement and for rows that are copied in.

What decides whether a row is taken stands here once, for both ways.
"""

from amx.core.tables import Table
from amx.drivers.copy_text import Copying
from amx.stores.ddl import updatable

COPIED = "pg_temp.amx_copied"
"""The table that rows are copied into; it goes away with its transaction."""


def from_values(place: str, table: Table) -> str:
    """Return the upsert of ``VALUES %s``, which names the rows that were taken.

    Args:
        place: The quoted name of the table.
        table: What stands there.
    """
    return f"{_insert(place, table)}VALUES %s\n{_on_conflict(table)}RETURNING id"


def by_copy(place: str, table: Table) -> Copying:
    """Return the upsert of copied rows, which names those not taken where there are any.

    To name them costs the server a seventh more work; arguments as `from_values`.
    """
    names = ", ".join(table.names)
    write = (
        f"{_insert(place, table)}SELECT {names}\nFROM {COPIED}\nORDER BY id\n{_on_conflict(table)}"
    )
    return Copying(
        copy=(
            f"CREATE TEMPORARY TABLE {COPIED.partition('.')[2]} ON COMMIT DROP AS\n"
            f"SELECT {names}\nFROM {place}\nWITH NO DATA;\n"
            f"COPY {COPIED} ({names}) FROM STDIN"
        ),
        write=write,
        instead=(
            f"WITH taken AS (\n{write}RETURNING id)\n"
            f"SELECT id\nFROM {COPIED}\nEXCEPT ALL\nSELECT id\nFROM taken"
        ),
    )


def _insert(place: str, table: Table) -> str:
    return f"INSERT INTO {place} AS stored ({', '.join(table.names)})\n"


def _on_conflict(table: Table) -> str:
    settings = ", ".join(f"{name} = excluded.{name}" for name in updatable(table))
    return (
        f"ON CONFLICT (id) DO UPDATE\nSET {settings}\n"
        "WHERE stored.revision < excluded.revision\n"
        "  AND stored.origin_id = excluded.origin_id\n"
    )
