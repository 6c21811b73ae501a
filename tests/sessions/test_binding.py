"""Guard 1 in the schema: no connection, whatever its pragmas, can go around the binding."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import pytest

from amx.core.conversations import Session
from amx.core.errors import LocalStoreFailed
from amx.core.turns import Turn
from tests.local.places import Place, session, turn


@pytest.fixture
def opened(place: Place) -> Session:
    """Give a session of profile ``shop`` with one turn, and one of profile ``other``."""
    with place.local.transaction() as writer:
        opened = writer.put(session())
        writer.put(turn(opened))
        writer.put(session("other", "v1:two"))
    return opened


@pytest.fixture
def raw(place: Place, opened: Session) -> Iterator[sqlite3.Connection]:
    """Give a bare connection with every check that a pragma can switch off switched off."""
    connection = sqlite3.connect(place.path, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA ignore_check_constraints = ON")
    connection.execute("PRAGMA recursive_triggers = OFF")
    yield connection
    connection.close()


def contents(connection: sqlite3.Connection) -> list[list[tuple[object, ...]]]:
    tables = ("sessions", "turns", "active_sessions", "events")
    return [connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables]


def refused(connection: sqlite3.Connection, sql: str, *parameters: object) -> str:
    """Return why the statement was refused; nothing may have changed."""
    before = contents(connection)
    with pytest.raises(sqlite3.IntegrityError) as caught:
        connection.execute(sql, parameters)
    assert contents(connection) == before
    return str(caught.value)


COPY = """
INSERT INTO turns (id, session_id, turn_index, role, content, profile, identity, citations,
                   revision, created_at, updated_at, updated_by_version, created_by, hostname,
                   client_version, origin_id, actor_kind)
SELECT 'new', {session}, 2, role, content, {profile}, {identity}, citations,
       revision, created_at, updated_at, updated_by_version, created_by, hostname,
       client_version, origin_id, actor_kind
  FROM turns
