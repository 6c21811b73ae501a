"""Rows that the outbox never had, or whose entries were dropped."""

from dataclasses import replace

import pytest

from amx.stores import outbox as module
from tests.local.places import Place, put_all, run, sent


def test_rows_of_local_mode_are_missing_until_they_are_entered(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    place.is_shared = False
    put_all(place)
    assert (place.counted(), place.outbox.count_missing()) == ((0, 0), 5)

    assert place.outbox.enter_missing() == 5
    assert (place.counted(), place.outbox.count_missing()) == ((5, 0), 0)
    assert place.outbox.enter_missing() == 0


def test_a_row_once_entered_is_entered_again_when_shared_mode_is_off(place: Place) -> None:
    with place.local.transaction() as writer:
        begun = writer.put(run())
    place.outbox.confirm([sent(begun)])
    place.is_shared = False

    with place.local.transaction() as writer:
        writer.put(replace(begun, proposed=1))
    place.put_event()

    assert place.queued() == [("runs", 1, 2, "pending")]


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_dropped_rows_stay_and_can_be_entered_again(
    place: Place, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(module, "CHUNK", chunk)
    put_all(place)

    assert place.outbox.drop(is_quarantined_only=False) == 5
    assert place.counted() == (0, 0)
    assert len(place.events()) == 2
    assert place.outbox.count_missing() == 5
    assert place.outbox.enter_missing() == 5
    assert place.outbox.drop(is_quarantined_only=True) == 0


def test_only_the_quarantined_are_dropped_when_asked(place: Place) -> None:
    bad, good = place.put_event(), place.put_event()
    place.outbox.quarantine(sent(bad), "bad")

    assert place.outbox.drop(is_quarantined_only=True) == 1
    assert place.queued() == [("events", good.local_id, 1, "pending")]


def test_a_change_enters_a_dropped_row_though_shared_mode_is_off(place: Place) -> None:
    with place.local.transaction() as writer:
        begun = writer.put(run())
    place.outbox.drop(is_quarantined_only=False)
    place.is_shared = False

    with place.local.transaction() as writer:
        writer.put(replace(begun, proposed=1))

    assert place.queued() == [("runs", 1, 2, "pending")]
    assert place.outbox.count_missing() == 0
