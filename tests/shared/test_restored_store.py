"""A shared store that was restored from an old backup: said once, found by verify, brought back."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from amx.core.ports import SharedStore
from amx.core.profiles import profile_of
from amx.core.reports import VerifyReport
from amx.core.sending import Deadline
from amx.core.targets import RESTORED_AT
from amx.core.verify import Verifier
from amx.stores.sqlite import SQLiteSharedStore
from tests.postgres import PostgresServer
from tests.shared.conftest import SCHEMA
from tests.shared.installation import Installation, equal, write_session
from tests.support import Amx

HS = "history-store"


@pytest.fixture
def back_up(request: pytest.FixtureRequest, ours: Installation) -> Callable[[], Callable[[], None]]:
    """Give what backs the shared store up as a whole, and gives what restores it."""
    if isinstance(ours.store, SQLiteSharedStore):
        return lambda: _file_backup(Path(request.getfixturevalue("sqlite_profile").path))
    server = request.getfixturevalue("postgres")
    database = request.getfixturevalue("postgres_profile").database
    return lambda: _database_backup(server, database, ours.store)


def _file_backup(path: Path) -> Callable[[], None]:
    copy = path.with_suffix(".backup")
    shutil.copy(path, copy)

    def restore() -> None:
        shutil.copy(copy, path)

    return restore


def _database_backup(
    server: PostgresServer, database: str, store: SharedStore
) -> Callable[[], None]:
    """Copy a whole database inside its server, block by block."""
    store.close()
    copy = server.new_database()
    server.execute(f"DROP DATABASE {copy}")
    server.execute(f"CREATE DATABASE {copy} TEMPLATE {database} STRATEGY FILE_COPY")

    def restore() -> None:
        store.close()
        server.execute(f"DROP DATABASE {database} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {database} TEMPLATE {copy}")

    return restore


def test_what_a_restored_store_has_forgotten_is_said_found_and_brought_back(
    ours: Installation, back_up: Callable[[], Callable[[], None]]
) -> None:
    old, _ = ours.write(2)
    ours.replay()
    restore = back_up()
    ours.change(old, status="completed")
    ours.write(5)
    ours.replay()
    assert ours.restored == []
    restore()
    ours.write()
    assert ours.replay().delivered == 1
    assert ours.restored == [ours.path]
    assert ours.outbox.state(RESTORED_AT)
    ours.write()
    ours.replay()
    assert ours.restored == [ours.path]
    assert ours.rolled_back == []
    assert ours.verify() == VerifyReport(
        checked=9, pending=0, missing=5, stale=1, altered=0, extra=0
    )
    assert Verifier(ours.outbox, ours.store).repair() == 6
    assert ours.replay().delivered == 6
    assert ours.verify() == equal(9)


def test_a_store_that_says_that_it_was_restored_is_believed(
    ours: Installation, request: pytest.FixtureRequest
) -> None:
    ours.write()
    ours.replay()
    ours.write()
    ours.replay()
    raise_epoch(ours.store, request)
    ours.write()
    ours.replay()
    assert ours.restored == [ours.path]
    ours.outbox.set_state({RESTORED_AT: None})
    ours.write()
    ours.replay()
    assert ours.restored == [ours.path]


def raise_epoch(store: SharedStore, request: pytest.FixtureRequest) -> None:
    if isinstance(store, SQLiteSharedStore):
        path = request.getfixturevalue("sqlite_profile").path
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE meta SET epoch = epoch + 1")
        return
    server, profile = (request.getfixturevalue(one) for one in ("postgres", "postgres_profile"))
    quoted = '"' + SCHEMA.replace('"', '""') + '"'
    now = "extract(epoch FROM clock_timestamp())::BIGINT"  # as docs/shared-store.md says
    server.execute(f"UPDATE {quoted}.meta SET epoch = {now}", profile.database)


def test_another_store_that_is_enabled_has_forgotten_nothing(
    ours: Installation, tmp_path: Path
) -> None:
    ours.write(5)
    ours.replay()
    profile = profile_of("two", {"backend": "sqlite", "path": str(tmp_path / "two.db")}, {})
    other = SQLiteSharedStore(profile)
    other.bootstrap(Deadline(30))
    ours.outbox.set_state({"store_id": None})
    ours.write()
    assert ours.replay(other).delivered == 1
    assert (ours.restored, ours.rolled_back) == ([], [])


def test_the_commands_say_it_once_show_it_and_bring_everything_back(
    amx: Amx, team: Path, home: Path
) -> None:
    write_session(amx)
    restore = _file_backup(team)
    write_session(amx)
    assert amx(HS, "status", "--json").json["store_looks_restored_at"] is None
    restore()
    told = [amx("session", "new").err for _ in range(2)]
    assert ["has forgotten rows that it had confirmed" in one for one in told] == [True, False]
    assert "amx history-store verify --repair" in told[0]
    assert amx(HS, "status", "--json").json["store_looks_restored_at"]
    assert "amx history-store verify --repair" in amx(HS, "status").out
    found = amx(HS, "verify", "--json")
    assert (found.code, found.json["missing"]) == (1, 1)
    assert details_of(home, "store-restored") == [{}]
    assert amx(HS, "verify", "--repair").code == 0
    assert amx(HS, "status", "--json").json["store_looks_restored_at"] is None
    assert amx(HS, "verify", "--json").json["equal"] is True


def test_a_local_store_put_back_is_told_by_the_next_command_and_by_an_event(
    amx: Amx, team: Path, home: Path
) -> None:
    write_session(amx)
    with closing(sqlite3.connect(home / "local.db")) as live:
        backup = sqlite3.connect(home / "backup.db")
        live.backup(backup)
        backup.close()
    write_session(amx)
    for suffix in ("-wal", "-shm"):
        (home / f"local.db{suffix}").unlink(missing_ok=True)
    shutil.copy(home / "backup.db", home / "local.db")
    told = [amx("session", "new") for _ in range(2)]
    assert [done.code for done in told] == [0, 0]
    assert ["was restored from a backup" in done.err for done in told] == [True, False]
    assert "1 row is concerned" in told[0].err
    [details] = details_of(home, "rolled-back")
    assert details["rows"] == 1
    with_json = amx(HS, "verify", "--json")
    assert (with_json.code, with_json.json["elsewhere"]) == (0, 1)
    found = numbers_of(team)
    assert len(found) == len(set(found)) == 5 + 1


def details_of(home: Path, kind: str) -> list[Any]:
    with closing(sqlite3.connect(home / "local.db")) as connection:
        found = connection.execute("SELECT details FROM events WHERE kind = ?", (kind,))
        return [json.loads(details) for (details,) in found]


def numbers_of(team: Path) -> list[tuple[str, str, int]]:
    with closing(sqlite3.connect(team)) as connection:
        return [
            (name, *record)
            for name in ("sessions", "events")
            for record in connection.execute(f"SELECT origin_id, local_id FROM {name}")
        ]


def test_two_live_clones_of_a_machine_share_one_postgresql(
    amx: Amx, postgres: PostgresServer, database: str, home: Path, tmp_path: Path
) -> None:
    place = ["--host", postgres.host, "--port", str(postgres.port), "--database", database]
    amx("db", "add", "team", "--backend", "postgresql", "--user", postgres.user, *place)
    assert amx(HS, "enable", "--profile", "team").code == 0
    write_session(amx)
    other = tmp_path / "other"
    shutil.copytree(home, other)
    for _ in range(3):
        write_session(amx)
        write_session(amx, AMX_HOME=str(other))
    found = postgres.execute('SELECT origin_id, local_id, id FROM "AMX".sessions', database)
    assert len(found) == 7
    assert len({(origin, number) for origin, number, _ in found}) == 7
    assert len({origin for origin, _, _ in found}) == 2
    for env in ({}, {"AMX_HOME": str(other)}):
        done = amx(HS, "verify", "--json", env=env)
        assert (done.code, done.json["equal"]) == (0, True), json.dumps(done.json)