"""

WRONG = "the session is bound to another profile or database, or there is none"


def copied(
    session: str = "session_id", profile: str = "profile", identity: str = "identity"
) -> str:
    return COPY.format(session=session, profile=profile, identity=identity)


@pytest.mark.parametrize(
    "sql",
    [
        copied(profile="'other'"),
        copied(identity="'v1:two'"),
        copied(profile="'other'", identity="'v1:two'"),
        copied(profile="NULL"),
        copied(identity="NULL"),
        copied(session="NULL"),
        copied(session="'nobody'"),
        copied(session="(SELECT id FROM sessions WHERE profile = 'other')"),
        copied(profile="'SHOP'"),
    ],
)
def test_a_turn_of_another_binding_is_refused(raw: sqlite3.Connection, sql: str) -> None:
    assert refused(raw, sql) == WRONG
    assert refused(raw, sql.replace("INSERT INTO", "INSERT OR IGNORE INTO")) == WRONG
    assert refused(raw, sql.replace("INSERT INTO", "INSERT OR REPLACE INTO")) == WRONG


def test_a_turn_of_the_sessions_own_binding_is_taken(raw: sqlite3.Connection) -> None:
    assert raw.execute(copied()).rowcount == 1


def test_no_turn_is_added_to_a_deleted_session(raw: sqlite3.Connection) -> None:
    raw.execute("UPDATE sessions SET status = 'deleted'")

    assert refused(raw, copied()) == WRONG


@pytest.mark.parametrize("verb", ["UPDATE", "UPDATE OR REPLACE", "UPDATE OR IGNORE"])
@pytest.mark.parametrize(
    "change",
    [
        "profile = 'other'",
        "identity = 'v1:two'",
        "profile = NULL",
        """profile = 'other', identity = 'v1:two',
           session_id = (SELECT id FROM sessions WHERE profile = 'other')""",
    ],
)
def test_a_turn_is_never_moved_to_another_binding(
    raw: sqlite3.Connection, verb: str, change: str
) -> None:
    assert refused(raw, f"{verb} turns SET {change}") in {WRONG, "a row never changes its parent"}


@pytest.mark.parametrize("change", ["profile = 'other'", "identity = 'v1:two'", "identity = NULL"])
def test_a_session_is_never_bound_anew(raw: sqlite3.Connection, change: str) -> None:
    sql = f"UPDATE sessions SET {change} WHERE profile = 'shop'"

    assert refused(raw, sql) == "a session is bound for life"


def test_a_session_is_not_replaced_by_one_of_another_binding(
    raw: sqlite3.Connection, opened: Session
) -> None:
    columns = [row[1] for row in raw.execute("PRAGMA table_info(sessions)")]
    others = {"profile": "'other'", "owner": "'other'"}
    values = ", ".join(others.get(name, name) for name in columns)
    sql = f"INSERT OR REPLACE INTO sessions SELECT {values} FROM sessions WHERE id = ?"

    assert refused(raw, sql, opened.id) == "the row exists and is never replaced"


def test_a_session_with_turns_is_not_removed(raw: sqlite3.Connection, opened: Session) -> None:
    sql = "DELETE FROM sessions WHERE id = ?"

    assert refused(raw, sql, opened.id) == "a session with turns is never removed"


def test_a_deleted_session_stays_deleted(raw: sqlite3.Connection) -> None:
    raw.execute("UPDATE sessions SET status = 'deleted'")

    sql = "UPDATE sessions SET status = 'open'"
    assert refused(raw, sql) == "a deleted session stays deleted"


@pytest.mark.parametrize(("profile", "identity"), [("other", "v1:one"), ("shop", "v1:two")])
def test_a_pointer_never_leads_to_another_binding(
    raw: sqlite3.Connection, opened: Session, profile: str, identity: str
) -> None:
    insert = "INSERT INTO active_sessions VALUES (?, ?, ?)"
    assert refused(raw, insert, profile, identity, opened.id) == WRONG

    raw.execute(insert, ("shop", "v1:one", opened.id))
    sql = "UPDATE active_sessions SET profile = ?, identity = ?"
    assert refused(raw, sql, profile, identity) == WRONG


FROZEN = (
    *("id", "local_id", "created_at", "created_by", "hostname", "client_version"),
    *("origin_id", "actor", "actor_kind", "run_url"),
)


@pytest.mark.parametrize("column", FROZEN)
@pytest.mark.parametrize("table", ["sessions", "turns"])
def test_key_and_attribution_never_change(raw: sqlite3.Connection, table: str, column: str) -> None:
    sql = f"UPDATE {table} SET {column} = 77 WHERE local_id = 1"

    assert refused(raw, sql) == "key and attribution of a row never change"


def test_a_revision_never_falls(raw: sqlite3.Connection) -> None:
    raw.execute("UPDATE sessions SET revision = 5")

    sql = "UPDATE sessions SET revision = 4"
    assert refused(raw, sql) == "the revision of a row never falls"


def test_an_event_never_changes(place: Place, raw: sqlite3.Connection) -> None:
    written = place.put_event()

    assert refused(raw, "UPDATE events SET subject = 'else'") == "an event never changes"
    with (
        pytest.raises(LocalStoreFailed, match="an event never changes"),
        place.local.transaction() as writer,
    ):
        writer.put(replace(written, subject="else"))


def test_the_store_itself_cannot_go_around_the_schema(place: Place, opened: Session) -> None:
    with pytest.raises(LocalStoreFailed, match=WRONG), place.local.transaction() as writer:
        writer.put(replace(turn(opened, 2), identity="v1:two"))

    with pytest.raises(LocalStoreFailed, match=WRONG), place.local.transaction() as writer:
        writer.point_session("other", "v1:two", opened.id)

    assert len(place.local.select(Turn)) == 1
    assert place.local.active_session("other", "v1:two") is None
