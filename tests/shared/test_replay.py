"""The replayer, from a real local store to real shared stores of both backends."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from amx.core import back_off
from amx.core.errors import RowsRejected, SharedStoreMismatch, Systemic, Transient
from amx.core.models import Values
from amx.core.origins import origins_of
from amx.core.ports import SharedStore
from amx.core.sending import Batch, Deadline, Position
from amx.core.tables import RUNS
from amx.core.targets import LAST_FLUSH
from tests.shared import rows
from tests.shared.conftest import store_of
from tests.shared.installation import Faulty, Installation, equal


@pytest.fixture(params=["postgresql", "postgresql-copy", "sqlite"])
def bare_store(request: pytest.FixtureRequest) -> SharedStore:
    """Give a store of each backend, without a schema; PostgreSQL's also with every row copied."""
    return store_of(request)


def raising(error: Exception) -> Callable[[Sequence[Values]], None]:
    def fault(_values: Sequence[Values]) -> None:
        raise error

    return fault


def test_all_that_is_queued_arrives_and_leaves_the_queue(
    ours: Installation, batch_rows: int
) -> None:
    ours.write(batch_rows + 10)
    ours.note()
    report = ours.replay()
    assert (report.delivered, report.pending, report.quarantined) == (batch_rows + 11, 0, 0)
    assert report.problem is None
    assert ours.verify() == equal(batch_rows + 11)
    assert ours.outbox.state(LAST_FLUSH)


def test_an_empty_queue_opens_no_store(ours: Installation) -> None:
    def never() -> SharedStore:
        raise AssertionError

    replayer = ours.replayer()
    replayer._open_store = never
    assert replayer.replay(Deadline(1)).delivered == 0


def test_many_changes_of_a_row_are_sent_once_in_their_last_form(ours: Installation) -> None:
    [run] = ours.write()
    for proposed in range(5):
        run = ours.change(run, proposed=proposed)
    assert ours.replay().delivered == 1
    ours.change(run, status="completed")
    assert ours.replay().delivered == 1
    assert ours.verify() == equal(1)


def test_no_more_rows_go_than_the_limit_says(ours: Installation) -> None:
    ours.write(5)
    report = ours.replay(limit=2)
    assert (report.delivered, report.pending) == (2, 3)


def test_it_stops_between_batches_when_told_to(ours: Installation, batch_rows: int) -> None:
    ours.write(4 * batch_rows)
    told: list[tuple[int, int]] = []
    report = ours.replay(
        is_stopping=lambda: bool(told), progress=lambda done, left: told.append((done, left))
    )
    # The batch that was under way when the word came is the last one.
    assert (report.delivered, report.pending) == (2 * batch_rows, 2 * batch_rows)
    assert told == [(batch_rows, 3 * batch_rows), (2 * batch_rows, 2 * batch_rows)]


