"""Brings a local store up to this client's schema. Imported only when one is behind."""

from collections.abc import Callable, Iterator
from sqlite3 import Connection

from amx.stores.catalog_schema import version_2_catalog
from amx.stores.schema import APPLICATION_ID, VERSION, version_1

STEPS: tuple[tuple[str, Callable[[], Iterator[str]]], ...] = (
    ("version_1", version_1),
    ("version_2_catalog", version_2_catalog),
)
"""Each step once and in this order; a released step is never edited."""


def migrate(connection: Connection) -> None:
    """Apply the steps that this store lacks, in one transaction.

    Nothing happens where another process was faster; the version in the file says so.
    """
    from sqlite_utils import Database, Migrations

    migrations = Migrations("amx")
    for name, statements in STEPS:
        migrations(name=name)(_step(connection, statements))
    # Plugins of the user's sqlite-utils have no business in this file.
    database = Database(connection, recursive_triggers=False, execute_plugins=False)
    connection.execute("BEGIN IMMEDIATE")
    try:
        migrations.apply(database)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _step(
    connection: Connection, statements: Callable[[], Iterator[str]]
) -> Callable[[object], None]:
    def run(_: object) -> None:
        for statement in statements():
            connection.execute(statement)

    return run
