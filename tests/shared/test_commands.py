"""`amx history-store` as scripts and cron jobs use it: the real program, without a terminal."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.shared.installation import write_session
from tests.support import Amx

HS = "history-store"


def test_status_of_a_new_installation_writes_nothing(amx: Amx, home: Path) -> None:
    done = amx(HS, "status", "--json")
    assert done.code == 0
    assert done.json == {
        "enabled": False,
        "profile": None,
        "schema": None,
        "target": None,
        "schema_version": None,
        "pending": 0,
        "quarantined": 0,
        "oldest_pending_at": None,
        "last_flush_at": None,
        "last_error": None,
        "backing_off_until": None,
        "store_looks_restored_at": None,
    }
    assert not home.exists()


def test_enable_makes_the_store_and_every_new_row_arrives_in_silence(amx: Amx, team: Path) -> None:
    done = amx("session", "new")
    assert (done.code, done.err) == (0, "")
    status = amx(HS, "status", "--json").json
    assert (status["enabled"], status["pending"]) == (True, 0)
    assert (status["target"], status["schema_version"]) == (f"sqlite:{team}", 1)
    verified = amx(HS, "verify", "--json")
    assert (verified.code, verified.json["equal"], verified.json["checked"]) == (0, True, 2)


def test_enable_a_second_time_is_harmless(amx: Amx, team: Path) -> None:
    done = amx(HS, "enable", "--profile", "team", "--json")
    assert done.code == 0
    assert done.json == {
        "enabled": True,
        "target": f"sqlite:{team}",
        "schema_version": 1,
        "created": False,
        "upgraded_from": None,
        "lacking": 0,
    }


def test_enable_names_the_profiles_when_it_knows_none_of_this_name(amx: Amx, team: Path) -> None:
    done = amx(HS, "enable", "--profile", "nobody", "--json")
    assert done.code == 2
    assert done.error["details"] == {"name": "nobody", "profiles": ["team"]}
    assert team.exists()


def test_enable_of_a_store_out_of_reach_changes_nothing(amx: Amx, home: Path) -> None:
    amx("db", "add", "far", "--backend", "postgresql", "--host", "127.0.0.1", "--port", "1",
        "--database", "d")  # fmt: skip
    before = (home / "config.yml").read_bytes()
    done = amx(HS, "enable", "--profile", "far", "--json")
    assert done.code == 4
    assert done.error["code"] == "shared.unreachable"
    assert "nothing was changed" in done.error["message"]
    assert (home / "config.yml").read_bytes() == before
    assert amx(HS, "status", "--json").json["target"] is None


def test_amx_profile_never_names_the_store(amx: Amx, team: Path) -> None:
    done = amx(HS, "enable", env={"AMX_PROFILE": "team"})
    assert done.code == 2
    assert team.exists()


def test_another_target_is_refused_while_rows_are_queued(
    amx: Amx, team: Path, tmp_path: Path
) -> None:
    team.rename(tmp_path / "away.db")
    write_session(amx)
    amx("db", "add", "other", "--backend", "sqlite", "--path", str(tmp_path / "other.db"))
    done = amx(HS, "enable", "--profile", "other", "--json")
    assert (done.code, done.error["code"]) == (3, "refused.target_mismatch")
    assert not (tmp_path / "other.db").exists()
    assert amx(HS, "drop-pending", "--json").json == {"dropped": 1}
    assert amx(HS, "drop-pending").code == 0
    assert amx(HS, "status", "--json").json["pending"] == 1  # the event of the first drop


def test_an_outage_is_one_warning_and_a_flush_brings_all(
    amx: Amx, team: Path, tmp_path: Path
) -> None:
    away = team.rename(tmp_path / "away.db")
    done = amx("session", "new")
    assert done.code == 0
    assert done.err.count("\n") == 1
    assert "1 row is queued for the shared store" in done.err
    failed = amx(HS, "flush-pending", "--json")
    assert failed.code == 4
    document = json.loads(failed.out)
    assert {key: document[key] for key in ("delivered", "pending", "quarantined")} == {
        "delivered": 0,
        "pending": 1,
        "quarantined": 0,
    }
    assert json.loads(failed.err)["error"]["code"] == "shared.rows_left"
    status = amx(HS, "status", "--json").json
    assert status["last_error"]
    assert status["backing_off_until"]
    away.rename(team)
    flushed = amx(HS, "flush-pending")
    assert (flushed.code, flushed.err) == (0, "")
    assert flushed.out.startswith("Delivered 1 row in")
    assert amx(HS, "verify").code == 0


def test_ci_can_ask_to_fail_when_rows_are_left(amx: Amx, team: Path, tmp_path: Path) -> None:
    team.rename(tmp_path / "away.db")
    done = amx("session", "new", "--require-delivery", "--json")
    assert (done.code, done.json["id"]) == (4, 1)
    assert done.error["code"] == "shared.rows_left"


def test_disable_stops_dual_writing_and_keeps_the_queue(
    amx: Amx, team: Path, tmp_path: Path
) -> None:
    away = team.rename(tmp_path / "away.db")
    write_session(amx)
    done = amx(HS, "disable", "--json")
    assert (done.code, done.json) == (0, {"enabled": False, "changed": True})
    write_session(amx)
    assert amx(HS, "status", "--json").json["pending"] == 2  # one session, and the event
    assert amx(HS, "disable", "--json").json == {"enabled": False, "changed": False}
    away.rename(team)
    assert amx(HS, "flush-pending", "--json").json["delivered"] == 2
    events = [one["events"] for one in amx(HS, "team", "--json").json["members"]]
    assert events == [2]


def test_earlier_rows_are_counted_and_migrated(amx: Amx, tmp_path: Path) -> None:
    amx("db", "add", "team", "--backend", "sqlite", "--path", str(tmp_path / "team.db"))
    for _ in range(3):
        write_session(amx)
    enabled = amx(HS, "enable", "--profile", "team")
    assert "It lacks 3 earlier local rows." in enabled.out
    assert "amx history-store migrate-from-local" in enabled.out
    assert amx(HS, "verify").code == 1
    migrated = amx(HS, "migrate-from-local", "--json")
    assert (migrated.code, migrated.json["entered"]) == (0, 3)
    assert amx(HS, "verify", "--json").json["equal"] is True
    assert amx(HS, "migrate-from-local", "--json").json["entered"] == 0


def test_enable_can_migrate_at_once(amx: Amx, tmp_path: Path) -> None:
    amx("db", "add", "team", "--backend", "sqlite", "--path", str(tmp_path / "team.db"))
    write_session(amx)
    assert amx(HS, "enable", "--profile", "team", "--migrate").code == 0
    assert amx(HS, "verify", "--json").json["equal"] is True


def test_a_tampered_row_is_found_and_mended(amx: Amx, team: Path) -> None:
    write_session(amx)
    with closing(sqlite3.connect(team)) as connection, connection:
        connection.execute("UPDATE sessions SET title = 'forged'")
        connection.execute("DELETE FROM events")
    found = amx(HS, "verify", "--json")
    assert found.code == 1
    assert found.json == {
        "equal": False,
        "checked": 2,
        "pending": 0,
        "missing": 1,
        "stale": 0,
        "altered": 1,
        "extra": 0,
        "elsewhere": 0,
        "orphans": 0,
    }
    assert json.loads(found.err)["error"]["code"] == "check.found"
    assert amx(HS, "verify", "--repair").code == 0
    assert amx(HS, "verify", "--json").json["equal"] is True


def test_a_refused_row_is_quarantined_listed_and_retried(amx: Amx, team: Path) -> None:
    with closing(sqlite3.connect(team)) as connection, connection:
        connection.execute(
            "CREATE TRIGGER house_rule BEFORE INSERT ON sessions "
            "WHEN NEW.title = 'bad' BEGIN SELECT RAISE(ABORT, 'house rule'); END"
        )
    assert amx("session", "new", "--title", "bad").code == 0
    [entry] = amx(HS, "pending", "--quarantined", "--json").json["entries"]
    assert entry["last_error"] == "SQLITE_CONSTRAINT_TRIGGER: house rule"
    assert {**entry, "queued_at": "", "last_error": ""} == {
        "id": entry["id"],
        "table": "sessions",
        "local_id": 1,
        "revision": 1,
        "state": "quarantined",
        "attempts": 1,
        "queued_at": "",
        "last_error": "",
    }
    assert amx(HS, "flush-pending").code == 4
    assert amx(HS, "retry", "999").code == 2
    assert amx(HS, "retry").code == 2
    with closing(sqlite3.connect(team)) as connection, connection:
        connection.execute("DROP TRIGGER house_rule")
    assert amx(HS, "retry", str(entry["id"]), "--json").json == {"reopened": 1}
    assert amx(HS, "flush-pending").code == 0
    assert amx(HS, "verify").code == 0


def test_monitoring_is_told_of_a_queue_past_its_limits(
    amx: Amx, team: Path, tmp_path: Path
) -> None:
    assert amx(HS, "status", "--max-age", "0", "--max-pending", "0").code == 0
    team.rename(tmp_path / "away.db")
    write_session(amx)
    assert amx(HS, "status", "--max-pending", "1", "--max-age", "1h").code == 0
    assert amx(HS, "status", "--max-pending", "0").code == 1
    assert amx(HS, "status", "--max-age", "0s").code == 1
    assert amx(HS, "status", "--max-age", "soon").code == 2


def test_another_store_at_the_same_place_is_refused(amx: Amx, team: Path, tmp_path: Path) -> None:
    team.rename(tmp_path / "first.db")
    ddl = amx(HS, "dump-ddl", "--backend", "sqlite").out
    with closing(sqlite3.connect(team)) as connection:
        connection.executescript(ddl)
    done = amx("session", "new")
    assert done.code == 0
    assert "Another store answers" in done.err
    refused = amx(HS, "flush-pending", "--json")
    assert (refused.code, refused.error["code"]) == (3, "refused.store_mismatch")
    assert amx(HS, "verify").code == 3


def test_a_profile_that_was_pointed_elsewhere_sends_nothing_there(
    amx: Amx, team: Path, tmp_path: Path
) -> None:
    team.rename(tmp_path / "away.db")
    write_session(amx)
    elsewhere = tmp_path / "elsewhere.db"
    amx("config", "set", "db_profiles.team.path", str(elsewhere))
    refused = amx(HS, "flush-pending", "--json")
    assert (refused.code, refused.error["code"]) == (3, "refused.target_mismatch")
    assert not elsewhere.exists()


def test_a_new_home_with_the_configuration_of_the_team_delivers_at_once(
    amx: Amx, team: Path, home: Path
) -> None:
    assert team.exists()
    for left in home.glob("local.db*"):
        left.unlink()
    status = amx(HS, "status", "--json").json
    assert (status["enabled"], status["profile"], status["schema"]) == (True, "team", "AMX")
    done = amx("session", "new", "--require-delivery")
    assert (done.code, done.err) == (0, "")
    assert amx(HS, "verify", "--json").json["checked"] == 1
    assert amx(HS, "status", "--json").json["target"] == f"sqlite:{team}"
