"""A profile's new name: its sessions follow, in both files or in neither."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from amx.core.errors import ProfileMismatch, UnknownProfile
from amx.runtime import Runtime
from tests.sessions.kills import killed_at
from tests.support import Amx, set_up


@pytest.fixture
def shop(home: Path, tmp_path: Path) -> Path:
    """Give the home of a profile with one session of one question, and of its shared store."""
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, total_price REAL)")
    set_up("db", "add", "shop", "--backend", "sqlite", "--path", str(tmp_path / "shop.db"))
    set_up("history-store", "enable", "--profile", "shop")
    set_up("ask", "where are prices of orders?")
    return home


@pytest.fixture
def store(shop: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(shop / "local.db")) as connection:
        yield connection


def contents(home: Path) -> dict[str, bytes]:
    return {name: (home / name).read_bytes() for name in ("config.yml", "local.db")}


def test_a_profile_renamed_keeps_its_sessions_and_its_place(amx: Amx, shop: Path) -> None:
    before = amx("session", "current", "--json").json
    turns = amx("session", "show", "--id", "1", "--json").json["turns"]

    assert amx("db", "rename", "shop", "store", "--json").json == {
        "renamed": "shop",
        "name": "store",
    }

    config = Runtime({"AMX_HOME": str(shop)}).config
    assert [*config.profiles] == ["store"]
    assert (config.active_profile, config.history_store_profile) == ("store", "store")
    assert amx("session", "current", "--json").json == {**before, "profile": "store"}
    listed = amx("session", "list", "--json").json
    assert [one["id"] for one in listed["sessions"]] == [1]
    assert amx("ask", "and of tracks?", "--json").json["session"] == 1
    shown = amx("session", "show", "--id", "1", "--json").json
    assert (shown["turns"][:2], shown["turn_count"]) == (turns, 4)
    assert amx("history-store", "flush-pending").code == 0
    assert amx("history-store", "verify", "--json").json["equal"]
    assert amx("history-store", "status", "--json").json["profile"] == "store"
    [one] = amx("session", "list", "--team", "--json").json["sessions"]
    assert (one["profile"], one["resumable"]) == ("store", True)


def test_a_rename_rewrites_no_turn_and_queues_none(
    amx: Amx, shop: Path, store: sqlite3.Connection
) -> None:
    rows = "SELECT id, profile, identity, revision FROM turns UNION ALL SELECT * FROM ("
    rows += "SELECT id, profile, identity, revision FROM sessions)"
    before = store.execute(rows).fetchall()

    assert amx("db", "rename", "shop", "store").code == 0

    assert store.execute(rows).fetchall() == before
    queued = store.execute("SELECT count(*) FROM outbox WHERE table_name <> 'events'")
    assert queued.fetchone() == (0,)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("nobody", "store", "There is no profile 'nobody'."),
        ("shop", "twin", "There is a profile 'twin' already."),
        ("shop", "shop", "There is a profile 'shop' already."),
        ("shop", "a b", "cannot name a profile"),
        ("shop", "", "cannot name a profile"),
    ],
)
def test_a_name_that_is_taken_or_none_is_refused(
    amx: Amx, shop: Path, old: str, new: str, told: str
) -> None:
    set_up("db", "add", "twin", "--backend", "sqlite", "--path", str(shop / "twin.db"))
    before = contents(shop)

    done = amx("db", "rename", old, new)

    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert contents(shop) == before


def test_a_rename_never_merges_the_sessions_of_two_profiles(amx: Amx, shop: Path) -> None:
    path = str(shop.parent.parent / "shop.db")
    set_up("db", "add", "old", "--backend", "sqlite", "--path", path)
    set_up("ask", "where are orders?", "--profile", "old")
    set_up("db", "remove", "old")

    done = amx("db", "rename", "shop", "old", "--json")
    assert (done.code, done.error["details"]) == (2, {"session": 2})
    assert [one["profile"] for one in sessions(amx)] == ["old", "shop"]

    assert amx("session", "delete", "2").code == 0
    assert amx("db", "rename", "shop", "old").code == 0
    assert [one["profile"] for one in sessions(amx)] == ["old"]


def test_a_name_that_became_free_is_another_profiles(amx: Amx, shop: Path) -> None:
    assert amx("db", "rename", "shop", "store").code == 0
    path = str(shop.parent.parent / "shop.db")
    set_up("db", "add", "shop", "--backend", "sqlite", "--path", path)

    refused = amx("session", "resume", "1", "--profile", "shop", "--json")
    assert (refused.code, refused.error["details"]["differs"]) == (3, ["profile"])
    set_up("ask", "where are orders?", "--profile", "shop")
    assert [(one["id"], one["profile"]) for one in sessions(amx)] == [(2, "shop"), (1, "store")]
    assert amx("db", "rename", "store", "first").code == 0
    assert [(one["id"], one["profile"]) for one in sessions(amx)] == [(2, "shop"), (1, "first")]


def sessions(amx: Amx) -> list[dict[str, object]]:
    found: list[dict[str, object]] = amx("session", "list", "--all-profiles", "--json").json[
        "sessions"
    ]
    return found


def test_a_rename_killed_anywhere_leaves_the_old_or_the_new_world(
    amx: Amx, shop: Path, tmp_path: Path
) -> None:
    set_up("history-store", "disable")
    prepared = shutil.copytree(shop, tmp_path / "prepared")
    ends, n = [], 1
    while True:
        shutil.rmtree(shop)
        shutil.copytree(prepared, shop)
        if not killed_at(n, "db", "rename", "shop", "store"):
            break
        n += 1
        ends.append(name_after(amx, shop))

    assert n > 40
    assert ends == sorted(ends)
    assert set(ends) == {"shop", "store"}
    assert ends.count("store") > 5


def name_after(amx: Amx, home: Path) -> str:
    """Check the world after a kill; return the name that the profile has in all of it."""
    current = amx("session", "current", "--json")
    assert current.code == 0, current.err
    config = Runtime({"AMX_HOME": str(home)}).config
    [name] = config.profiles
    assert (config.active_profile, config.history_store_profile) == (name, name)
    assert (current.json["id"], current.json["profile"]) == (1, name)
    with closing(sqlite3.connect(home / "local.db")) as connection:
        assert connection.execute("SELECT owner FROM sessions").fetchall() == [(name,)]
        assert connection.execute("SELECT profile FROM active_sessions").fetchall() == [(name,)]
        assert connection.execute("SELECT 1 FROM state WHERE key LIKE 'rename%'").fetchall() == []
    return name


def test_what_a_killed_rename_left_is_ended_before_anything_else(
    amx: Amx, shop: Path, tmp_path: Path
) -> None:
    set_up("history-store", "disable")
    prepared = shutil.copytree(shop, tmp_path / "prepared")
    n = 1
    while "store:" not in (shop / "config.yml").read_text():
        shutil.rmtree(shop)
        shutil.copytree(prepared, shop)
        n += 1
        assert killed_at(n, "db", "rename", "shop", "store")
    killed = shutil.copytree(shop, tmp_path / "killed")
    assert owner(killed) == "shop"

    for words in (
        ["db", "add", "shop", "--backend", "sqlite", "--path", "other.db"],
        ["db", "remove", "store"],
        ["db", "use", "store"],
        ["db", "rename", "store", "third"],
        ["session", "new"],
        ["ask", "and of tracks?"],
        ["history-store", "flush-pending"],
    ):
        shutil.rmtree(shop)
        shutil.copytree(killed, shop)
        assert amx(*words).code == 0, words
        assert owner(shop) == ("third" if words[1] == "rename" else "store"), words


def owner(home: Path) -> object:
    with closing(sqlite3.connect(home / "local.db")) as connection:
        return connection.execute("SELECT owner FROM sessions WHERE local_id = 1").fetchone()[0]


def test_who_knew_the_old_name_writes_nothing_under_it(
    amx: Amx, shop: Path, store: sqlite3.Connection
) -> None:
    runtime = Runtime({"AMX_HOME": str(shop)})
    profile = runtime.profile
    assert amx("db", "rename", "shop", "store").code == 0

    with pytest.raises(UnknownProfile):
        runtime.sessions.append(
            profile, 1, question="?", answer="!", citations=[], provenance="evidence"
        )
    with pytest.raises(UnknownProfile):
        runtime.sessions.new(profile)
    with pytest.raises(ProfileMismatch):
        runtime.sessions.resume(profile, 1)

    assert store.execute("SELECT count(*) FROM turns").fetchone() == (2,)
    assert store.execute("SELECT owner FROM sessions").fetchall() == [("store",)]


def test_who_asks_while_a_profile_is_renamed_waits_and_writes_nothing(
    shop: Path, store: sqlite3.Connection
) -> None:
    from amx.core.profile_edits import renamed

    runtime = Runtime({"AMX_HOME": str(shop)})
    patch = renamed(runtime.config, "shop", "store")
    words = [sys.executable, "-m", "amx", "ask", "where are orders?", "--profile", "shop"]
    asking: list[subprocess.Popen[bytes]] = []

    def save() -> None:
        asking.extend(
            subprocess.Popen([*words, *more], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            for more in ([], ["--new"])
        )
        with (
            closing(sqlite3.connect(shop / "local.db", timeout=0)) as other,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            other.execute("BEGIN IMMEDIATE")
        runtime.config_file.patch(patch)

    runtime.renamer.rename("shop", "store", save)

    for one in asking:
        one.communicate()
        assert one.returncode == 2
    assert store.execute("SELECT count(*) FROM turns").fetchone() == (2,)
    assert store.execute("SELECT owner FROM sessions").fetchall() == [("store",)]


def test_a_rename_that_cannot_be_saved_changes_nothing(amx: Amx, shop: Path) -> None:
    runtime = Runtime({"AMX_HOME": str(shop)})
    config = runtime.config
    set_up("config", "set", "active_db_profile", "nobody")
    before = contents(shop)["config.yml"]

    from amx.core.errors import EditConflict
    from amx.core.profile_edits import renamed

    patch = renamed(config, "shop", "store")
    with pytest.raises(EditConflict):
        runtime.renamer.rename("shop", "store", lambda: runtime.config_file.patch(patch))

    assert contents(shop)["config.yml"] == before
    assert [one["profile"] for one in sessions(amx)] == ["shop"]
    assert runtime.reader.renaming() is None


@pytest.mark.parametrize("note", [None, ("shop", "other"), ("other", "store")])
def test_only_a_rename_moves_a_session_to_another_name(
    store: sqlite3.Connection, note: tuple[str, str] | None
) -> None:
    if note:
        pairs = zip(("rename.old", "rename.new"), note, strict=True)
        store.executemany("INSERT INTO state (key, value) VALUES (?, ?)", pairs)

    with pytest.raises(sqlite3.IntegrityError, match="only a rename changes whose it is"):
        store.execute("UPDATE sessions SET owner = 'store'")
    with pytest.raises(sqlite3.IntegrityError, match="bound to another profile"):
        store.execute("UPDATE active_sessions SET profile = 'store'")
