"""What the proofs print."""

import sys
from collections.abc import Mapping


def tell(part: str, text: str) -> None:
    """Print a line at once: a process that is forked later must not print it again."""
    sys.stdout.write(f"{part}: {text}\n")
    sys.stdout.flush()


def words_of(counts: Mapping[str, int]) -> str:
    """Return how often each thing was tried."""
    return ", ".join(f"{number} {what}" for what, number in counts.items())
