"""Points in time as text: RFC 3339, UTC, microseconds. Text order is time order."""

from datetime import UTC, datetime, timedelta


def now() -> str:
    """Return the present as ``2026-01-31T23:59:59.000000Z``."""
    return text_of(datetime.now(UTC))


def text_of(moment: datetime) -> str:
    """Return an aware datetime in the one form that amx stores and prints."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment_of(text: str) -> datetime:
    """Return the aware datetime that `text_of` wrote.

    Raises:
        ValueError: the text is not of that form.
    """
    moment = datetime.fromisoformat(text)  # strptime costs a command several milliseconds
    if text_of(moment) != text:
        msg = f"{text!r} is no point in time as amx writes it"
        raise ValueError(msg)
    return moment


def seconds_from_now(seconds: float) -> str:
    """Return the point in time this many seconds ahead (behind, if negative)."""
    return text_of(datetime.now(UTC) + timedelta(seconds=seconds))
