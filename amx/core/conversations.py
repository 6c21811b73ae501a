"""The rows of conversations: sessions. Their turns stand in ``turns.py``."""

from dataclasses import dataclass
from typing import ClassVar

from amx.core.models import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(Row):
    """A conversation, bound for life to the profile and the identity it began under.

    ``profile`` is the name under which it began, and stays; ``owner`` is the name that this
    profile has now, where the local store has told it.
    """

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
    owner: str = ""

    @property
    def profile_now(self) -> str:
        """The name that its profile has now, which another profile never has."""
        return self.owner or self.profile
