"""What goes wrong around the shared store: names, rights, another store, a lock, a clock."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from amx.core import back_off
from amx.core.clock import seconds_from_now
from amx.core.delivery import deliver
from amx.core.durations import since_of
from amx.core.errors import LocalStoreFailed, Transient, UsageError
from amx.core.profiles import Profile, profile_of
from amx.core.sending import Deadline
from amx.core.targets import check_name
from amx.drivers.postgres import connect
from amx.stores.postgres import PostgresSharedStore
from amx.stores.sqlite import SQLiteSharedStore
from tests.postgres import PostgresServer
from tests.shared.installation import Installation, write_session
from tests.support import Amx

HS = "history-store"


@pytest.mark.parametrize("name", ["", "x" * 64, "ü" * 32, "a\0b", "\udcff"])
def test_a_name_that_postgresql_would_not_take_as_it_is_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_name(name, "schema")
    assert "Nothing was changed." in caught.value.message


@pytest.mark.parametrize("name", ["x" * 63, "ü" * 31, 'a"b;', "\x01"])
def test_any_other_name_is_let_through(name: str) -> None:
    check_name(name, "schema")


def test_a_role_without_rights_gets_the_sql_for_who_has_them_and_nothing_changes(
    amx: Amx, postgres: PostgresServer, database: str, home: Path
) -> None:
    postgres.execute("DROP ROLE IF EXISTS poor")
    postgres.execute("CREATE ROLE poor LOGIN PASSWORD 'x'")
    place = ["--host", postgres.host, "--port", str(postgres.port), "--database", database]
    amx("db", "add", "team", "--backend", "postgresql", "--user", "poor", *place)
    before = (home / "config.yml").read_bytes()
    done = amx(HS, "enable", "--profile", "team", "--json", env={"PGPASSWORD": "x"})
    assert (done.code, done.error["code"]) == (4, "shared.refused")
    command, _, _ = done.error["hint"].partition(",")
    assert command == ("amx history-store dump-ddl --profile team --schema AMX --grant-to poor")
    assert (home / "config.yml").read_bytes() == before
    sql = amx(*command.split()[1:]).out
    postgres.execute(sql, database)
    assert amx(HS, "enable", "--profile", "team", env={"PGPASSWORD": "x"}).code == 0
    wrong = amx(HS, "enable", "--profile", "team", "--json", env={"PGPASSWORD": "s3cret"})
    assert (wrong.code, wrong.error["hint"]) == (4, "amx db test team")
    assert 'password authentication failed for user "poor"' in wrong.error["message"]
    assert "s3cret" not in wrong.out + wrong.err


def test_a_store_that_lost_its_row_of_meta_is_another_store_once_it_is_enabled_again(
    postgres_profile: Profile, postgres: PostgresServer
) -> None:
    store = PostgresSharedStore(postgres_profile, "AMX", None, {})
    first = store.bootstrap(Deadline(30)).meta
    postgres.execute('DELETE FROM "AMX".meta', postgres_profile.database)
    assert store.meta(Deadline(30)) is None
    again = store.bootstrap(Deadline(30)).meta
    assert again.schema_version == first.schema_version
    assert again.store_id != first.store_id
    store.close()


def test_a_local_store_is_never_taken_for_a_shared_one(amx: Amx, home: Path) -> None:
    write_session_of_a_profile(amx)
    amx("db", "add", "own", "--backend", "sqlite", "--path", str(home / "local.db"))
    done = amx(HS, "enable", "--profile", "own", "--json")
    assert (done.code, done.error["code"]) == (4, "shared.refused")
    assert "never shared" in done.error["message"]
    with closing(sqlite3.connect(home / "local.db")) as connection:
        found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchall()
    assert found == []


def write_session_of_a_profile(amx: Amx) -> None:
    amx("db", "add", "shop", "--backend", "sqlite", "--path", "shop.db")
    write_session(amx)


def test_a_path_that_is_no_text_is_a_path(tmp_path: Path) -> None:
    path = str(tmp_path / "\udcff ?#%.db")
    store = SQLiteSharedStore(profile_of("team", {"backend": "sqlite", "path": path}, {}))
    assert store.bootstrap(Deadline(30)).meta.schema_version == 1
    assert Path(path).exists()


def test_a_configuration_that_names_another_store_sends_nothing_there(
    amx: Amx, team: Path, tmp_path: Path
) -> None:
    assert team.exists()
    amx("db", "add", "other", "--backend", "sqlite", "--path", str(tmp_path / "other.db"))
    amx("config", "set", "history_store_profile", "other")
    told = amx("session", "new")
    assert (told.code, "The queue belongs to" in told.err) == (0, True)
    flushed = amx(HS, "flush-pending", "--json")
    assert (flushed.code, flushed.error["code"]) == (3, "refused.target_mismatch")
    amx("config", "set", "history_store_profile", "team")
    assert amx(HS, "flush-pending").code == 0
    assert not (tmp_path / "other.db").exists()


def test_a_store_without_its_schema_names_what_makes_it(amx: Amx, team: Path) -> None:
    away = team.rename(team.with_suffix(".away"))
    sqlite3.connect(team).close()
    assert amx("session", "new").code == 0
    for command in ("flush-pending", "verify", "team"):
        done = amx(HS, command, "--json")
        assert (done.code, done.error["hint"]) == (4, "amx history-store enable")
    away.rename(team)
    assert amx(HS, "flush-pending").code == 0


def test_enable_that_migrates_fails_where_rows_are_left(amx: Amx, tmp_path: Path) -> None:
    write_session_of_a_profile(amx)
    path = tmp_path / "team.db"
    amx("db", "add", "team", "--backend", "sqlite", "--path", str(path))
    assert amx(HS, "enable", "--profile", "team").code == 0
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TRIGGER no BEFORE INSERT ON sessions BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    done = amx(HS, "enable", "--profile", "team", "--migrate", "--json")
    assert (done.code, done.error["code"]) == (4, "shared.rows_left")
    assert done.json["enabled"] is True


def test_a_lock_that_cannot_be_made_never_fails_a_delivery(ours: Installation) -> None:
    ours.lock_path.mkdir()
    ours.write()
    options = {"lock_path": ours.lock_path, "budget_s": 2.0}
    told = deliver(ours.outbox, ours.replayer(), **options)  # type: ignore[arg-type]  # passed on
    assert told is not None
    assert "cannot be opened: Is a directory" in told
    with pytest.raises(LocalStoreFailed):
        ours.replay()
    ours.lock_path.rmdir()
    assert ours.replay().delivered == 1


def test_a_local_store_that_another_process_holds_never_fails_a_delivery(
    ours: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours.write()
    monkeypatch.setattr("amx.stores.database.BUSY_TIMEOUT_S", 0.05)
    ours.open()
    with closing(sqlite3.connect(ours.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        told = deliver(ours.outbox, ours.replayer(), lock_path=ours.lock_path, budget_s=2.0)
    assert told is not None
    assert "is locked by another process" in told
    ours.replay()
    assert ours.outbox.counts().pending == 0


def test_a_clock_that_was_wrong_puts_nothing_off_for_years(ours: Installation) -> None:
    ours.outbox.set_state({back_off.UNTIL: seconds_from_now(10 * 365 * 86400)})
    assert back_off.runs_until(ours.outbox) is None
    back_off.note_failure(ours.outbox, "down")
    assert back_off.runs_until(ours.outbox) is not None


def test_a_time_outside_the_calendar_is_wrong_words() -> None:
    for text in ("999999999w", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"):
        with pytest.raises(UsageError):
            since_of(text)


def test_what_libpq_advises_is_no_part_of_the_reason(postgres_profile: Profile) -> None:
    nowhere = replace(postgres_profile, port="1")
    with pytest.raises(Transient) as caught:
        connect(nowhere, {}, timeout_s=5)
    assert caught.value.message == (
        'connection to server at "127.0.0.1", port 1 failed: Connection refused'
    )


@pytest.mark.parametrize("words", [["--schema", "x" * 64], ["--grant-to", ""]])
def test_dump_ddl_prints_no_name_that_would_be_cut_off(amx: Amx, words: list[str]) -> None:
    done = amx(HS, "dump-ddl", "--backend", "postgresql", *words)
    assert (done.code, done.out) == (2, "")


@pytest.mark.parametrize("database", ["postgresql://u:s3cret@h/x", "x password=s3cret"])
def test_a_secret_that_was_given_as_a_database_is_not_shown(database: str) -> None:
    settings = {"backend": "postgresql", "database": database}
    target = profile_of("leak", settings, {}).target
    assert "s3cret" not in target
    assert "***" in target


def test_more_entries_than_any_queue_has_cannot_be_asked_for(amx: Amx) -> None:
    assert amx(HS, "pending", "--limit", "99999999999999999999").code == 2
