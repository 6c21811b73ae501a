"""What the core asks of the outside: the protocols of its ports.

The values that pass through them are imported for the checker only: a command pays for those
that it uses, not for all that a port may speak of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from amx.core.models import Values
    from amx.core.reports import Bootstrap, Member, OutboxEntry, QueueCounts, StoreMeta
    from amx.core.rows import RowT
    from amx.core.sending import Batch, Deadline, NotTaken, Number, Numbers, Position
    from amx.core.shapes import Shape
    from amx.core.tables import Table
    from amx.core.teammates import Wanted

Where = Mapping[str, str | int | None]
"""Columns that must have these values, all of them."""


class Reader(Protocol):
    """Reads the local history."""

    def find(self, kind: type[RowT], key: int | str) -> RowT | None:
        """Return the row with this local number or this UUID."""

    def select(
        self,
        kind: type[RowT],
        where: Where | None = None,
        *,
        is_newest_first: bool = False,
        limit: int | None = None,
    ) -> Sequence[RowT]:
        """Return the rows that match, in the order in which they were first written."""

    def fingerprint(self, table: str, where: Where) -> str:
        """Return a text that differs whenever one of the rows that match was added or changed."""

    def active_session(self, profile: str, identity: str) -> str | None:
        """Return the UUID of the session that is active for this profile and identity."""

    def renaming(self) -> tuple[str, str] | None:
        """Return the old and the new name of the profile whose renaming has begun, if any has."""

    def has_traces(self) -> bool:
        """Tell whether text was blanked and `LocalStore.remove_traces` has not ended since."""


class Writer(Reader, Protocol):
    """Writes the local history, inside one transaction that is also its readers'."""

    def put(self, row: RowT) -> RowT:
        """Write a row and, where it is shared, its outbox entry; return it as written.

        A row without ``local_id`` is new: it gets its number and its attribution. Any other is
        a change: its revision is raised, its attribution stays.

        Raises:
            LocalStoreFailed: the schema refused the row; nothing of the transaction stays.
        """

    def point_session(self, profile: str, identity: str, session_id: str | None) -> None:
        """Make a session the active one of this profile and identity, or none."""

    def blank_turns(self, session_id: str) -> None:
        """Blank the text of a session's turns, as `put` of each would, and point at it no more."""

    def begin_renaming(self, old: str, new: str) -> None:
        """Note that a profile is to be renamed: from now on its sessions may follow."""

    def end_renaming(self, *, is_done: bool) -> None:
        """Let sessions, pointers and target follow the renaming that has begun, or stay."""


class LocalStore(Reader, Protocol):
    """The local history: the source of truth for this installation's rows."""

    def transaction(self) -> AbstractContextManager[Writer]:
        """Open one write transaction: all of it is durable when the block ends, or none."""

    def remove_traces(self) -> None:
        """Write the store anew: no byte of text that was blanked is left in its files.

        Raises:
            Busy: another process reads or writes it.
            LocalStoreFailed: there is no room.
        """


