"""Lengths of time as people write them: ``90``, ``90s``, ``15m``, ``1h``, ``7d``."""

import re

from amx.core.clock import moment_of, seconds_from_now, text_of
from amx.core.errors import UsageError

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

LONGEST_S = 100 * 365 * 86400
"""A longer time leaves the calendar."""

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)([smhdw]?)")


def seconds_of(text: str) -> float:
    """Return a length of time in seconds.

    Raises:
        UsageError: the text is none.
    """
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        msg = f"{text!r} is no length of time. Nothing was changed."
        raise UsageError(msg, hint="Write it as 90s, 15m, 1h or 7d.")
    seconds = float(match[1]) * _SECONDS[match[2]]
    if seconds > LONGEST_S:
        raise UsageError(f"{text!r} is longer than a hundred years. Nothing was changed.")
    return seconds


def since_of(text: str) -> str:
    """Return the point in time that a length of time ago was, or that a date names.

    Raises:
        UsageError: the text is neither.
    """
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*", text):
        return _moment_of(text)
    return seconds_from_now(-seconds_of(text))


def age_s(moment: str, present: str) -> float:
    """Return the seconds from one point in time to another; never less than none."""
    return max(0.0, (moment_of(present) - moment_of(moment)).total_seconds())


def words_of(seconds: float) -> str:
    """Return a length of time in its largest whole unit: ``3 h``."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def _moment_of(text: str) -> str:
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text)
        return text_of(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        msg = f"{text!r} is no date. Nothing was changed."
        raise UsageError(msg, hint="Write it as 2026-01-31 or 2026-01-31T23:59:59Z.") from error
