"""The rows of conversations: the turns of sessions."""

from dataclasses import dataclass, field
from typing import ClassVar

from amx.core.models import Row


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
