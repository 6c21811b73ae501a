"""One batch on its way to the store, while the local side is worked on."""

import threading
from collections.abc import Sequence
from typing import NamedTuple

from amx.core.models import Values
from amx.core.outcome import Outcome
from amx.core.ports import SharedStore
from amx.core.sending import Batch, Deadline, NotTaken
from amx.core.sifting import Sifted, sift

CALL_S = 60.0
"""How long one call of the store may take, whatever time there is in all."""


class Landed(NamedTuple):
    """A batch that was sent, and what became of it."""

    batch: Batch
    sifted: Sifted


class Flight:
    """Sends one batch at a time, each in a thread of its own.

    The thread touches nothing but the store, whose calls end by their deadlines. It is a daemon:
    a program that ends does not wait for it.

    Args:
        store: Where batches go.
        deadline: When all of it must be over.
    """

    def __init__(self, store: SharedStore, deadline: Deadline) -> None:
        self._store = store
        self._deadline = deadline
        self._outcome: Outcome[Sifted] = Outcome()
        self.batch: Batch | None = None

    def start(self, batch: Batch) -> None:
        """Send a batch; the one before must have landed."""
        outcome: Outcome[Sifted] = Outcome()
        self.batch, self._outcome = batch, outcome
        threading.Thread(target=lambda: outcome.of(lambda: self._sift(batch)), daemon=True).start()

    def land(self) -> Landed | None:
        """Wait for the batch that was started and say what became of it; None without one.

        Raises:
            SharedStoreError: the store failed; ``batch`` still is the one that was sent.
        """
        if self.batch is None:
            return None
        landed = Landed(self.batch, self._outcome.wait(threading.TIMEOUT_MAX))
        self.batch = None
        return landed

    def _sift(self, batch: Batch) -> Sifted:
        def send(rows: Sequence[Values]) -> Sequence[NotTaken]:
            return self._store.upsert(batch.table, rows, call_deadline(self._deadline))

        return sift(send, batch.rows)


def call_deadline(deadline: Deadline) -> Deadline:
    """Return the deadline of one call."""
    return Deadline(min(deadline.remaining_s, CALL_S))
