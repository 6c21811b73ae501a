"""What the state machine of the outbox believes: dicts of rows. It uses nothing that replays."""

from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import NamedTuple

from amx.core.models import Row, Values
from amx.core.rows import values_of
from amx.core.tables import ATTRIBUTION

Key = tuple[str, str]
"""The table and the UUID of a row."""

Rows = Mapping[Key, Values]

ORIGIN = "origin_id"

STAMP = ("created_at", *(column.name for column in ATTRIBUTION if column.name != ORIGIN))
"""What is written once and never changes. The origin may, until the shared store has the row."""

STAMPED = {*STAMP, ORIGIN, "id", "revision", "updated_at", "updated_by_version"}


class Entry(NamedTuple):
    """A row's entry in the outbox."""

    revision: int
    state: str


class Change(NamedTuple):
    """A change of a shared row, as a trigger in the shared store has seen it."""

    table: str
    row_id: str
    before: int
    after: int | None
    """None where the row was deleted."""


class Sight(NamedTuple):
    """Both sides, read by SQL of the machine's own."""

    local: Rows
    entries: Mapping[Key, Entry]
    shared: Rows
    changes: list[Change]


@dataclass
class Timeline:
    """What a backup of the local store takes along."""

    rows: dict[Key, Values] = field(default_factory=dict)
    """Every row as it was acknowledged last."""
    owed: set[Key] = field(default_factory=set)
    """What the shared store has to have, or gets: entered, and not dropped."""
    entered: set[Key] = field(default_factory=set)
    """What was ever entered, so that a later change is, too."""


@dataclass
class Model:
    """What was acknowledged, in this timeline and in all."""

    now: Timeline = field(default_factory=Timeline)
    saved: Timeline | None = None
    is_restored: bool = False
    stamps: dict[Key, Values] = field(default_factory=dict)
    contents: dict[Key, list[Values]] = field(default_factory=dict)
    ahead: dict[Key, Values] = field(default_factory=dict)
    """What the shared store had otherwise when a backup without an entry for it came back."""
    origins: dict[Key, object] = field(default_factory=dict)
    """Under which origin the shared store has each row."""
    forked: set[Key] = field(default_factory=set)
    """Rows of which the shared store had a revision that the restored backup did not know."""

    def acknowledge(self, wanted: Row, written: Values, stamp: Values, *, is_shared: bool) -> None:
        """Believe a row that was acknowledged, after a look at it."""
        key = (wanted.TABLE, wanted.id)
        old = self.now.rows.get(key)
        meant = {name: value for name, value in values_of(wanted).items() if name not in STAMPED}
        own = {name: value for name, value in written.items() if name not in STAMPED}
        assert own == meant, f"{own} was written, not {meant}"
        assert written["revision"] == (revision_of(old) + 1 if old else 1)
        assert written[ORIGIN] == (old or written)[ORIGIN]
        first = self.stamps.setdefault(key, stamp_of(written))
        assert stamp_of(written) == first, "a change has stamped the row anew"
        assert written["updated_by_version"] == stamp["client_version"]
        if not old:
            assert {name: written[name] for name in stamp} == dict(stamp)
        self.now.rows[key] = written
        self.ahead.pop(key, None)
        self.contents.setdefault(key, []).append(content_of(written))
        if is_shared or key in self.now.entered:
            self.now.owed.add(key)
            self.now.entered.add(key)

    def save(self) -> None:
        """Note that the local store was backed up."""
        self.saved = deepcopy(self.now)

    def restore(self, sight: Sight) -> None:
        """Note that the backup came back; ``sight`` is from after that."""
        assert self.saved
        self.now, self.is_restored = deepcopy(self.saved), True
        differing = {
            key: sight.shared[key]
            for key, row in self.now.rows.items()
            if key in sight.shared and sight.shared[key] != row
        }
        self.ahead = {key: row for key, row in differing.items() if key not in sight.entries}
        self.forked |= {
            key
            for key, row in differing.items()
            if revision_of(row) >= revision_of(self.now.rows[key])
        }

    def learn(self, sight: Sight) -> None:
        """Know what replays have changed, once a backup came back.

        The revision of rows of two timelines, and the origin of rows that were not sent.
        """
        for key in self.now.rows.keys() & sight.local.keys() if self.is_restored else ():
            known, found = self.now.rows[key], sight.local[key]
            is_raised = revision_of(known) < revision_of(found)
            if content_of(known) != content_of(found) or (is_raised and key not in self.forked):
                continue
            if known[ORIGIN] == found[ORIGIN] or self.origins.get(key) in (None, found[ORIGIN]):
                self.now.rows[key] = found

    def violations(self, sight: Sight) -> Iterator[str]:
        """Yield what must not be."""
        if sight.local != self.now.rows:
            yield f"the local rows are not what was acknowledged: {_differing(sight, self)}"
        yield from self._unpaid(sight)
        for key, row in sight.shared.items():
            if stamp_of(row) != self.stamps.get(key):
                yield f"stamped anew: {key}"
            if row[ORIGIN] != self.origins.setdefault(key, row[ORIGIN]):
                yield f"moved to another origin: {row}"
            if content_of(row) not in self.contents.get(key, []):
                yield f"never acknowledged: {row}"
        numbers = Counter((key[0], *_number(row)) for key, row in sight.shared.items())
        if twice := [one for one in numbers if numbers[one] > 1]:
            yield f"doubled: {twice}"
        for change in sight.changes:
            if change.after is None or change.after <= change.before:
                yield f"fell or went away: {change}"

    def _unpaid(self, sight: Sight) -> Iterator[str]:
        for key in self.now.owed:
            row, entry = self.now.rows[key], sight.entries.get(key)
            if entry and entry.revision != revision_of(row):
                yield f"entered in another revision: {key} {entry} {row}"
            if not entry and sight.shared.get(key) not in (row, self.ahead.get(key, row)):
                yield f"lost: {row}; the shared store has {sight.shared.get(key)}"
        for key, entry in sight.entries.items():
            if entry.state == "quarantined" and not is_poison(self.now.rows[key]):
                yield f"quarantined for nothing: {self.now.rows[key]}"


POISON = "poison"


def is_poison(row: Values) -> bool:
    """Tell whether a database that refuses poison refuses this row."""
    return POISON in row.values()


def revision_of(row: Values) -> int:
    """Return a row's revision."""
    return int(row["revision"] or 0)


def stamp_of(row: Values) -> Values:
    """Return who wrote a row first, and what else never changes."""
    return {name: row[name] for name in STAMP}


def content_of(row: Values) -> Values:
    """Return all of a row but its revision and its origin."""
    return {name: value for name, value in row.items() if name not in ("revision", ORIGIN)}


def _number(row: Values) -> tuple[object, object]:
    return row[ORIGIN], row["local_id"]


def _differing(sight: Sight, model: Model) -> list[object]:
    keys = sight.local.keys() | model.now.rows.keys()
    pairs = [(sight.local.get(key), model.now.rows.get(key)) for key in keys]
    return [pair for pair in pairs if pair[0] != pair[1]]
