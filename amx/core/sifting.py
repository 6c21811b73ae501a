"""Which rows of a refused batch are at fault: found by halving, with a look at the rest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from amx.core.errors import RowsRejected
from amx.core.models import Values
from amx.core.sending import NotTaken

SUSPECTS = 5
"""So many single rows refused in a row, and none accepted: perhaps it is not the rows."""

SAMPLES = 8
"""So many more are then tried, spread over the batch, before it is said to be systemic."""

Send = Callable[[Sequence[Values]], Sequence[NotTaken]]


@dataclass(slots=True)
class Sifted:
    """What became of a batch; with a ``problem`` nothing of it shall be quarantined."""

    accepted: list[Values] = field(default_factory=list)
    not_taken: list[NotTaken] = field(default_factory=list)
    rejected: list[tuple[Values, RowsRejected]] = field(default_factory=list)
    problem: str | None = None


def sift(send: Send, rows: Sequence[Values]) -> Sifted:
    """Send a batch; where the store refuses it, send its halves, down to the rows at fault.

    Where single after single is refused for one and the same reason it is not the rows: that is
    the problem, and the rest is not tried.

    Raises:
        Transient: as the store raises it; what was accepted until then is sent again later.
        Systemic: likewise.
    """
    sifted = Sifted()
    waiting = [list(rows)]
    while waiting and not sifted.problem:
        part = waiting.pop()
        try:
            sifted.not_taken += send(part)
        except RowsRejected as error:
            if len(part) > 1:
                middle = len(part) // 2
                waiting += [part[middle:], part[:middle]]
                continue
            sifted.rejected.append((part[0], error))
            if len(sifted.rejected) == SUSPECTS and not sifted.accepted:
                rest = [row for other in waiting for row in other]
                sifted.problem = _problem(send, rest, [one for _, one in sifted.rejected])
        else:
            sifted.accepted += part
    return sifted


def _problem(send: Send, rest: Sequence[Values], refusals: Sequence[RowsRejected]) -> str | None:
    """Return what speaks against the rows being at fault, after a sample of the rest."""
    reasons = {error.sqlstate for error in refusals}
    for row in rest[:: max(1, len(rest) // SAMPLES)]:
        try:
            send([row])
        except RowsRejected as error:
            reasons.add(error.sqlstate)
        else:
            return None
    if len(reasons) > 1 or not rest:
        return None
    return f"row after row is refused ({refusals[-1].sqlstate}): {refusals[-1].message}"
