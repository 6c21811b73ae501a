"""The rows of conversations: sessions and their turns."""

from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn(Row):
    """One utterance of a session.

    ``profile`` and ``identity`` repeat the session's; the database refuses a turn whose pair
    differs.
    """

    TABLE: ClassVar[str] = "turns"

    session_id: str
    turn_index: int
    role: str
    content: str
    provenance: str | None = None
    profile: str
    identity: str
    citations: object = field(default_factory=list)
