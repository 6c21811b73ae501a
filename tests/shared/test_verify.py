"""The proof that both sides agree, and what it finds when they do not."""

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amx.core.models import Values
from amx.core.origins import begin_origin, origins_of
from amx.core.ports import SharedStore
from amx.core.reports import VerifyReport
from amx.core.sending import Deadline
from amx.core.tables import RESULTS, RUNS, TURNS
from amx.core.verify import PAGE_ROWS, State, Verifier, merged, state_of
from tests.shared import rows
from tests.shared.installation import Installation


@pytest.fixture
def ours(tmp_path: Path, store: SharedStore) -> Installation:
    """Give an installation whose shared store is ready."""
    return Installation(tmp_path / "ours", store)


def test_each_kind_of_difference_is_found_and_repaired(ours: Installation) -> None:
    good, stale, altered = ours.write(3)
    ours.replay()
    ours.change(stale, status="failed")
    ours.outbox.drop(is_quarantined_only=False)
    [missing] = ours.write()
    ours.outbox.drop(is_quarantined_only=False)
    [pending] = ours.write()
    tampered = rows.run(id=altered.id, revision=5, origin_id=altered.origin_id, error="forged")
    ours.store.upsert(RUNS, [tampered], Deadline(30))
    ghost = rows.run(origin_id=good.origin_id)
    ours.store.upsert(RUNS, [ghost], Deadline(30))
    found = ours.verify()
    assert found == VerifyReport(checked=4, pending=1, missing=1, stale=1, altered=1, extra=1)
    assert not found.is_equal
    assert Verifier(ours.outbox, ours.store).repair() == 3
    assert ours.replay().delivered == 4
    assert ours.verify() == VerifyReport(
        checked=5, pending=0, missing=0, stale=0, altered=0, extra=1
    )
    assert missing.id != pending.id


def test_rows_of_other_installations_do_not_count(ours: Installation) -> None:
    ours.write(2)
    ours.replay()
    ours.store.upsert(RUNS, [rows.run(origin_id="another")], Deadline(30))
    assert ours.verify() == VerifyReport(
        checked=2, pending=0, missing=0, stale=0, altered=0, extra=0
    )


def test_rows_of_former_origins_still_count(ours: Installation) -> None:
    ours.write(2)
    first = origins_of(ours.outbox)
    second = begin_origin(ours.outbox)
    ours.write(3)
    ours.replay()
    assert origins_of(ours.outbox) == [*first, second]
    assert ours.verify().checked == 5


def test_only_what_the_store_lacks_is_entered(ours: Installation) -> None:
    ours.write(4)
    ours.replay()
    ours.write(3)
    ours.outbox.drop(is_quarantined_only=False)
    assert Verifier(ours.outbox, ours.store).enter_missing() == 3
    assert ours.outbox.counts().pending == 3


def test_many_pages_are_compared_to_their_end(ours: Installation) -> None:
    ours.write(PAGE_ROWS + 1)
    ours.replay()
    assert ours.verify().checked == PAGE_ROWS + 1


def test_many_rows_are_entered_again_a_chunk_per_transaction(ours: Installation) -> None:
    count = 4001
    ours.write(count)
    ours.outbox.drop(is_quarantined_only=False)
    connection = ours.local.database.connection()
    assert connection is not None
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    assert Verifier(ours.outbox, ours.store).enter_missing() == count
    assert sum(one.startswith("BEGIN") for one in statements) == 3
    connection.set_trace_callback(None)
    assert ours.outbox.counts().pending == count


def test_many_altered_rows_are_raised_a_chunk_per_transaction(ours: Installation) -> None:
    runs = ours.write(50)
    ours.replay()
    forged = [
        rows.run(id=run.id, revision=index + 2, origin_id=run.origin_id, error="forged")
        for index, run in enumerate(runs)
    ]
    ours.store.upsert(RUNS, forged, Deadline(30))
    connection = ours.local.database.connection()
    assert connection is not None
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    assert Verifier(ours.outbox, ours.store).repair() == 50
    connection.set_trace_callback(None)
    assert sum(one.startswith("BEGIN") for one in statements) == 1
    assert ours.replay().delivered == 50
    assert ours.verify().is_equal
    revisions = [row["revision"] for row in ours.outbox.local_rows(RUNS, "", 99)]
    assert sorted(map(str, revisions)) == sorted(str(index + 3) for index in range(50))


def test_shared_rows_whose_parent_is_not_there_are_reported(ours: Installation) -> None:
    origin = ours.write()[0].origin_id
    ours.replay()
    [parent] = ours.outbox.local_rows(RUNS, "", 9)
    orphans = [rows.result(run_id="nobody", origin_id=origin) for _ in range(2)]
    child = rows.result(run_id=parent["id"], origin_id=origin)
    ours.store.upsert(RESULTS, [*orphans, child], Deadline(30))
    ours.store.upsert(TURNS, [rows.turn(session_id="none", origin_id=origin)], Deadline(30))
    ours.store.upsert(TURNS, [rows.turn(session_id="none", origin_id="another")], Deadline(30))
    found = ours.verify()
    assert (found.orphans, found.extra, found.is_equal) == (3, 4, False)


def test_the_memory_of_verify_does_not_grow_with_the_rows(ours: Installation) -> None:
    peaks = []
    for count in (3 * PAGE_ROWS, 12 * PAGE_ROWS):
        ours.write(count)
        ours.replay()
        tracemalloc.start()
        assert ours.verify().is_equal
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert ours.verify().checked == 15 * PAGE_ROWS
    assert peaks[1] < 1.2 * peaks[0]


ROW = {"id": "a", "revision": 2, "status": "x"}


@pytest.mark.parametrize(
    ("local", "shared", "is_pending", "state"),
    [
        (ROW, ROW, False, State.EQUAL),
        (ROW, None, False, State.MISSING),
        (ROW, None, True, State.PENDING),
        (None, ROW, False, State.EXTRA),
        (ROW, {**ROW, "revision": 1}, False, State.STALE),
        (ROW, {**ROW, "revision": 3}, False, State.ALTERED),
        (ROW, {**ROW, "status": "y"}, False, State.ALTERED),
        (ROW, {**ROW, "status": "y"}, True, State.PENDING),
    ],
)
def test_a_row_is_judged_by_its_two_sides(
    local: Values | None,
    shared: Values | None,
    is_pending: bool,
    state: State,
) -> None:
    assert state_of(local, shared, is_pending=is_pending) is state


@given(mine=st.sets(st.text(min_size=1)), theirs=st.sets(st.text(min_size=1)))
def test_two_sides_are_paired_by_their_keys(mine: set[str], theirs: set[str]) -> None:
    sides = [iter([{"id": key} for key in sorted(side)]) for side in (mine, theirs)]
    pairs = list(merged(*sides))
    assert [(one or two or {})["id"] for one, two in pairs] == sorted(mine | theirs)
    assert {one["id"] for one, _ in pairs if one} == mine
    assert {two["id"] for _, two in pairs if two} == theirs
    assert all(one == two for one, two in pairs if one and two)
