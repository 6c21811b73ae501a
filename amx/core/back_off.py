"""When to try a store again that failed: kept in the outbox, so that all processes obey it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amx.core.clock import now, seconds_from_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from amx.core.ports import Outbox

SHORTEST_S = 1.0
LONGEST_S = 15 * 60.0

UNTIL = "back_off_until"
FAILURES = "back_off_failures"
LAST_ERROR = "last_error"


def wait_s(failures: int, draw: Callable[[float, float], float] | None = None) -> float:
    """Return how long to wait after so many failures in a row: full jitter, 1 s to 15 min.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    from random import uniform  # only where something failed: importing it costs

    ceiling = min(LONGEST_S, SHORTEST_S * 2.0 ** min(failures, 20))
    return (draw or uniform)(SHORTEST_S, ceiling)


def note_failure(outbox: Outbox, reason: str) -> None:
    """Keep that the store failed, why, and until when nothing is tried on a command's path."""
    failures = int(outbox.state(FAILURES) or 0) + 1
    until = seconds_from_now(wait_s(failures))
    outbox.set_state({UNTIL: until, FAILURES: str(failures), LAST_ERROR: reason})


def note_success(outbox: Outbox) -> None:
    """Forget the failures, if there were any."""
    if outbox.state(FAILURES):
        outbox.set_state({UNTIL: None, FAILURES: None, LAST_ERROR: None})


def runs_until(outbox: Outbox) -> str | None:
    """Return until when the store is left alone, or None where it may be tried.

    What is further ahead than anything is ever put off comes from a clock that was wrong.
    """
    until = outbox.state(UNTIL)
    return until if until and now() < until <= seconds_from_now(LONGEST_S) else None
