"""Guard 1 in the schema, against random SQL: no statement makes a turn of another binding."""

import os
import sqlite3
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from tests.local.places import Place, session, turn

EXAMPLES = int(os.environ.get("EXAMPLES", "0"))

COUNTED: Counter[str] = Counter()

VALUES = st.sampled_from(
    (
        "'shop'",
        "'other'",
        "'v1:one'",
        "'v1:two'",
        "NULL",
        "''",
        "x'73686f70'",
        "5",
        "'SHOP'",
        "profile",
        "identity",
        "'a'",
        "'b'",
        "'c'",
        "(SELECT id FROM sessions WHERE profile = 'other')",
    )
)

OR = st.sampled_from(("", " OR REPLACE", " OR IGNORE", " OR FAIL", " OR ROLLBACK", " OR ABORT"))

WHERE = st.sampled_from(
    ("1", "local_id = 1", "profile = 'shop'", "identity = 'v1:two'", "local_id = 2", "local_id = 3")
)

CONFLICT = st.sampled_from(
    (
        "",
        " ON CONFLICT DO NOTHING",
        " ON CONFLICT (id) DO UPDATE SET profile = 'other', identity = 'v1:two'",
        " ON CONFLICT (session_id, turn_index) DO UPDATE SET profile = 'other', id = 'moved'",
        " ON CONFLICT (local_id) DO UPDATE SET session_id = 'b', profile = 'other'",
        " ON CONFLICT (profile, identity) DO UPDATE SET session_id = 'b'",
    )
)

COLUMNS = {
    "turns": ("session_id", "profile", "identity", "id", "local_id", "turn_index"),
    "sessions": ("id", "profile", "identity", "owner", "local_id", "status"),
    "active_sessions": ("session_id", "profile", "identity"),
}

TABLES = st.sampled_from(sorted(COLUMNS))


@st.composite
def changes(draw: st.DrawFn, table: str) -> dict[str, str]:
    """Draw new values for some columns, most of them such as could be meant."""
    return draw(st.dictionaries(st.sampled_from(COLUMNS[table]), VALUES, min_size=1, max_size=4))


@st.composite
def statements(draw: st.DrawFn) -> str:
    """Draw a statement that writes, of every kind that SQL has for it."""
    table, verb = (
        draw(TABLES),
        draw(st.sampled_from(("INSERT", "UPDATE", "DELETE", "copy", "FROM"))),
    )
    changed = draw(changes(table))
    if verb == "DELETE":
        return f"DELETE FROM {table} WHERE {draw(WHERE)}"
    sets = ", ".join(f"{name} = {value}" for name, value in changed.items())
    if verb == "UPDATE":
        return f"UPDATE{draw(OR)} {table} SET {sets} WHERE {draw(WHERE)}"
    if verb == "FROM":
        return f"UPDATE{draw(OR)} {table} SET {sets} FROM (SELECT 1 AS one) WHERE {draw(WHERE)}"
    changed = draw(KEYS) | {name: changed[name] for name in changed if name not in _KEYED}
    return (
        f"INSERT{draw(OR)} INTO {table} {_copy(table, changed)} WHERE {draw(WHERE)}{draw(CONFLICT)}"
    )


KEYS = st.sampled_from(
    (
        *({"id": "hex(randomblob(8))", "turn_index": "abs(random())"},) * 3,
        {"turn_index": "abs(random())"},
        {"id": "hex(randomblob(8))"},
        {"local_id": "local_id", "id": "hex(randomblob(8))"},
        {"session_id": "'b'", "id": "hex(randomblob(8))"},
    )
)
"""What a copied row is called: as nothing else, or as a row that is there."""

_KEYED = ("id", "local_id", "turn_index")


def _copy(table: str, changed: dict[str, str]) -> str:
    """Return the rest of an INSERT: rows that are there, with other values in some columns."""
    names = ALL[table]
    values = ", ".join(changed.get(name, "NULL" if name == "local_id" else name) for name in names)
    return f"({', '.join(names)}) SELECT {values} FROM {table}"


