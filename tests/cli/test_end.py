"""The end of a command: what is recorded of it, and whether it was delivered."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.support import Amx, set_up


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    sqlite3.connect(path).close()
    set_up("db", "add", "shop", "--backend", "sqlite", "--path", str(path))
    return path


def test_a_restore_is_recorded_as_an_event(amx: Amx, shop: Path, home: Path) -> None:
    amx("session", "new")
    amx("db", "add", "other", "--backend", "sqlite", "--path", "other.db")
    assert amx("config", "restore", "1").code == 0
    with sqlite3.connect(home / "local.db") as connection:
        events = connection.execute("SELECT kind, subject, details FROM events").fetchall()
    backup = json.dumps({"from": str(home / "config.yml.bak.1")}, separators=(",", ":"))
    assert events == [("restore", str(home / "config.yml"), backup)]


def test_a_restore_of_a_broken_generation_is_done_and_says_what_it_could_not_record(
    amx: Amx, shop: Path, home: Path, tmp_path: Path
) -> None:
    amx("session", "new")
    broken = tmp_path / "broken.yml"
    broken.write_text("a: [\n")
    done = amx("config", "restore", "--from", str(broken))
    assert done.code == 0
    assert "could not be recorded" in done.err
    assert (home / "config.yml").read_text() == "a: [\n"


def test_a_restore_makes_no_history_where_there_is_none(amx: Amx, shop: Path, home: Path) -> None:
    amx("db", "add", "other", "--backend", "sqlite", "--path", "other.db")
    assert amx("config", "restore", "1").code == 0
    assert not (home / "local.db").exists()


def test_a_command_that_fails_keeps_its_own_code_when_delivery_is_required(
    amx: Amx, shop: Path, tmp_path: Path
) -> None:
    amx("db", "add", "team", "--backend", "sqlite", "--path", str(tmp_path / "team.db"))
    amx("history-store", "enable", "--profile", "team")
    (tmp_path / "team.db").rename(tmp_path / "away.db")
    amx("session", "new")
    done = amx("session", "resume", "99", "--require-delivery", "--json")
    assert (done.code, done.error["code"]) == (2, "usage.unknown_id")
    assert amx("session", "list", "--require-delivery").code == 4


def test_a_profile_for_whose_store_rows_are_queued_is_not_removed(
    amx: Amx, shop: Path, tmp_path: Path
) -> None:
    amx("db", "add", "team", "--backend", "sqlite", "--path", str(tmp_path / "team.db"))
    amx("history-store", "enable", "--profile", "team")
    assert amx("db", "remove", "team").code == 3
    away = (tmp_path / "team.db").rename(tmp_path / "away.db")
    amx("session", "new")
    amx("history-store", "disable")
    done = amx("db", "remove", "team")
    assert (done.code, "Rows are queued" in done.err) == (3, True)
    away.rename(tmp_path / "team.db")
    assert amx("history-store", "flush-pending").code == 0
    assert amx("db", "remove", "team").code == 0


def test_a_disable_that_is_not_saved_is_told_as_such(
    amx: Amx, shop: Path, home: Path, tmp_path: Path
) -> None:
    amx("db", "add", "team", "--backend", "sqlite", "--path", str(tmp_path / "team.db"))
    amx("history-store", "enable", "--profile", "team")
    (home / "config.yml.shadow").mkdir()
    assert amx("history-store", "disable").code == 1
    assert amx("history-store", "status", "--json").json["enabled"] is True
    with sqlite3.connect(tmp_path / "team.db") as connection:
        kinds = [kind for (kind,) in connection.execute("SELECT kind FROM events ORDER BY id")]
    assert kinds == ["enable", "disable", "enable"]


def test_an_enable_that_is_not_saved_leaves_the_present_store_in_charge(
    amx: Amx, shop: Path, home: Path, tmp_path: Path
) -> None:
    for name in ("team", "other"):
        amx("db", "add", name, "--backend", "sqlite", "--path", str(tmp_path / f"{name}.db"))
    amx("history-store", "enable", "--profile", "team")
    (home / "config.yml.shadow").mkdir()
    assert amx("history-store", "enable", "--profile", "other").code == 1
    done = amx("session", "new", "--require-delivery")
    assert (done.code, done.err) == (0, "")
    assert amx("history-store", "status", "--json").json["profile"] == "team"
    with sqlite3.connect(tmp_path / "team.db") as connection:
        assert connection.execute("SELECT COUNT(*) FROM sessions").fetchall() == [(1,)]
