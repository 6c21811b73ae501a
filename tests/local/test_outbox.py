"""The outbox: what enters it, is taken, confirmed, set aside and opened again."""

from dataclasses import replace

import pytest

from amx.core.reports import OutboxEntry, QueueCounts
from amx.core.sending import Position
from amx.core.tables import BY_NAME, EVENTS
from amx.core.work import Event
from amx.stores import outbox as module
from tests.local.places import Place, put_all, run, sent

MIB = 1 << 20


def taken(place: Place, rows: int = 10, max_bytes: int = MIB) -> list[tuple[str, int]]:
    """Take everything; return the table and the size of each batch."""
    sizes, after = [], None
    while batch := place.outbox.take(after, rows, max_bytes):
        sizes.append((batch.table.name, len(batch.rows)))
        after = batch.last
    return sizes


def test_an_entry_tells_where_the_row_is_and_no_more(place: Place) -> None:
    written = place.put_event()

    [entry] = place.outbox.entries(is_quarantined_only=False, limit=None)

    assert entry == OutboxEntry(
        id=1,
        table="events",
        row_id=written.id,
        local_id=1,
        revision=1,
        state="pending",
        attempts=0,
        queued_at=entry.queued_at,
        last_error=None,
    )
    assert entry.queued_at >= written.created_at


def test_many_changes_of_a_row_are_one_entry_of_its_first_moment(place: Place) -> None:
    with place.local.transaction() as writer:
        begun = writer.put(run())
    before = place.outbox.counts()
    for count in range(1, 4):
        with place.local.transaction() as writer:
            writer.put(replace(begun, proposed=count))

    assert place.queued() == [("runs", 1, 4, "pending")]
    assert place.outbox.counts() == before


def test_parents_are_taken_first_and_rows_in_key_order(place: Place) -> None:
    put_all(place)

    assert taken(place) == [("runs", 1), ("sessions", 1), ("turns", 1), ("events", 2)]

    batch = place.outbox.take(Position("turns", "~"), 10, MIB)
    assert batch
    assert [row["local_id"] for row in batch.rows] == [1, 2]
    assert [tuple(row) for row in batch.rows] == [EVENTS.names] * 2
    assert batch.rows[0]["details"] == '{"a":[1,null,"ü"]}'


def test_a_batch_holds_as_many_rows_as_asked_for(place: Place) -> None:
    for _ in range(5):
        place.put_event()

    assert taken(place, rows=2) == [("events", 2), ("events", 2), ("events", 1)]


def test_a_batch_stops_before_its_size_and_always_holds_a_row(place: Place) -> None:
    for _ in range(3):
        place.put_event("ü" * 1000)

    assert taken(place, max_bytes=1) == [("events", 1)] * 3
    assert taken(place, max_bytes=5000) == [("events", 2), ("events", 1)]


def test_nothing_is_open_after_a_batch_was_taken(place: Place) -> None:
    for _ in range(3):
        place.put_event()
    place.outbox.take(None, 1, MIB)

    connection = place.local.database.connection()
    assert connection
    assert not connection.in_transaction
    # A reader that was left open would keep the log from being emptied.
    assert tuple(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()) == (0, 0, 0)


def test_confirmed_rows_leave_and_changed_ones_stay(place: Place) -> None:
    with place.local.transaction() as writer:
        begun = writer.put(run())
    gone = place.put_event()
    with place.local.transaction() as writer:
        writer.put(replace(begun, proposed=1))

    assert place.outbox.confirm([sent(begun), sent(gone)]) == 1
    assert place.queued() == [("runs", 1, 2, "pending")]
    assert place.counted() == (1, 0)
    assert place.outbox.confirm([]) == 0


