"""Delivery in passing: at the end of a command, within its budget, and never its failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from amx.core import back_off
from amx.core.clock import now
from amx.core.durations import age_s, words_of
from amx.core.errors import AmxError, Busy, LocalStoreFailed
from amx.core.locks import is_held

if TYPE_CHECKING:
    from pathlib import Path

    from amx.core.counts import QueueCounts
    from amx.core.ports import Outbox
    from amx.core.reports import ReplayReport
    from amx.core.sending import Deadline

FLUSH = "amx history-store flush-pending"


class Replayer(Protocol):
    """What delivers; whatever that takes is loaded when it is asked to, and not before."""

    def replay(self, deadline: Deadline, /) -> ReplayReport:
        """Deliver what can be delivered now and report what is left."""


def deliver(outbox: Outbox, replayer: Replayer, *, lock_path: Path, budget_s: float) -> str | None:
    """Deliver what is queued, if the store is not known to be down.

    Never raises an error of ours, and takes no longer than the budget: a command that wrote its
    rows locally has succeeded.

    Args:
        outbox: What is queued.
        replayer: What delivers; its store must be bounded.
        lock_path: The lock of a flush, which is not waited for.
        budget_s: Seconds for all of it, name look-up and connecting included.

    Returns:
        One line for the user where rows are still queued, else None.
    """
    try:
        counts = outbox.counts()
        if not counts.pending:
            return None
        problem = _refusal(outbox, lock_path) or _tried(outbox, replayer, budget_s)
        return _warning(outbox.counts(), problem)
    except (Busy, LocalStoreFailed) as error:
        return f"What is queued for the shared store could not be read: {error.message}"


def _refusal(outbox: Outbox, lock_path: Path) -> str | None:
    """Return why it is not even tried, or None."""
    until = back_off.runs_until(outbox)
    if until:
        reason = outbox.state(back_off.LAST_ERROR)
        return f"{reason} (tried again in {words_of(max(1, age_s(now(), until)))})"
    return "another flush is under way" if is_held(lock_path) else None


def _tried(outbox: Outbox, replayer: Replayer, budget_s: float) -> str | None:
    from amx.core.bounded import GRACE_S
    from amx.core.sending import Deadline

    try:
        return replayer.replay(Deadline(max(0.0, budget_s - GRACE_S))).problem
    except Busy as error:
        return "another flush is under way" if "holder" in error.details else error.message
    except AmxError as error:
        back_off.note_failure(outbox, error.message)
        return error.message


def _warning(counts: QueueCounts, problem: str | None) -> str | None:
    if not counts.pending:
        return None
    rows = "1 row is" if counts.pending == 1 else f"{counts.pending} rows are"
    reason = f": {problem}" if problem else ""
    return f"{rows} queued for the shared store{reason.removesuffix('.')}. Later: {FLUSH}"
