"""What passes between the outbox and a shared store."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from amx.core.models import Values
from amx.core.tables import Table


class Deadline:
    """A point in time by which something must be over. Adapters obey it; core makes it."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def remaining_s(self) -> float:
        """Seconds left; zero once it has passed."""
        return max(0.0, self._end - time.monotonic())

    @property
    def is_over(self) -> bool:
        """Whether it has passed."""
        return self.remaining_s == 0.0


Number: TypeAlias = tuple[int, str]
"""A row's ``local_id`` and its key."""


class Numbers(NamedTuple):
    """The numbers of one origin in one table: the highest, and how many stand there twice."""

    highest: int
    repeated: int


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the order in which rows are sent."""

    table: str
    row_id: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one table, in key order, as they are now."""

    table: Table
    rows: Sequence[Values]

    @property
    def last(self) -> Position:
        """The position of its last row."""
        return Position(self.table.name, str(self.rows[-1]["id"]))


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A row that the shared store has in this revision or a higher one, or from another origin."""

    row_id: str
    stored: Values
