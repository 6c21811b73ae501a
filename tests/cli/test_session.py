"""Guard 1 from the command line."""

import hashlib
import sqlite3
from pathlib import Path

import pytest

from tests.support import Amx, set_up

SHAPE = {
    *("id", "uuid", "profile", "identity", "title", "status", "turn_count"),
    *("started_at", "last_active_at", "ended_at", "resumable", "why_not"),
}


@pytest.fixture
def shops(tmp_path: Path) -> Path:
    """Two databases, two profiles, and session 1 with a question about the first."""
    for name in ("shop", "archive"):
        with sqlite3.connect(tmp_path / f"{name}.db") as connection:
            connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, total_price REAL)")
        set_up("db", "add", name, "--backend", "sqlite", "--path", str(tmp_path / f"{name}.db"))
    set_up("ask", "where are prices of orders?")
    return tmp_path


def add(amx: Amx, name: str, path: Path) -> None:
    assert amx("db", "add", name, "--backend", "sqlite", "--path", str(path)).code == 0


def test_a_session_has_the_shape_that_scripts_rely_on(amx: Amx, shops: Path) -> None:
    shown = amx("session", "show", "--id", "1", "--json").json
    assert set(shown) == SHAPE | {"turns"}
    assert set(shown["turns"][0]) == {"id", "index", "role", "content", "citations", "created_at"}
    listed = amx("session", "list", "--json").json
    assert (listed["profile"], [set(one) for one in listed["sessions"]]) == ("shop", [SHAPE])
    for words in (["current"], ["resume", "1"], ["new"]):
        assert set(amx("session", *words, "--json").json) == SHAPE


def test_resume_refuses_a_session_of_another_profile(amx: Amx, shops: Path) -> None:
    amx("db", "use", "archive")
    done = amx("session", "resume", "1")
    assert (done.code, done.out) == (3, "")
    for text in ("'shop'", "'archive'", f"sqlite:{shops}/shop.db", "Nothing was changed."):
        assert text in done.err
    assert amx("session", "current", "--json").json is None


def test_resume_refuses_the_same_name_pointed_at_another_database(amx: Amx, shops: Path) -> None:
    amx("config", "set", "db_profiles.shop.path", str(shops / "archive.db"))
    done = amx("session", "resume", "1", "--json")
    assert (done.code, done.error["code"]) == (3, "refused.profile_mismatch")
    assert done.error["details"]["differs"] == ["identity"]


def test_resume_refuses_a_name_that_was_used_again(amx: Amx, shops: Path) -> None:
    amx("db", "remove", "shop")
    add(amx, "shop", shops / "archive.db")
    amx("db", "use", "shop")
    done = amx("session", "resume", "1", "--json")
    assert (done.code, done.error["details"]["differs"]) == (3, ["identity"])


def test_two_profiles_of_one_database_stay_separate(amx: Amx, shops: Path) -> None:
    add(amx, "twin", shops / "shop.db")
    done = amx("session", "resume", "1", "--profile", "twin")
    assert done.code == 3
    assert "which points at the same database" in done.err


@pytest.mark.parametrize("how", ["option", "variable"])
def test_ask_refuses_a_session_of_another_profile(amx: Amx, shops: Path, how: str) -> None:
    env = {"AMX_PROFILE": "archive", "AMX_SESSION": "1" if how == "variable" else None}
    words = ["--session", "1"] if how == "option" else []
    assert amx("ask", "and how many?", *words, env=env).code == 3
    assert amx("session", "show", "--id", "1", "--json").json["turn_count"] == 2


def test_the_pointer_is_kept_per_profile(amx: Amx, shops: Path) -> None:
    assert amx("session", "current", "--json").json["id"] == 1
    assert amx("session", "current", "--profile", "archive", "--json").json is None
    amx("session", "new", "--profile", "archive")
    assert amx("session", "current", "--json").json["id"] == 1
    assert amx("session", "current", "--profile", "archive", "--json").json["id"] == 2


def test_show_works_from_any_profile_and_writes_nothing(amx: Amx, shops: Path, home: Path) -> None:
    amx("db", "use", "archive")
    amx("db", "remove", "shop")
    (shops / "shop.db").unlink()
    before = hashlib.sha256((home / "local.db").read_bytes()).hexdigest()
    done = amx("session", "show", "--id", "1")
    assert (done.code, done.err) == (0, "")
    assert "where are prices of orders?" in done.out
    assert hashlib.sha256((home / "local.db").read_bytes()).hexdigest() == before


def test_show_works_with_a_broken_configuration(amx: Amx, shops: Path, home: Path) -> None:
    (home / "config.yml").write_text("db_profiles: [\n")
    assert amx("session", "show", "--id", "1").code == 0


@pytest.mark.parametrize("command", ["resume", "show"])
@pytest.mark.parametrize("key", ["2", "0", "x", "1.5", "9" * 30, "1e3", "0x1", "²", ""])
def test_an_id_that_no_session_has_is_2(amx: Amx, shops: Path, command: str, key: str) -> None:
    words = ["--id", key] if command == "show" else [key]
    done = amx("session", command, *words)
    assert (done.code, done.out) == (2, "")
    assert "Traceback" not in done.err


def test_a_negative_id_is_2(amx: Amx, shops: Path) -> None:
    assert amx("session", "resume", "--", "-1").code == 2
    assert amx("session", "show", "--id=-1").code == 2


def test_end_is_idempotent_and_an_ended_session_may_be_resumed(amx: Amx, shops: Path) -> None:
    assert [amx("session", "end", "1").code for _ in range(2)] == [0, 0]
    assert amx("session", "current", "--json").json is None
    assert amx("session", "end").code == 0
    assert amx("session", "resume", "1", "--json").json["status"] == "open"


def test_lists_are_scoped_to_the_profile_unless_asked_otherwise(amx: Amx, shops: Path) -> None:
    amx("session", "new", "--profile", "archive", "--title", "Old orders")
    assert [one["id"] for one in amx("session", "list", "--json").json["sessions"]] == [1]
    everything = amx("session", "list", "--all-profiles", "--json").json
    found = [(one["id"], one["resumable"]) for one in everything["sessions"]]
    assert (everything["profile"], found) == (None, [(2, False), (1, True)])


def test_ask_begins_a_session_lazily_and_titles_it(amx: Amx, shops: Path) -> None:
    shown = amx("session", "current", "--json").json
    assert (shown["title"], shown["turn_count"]) == ("where are prices of orders?", 2)


def test_ask_new_begins_another_session(amx: Amx, shops: Path) -> None:
    assert amx("ask", "--new", "what is an order?", "--json").json["session"] == 2
    assert amx("session", "current", "--json").json["id"] == 2


def test_list_is_tab_separated_when_piped(amx: Amx, shops: Path) -> None:
    [line] = amx("session", "list").out.splitlines()
    fields = line.split("\t")
    assert [fields[place] for place in (0, 1, 2, 3, 5, 6)] == [
        "1",
        "shop",
        "open",
        "2",
        "where are prices of orders?",
        "resumable",
    ]
