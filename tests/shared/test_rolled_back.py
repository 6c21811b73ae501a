"""Local stores that were restored or cloned: noticed before anything is sent, nothing collides."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from amx.core.errors import LocalStoreFailed, Transient
from amx.core.models import Values
from amx.core.origins import origins_of
from amx.core.ports import SharedStore
from amx.core.sending import Deadline, Number, Numbers
from amx.core.tables import RUNS, Table
from tests.shared.clones import check_whole, clone, drained, local_rows, repeated, shared_rows
from tests.shared.installation import Faulty, Installation, equal


def test_new_rows_of_a_restored_local_store_are_noticed_before_anything_is_sent(
    ours: Installation,
) -> None:
    ours.write(3)
    drained(ours)
    [before] = origins_of(ours.outbox)
    restore = ours.backed_up()
    ours.write(4)
    drained(ours)
    lost = [row["id"] for row in shared_rows(ours.store, ours)][3:]
    restore()
    late = ours.write(2)
    seen: list[tuple[list[int], set[object]]] = []
    report = ours.replay(
        Faulty(
            ours.store,
            lambda sent: seen.append((list(ours.rolled_back), {row["origin_id"] for row in sent})),
        )
    )
    assert (report.delivered, report.pending, report.quarantined) == (2, 0, 0)
    [_, now] = origins_of(ours.outbox)
    assert seen == [([2], {now})]
    assert now != before
    check_whole(ours.store, ours)
    stored = {row["id"]: row for row in shared_rows(ours.store, ours)}
    assert len(stored) == 9
    assert {stored[key]["origin_id"] for key in lost} == {before}
    assert {stored[run.id]["origin_id"] for run in late} == {now}
    assert ours.verify().is_equal
    assert ours.verify().elsewhere == 4


def test_only_the_origin_of_a_row_that_was_never_sent_is_put_right(ours: Installation) -> None:
    ours.write()
    drained(ours)
    restore = ours.backed_up()
    ours.write()
    drained(ours)
    restore()
    ours.write(error="kept")
    first, second = local_rows(ours)
    drained(ours)
    assert local_rows(ours) == [first, {**second, "origin_id": origins_of(ours.outbox)[-1]}]
    with (
        pytest.raises(LocalStoreFailed, match="never change"),
        ours.local.database.transaction() as one,
    ):
        one.execute("UPDATE runs SET origin_id = 'forged'")


def test_a_restored_local_store_is_noticed_where_it_wrote_more_than_it_had_lost(
    ours: Installation,
) -> None:
    ours.write(2)
    drained(ours)
    restore = ours.backed_up()
    ours.write(2)
    drained(ours)
    restore()
    ours.write(9)
    drained(ours)
    assert ours.rolled_back == [9]
    check_whole(ours.store, ours)


def test_a_restored_local_store_is_noticed_where_it_only_changed_a_row(ours: Installation) -> None:
    [run] = ours.write()
    drained(ours)
    restore = ours.backed_up()
    ours.write()
    drained(ours)
    restore()
    ours.change(run, status="completed")
    drained(ours)
    assert ours.rolled_back == [0]
    [new] = ours.write()
    assert new.origin_id == origins_of(ours.outbox)[1]
    drained(ours)
    assert ours.rolled_back == [0]
    check_whole(ours.store, ours)


def test_rows_that_were_written_with_shared_mode_off_collide_no_less(ours: Installation) -> None:
    ours.write(2)
    drained(ours)
    restore = ours.backed_up()
    ours.write(3)
    drained(ours)
    restore()
    ours.write(2)
    ours.outbox.drop(is_quarantined_only=False)
    ours.write()
    drained(ours)
    ours.outbox.enter_missing()
    drained(ours)
    check_whole(ours.store, ours)


@pytest.mark.parametrize("first", [0, 1])
def test_two_clones_that_are_both_alive_end_with_different_origins(
    ours: Installation, tmp_path: Path, first: int
) -> None:
    ours.write(3)
    drained(ours)
    both = [ours, clone(ours, tmp_path / "theirs")]
    for index in range(3):
        for one in both:
            one.write(1 + index)
            one.note()
        drained(both[first], both[1 - first])
    check_whole(ours.store, *both)
    assert len(shared_rows(ours.store, *both)) == 3 + 2 * (6 + 3)
    assert [len(one.rolled_back) for one in (both[first], both[1 - first])] == [0, 1]
    assert len({origins_of(one.outbox)[-1] for one in both}) == 2
    assert [one.verify().is_equal for one in both] == [True, True]


@pytest.mark.parametrize("is_written_before", [False, True])
def test_homes_that_were_cloned_before_their_first_flush_do_not_collide(
    ours: Installation, tmp_path: Path, is_written_before: bool
) -> None:
    if is_written_before:
        common = len(ours.write(2))
    else:  # an image with an origin and no row of the history to send
        common = 0
        ours.write()
        ours.outbox.drop(is_quarantined_only=False)
    theirs = clone(ours, tmp_path / "theirs")
    both = [ours, theirs]
    for one in both:
        one.write(2)
    drained(*both)
    drained(*both)
    found = shared_rows(ours.store, *both)
    assert repeated(found) == []
    assert len(found) == common + 4
    assert theirs.rolled_back == [2]
    assert origins_of(ours.outbox)[-1] != origins_of(theirs.outbox)[-1]


def test_what_was_queued_when_the_machine_was_cloned_arrives_once(
    ours: Installation, tmp_path: Path
) -> None:
    ours.write()
    drained(ours)
    common = ours.write(2)
    theirs = clone(ours, tmp_path / "theirs")
    theirs.note()
    theirs.write()
    drained(ours, theirs)
    ours.write()
    drained(ours, theirs)
    check_whole(ours.store, ours, theirs)
    stored = {row["id"]: row for row in shared_rows(ours.store, ours)}
    assert {stored[run.id]["origin_id"] for run in common} == {origins_of(ours.outbox)[0]}


def test_a_copy_of_a_copy_takes_what_its_twin_has_sent_for_its_own(
    ours: Installation, tmp_path: Path
) -> None:
    ours.write()
    theirs = clone(ours, tmp_path / "theirs")
    [late] = theirs.write()
    twin = clone(theirs, tmp_path / "twin")
    ours.write()
    drained(ours, theirs)
    twin.change(late, status="completed")
    drained(twin)
    check_whole(ours.store, ours, theirs, twin)
    assert twin.verify() == replace(equal(2), elsewhere=1)
    stored = {row["id"]: row for row in shared_rows(ours.store, twin)}[late.id]
    assert (stored["status"], stored["origin_id"]) == ("completed", origins_of(theirs.outbox)[-1])


def test_a_number_that_two_clones_sent_at_the_same_instant_is_noticed_by_the_next_flush(
    ours: Installation, tmp_path: Path
) -> None:
    ours.write()
    drained(ours)
    theirs = clone(ours, tmp_path / "theirs")
    ours.write()
    theirs.write()
    drained_meanwhile: list[int] = []

    def meanwhile(_sent: Sequence[Values]) -> None:
        if not drained_meanwhile:
            drained_meanwhile.append(theirs.replay().delivered)

    ours.replay(Faulty(ours.store, meanwhile))
    assert drained_meanwhile == [1]
    assert len(repeated(shared_rows(ours.store, ours))) == 1
    for one in (ours, theirs):
        one.write(2)
        drained(one)
        assert one.rolled_back == [2]
    assert len(repeated(shared_rows(ours.store, ours, theirs))) == 1
    assert len({row["id"] for row in shared_rows(ours.store, ours, theirs)}) == 1 + 2 + 4


def test_a_lost_acknowledgement_is_no_restored_store(ours: Installation) -> None:
    ours.write(5)
    drained(ours)
    ours.write(5)

    def swallow(values: Sequence[Values]) -> None:
        ours.store.upsert(RUNS, values, Deadline(30))
        raise Transient("server closed the connection unexpectedly")

    ours.replay(Faulty(ours.store, swallow))
    ours.write(5)
    drained(ours)
    assert (ours.rolled_back, ours.restored, len(origins_of(ours.outbox))) == ([], [], 1)
    assert ours.verify() == equal(15)


class Counting(Faulty):
    """A store that counts what it is asked, and fails at one question."""

    def __init__(self, store: SharedStore, fails_at: int = 0) -> None:
        super().__init__(store, lambda _sent: None)
        self.asked: list[str] = []
        self.fails_at = fails_at

    def numbers(
        self, origin: str, above: Mapping[str, int], deadline: Deadline
    ) -> Mapping[str, Numbers]:
        self.asked.append("numbers")
        return self.real.numbers(origin, above, deadline)

    def numbered(
        self, table: Table, origin: str, after: Number, limit: int, deadline: Deadline
    ) -> Sequence[Number]:
        self.asked.append("numbered")
        if self.asked.count("numbered") == self.fails_at:
            raise Transient("gone")
        return self.real.numbered(table, origin, after, limit, deadline)


def test_a_flush_asks_one_question_more_for_all_this(ours: Installation) -> None:
    store = Counting(ours.store)
    for _ in range(3):
        ours.write(5)
        ours.note()
        ours.replay(store)
    assert store.asked == ["numbers"] * 3


@pytest.mark.parametrize("fails_at", [1, 2, 3, 4])
def test_a_look_that_was_cut_off_is_finished_by_the_next(
    ours: Installation, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    monkeypatch.setattr("amx.core.marks.PAGE_ROWS", 2)
    ours.write(2)
    drained(ours)
    restore = ours.backed_up()
    ours.write(7)
    drained(ours)
    restore()
    ours.write(5)
    report = ours.replay(Counting(ours.store, fails_at))
    assert (report.delivered, report.problem) == (0, "gone")
    ours.write()
    drained(ours)
    assert len(ours.rolled_back) == 1
    assert len(origins_of(ours.outbox)) == 2
    check_whole(ours.store, ours)


def test_what_an_older_client_had_confirmed_is_compared_once_page_by_page(
    ours: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amx.core.marks.PAGE_ROWS", 10)
    ours.write(35)
    drained(ours)
    ours.outbox.set_state({"marks": None})
    ours.write()
    cut = Counting(ours.store, fails_at=3)
    assert ours.replay(cut).problem == "gone"
    again = Counting(ours.store)
    assert ours.replay(again).delivered == 1
    assert again.asked == ["numbers", *["numbered"] * 3]
    assert ours.rolled_back == []
