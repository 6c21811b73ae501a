"""When a refused question is put again: with full jitter, as the server asks, within its time."""

import random
from typing import NamedTuple

from amx.core.phrasing import NoAnswer
from amx.core.sending import Deadline

TRIES = 3

SHORTEST_S = 0.5
"""The first wait is drawn from zero to this, each further one from twice as much."""


class Wait(NamedTuple):
    """Why a try has failed, and what the server says of the next: a ``Retry-After``, or nothing."""

    reason: str
    asked: str = ""


class Retrying:
    """Counts the tries of one question.

    Args:
        deadline: What all of them must be over by.
    """

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._tries = 0

    def before_next(self, wait: Wait) -> float:
        """Return the seconds to wait before the next try.

        Full jitter: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.

        Raises:
            NoAnswer: there is none, because there were enough, or time is too short for the wait.
        """
        self._tries += 1
        if self._tries >= TRIES:
            raise NoAnswer(f"{wait.reason}, {TRIES} times")
        asked_s = asked(wait.asked)
        seconds = random.uniform(0, SHORTEST_S * 2.0 ** (self._tries - 1))  # noqa: S311 - no secret
        if asked_s is not None:
            seconds = asked_s + seconds
        if seconds >= self._deadline.remaining_s:
            when = "" if asked_s is None else f" and asks to wait {asked_s:.0f} s"
            raise NoAnswer(f"{wait.reason}{when}")
        return seconds


def asked(header: str) -> float | None:
    """Return the seconds of a ``Retry-After`` (RFC 9110, 10.2.3), a number or a date."""
    header = header.strip()
    if header.replace(".", "", 1).isdecimal() and header.isascii():
        return float(header[:12])
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
