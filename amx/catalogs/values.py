"""How values of a database become facts: cleaned text, short, and none that is private."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from amx.core.pasting import argument
from amx.core.profiles import Profile
from amx.core.rows import clean
from amx.core.secrets import redact_url

SAMPLE_ROWS = 100_000
"""Facts of a larger table are counted over about this many of its rows."""

FACTS_TIMEOUT_S = 30.0
"""How long the facts of one table may take; what is not known by then is left out."""

CUT_AT = 80
"""Characters of a value that are kept."""

COLUMNS_AT_ONCE = 100
"""Columns per statement: SQLite returns at most 2,000 (its limits page), PostgreSQL 1,664."""

ItemT = TypeVar("ItemT")


def rendered(value: object) -> str | None:
    """Return a value as short storable text; bytes and what is absent have none."""
    if value is None or isinstance(value, bytes | memoryview):
        return None
    text = clean(format(value, ".15g") if isinstance(value, float) else str(value))
    return text if len(text) <= CUT_AT else text[: CUT_AT - 1] + "…"


def chunks(items: Sequence[ItemT], size: int = COLUMNS_AT_ONCE) -> Iterator[Sequence[ItemT]]:
    """Yield the items in groups of at most this size; at least one group, which may be empty."""
    for start in range(0, max(1, len(items)), size):
        yield items[start : start + size]


def message_of(profile: Profile, fact: str, reason: str) -> str:
    """Say which database, what it did and why, and that nothing was changed."""
    told = redact_url(reason.rstrip("."))
    return f"The database of {profile.name} ({profile.target}) {fact}: {told}. Nothing was changed."


def hint_of(profile: Profile) -> str:
    """Return the command that shows where a profile points."""
    return f"amx db show {argument(profile.name)}"