class Outbox(Protocol):
    """The record of rows that the shared store does not have in their latest revision.

    No method keeps a transaction open after it has returned.
    """

    def counts(self) -> QueueCounts:
        """Return how much is queued, without counting it."""

    def take(self, after: Position | None, rows: int, max_bytes: int) -> Batch | None:
        """Return the next pending rows of one table in key order, parents' tables first.

        Args:
            after: The last position that this replay has dealt with.
            rows: At most this many.
            max_bytes: Stop before the text of the batch exceeds this; one row always fits.
        """

    def confirm(self, sent: Sequence[tuple[str, str, int]]) -> int:
        """Remove entries (table, row id, revision) whose revision is still the one sent."""

    def quarantine(self, sent: tuple[str, str, int], reason: str) -> None:
        """Set one entry aside, with the reason, unless its row has changed since."""

    def is_current(self, sent: tuple[str, str, int]) -> bool:
        """Tell whether an entry is still there, in the revision that was sent."""

    def note_attempt(self, sent: Sequence[tuple[str, str, int]], reason: str) -> None:
        """Count one failed attempt on these entries."""

    def entries(self, *, is_quarantined_only: bool, limit: int | None) -> Sequence[OutboxEntry]:
        """Return what is queued, oldest first."""

    def reopen(self, ids: Sequence[int] | None) -> int:
        """Make quarantined entries pending again: these, or all; return how many."""

    def drop(self, *, is_quarantined_only: bool) -> int:
        """Remove entries; their local rows stay. Return how many."""

    def enter_missing(self) -> int:
        """Enter every local row that was never entered; return how many."""

    def count_missing(self) -> int:
        """Return how many local rows were never entered."""

    def enter(self, table: str, row_ids: Sequence[str]) -> int:
        """Enter these rows again as they are; return how many."""

    def raise_revision(self, table: str, row_id: str, above: int) -> None:
        """Raise a row's revision above this one and enter it."""

    def raise_revisions(self, table: str, rows: Sequence[tuple[str, int]]) -> None:
        """Raise the revision of each of these rows above the one beside it, and enter them."""

    def numbered(self, table: Table, origin: str, after: Number, limit: int) -> Sequence[Number]:
        """Return numbers and keys of an origin's rows in that order, from behind this one."""

    def move_to_origin(self, table: str, row_ids: Sequence[str], origin: str) -> int:
        """Give another origin to rows that were never sent; return how many.

        Nothing else of their stamp changes, and nothing of it once the shared store has them.
        """

    def local_rows(self, table: Table, after: str, limit: int) -> Sequence[Values]:
        """Return rows of one table in key order, from behind this key."""

    def pending_among(self, table: str, row_ids: Sequence[str]) -> set[str]:
        """Return which of these rows have an entry."""

    def state(self, key: str) -> str | None:
        """Return a small durable fact: the back-off, the target, the last flush and the like."""

    def keep_first(self, key: str, value: str) -> str:
        """Keep a small durable fact unless one is kept already; return the one that is kept.

        Of several processes at once one is the first, and all return what it kept.
        """

    def set_state(self, facts: Mapping[str, str | None]) -> None:
        """Keep small durable facts; ``None`` forgets one."""


class SharedStore(Protocol):
    """The team's store.

    Every method raises:
        Transient: it cannot be reached now, or not before the deadline.
        Systemic: it refuses until somebody mends it.
    """

    @property
    def target(self) -> str:
        """Where it is, in words, without secrets."""

    def meta(self, deadline: Deadline) -> StoreMeta | None:
        """Return what the store says of itself; None where it has no schema."""

    def bootstrap(self, deadline: Deadline) -> Bootstrap:
        """Create the schema where it is missing, or upgrade an older one, in one transaction.

        A schema that is current, or newer, is left alone. Several bootstraps at once are
        harmless: each says what it did itself.
        """

    def shapes(self, role: str | None, deadline: Deadline) -> tuple[Shape, Shape]:
        """Return the shape that the bootstrap DDL makes, and the one that is there.

        With a role, its rights are part of both.
        """

    def upsert(
        self, table: Table, rows: Sequence[Values], deadline: Deadline
    ) -> Sequence[NotTaken]:
        """Write rows of one table and return those that were not taken.

        A stored row is replaced by a newer revision of its own origin only.

        Raises:
            RowsRejected: at least one of the rows will never be accepted; none was written.
        """

    def rows(
        self, table: Table, origins: Sequence[str], after: str, limit: int, deadline: Deadline
    ) -> Sequence[Values]:
        """Return rows of these origins in key order, from behind this key."""

    def numbers(
        self, origin: str, above: Mapping[str, int], deadline: Deadline
    ) -> Mapping[str, Numbers]:
        """Return, by table, the highest number of an origin, and what repeats one above these.

        It takes no longer the more rows there are: only the newest are looked at for repeated ones.
        """

    def numbered(
        self, table: Table, origin: str, after: Number, limit: int, deadline: Deadline
    ) -> Sequence[Number]:
        """Return numbers and keys of an origin's rows in that order, from behind this one."""

    def orphans(self, table: Table, origins: Sequence[str], deadline: Deadline) -> int:
        """Return how many rows of these origins name a parent that is not there."""

    def newest(self, table: Table, wanted: Wanted, deadline: Deadline) -> Sequence[Values]:
        """Return rows of anybody, newest first."""

    def team(self, since: str | None, deadline: Deadline) -> Sequence[Member]:
        """Return who wrote what, latest first."""

    def close(self) -> None:
        """Let go of the connection."""
