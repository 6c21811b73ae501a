"""The shared schema in a file: made, upgraded, and compared with what it should be.

What it should be is read in the same way from a file in memory that was just made.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

from amx.core.attribution import login
from amx.core.shapes import TABLE, Facts, Item, Shape
from amx.core.tables import SHARED_TABLES
from amx.stores.ddl import sqlite_statements
from amx.stores.steps import META, upgrade_statements

TABLES = (*(table.name for table in SHARED_TABLES), META)

_TOKEN = re.compile(r"""--[^\n]*|'(?:[^']|'')*'|"(?:[^"]|"")*"|<>|\w+|[^\s\w]""")

_SELECT_VERSIONS = "SELECT schema_version, oldest_writer FROM meta"


def make(connection: sqlite3.Connection, found: int | None) -> None:
    """Create what is missing, or upgrade from the version that was found.

    The caller holds the transaction, in which it looked for that version, too.
    """
    if found is not None:
        for statement in upgrade_statements(found, None):
            connection.execute(statement)
        return
    for statement in sqlite_statements():
        connection.execute(statement)
    connection.execute(
        "UPDATE meta SET bootstrapped_by = ? WHERE bootstrapped_by = 'dump-ddl'", (login(),)
    )


def expected_shape() -> Shape:
    """Return what the bootstrap DDL makes."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        make(connection, None)
        return shape_of(connection)


def shape_of(connection: sqlite3.Connection) -> Shape:
    """Return what stands in the file, of the tables that are ours."""
    found = connection.execute(
        "SELECT name, type, sql FROM sqlite_master WHERE type IN ('table', 'view')"
    ).fetchall()
    return {
        name: dict(_facts(connection, name, kind, sql))
        for name, kind, sql in found
        if name in TABLES
    }


def _facts(
    connection: sqlite3.Connection, table: str, kind: str, sql: str
) -> Iterator[tuple[Item, str]]:
    yield TABLE, kind
    yield from _columns(connection, table)
    yield from _indexes(connection, table)
    yield from _written(sql).items()
    for [name] in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,)
    ):
        yield ("trigger", name), "there"
    if table == META:
        for row in connection.execute(_SELECT_VERSIONS):
            yield ("value", "schema_version"), str(row[0])
            yield ("value", "oldest_writer"), str(row[1])


def _columns(connection: sqlite3.Connection, table: str) -> Iterator[tuple[Item, str]]:
    keys = []
    for name, kind, is_required, default, place in connection.execute(
        'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_xinfo(?)', (table,)
    ):
        yield ("column", name), f"{kind}{' not null' if is_required else ''}".lower()
        if default is not None:
            yield ("default", name), default
        if place:
            keys.append((place, name))
    yield ("primary key", ""), ", ".join(name for _, name in sorted(keys))


def _indexes(connection: sqlite3.Connection, table: str) -> Iterator[tuple[Item, str]]:
    """Yield the indexes but the key's own: ``c`` were made by CREATE INDEX, ``u`` by UNIQUE."""
    for name, is_unique, is_partial in connection.execute(
        """SELECT name, "unique", partial FROM pragma_index_list(?) WHERE origin <> 'pk'""",
        (table,),
    ).fetchall():
        columns = connection.execute("SELECT name FROM pragma_index_info(?)", (name,)).fetchall()
        words = ["unique"] if is_unique else []
        words += ["partial"] if is_partial else []
        joined = ", ".join(column or "an expression" for [column] in columns)
        yield ("index", joined), " ".join([*words, "btree"])


def _written(sql: str) -> Facts:
    """Return what only the text of a table knows: its checks and its comments."""
    facts: dict[Item, str] = {}
    tokens = _TOKEN.findall(sql)
    for place, token in enumerate(tokens):
        if token.upper() == "CHECK":
            facts["check", _enclosed(tokens[place + 1 :])] = "valid"
        elif token.startswith("--"):
            facts["comment", token[2:].strip()] = "there"
    return facts


def _enclosed(tokens: list[str]) -> str:
    """Return what stands between a parenthesis and the one that closes it."""
    depth, shown = 0, []
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth == 0:
            break
        shown.append(token)
    return " ".join(one.strip('"') for one in shown[1:]).replace(" ,", ",")