def test_confirming_more_than_a_chunk_confirms_all(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    rows = [place.put_event() for _ in range(5)]

    assert place.outbox.confirm([sent(row) for row in rows]) == 5
    assert place.queued() == []


def test_a_quarantined_row_is_passed_over_until_it_is_reopened(place: Place) -> None:
    first, second = place.put_event(), place.put_event()
    place.outbox.quarantine(sent(first), "22P02: bad\0value")

    assert taken(place) == [("events", 1)]
    assert place.counted() == (1, 1)
    [entry] = place.outbox.entries(is_quarantined_only=True, limit=5)
    assert (entry.row_id, entry.attempts, entry.last_error) == (
        first.id,
        1,
        "22P02: bad\ufffdvalue",
    )

    assert place.outbox.reopen([entry.id, 99]) == 1
    assert place.outbox.reopen(None) == 0
    assert place.counted() == (2, 0)
    assert place.outbox.confirm([sent(first), sent(second)]) == 2


def test_a_row_that_changed_since_is_not_quarantined(place: Place) -> None:
    with place.local.transaction() as writer:
        begun = writer.put(run())
        writer.put(replace(begun, proposed=1))

    place.outbox.quarantine(sent(begun), "too late")

    assert place.queued() == [("runs", 1, 2, "pending")]


def test_a_change_opens_a_quarantined_entry_again(place: Place) -> None:
    with place.local.transaction() as writer:
        begun = writer.put(run())
    place.outbox.quarantine(sent(begun), "bad")
    with place.local.transaction() as writer:
        writer.put(replace(begun, proposed=1))

    [entry] = place.outbox.entries(is_quarantined_only=False, limit=None)
    assert (entry.state, entry.revision, entry.last_error) == ("pending", 2, None)
    assert place.counted() == (1, 0)


def test_failed_attempts_are_counted(place: Place) -> None:
    row = place.put_event()
    place.outbox.note_attempt([sent(row)], "connection refused")
    place.outbox.note_attempt([sent(row), ("events", row.id, 9)], "time-out")

    [entry] = place.outbox.entries(is_quarantined_only=False, limit=None)
    assert (entry.attempts, entry.last_error, entry.state) == (2, "time-out", "pending")


def test_entries_are_listed_oldest_first_up_to_a_limit(place: Place) -> None:
    rows = [place.put_event() for _ in range(3)]

    listed = place.outbox.entries(is_quarantined_only=False, limit=2)

    assert [one.row_id for one in listed] == [row.id for row in rows[:2]]
    assert place.outbox.entries(is_quarantined_only=False, limit=-1) == []


def test_rows_are_entered_again_as_they_are(place: Place) -> None:
    row = place.put_event()
    place.outbox.confirm([sent(row)])

    assert place.outbox.enter("events", [row.id, "unknown"]) == 1
    assert place.queued() == [("events", 1, 1, "pending")]


@pytest.mark.parametrize(("above", "expected"), [(0, 1), (1, 2), (7, 8)])
def test_a_revision_is_raised_above_another(place: Place, above: int, expected: int) -> None:
    row = place.put_event()
    place.outbox.confirm([sent(row)])

    place.outbox.raise_revision("events", row.id, above)

    assert place.local.find(Event, row.id) == replace(row, revision=expected)
    assert place.queued() == [("events", 1, expected, "pending")]


def test_local_rows_come_in_key_order_from_behind_a_key(place: Place) -> None:
    rows = [place.put_event() for _ in range(3)]
    table = BY_NAME["events"]

    keys = [row["id"] for row in place.outbox.local_rows(table, rows[0].id, 5)]
    assert keys == [row.id for row in rows[1:]]
    assert len(place.outbox.local_rows(table, "", 2)) == 2
    assert place.outbox.pending_among("events", [rows[0].id, "unknown"]) == {rows[0].id}


def test_facts_are_kept_changed_and_forgotten(place: Place) -> None:
    place.outbox.set_state({"back_off": "1", "target": "there"})
    place.outbox.set_state({"back_off": "2", "target": None})

    assert [place.outbox.state(key) for key in ("back_off", "target")] == ["2", None]


def test_the_oldest_pending_moment_ignores_the_quarantined(place: Place) -> None:
    old, new = place.put_event(), place.put_event()
    entries = place.outbox.entries(is_quarantined_only=False, limit=None)

    assert place.outbox.counts() == QueueCounts(
        pending=2, quarantined=0, oldest_pending_at=entries[0].queued_at
    )
    place.outbox.quarantine(sent(old), "bad")
    assert place.outbox.counts().oldest_pending_at == entries[1].queued_at
    place.outbox.confirm([sent(new)])
    assert place.outbox.counts() == QueueCounts(pending=0, quarantined=1, oldest_pending_at=None)


def test_nothing_counts_the_queue(place: Place) -> None:
    put_all(place)
    seen: list[str] = []
    connection = place.local.database.connection()
    assert connection
    connection.set_trace_callback(seen.append)
    place.outbox.counts()
    connection.set_trace_callback(None)

    plans = [place.local.database.query(f"EXPLAIN QUERY PLAN {sql}") for sql in seen]
    assert len(plans) == 3
    assert not [row["detail"] for plan in plans for row in plan if "SCAN" in row["detail"]]
