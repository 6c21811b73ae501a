"""Rows and their entries against a model that is a dict, under any order of what may happen."""

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from amx.core.work import Run
from tests.local.places import Place, run

ANY = st.integers(min_value=0, max_value=7)


class Queue(RuleBasedStateMachine):
    """Puts, changes, confirms, quarantines and drops, with shared mode on and off."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.place = Place(Path(self.folder.name) / "local.db")
        self.rows: list[Run] = []
        self.entries: dict[str, tuple[int, str]] = {}
        self.missing: set[str] = set()
        self.touched: set[str] = set()

    def teardown(self) -> None:
        self.place.local.close()
        self.folder.cleanup()

    def enter(self, row: Run) -> None:
        self.entries[row.id] = (row.revision, "pending")
        self.missing.discard(row.id)
        self.touched.add(row.id)

    @rule()
    def turn_shared_mode(self) -> None:
        self.place.is_shared = not self.place.is_shared

    @rule()
    def put(self) -> None:
        with self.place.local.transaction() as writer:
            row = writer.put(run())
        self.rows.append(row)
        self.missing.add(row.id)
        if self.place.is_shared:
            self.enter(row)

    @rule(which=ANY)
    def change(self, which: int) -> None:
        if which < len(self.rows):
            before = self.rows[which]
            with self.place.local.transaction() as writer:
                row = writer.put(replace(before, revision=0, proposed=before.proposed + 1))
            assert row.revision == before.revision + 1
            self.rows[which] = row
            if self.place.is_shared or row.id in self.touched:
                self.enter(row)

    @rule(which=ANY, is_late=st.booleans())
    def confirm(self, which: int, is_late: bool) -> None:
        if which < len(self.rows):
            row = self.rows[which]
            revision = row.revision - is_late
            count = self.place.outbox.confirm([("runs", row.id, revision)])
            is_there = self.entries.get(row.id, (-1, ""))[0] == revision
            assert count == is_there
            if is_there:
                del self.entries[row.id]

    @rule(which=ANY)
    def quarantine(self, which: int) -> None:
        if which < len(self.rows):
            row = self.rows[which]
            self.place.outbox.quarantine(("runs", row.id, row.revision), "bad")
            if row.id in self.entries:
                self.entries[row.id] = (row.revision, "quarantined")

    @rule()
    def reopen(self) -> None:
        bad = [key for key, (_, state) in self.entries.items() if state == "quarantined"]
        assert self.place.outbox.reopen(None) == len(bad)
        for key in bad:
            self.entries[key] = (self.entries[key][0], "pending")

    @rule(is_quarantined_only=st.booleans())
    def drop(self, is_quarantined_only: bool) -> None:
        left = {
            key: entry
            for key, entry in self.entries.items()
            if is_quarantined_only and entry[1] == "pending"
        }
        dropped = set(self.entries) - set(left)
        count = self.place.outbox.drop(is_quarantined_only=is_quarantined_only)
        assert count == len(dropped)
        self.entries = left
        self.missing |= dropped

    @rule()
    def enter_missing(self) -> None:
        assert self.place.outbox.enter_missing() == len(self.missing)
        for row in self.rows:
            if row.id in self.missing:
                self.enter(row)

    @rule(which=ANY, above=st.integers(min_value=0, max_value=9))
    def raise_revision(self, which: int, above: int) -> None:
        if which < len(self.rows):
            row = self.rows[which]
            self.place.outbox.raise_revision("runs", row.id, above)
            self.rows[which] = replace(row, revision=max(row.revision, above + 1))
            self.enter(self.rows[which])

    @invariant()
    def rows_and_entries_are_as_in_the_model(self) -> None:
        found = self.place.local.select(Run)
        assert list(found) == self.rows
        listed = self.place.outbox.entries(is_quarantined_only=False, limit=None)
        assert {one.row_id: (one.revision, one.state) for one in listed} == self.entries
        states = [state for _, state in self.entries.values()]
        assert self.place.counted() == (states.count("pending"), states.count("quarantined"))
        assert self.place.outbox.count_missing() == len(self.missing)

    @invariant()
    def what_is_taken_is_what_is_pending_as_it_is(self) -> None:
        batch = self.place.outbox.take(None, 100, 1 << 20)
        taken = [(row["id"], row["revision"]) for row in batch.rows] if batch else []
        pending = sorted(
            (key, revision) for key, (revision, state) in self.entries.items() if state == "pending"
        )
        assert taken == pending


TestQueue = Queue.TestCase
TestQueue.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
