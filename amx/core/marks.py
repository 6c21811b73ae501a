"""How far the shared store knows our numbers: what tells a store that went back in time.

The rows of an origin are numbered by their ``local_id``, and the shared store has one of each.
Where it has rows of our origin that we do not have, the local store was restored from a backup
or cloned with its machine. Where it has fewer than it has confirmed, it was restored itself.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from amx.core.clock import now
from amx.core.origins import PRESENT, begin_origin
from amx.core.sending import Deadline
from amx.core.tables import BY_NAME, SHARED_TABLES, Table
from amx.core.targets import RESTORED_AT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from amx.core.models import Values
    from amx.core.ports import Outbox, SharedStore
    from amx.core.reports import StoreMeta
    from amx.core.sending import Number

MARKS = "marks"

LEAVING = "leaving_origin"
"""An origin whose rows are being moved, and from which number on, by table."""

PAGE_ROWS = 2_000

CALL_S = 60.0


class Marks(NamedTuple):
    """What is known of one origin in one store: by table, numbers.

    Up to ``highest`` every row there is ours, as is every row that was confirmed since; up to
    ``single`` no number stood there twice when the store was last asked.
    """

    store: str
    epoch: int
    origin: str
    highest: dict[str, int]
    single: dict[str, int]

    def note(self, table: str, row: Values) -> None:
        """Take up a row that the store has."""
        if row["origin_id"] == self.origin:
            number = int(row["local_id"] or 0)
            self.highest[table] = max(number, self.highest.get(table, 0))

    def keep(self, outbox: Outbox) -> None:
        """Make it durable, where it says anything new."""
        text = self.text
        if text != outbox.state(MARKS):
            outbox.set_state({MARKS: text})

    @property
    def text(self) -> str:
        """All of it, as `marks_of` reads it."""
        return json.dumps(self._asdict())


def marks_of(outbox: Outbox, meta: StoreMeta) -> Marks:
    """Return what is known of the present origin in this store: nothing, where one is new."""
    origin = outbox.state(PRESENT) or ""
    text = outbox.state(MARKS)
    if text:
        known = Marks(**json.loads(text))
        if known.store == meta.store_id:
            return known if known.origin == origin else Marks(*known[:2], origin, {}, {})
    return Marks(meta.store_id, meta.epoch, origin, {}, {})


class Found(NamedTuple):
    """What a look at a store's numbers has shown.

    ``moved`` is None where the local store is no copy; else how many rows, which the store never
    had, now have the new origin. ``is_restored`` is said once, until it was verified.
    """

    marks: Marks
    moved: int | None
    is_restored: bool

    def is_present(self, row: Values) -> bool:
        """Tell whether a row was written under the origin that new rows have."""
        return row["origin_id"] == self.marks.origin


def look(outbox: Outbox, store: SharedStore, meta: StoreMeta, deadline: Deadline) -> Found:
    """Compare how far both sides know our numbers, before anything is sent.

    A local store that is a copy leaves its origin here: rows that the shared store never had
    and that carry numbers which are taken there, or will be, get the new origin, once. The
    stamp of a row that the shared store has never changes. What is killed in between is
    finished by the next look.

    Raises:
        Transient: the store cannot be asked now; nothing may be sent.
        Systemic: it refuses; nothing may be sent.
    """
    moved = _move(outbox, store, deadline)
    marks = marks_of(outbox, meta)
    numbers = store.numbers(marks.origin, marks.single, _call(deadline))
    is_restored = meta.epoch != marks.epoch
    firsts: dict[str, int] = {}
    for table in SHARED_TABLES:
        known, there = marks.highest.get(table.name, 0), numbers[table.name]
        is_restored |= there.highest < known
        if there.repeated:
            firsts[table.name] = known + 1
        elif there.highest > known:
            first = _first_foreign(outbox, store, table, marks, deadline)
            firsts |= {table.name: first} if first else {}
    is_news = is_restored and not outbox.state(RESTORED_AT)
    highest = {name: there.highest for name, there in numbers.items() if there.highest}
    marks = Marks(meta.store_id, meta.epoch, marks.origin, highest, dict(highest))
    if is_news:
        outbox.set_state({MARKS: marks.text, RESTORED_AT: now()})
    if firsts:
        left_at = {table.name: highest.get(table.name, 0) + 1 for table in SHARED_TABLES} | firsts
        leaving = json.dumps({"origin": marks.origin, "firsts": firsts})
        begin_origin(outbox, left_at, {LEAVING: leaving, MARKS: marks.text})
        moved = (moved or 0) + (_move(outbox, store, deadline) or 0)
        marks = marks_of(outbox, meta)
    return Found(marks, moved, is_news)


def lacking(these: Iterator[Number], those: Iterator[Number]) -> Iterator[Number]:
    """Yield what stands in these and not in those; both are in order."""
    other = next(those, None)
    for one in these:
        while other is not None and other < one:
            other = next(those, None)
        if other != one:
            yield one


def _first_foreign(
    outbox: Outbox, store: SharedStore, table: Table, marks: Marks, deadline: Deadline
) -> int | None:
    """Return the first number, above what is known, of a row there that is not ours.

    What was found to be ours is kept page by page: a look that runs out of time goes on there.
    """
    known = marks.highest.get(table.name, 0)

    def matched(last: int) -> None:
        marks.highest[table.name] = last
        marks.keep(outbox)

    theirs = _theirs(store, table, marks.origin, known, deadline, matched)
    first = next(lacking(theirs, _ours(outbox, table, marks.origin, known)), None)
    return first[0] if first else None


def _move(outbox: Outbox, store: SharedStore, deadline: Deadline) -> int | None:
    """Give the new origin to what the store never had of the one being left; return how many."""
    text = outbox.state(LEAVING)
    if not text:
        return None
    leaving, present = json.loads(text), outbox.state(PRESENT) or ""
    moved = 0
    for name, first in leaving["firsts"].items():
        place = BY_NAME[name], leaving["origin"], first - 1
        theirs = _theirs(store, *place, deadline, lambda _last: None)
        unsent = lacking(_ours(outbox, *place), theirs)
        while chunk := [row_id for _, row_id in islice(unsent, PAGE_ROWS)]:
            moved += outbox.move_to_origin(name, chunk, present)
    return moved


def settle(outbox: Outbox) -> None:
    """Keep that what a look found of a copy was told: until then, each look tells it again."""
    if outbox.state(LEAVING):
        outbox.set_state({LEAVING: None})


def _ours(outbox: Outbox, table: Table, origin: str, above: int) -> Iterator[Number]:
    return _paged(above, lambda after: outbox.numbered(table, origin, after, PAGE_ROWS))


def _theirs(  # noqa: PLR0913, PLR0917 - all that a page of the store is asked by
    store: SharedStore,
    table: Table,
    origin: str,
    above: int,
    deadline: Deadline,
    dealt_with: Callable[[int], None],
) -> Iterator[Number]:
    def page(after: Number) -> Sequence[Number]:
        if after[1] != _LAST_KEY:
            dealt_with(after[0])
        return store.numbered(table, origin, after, PAGE_ROWS, _call(deadline))

    return _paged(above, page)


def _paged(above: int, page: Callable[[Number], Sequence[Number]]) -> Iterator[Number]:
    """Yield page after page; a page ends between two numbers, or behind the last."""
    rows = page((above, _LAST_KEY))
    while rows:
        yield from rows
        rows = page(rows[-1])


def _call(deadline: Deadline) -> Deadline:
    return Deadline(min(deadline.remaining_s, CALL_S))


_LAST_KEY = "\U0010ffff"
"""Sorts behind every id."""
