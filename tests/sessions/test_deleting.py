"""A deleted session: its text is gone, and who, when and how many turns stay."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.sessions.kills import killed_at
from tests.support import Amx, set_up

WORD = "zebrafish"
LONG = f"{WORD} " * 3_000
"""Text that takes pages of its own."""


@pytest.fixture
def shop(home: Path, tmp_path: Path) -> Path:
    """Give the home of a profile with one session about the word, and another one."""
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, total_price REAL)")
    set_up("db", "add", "shop", "--backend", "sqlite", "--path", str(tmp_path / "shop.db"))
    set_up("ask", f"where are {WORD} prices?")
    set_up("ask", LONG)
    set_up("ask", "where are orders?", "--new")
    return home


@pytest.fixture
def store(shop: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(shop / "local.db")) as connection:
        yield connection


def has_word(*folders: Path) -> bool:
    texts = [path.read_bytes() for one in folders for path in one.rglob("*") if path.is_file()]
    assert texts
    return any(WORD.encode() in text for text in texts)


def test_deleting_leaves_no_byte_of_the_text(amx: Amx, shop: Path) -> None:
    before = amx("session", "show", "--id", "1", "--json").json
    assert has_word(shop)

    done = amx("session", "delete", "1", "--json")

    assert done.code == 0, done.err
    stays = ("id", "uuid", "profile", "identity", "turn_count", "started_at", "last_active_at")
    assert {key: done.json[key] for key in stays} == {key: before[key] for key in stays}
    assert (done.json["status"], done.json["title"], done.json["resumable"]) == (
        "deleted",
        "",
        False,
    )
    assert not has_word(shop)
    assert [one["id"] for one in amx("session", "list", "--json").json["sessions"]] == [2]


def test_no_copy_in_an_unused_part_of_the_file_outlives_its_session(
    amx: Amx, shop: Path, store: sqlite3.Connection
) -> None:
    store.execute("PRAGMA secure_delete = OFF")  # what most builds of SQLite do
    store.execute("CREATE TABLE copied AS SELECT content FROM turns")
    store.execute("DROP TABLE copied")
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.execute("UPDATE turns SET content = '' WHERE session_id = (SELECT MIN(id) FROM sessions)")
    store.commit()
    assert has_word(shop)

    assert amx("session", "delete", "1").code == 0

    assert not has_word(shop)


def test_an_id_of_a_deleted_session_is_unknown_everywhere(amx: Amx, shop: Path) -> None:
    assert amx("session", "delete", "1").code == 0
    before = (shop / "local.db").read_bytes()
    for words in (
        ["delete", "1"],
        ["rename", "1", "Title"],
        ["show", "--id", "1"],
        ["resume", "1"],
        ["end", "1"],
    ):
        done = amx("session", *words, "--json")
        assert (done.code, done.error["code"]) == (2, "usage.unknown_id"), words
    assert amx("ask", "where?", "--session", "1").code == 2
    assert (shop / "local.db").read_bytes() == before


def test_deleting_works_from_any_profile_and_clears_the_pointer(
    amx: Amx, shop: Path, store: sqlite3.Connection
) -> None:
    set_up("db", "add", "other", "--backend", "sqlite", "--path", str(shop / "other.db"))
    set_up("db", "remove", "shop")
    set_up("db", "use", "other")

    assert amx("session", "delete", "2").code == 0

    assert store.execute("SELECT * FROM active_sessions").fetchall() == []
    events = store.execute("SELECT kind, subject, profile, details FROM events").fetchall()
    uuid = store.execute("SELECT id FROM sessions WHERE local_id = 2").fetchone()[0]
    details = f'{{"session":"{uuid}","turns":2}}'
    assert events == [("session-delete", "session 2", "shop", details)]


def test_deleting_reaches_the_shared_store_also_after_an_outage(
    amx: Amx, shop: Path, tmp_path: Path
) -> None:
    team = tmp_path / "team"
    team.mkdir()
    away = tmp_path / "away"
    set_up("db", "add", "team", "--backend", "sqlite", "--path", str(team / "team.db"))
    set_up("history-store", "enable", "--profile", "team")
    set_up("history-store", "migrate-from-local")
    assert has_word(team)
    team.rename(away)
    team.touch()

    done = amx("session", "delete", "1")
    assert done.code == 0
    assert "queued for the shared store" in done.err
    assert not has_word(shop)
    team.unlink()
    away.rename(team)
    assert amx("history-store", "flush-pending").code == 0

    assert amx("history-store", "verify", "--json").json["equal"]
    with closing(sqlite3.connect(team / "team.db")) as shared:
        texts = [
            row
            for table in ("sessions", "turns")
            for row in shared.execute(f"SELECT * FROM {table}")
        ]
        assert WORD not in repr(texts)
        turns = "SELECT count(*), sum(length(content)) FROM turns GROUP BY session_id"
        assert shared.execute(turns).fetchall()[0] == (4, 0)


@pytest.mark.parametrize("state", ["pending", "quarantined"])
def test_what_is_queued_is_sent_blank(
    amx: Amx, shop: Path, store: sqlite3.Connection, tmp_path: Path, state: str
) -> None:
    set_up("db", "add", "team", "--backend", "sqlite", "--path", str(tmp_path / "team.db"))
    set_up("history-store", "enable", "--profile", "team")
    for table, number in (("sessions", "local_id"), ("turns", "1 + (local_id - 1) / 4")):
        which = f"FROM {table} WHERE {number} = 1"
        store.execute(f"UPDATE {table} SET entered = 1 WHERE {number} = 1")
        store.execute(
            "INSERT INTO outbox (table_name, row_id, local_id, revision, queued_at, state, "
            f"last_error) SELECT '{table}', id, local_id, revision, created_at, ?, ? {which}",
            (state, f"22P02: {WORD}"),
        )
    store.commit()

    assert amx("session", "delete", "1").code == 0
    assert not has_word(shop)
    assert amx("history-store", "migrate-from-local").code == 0
    assert WORD.encode() not in (tmp_path / "team.db").read_bytes()
    assert amx("history-store", "verify", "--json").json["equal"]


def test_what_a_killed_deletion_leaves_is_removed_by_the_next(amx: Amx, shop: Path) -> None:
    kills = deleted = 0
    while killed_at(kills + 1, "session", "delete", "1"):
        kills += 1
        done = amx("session", "list", "--json")
        deleted += [one["id"] for one in done.json["sessions"]] == [2]
        if deleted:
            break
    assert kills > 5
    assert deleted
    assert has_word(shop)  # in the log that was not written back yet

    assert amx("session", "new").code == 0

    assert not has_word(shop)
