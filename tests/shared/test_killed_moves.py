"""A flush that is killed while rows get their new origin: the next one finishes, guards stand."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from amx.core.errors import LocalStoreFailed
from amx.core.origins import origins_of
from amx.core.profiles import profile_of
from amx.core.sending import Deadline
from amx.stores.sqlite import SQLiteSharedStore
from tests.shared.clones import check_whole, drained
from tests.shared.installation import Installation

FORK = multiprocessing.get_context("fork")

COMMITS = range(1, 9)
"""At the first nothing is done yet; at the last the flush has delivered everything."""


def flush_and_die(folder: Path, store: SQLiteSharedStore, statement: str, count: int) -> None:
    """Flush in this process, and kill it before it begins such a statement for this time."""
    ours = Installation(folder, store)
    seen = 0

    def trace(sql: str) -> None:
        nonlocal seen
        seen += sql.startswith(statement)
        if seen == count:
            os.kill(os.getpid(), signal.SIGKILL)

    connection = ours.local.database.connection()
    assert connection is not None
    connection.set_trace_callback(trace)
    ours.replay()


@pytest.fixture
def restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """Give an installation that was restored and has five rows whose numbers are taken."""
    monkeypatch.setattr("amx.core.marks.PAGE_ROWS", 2)
    profile = profile_of("team", {"backend": "sqlite", "path": str(tmp_path / "team.db")}, {})
    store = SQLiteSharedStore(profile)
    store.bootstrap(Deadline(30))
    ours = Installation(tmp_path / "ours", store)
    ours.write(2)
    drained(ours)
    restore = ours.backed_up()
    ours.write(7)
    drained(ours)
    restore()
    ours.write(5)
    ours.local.close()
    return ours


@pytest.mark.parametrize(
    ("statement", "count"),
    [("COMMIT", count) for count in COMMITS] + [("CREATE TRIGGER", count) for count in (1, 2, 3)],
)
def test_a_flush_that_is_killed_anywhere_is_finished_by_the_next(
    restored: Installation, statement: str, count: int
) -> None:
    words = (restored.path.parent, restored.store, statement, count)
    child = FORK.Process(target=flush_and_die, args=words)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    restored.open()
    with (
        pytest.raises(LocalStoreFailed, match="never change"),
        restored.local.database.transaction() as connection,
    ):
        connection.execute("UPDATE runs SET origin_id = 'forged'")
    restored.write()
    drained(restored)
    check_whole(restored.store, restored)
    assert len(origins_of(restored.outbox)) == 2
