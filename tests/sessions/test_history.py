"""Runs, their results and their locks, and events."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from amx.core.catalog import Proposal
from amx.core.errors import Busy, LocalStoreFailed, UnknownId
from amx.core.history import History
from amx.core.locks import NumberLocks
from amx.core.profiles import Profile
from amx.core.work import Result, Run
from tests.local.places import Place

SHOP = Profile(name="shop", backend="sqlite", path="/data/shop.db")
BOOKS = replace(SHOP, name="books", path="/data/books.db")

TABLE = Proposal(
    schema="main",
    table="orders",
    column=None,
    asset_kind="table",
    description="Orders of customers.",
    provenance="evidence",
    evidence={"tokens": ["orders"]},
)
COLUMN = replace(TABLE, column="id", asset_kind="column", description="Key.", evidence={})


@pytest.fixture
def locks(place: Place) -> NumberLocks:
    place.path.parent.mkdir()
    return NumberLocks(place.path.with_name("runs.lock"))


@pytest.fixture
def history(place: Place, locks: NumberLocks) -> History:
    return History(place.local, locks)


CHILD = """
import os, signal, sys
from pathlib import Path
from amx.core.history import History
from amx.core.locks import NumberLocks
from amx.core.profiles import Profile
from tests.local.places import Place
path = Path(sys.argv[1])
history = History(Place(path).local, NumberLocks(path.with_name("runs.lock")))
shop = Profile(name="shop", backend="sqlite", path="/data/shop.db")
for _ in range(int(sys.argv[2])):
    run = history.begin_run(shop, "evidence")
    print(run.local_id, flush=True)
sys.stdin.readline()
if sys.argv[3] == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
history.finish_run(run, "completed")
"""


@contextmanager
def another_process(place: Place, runs: int, end: str) -> Iterator[subprocess.Popen[str]]:
    """Begin runs in another process, which ends as told once its input is closed."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(place.path), str(runs), end],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as child:
        assert child.stdout
        for _ in range(runs):
            child.stdout.readline()
        yield child


def kept(run: Run, proposal: Proposal) -> tuple[object, ...]:
    """Return what a proposal must be kept as."""
    return (
        (run.id, proposal.schema, proposal.table, proposal.column, proposal.asset_kind),
        (proposal.description, proposal.provenance, "proposed", proposal.evidence),
    )


def kept_of(one: Result) -> tuple[object, ...]:
    return (
        (one.run_id, one.schema_name, one.table_name, one.column_name, one.asset_kind),
        (one.description, one.provenance, one.status, one.evidence),
    )


def statuses(history: History) -> list[str]:
    return [run.status for run in history.runs()][::-1]


def test_a_run_begins_running_and_bound(history: History, locks: NumberLocks) -> None:
    run = history.begin_run(SHOP, "model:small")

    assert (run.local_id, run.profile, run.identity) == (1, "shop", SHOP.identity)
    assert (run.target, run.describer, run.status) == (SHOP.target, "model:small", "running")
    assert (run.proposed, run.ended_at, run.error) == (0, None, None)
    assert locks.is_held(1)
    assert history.runs() == [run]


def test_results_are_kept_with_their_count(history: History, place: Place) -> None:
    run = history.begin_run(SHOP, "evidence")
    counted = history.add_results(run, [TABLE, COLUMN])

    assert counted.proposed == 2
    assert history.add_results(run, []) == counted
    assert history.add_results(run, [TABLE]).proposed == 3
    whole = kept(run, TABLE)
    assert [kept_of(one) for one in history.results(run)] == [whole, kept(run, COLUMN), whole]
    assert place.queued()[0] == ("runs", 1, 3, "pending")


def test_results_are_kept_all_or_none(history: History) -> None:
    run = history.begin_run(SHOP, "evidence")

    with pytest.raises(LocalStoreFailed):
        history.add_results(run, [TABLE, replace(TABLE, asset_kind="planet")])

    assert history.results(run) == []
    assert history.find_run(1) == run


@pytest.mark.parametrize("status", ["completed", "failed", "interrupted"])
def test_a_run_ends_once(history: History, locks: NumberLocks, status: str) -> None:
    begun = history.begin_run(SHOP, "evidence")
    history.add_results(begun, [TABLE])

    ended = history.finish_run(begun, status)

    assert (ended.status, ended.proposed, ended.error) == (status, 1, None)
    assert (ended.ended_at or "") > ended.started_at
    assert not locks.is_held(1)
    assert history.finish_run(begun, "failed", "late") == ended


def test_no_secret_is_kept_in_the_reason_of_a_failure(history: History) -> None:
    run = history.begin_run(SHOP, "evidence")

    ended = history.finish_run(run, "failed", "postgresql://me:hunter2@db/x refused")

    assert ended.error == "postgresql://me:***@db/x refused"