ALL: dict[str, tuple[str, ...]] = {}
"""The columns of each table, as the schema has them."""

PRAGMAS = st.tuples(
    *(
        st.sampled_from((f"PRAGMA {name} = ON", f"PRAGMA {name} = OFF"))
        for name in (
            *("foreign_keys", "recursive_triggers", "ignore_check_constraints"),
            *("defer_foreign_keys", "reverse_unordered_selects", "count_changes"),
        )
    )
)

AROUND = st.sampled_from(
    (
        None,
        (
            "CREATE TEMP TRIGGER around AFTER INSERT ON turns BEGIN "
            "UPDATE OR REPLACE turns SET profile = 'other', session_id = 'b' WHERE id = NEW.id; END"
        ),
        (
            "CREATE TEMP TRIGGER around BEFORE INSERT ON turns BEGIN "
            "UPDATE OR IGNORE sessions SET profile = NEW.profile; END"
        ),
        (
            "CREATE TEMP TRIGGER around BEFORE DELETE ON sessions BEGIN "
            "DELETE FROM turns WHERE session_id = OLD.id; END"
        ),
        (
            "CREATE TEMP TRIGGER around AFTER UPDATE ON sessions BEGIN "
            "INSERT OR REPLACE INTO active_sessions SELECT profile, identity, 'b' FROM sessions; END"
        ),
    )
)
"""Triggers that somebody brings along: ours fire for what they do, too."""

CROSSED = """
SELECT turns.id FROM turns LEFT JOIN sessions ON sessions.id = turns.session_id
 WHERE sessions.id IS NULL
    OR sessions.profile IS NOT turns.profile OR sessions.identity IS NOT turns.identity
"""

BOUND = {"a": ("shop", "v1:one"), "b": ("other", "v1:two"), "c": ("shop", "v1:two")}


def made(path: Path) -> bytes:
    """Make a store with three sessions of three bindings, each with a turn; return its file."""
    place = Place(path)
    with place.local.transaction() as writer:
        for key, (profile, identity) in BOUND.items():
            opened = writer.put(replace(session(profile, identity), id=key))
            writer.put(replace(turn(opened), id=f"turn {key}"))
            writer.point_session(profile, identity, key)
    place.local.close()
    with sqlite3.connect(path) as connection:
        for table in COLUMNS:
            ALL[table] = tuple(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    return path.read_bytes()


def test_no_statement_makes_a_turn_of_another_binding_than_its_sessions(tmp_path: Path) -> None:
    content = made(tmp_path / "local.db")

    @settings(max_examples=EXAMPLES or 300, database=None)
    @given(PRAGMAS, AROUND, st.lists(statements(), min_size=3, max_size=8), st.booleans())
    def hold(pragmas: tuple[str, ...], around: str | None, texts: list[str], is_one: bool) -> None:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        connection.deserialize(content)
        for pragma in pragmas:
            connection.execute(pragma)
        if around:
            connection.execute(around)
        if is_one:
            connection.execute("BEGIN")
        for text in texts:
            COUNTED["tried"] += 1
            with suppress(sqlite3.IntegrityError, sqlite3.OperationalError):
                COUNTED["changed"] += connection.execute(text).rowcount > 0
            _check(connection, texts)
        connection.close()

    COUNTED.clear()
    (hold if EXAMPLES else seed(1)(hold))()
    assert COUNTED["tried"] > 500
    assert COUNTED["changed"] > 50, COUNTED


def _check(connection: sqlite3.Connection, texts: list[str]) -> None:
    assert connection.execute(CROSSED).fetchall() == [], texts
    for key, *bound in connection.execute("SELECT id, owner, identity FROM sessions"):
        assert BOUND.get(key, tuple(bound)) == tuple(bound), texts
    crossed = connection.execute(
        "SELECT 1 FROM active_sessions JOIN sessions ON sessions.id = session_id "
        "WHERE sessions.owner IS NOT active_sessions.profile "
        "OR sessions.identity IS NOT active_sessions.identity"
    )
    assert crossed.fetchall() == [], texts
