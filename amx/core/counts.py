"""How much is queued: what each command that writes looks at, so it stands alone and is light."""

from typing import NamedTuple


class QueueCounts(NamedTuple):
    """How much is queued, and since when."""

    pending: int
    quarantined: int
    oldest_pending_at: str | None