def test_runs_are_listed_newest_first_and_found_by_both_keys(history: History) -> None:
    first, second = history.begin_run(SHOP, "evidence"), history.begin_run(BOOKS, "evidence")

    assert history.runs() == [second, first]
    assert history.runs(limit=1) == [second]
    assert history.find_run("1") == history.find_run(first.id) == first


@pytest.mark.parametrize("key", ["0", "-1", "2", "x", "9" * 30])
def test_an_unknown_run_is_named(history: History, key: str) -> None:
    history.begin_run(SHOP, "evidence")

    with pytest.raises(UnknownId, match="There is no run ") as caught:
        history.find_run(key)
    assert caught.value.hint == "amx history list"


def test_the_latest_run_is_the_last_completed_one_of_that_database(history: History) -> None:
    assert history.latest_run(SHOP) is None
    for profile, status in ((SHOP, "completed"), (SHOP, "failed"), (BOOKS, "completed")):
        history.finish_run(history.begin_run(profile, "evidence"), status)
    history.begin_run(SHOP, "evidence")

    assert history.latest_run(replace(SHOP, name="twin")) == history.find_run(1)


def test_an_event_says_what_happened(history: History, place: Place) -> None:
    event = history.record_event("restore", "config.yml", {"generation": 2}, profile="shop")

    assert place.events() == [event]
    assert (event.kind, event.subject, event.profile) == ("restore", "config.yml", "shop")
    assert event.details == {"generation": 2}


def test_a_living_run_of_this_process_is_not_interrupted(history: History, place: Place) -> None:
    history.begin_run(SHOP, "evidence")

    assert history.mark_interrupted() == 0
    assert place.queued() == [("runs", 1, 1, "pending")]
    assert statuses(history) == ["running"]


def test_a_living_run_of_another_process_is_not_interrupted(history: History, place: Place) -> None:
    with another_process(place, 1, "finish") as child:
        assert history.mark_interrupted() == 0
        assert statuses(history) == ["running"]
        child.communicate("\n")

    assert history.mark_interrupted() == 0
    assert statuses(history) == ["completed"]


def test_killed_runs_are_marked_and_their_results_kept(history: History, place: Place) -> None:
    alive = history.begin_run(SHOP, "evidence")
    with another_process(place, 2, "kill") as child:
        child.communicate("\n")
    assert child.returncode == -9

    assert history.mark_interrupted() == 2
    assert history.mark_interrupted() == 0
    assert statuses(history) == ["running", "interrupted", "interrupted"]
    assert all(run.ended_at for run in history.runs()[:2])
    assert history.find_run(1) == alive
    assert place.queued()[1:] == [("runs", 2, 2, "pending"), ("runs", 3, 2, "pending")]


def test_a_run_is_never_seen_without_its_lock(place: Place, locks: NumberLocks) -> None:
    history = History(place.local, locks)
    held: list[bool] = []

    class Watched(NumberLocks):
        """Looks, from another connection, whether the run is seen when its lock is taken."""

        def hold(self, number: int) -> None:
            held.append(bool(Place(place.path, is_read_only=True).local.select(Run)))
            super().hold(number)

    watched = History(place.local, lambda: Watched(place.path.with_name("other.lock")))
    watched.begin_run(SHOP, "evidence")

    assert held == [False]
    assert len(history.runs()) == 1


def test_a_run_whose_lock_cannot_be_had_does_not_begin(place: Place, locks: NumberLocks) -> None:
    class Taken(NumberLocks):
        """A lock file whose locks another process holds."""

        def hold(self, number: int) -> None:
            raise BlockingIOError(number)

    history = History(place.local, Taken(place.path.with_name("taken.lock")))

    with pytest.raises(Busy, match="The lock of run 1 is held by another process"):
        history.begin_run(SHOP, "evidence")
    assert history.runs() == []


def test_a_run_that_was_not_stored_keeps_no_lock(
    place: Place, locks: NumberLocks, history: History
) -> None:
    class Failing(NumberLocks):
        """Breaks the transaction after the lock was taken."""

        def hold(self, number: int) -> None:
            locks.hold(number)
            raise MemoryError

        def release(self, number: int) -> None:
            locks.release(number)

    with pytest.raises(MemoryError):
        History(place.local, Failing(place.path.with_name("f.lock"))).begin_run(SHOP, "evidence")

    assert not locks.is_held(1)
    assert history.runs() == []


def test_marking_an_empty_history_makes_nothing(place: Place) -> None:
    def opened() -> NumberLocks:
        pytest.fail("the lock file was opened")

    reader = Place(place.path, is_read_only=True).local
    assert History(place.local, opened, reader).mark_interrupted() == 0
    assert not place.path.parent.exists()


def test_the_locks_are_opened_once(place: Place, locks: NumberLocks) -> None:
    opened: list[NumberLocks] = []

    def open_locks() -> NumberLocks:
        opened.append(locks)
        return locks

    history = History(place.local, open_locks)
    history.begin_run(SHOP, "evidence")
    history.begin_run(SHOP, "evidence")

    assert opened == [locks]
