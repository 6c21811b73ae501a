"""What a row that was sent turns out to be, by what the shared store holds of it."""

from enum import Enum

from amx.core.models import Values


class Verdict(Enum):
    """What a row that was sent turns out to be."""

    DELIVERED = "delivered"
    BEHIND = "behind"
    COPIED = "copied"
    FOREIGN = "foreign"


def verdict_of(row: Values, stored: Values | None) -> Verdict:
    """Judge a row by what the store holds instead of it; None where the store took it.

    The same revision with other content, or a higher one, means that the local store went back
    in time: nobody else writes rows of this origin. The same row under another origin was sent
    by a copy of this installation.
    """
    if stored is None or dict(stored) == dict(row):
        return Verdict.DELIVERED
    if stored["origin_id"] != row["origin_id"]:
        is_copied = all(stored[name] == row[name] for name in _WRITTEN_ONCE)
        return Verdict.COPIED if is_copied else Verdict.FOREIGN
    return Verdict.BEHIND


_WRITTEN_ONCE = ("local_id", "created_at", "created_by", "hostname", "client_version")
