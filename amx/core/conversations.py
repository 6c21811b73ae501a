"""The rows of conversations: sessions. Their turns stand in ``turns.py``."""

from dataclasses import dataclass
from typing import ClassVar

from amx.core.models import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(Row):
    """A conversation, bound for life to the profile and the identity it began under."""

    TABLE: ClassVar[str] = "sessions"

    profile: str
    identity: str
    target: str
    title: str = ""
    status: str = "open"
    turn_count: int = 0
    started_at: str
    last_active_at: str
    ended_at: str | None = None