def test_no_batch_follows_one_during_which_it_was_told_to_stop(
    ours: Installation, batch_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours.write(2 * batch_rows)
    is_next_read = threading.Event()
    real, reads = ours.outbox.take, iter((None, is_next_read.set))

    def take(after: Position | None, rows: int, max_bytes: int) -> Batch | None:
        batch = real(after, rows, max_bytes)
        if told := next(reads, None):
            told()
        return batch

    monkeypatch.setattr(ours.outbox, "take", take)

    def wait(_values: Sequence[Values]) -> None:
        is_next_read.wait(30)

    slow = Faulty(ours.store, wait)
    report = ours.replay(slow, is_stopping=is_next_read.is_set)
    assert (report.delivered, report.pending) == (batch_rows, batch_rows)
    assert slow.sent == [batch_rows]


def test_while_the_store_works_the_batch_before_is_confirmed_and_the_next_is_read(
    ours: Installation, batch_rows: int
) -> None:
    ours.write(3 * batch_rows)
    is_told = threading.Event()
    waits: list[bool] = []

    def second_waits_for_the_first_to_be_confirmed(_values: Sequence[Values]) -> None:
        if len(gate.sent) == 2:
            waits.append(is_told.wait(30))

    gate = Faulty(ours.store, second_waits_for_the_first_to_be_confirmed)
    report = ours.replay(gate, progress=lambda _done, _left: is_told.set())
    assert waits == [True]
    assert (report.delivered, gate.sent) == (3 * batch_rows, [batch_rows] * 3)
    assert ours.verify() == equal(3 * batch_rows)


def test_no_row_is_sent_beyond_the_limit_though_batches_overlap(
    ours: Installation, batch_rows: int
) -> None:
    ours.write(3 * batch_rows)
    counted = Faulty(ours.store, lambda _values: None)
    report = ours.replay(counted, limit=batch_rows + 3)
    assert (report.delivered, report.pending) == (batch_rows + 3, 2 * batch_rows - 3)
    assert counted.sent == [batch_rows, 3]


def test_a_store_out_of_reach_keeps_everything_and_is_left_alone_for_a_while(
    ours: Installation,
) -> None:
    ours.write(3)
    report = ours.replay(Faulty(ours.store, raising(Transient("no route"))))
    assert (report.delivered, report.pending, report.problem) == (0, 3, "no route")
    assert back_off.runs_until(ours.outbox)
    assert ours.outbox.state(back_off.LAST_ERROR) == "no route"
    entries = ours.outbox.entries(is_quarantined_only=False, limit=None)
    assert [(entry.attempts, entry.last_error) for entry in entries] == [(1, "no route")] * 3
    assert ours.replay().delivered == 3
    assert back_off.runs_until(ours.outbox) is None
    assert ours.outbox.state(back_off.LAST_ERROR) is None


def test_no_time_at_all_is_no_fault_of_the_store(ours: Installation) -> None:
    ours.write(3)
    report = ours.replayer().replay(Deadline(0))
    assert (report.delivered, report.pending, report.problem) == (0, 3, None)
    assert back_off.runs_until(ours.outbox) is None


def test_after_a_time_out_the_batches_are_halved_until_it_works(
    ours: Installation, batch_rows: int
) -> None:
    ours.write(batch_rows)
    slow = Faulty(ours.store, raising(Transient("slow", details={"sqlstate": "57014"})))
    ours.replay(slow)
    ours.replay(slow)
    assert slow.sent == [batch_rows, batch_rows // 2]
    healthy = Faulty(ours.store, lambda _values: None)
    ours.replay(healthy)
    assert healthy.sent == [batch_rows // 4] * 4
    ours.write(batch_rows)
    ours.replay(healthy)
    assert healthy.sent[4:] == [batch_rows]


def test_a_lost_acknowledgement_leaves_no_duplicate(ours: Installation) -> None:
    ours.write(20)

    def swallow(values: Sequence[Values]) -> None:
        ours.store.upsert(RUNS, values, Deadline(30))
        raise Transient("server closed the connection unexpectedly")

    report = ours.replay(Faulty(ours.store, swallow))
    assert (report.delivered, report.pending) == (0, 20)
    assert ours.replay().delivered == 20
    assert ours.verify() == equal(20)
    assert ours.rolled_back == []


def test_exactly_the_poisoned_rows_are_quarantined_and_all_others_arrive(
    ours: Installation,
) -> None:
    ours.write(200)
    poisoned = [str(run.id) for run in ours.write(7, profile="poison")]
    ours.write(200)

    def refuse(values: Sequence[Values]) -> None:
        if any(row["profile"] == "poison" for row in values):
            raise RowsRejected("a trigger says no", sqlstate="P0001")

    report = ours.replay(Faulty(ours.store, refuse))
    assert (report.delivered, report.pending, report.quarantined) == (400, 0, 7)
    entries = ours.outbox.entries(is_quarantined_only=True, limit=None)
    assert {entry.row_id for entry in entries} == set(poisoned)
    assert {entry.last_error for entry in entries} == {"P0001: a trigger says no"}
    assert ours.verify() == equal(400, pending=7)
    assert ours.outbox.reopen(None) == 7
    assert ours.replay().delivered == 7
    assert ours.verify() == equal(407)


def test_where_row_after_row_is_refused_nothing_is_quarantined(ours: Installation) -> None:
    ours.write(100)
    ours.note()

    def refuse(values: Sequence[Values]) -> None:
        if "profile" in values[0] and "status" in values[0]:
            raise RowsRejected("new CHECK", sqlstate="23514")

    faulty = Faulty(ours.store, refuse)
    report = ours.replay(faulty)
    assert (report.delivered, report.pending, report.quarantined) == (1, 100, 0)
    assert report.problem == "runs: row after row is refused (23514): new CHECK"
    assert back_off.runs_until(ours.outbox)
    assert len(faulty.sent) < 30


def test_a_few_rows_that_are_all_refused_are_quarantined(ours: Installation) -> None:
    ours.write(3)
    refused = raising(RowsRejected("too long", sqlstate="22001"))
    report = ours.replay(Faulty(ours.store, refused))
    assert (report.pending, report.quarantined) == (0, 3)


def test_a_systemic_fault_pauses_and_quarantines_nothing(ours: Installation) -> None:
    ours.write(3)
    report = ours.replay(Faulty(ours.store, raising(Systemic("permission denied"))))
    assert (report.pending, report.quarantined, report.problem) == (3, 0, "permission denied")


def test_a_local_store_restored_from_a_backup_loses_nothing_and_begins_a_new_origin(
    ours: Installation,
) -> None:
    [first, second] = ours.write(2)
    ours.replay()
    before = origins_of(ours.outbox)
    restore = ours.backed_up()
    ours.change(first, status="completed")
    ours.change(ours.change(second, proposed=1), proposed=2)
    ours.replay()
    restore()
    ours.change(first, status="failed")
    ours.change(second, proposed=9)
    report = ours.replay()
    assert (report.pending, report.quarantined) == (0, 0)
    assert ours.rolled_back == [2]
    assert ours.verify() == equal(2)
    stored = {row["id"]: row for row in ours.store.rows(RUNS, before, "", 9, Deadline(30))}
    assert stored[first.id]["status"] == "failed"
    assert stored[second.id]["proposed"] == 9
    [third] = ours.write()
    assert [*before, third.origin_id] == origins_of(ours.outbox)
    assert third.origin_id not in before
    ours.replay()
    assert ours.verify() == equal(3)


def test_a_row_that_another_origin_holds_is_quarantined(ours: Installation) -> None:
    [run] = ours.write()
    ours.store.upsert(RUNS, [rows.run(id=run.id, origin_id="another")], Deadline(30))
    ours.write()
    report = ours.replay()
    assert (report.delivered, report.pending, report.quarantined) == (1, 0, 1)


def test_a_replay_from_elsewhere_keeps_the_first_stamp(ours: Installation) -> None:
    [run] = ours.write()
    ours.replay()
    ours.change(run, status="completed")
    ours.replay()
    [stored] = ours.store.rows(RUNS, [run.origin_id], "", 9, Deadline(30))
    assert (stored["created_by"], stored["hostname"]) == ("ada", "difference")


def test_another_store_at_the_same_address_is_refused_and_nothing_is_sent(
    ours: Installation,
) -> None:
    ours.outbox.set_state({"store_id": "the one that was enabled"})
    ours.write()
    with pytest.raises(SharedStoreMismatch) as caught:
        ours.replay()
    assert caught.value.exit_code == 3
    assert ours.outbox.counts().pending == 1
    assert ours.store.rows(RUNS, origins_of(ours.outbox), "", 9, Deadline(30)) == []


def test_a_store_without_schema_pauses_the_queue(tmp_path: Path, bare_store: SharedStore) -> None:
    ours = Installation(tmp_path / "ours", bare_store)
    ours.write()
    report = ours.replay()
    assert (report.pending, report.quarantined) == (1, 0)
    assert report.problem
