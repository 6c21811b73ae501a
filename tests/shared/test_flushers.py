"""Several flushers, servers that are killed, files that go away."""

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from amx.core.errors import Busy, Transient
from amx.core.locks import FileLock
from amx.core.models import Values
from amx.core.ports import SharedStore
from amx.core.rows import values_of
from amx.core.sending import Deadline
from amx.core.tables import RUNS
from amx.core.work import Run
from tests.postgres import PostgresServer
from tests.shared.installation import Faulty, Installation, equal


def test_a_second_flusher_of_one_installation_is_busy(ours: Installation) -> None:
    ours.write()
    with FileLock(ours.lock_path, wait_s=0, purpose="test"), pytest.raises(Busy):
        ours.replay()
    assert ours.replay().delivered == 1


def test_two_flushers_at_once_without_the_lock_leave_no_duplicate(
    ours: Installation, tmp_path: Path, batch_rows: int
) -> None:
    runs = ours.write(3 * batch_rows)
    reports = []

    def flush(name: str) -> None:
        twin = Installation(ours.path.parent, ours.store)
        twin.lock_path = tmp_path / name
        reports.append(twin.replay(_twin(ours.store)))
        twin.local.close()

    threads = [threading.Thread(target=flush, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for run in runs[:50]:
        ours.change(run, status="completed")
    for thread in threads:
        thread.join()
    assert len(reports) == 2
    ours.replay()
    assert ours.verify() == equal(3 * batch_rows)
    assert ours.rolled_back == []


def test_a_row_that_another_flusher_sent_in_a_newer_form_is_not_taken_for_a_restored_one(
    ours: Installation, tmp_path: Path
) -> None:
    [run] = ours.write()
    changed: list[Run] = []

    def answer_lost(values: Sequence[Values]) -> None:
        ours.store.upsert(RUNS, values, Deadline(30))
        raise Transient("server closed the connection unexpectedly")

    def overtake(_values: Sequence[Values]) -> None:
        if not changed:
            changed.append(ours.change(run, status="completed"))
            twin = Installation(ours.path.parent, ours.store)
            twin.lock_path = tmp_path / "twin"
            twin.replay(Faulty(ours.store, answer_lost))
            twin.local.close()

    report = ours.replay(Faulty(ours.store, overtake))
    assert (report.delivered, report.pending) == (1, 0)
    assert ours.rolled_back == []
    assert ours.outbox.local_rows(RUNS, "", 2) == [values_of(changed[0])]
    assert ours.verify() == equal(1)


def _twin(store: SharedStore) -> SharedStore:
    """Return a store of the same target with a connection of its own."""
    import copy

    twin = copy.copy(store)
    if hasattr(twin, "_connection"):
        twin._connection = None
    return twin


def test_a_server_killed_with_9_loses_and_doubles_nothing(
    tmp_path: Path, postgres: PostgresServer, request: pytest.FixtureRequest
) -> None:
    from amx.stores.postgres import PostgresSharedStore

    store = PostgresSharedStore(request.getfixturevalue("postgres_profile"), "AMX", None, {})
    store.bootstrap(Deadline(30))
    ours = Installation(tmp_path / "ours", store)
    ours.write(10)
    ours.replay()
    postgres.kill()
    try:
        ours.write(10)
        down = ours.replay()
        assert (down.delivered, down.pending) == (0, 10)
        assert down.problem
        ours.write(10)
    finally:
        postgres.start()
    up = ours.replay()
    assert (up.delivered, up.pending, up.problem) == (20, 0, None)
    assert ours.verify() == equal(30)


def test_a_file_that_was_deleted_is_never_made_again_by_a_flush(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    from amx.stores.sqlite import SQLiteSharedStore

    profile = request.getfixturevalue("sqlite_profile")
    store = SQLiteSharedStore(profile)
    store.bootstrap(Deadline(30))
    ours = Installation(tmp_path / "ours", store)
    ours.write(3)
    away = Path(profile.path).rename(tmp_path / "away.db")
    report = ours.replay()
    assert (report.delivered, report.pending) == (0, 3)
    assert not Path(profile.path).exists()
    away.rename(profile.path)
    assert ours.replay().delivered == 3
    with closing(sqlite3.connect(profile.path)) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (3,)
