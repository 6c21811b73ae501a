"""The versions of the shared schema: what each added to the one before.

`enable` runs the steps that a schema lacks, `dump-ddl` prints them, and `dump-ddl --check` looks
for what they make. A released step is never edited.
"""

from collections.abc import Iterator
from typing import NamedTuple

from amx.core.tables import OLDEST_WRITER, SCHEMA_VERSION, SHARED_TABLES
from amx.drivers.postgres import quoted

META = "meta"
"""The table in which a store says of itself what it is."""


class Index(NamedTuple):
    """An index of a shared table, never a unique one: two flushers would get spurious 23505."""

    table: str
    suffix: str
    columns: tuple[str, ...]

    def statement(self, place: str) -> str:
        """Return what makes it on the table at this place, and is harmless a second time."""
        name, columns = quoted(f"{self.table}_{self.suffix}"), ", ".join(self.columns)
        return f"CREATE INDEX IF NOT EXISTS {name} ON {place} ({columns});"


class Step(NamedTuple):
    """What makes a schema of one version out of the version before.

    Each of its statements is harmless to run again, so that ``dump-ddl`` can print it for a
    DBA, whatever the version of the schema that is there.
    """

    version: int
    oldest_writer: int
    indexes: tuple[Index, ...] = ()


FIRST_INDEXES = tuple(
    Index(table.name, "origin", ("origin_id", "local_id")) for table in SHARED_TABLES
)
"""Of version 1."""

STEPS: tuple[Step, ...] = ()
"""Version 2 and so on, in order; the last one is ``SCHEMA_VERSION``."""


def indexes_of(table: str) -> list[Index]:
    """Return the indexes that a table has in the present version."""
    later = (index for step in STEPS for index in step.indexes)
    return [index for index in (*FIRST_INDEXES, *later) if index.table == table]


def upgrade_statements(found: int, schema: str | None) -> Iterator[str]:
    """Yield what brings a schema of the version that was found to the present one.

    Args:
        found: The version that is there.
        schema: Where the tables are; None in a file, which has no schemas.
    """
    for step in STEPS:
        if step.version > found:
            yield from (one.statement(place_of(schema, one.table)) for one in step.indexes)
            yield _raised(step, schema)


def meta_statements(schema: str | None) -> Iterator[str]:
    """Yield what makes the one row of a new store, and makes it say the present version."""
    yield (
        f"INSERT INTO {place_of(schema, META)} (singleton, schema_version, oldest_writer) "
        f"VALUES (TRUE, {SCHEMA_VERSION}, {OLDEST_WRITER}) ON CONFLICT DO NOTHING;"
    )
    yield from (_raised(step, schema) for step in STEPS)


def place_of(schema: str | None, table: str) -> str:
    """Return a table's quoted name."""
    return quoted(table) if schema is None else f"{quoted(schema)}.{quoted(table)}"


def _raised(step: Step, schema: str | None) -> str:
    return (
        f"UPDATE {place_of(schema, META)} SET schema_version = {step.version}, "
        f"oldest_writer = {step.oldest_writer} WHERE schema_version < {step.version};"
    )
