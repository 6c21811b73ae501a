"""The numbers of an origin's rows, and rows without their parent: one text for all backends.

Each takes the name of a table as its backend writes it, and the backend's sign for a parameter.
"""

from collections.abc import Callable, Mapping, Sequence

from amx.core.sending import Numbers
from amx.core.tables import SHARED_TABLES, Table

Place = Callable[[str], str]

NEWEST = 50_000
"""So many of the newest numbers are looked at for repeated ones: 20 ms, however many there are."""


def numbers_sql(place: Place, sign: str) -> str:
    """Return the query of `numbers`: two look-ups in the index of each table, in one statement."""
    return " UNION ALL ".join(
        f"""
        SELECT '{table.name}',
               (SELECT MAX(local_id) FROM {place(table.name)} WHERE origin_id = {sign}),
               (SELECT COUNT(*) - COUNT(DISTINCT local_id)
                FROM {place(table.name)}
                WHERE origin_id = {sign} AND local_id > {sign}
                  AND local_id > (SELECT MAX(local_id) FROM {place(table.name)}
                                  WHERE origin_id = {sign}) - {NEWEST})"""
        for table in SHARED_TABLES
    )


def numbers_parameters(origin: str, above: Mapping[str, int]) -> list[object]:
    """Return what `numbers_sql` asks with."""
    return [
        value
        for table in SHARED_TABLES
        for value in (origin, origin, above.get(table.name, 0), origin)
    ]


def numbers_of(found: Sequence[Sequence[object]]) -> dict[str, Numbers]:
    """Return what it found, by table."""
    return {
        str(name): Numbers(int(str(highest or 0)), int(str(repeated)))
        for name, highest, repeated in found
    }


def numbered_sql(table: Table, place: Place, sign: str) -> str:
    """Return the query of `numbered`: origin, number, number, key, limit."""
    return f"""
        SELECT local_id, id
        FROM {place(table.name)}
        WHERE origin_id = {sign} AND local_id >= {sign} AND (local_id, id) > ({sign}, {sign})
        ORDER BY local_id, id
        LIMIT {sign}"""


def orphans_sql(table: Table, place: Place, of_origins: str) -> str:
    """Return the query that counts a table's rows whose parent is not there."""
    column, parent = table.parent or ("id", table.name)
    return f"""
        SELECT COUNT(*)
        FROM {place(table.name)} AS child
        WHERE child.origin_id {of_origins}
          AND NOT EXISTS (SELECT 1 FROM {place(parent)} AS parent WHERE parent.id = child.{column})"""
