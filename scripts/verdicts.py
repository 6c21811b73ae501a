"""How the programs that measure tell a ratio: with its limit, its rounds and its spread."""

import statistics
from collections.abc import Sequence


def told(what: str, ratios: Sequence[float], limit: float, *, is_least: bool = False) -> bool:
    """Print the median of the rounds' ratios; return whether it keeps to the limit.

    Args:
        what: What is measured against what.
        ratios: One for each round.
        limit: What the median may be at most.
        is_least: The limit is the least instead.
    """
    median = statistics.median(ratios)
    is_met = median >= limit if is_least else median <= limit
    bound = "at least" if is_least else "at most"
    print(
        f"{what:<52} {median:5.2f}  {bound} {limit:.2f}: {'ok' if is_met else 'MISSED'}"
        f"  (median of {len(ratios)} alternating rounds, {min(ratios):.2f}-{max(ratios):.2f})"
    )
    return is_met
