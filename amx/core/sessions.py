"""Guard 1: a session is bound for life to the profile and the identity under which it began.

The rule is checked before anything is read or sent, again inside the transaction that writes, and
a third time by the triggers of the local schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from amx.core.binding import mismatch, why_not
from amx.core.clock import now
from amx.core.conversations import Session
from amx.core.errors import UnknownId
from amx.core.keys import parse_id, unknown_id
from amx.core.profiles import Profile

if TYPE_CHECKING:
    from amx.core.ports import LocalStore, Reader, Writer
    from amx.core.turns import Turn

TITLE_LENGTH = 60
"""Characters of the first question that become the title of a session begun by it."""

LIST_ALL = "amx session list --all-profiles"

Exchange = tuple[Session, "Turn", "Turn"]
"""A session as it is after a question and its answer, and both turns."""


class SessionService:
    """Begins, resumes, continues and ends sessions.

    Args:
        local: Where sessions are written.
        reader: Where they are read for commands that write nothing; ``local`` by default.
        known_profiles: The configured profiles' identities by name, ``None`` where one cannot
            be told; used only to say which ways on there are.
    """

    def __init__(
        self,
        local: LocalStore,
        reader: Reader | None = None,
        *,
        known_profiles: Callable[[], Mapping[str, str | None]] = dict,
    ) -> None:
        self._local = local
        self._reader = reader or local
        self._known_profiles = known_profiles

    why_not = staticmethod(why_not)

    def new(self, profile: Profile, title: str = "") -> Session:
        """Begin a session on this profile and make it the active one."""
        with self._local.transaction() as writer:
            return _begin(writer, profile, title)

    def resume(self, profile: Profile, key: int | str) -> Session:
        """Make a session the active one of this profile; an ended one is open again.

        Raises:
            ProfileMismatch: the session is bound to another profile or database.
            UnknownId: there is no such session, or it was deleted.
        """
        self.check(profile, key)
        with self._local.transaction() as writer:
            session = _reopened(writer, self._bound(writer, profile, key))
            writer.point_session(profile.name, profile.identity, session.id)
            return session

    def current(self, profile: Profile) -> Session | None:
        """Return the session that is active for this profile, where there is one."""
        return _current(self._reader, profile)

    def check(self, profile: Profile, key: int | str | None) -> Session | None:
        """Return the session that `append` would continue; None where it would begin one.

        Raises:
            ProfileMismatch: the session is bound to another profile or database.
            UnknownId: there is no such session, or it was deleted.
        """
        return self._continued(self._reader, profile, key)

    def end(self, profile: Profile | None, key: int | str | None = None) -> Session | None:
        """End a session, by default the active one; one that has ended stays as it is.

        A session may be ended from any profile, also when its own is gone: ending continues
        nothing, and it can be resumed.

        Raises:
            UnknownId: there is no such session, or it was deleted.
        """
        active = self.current(profile) if profile and key is None else None
        session = active if key is None else _find(self._reader, key)
        if session is None or session.status == "ended":
            return session
        with self._local.transaction() as writer:
            return _ended(writer, _find(writer, session.id))

    def list(self, profile: Profile | None, limit: int | None = None) -> Sequence[Session]:
        """Return the sessions under this profile's name, or all; newest first, none deleted."""
        where = {"profile": profile.name} if profile else {}
        wanted = limit
        while True:
            read = self._reader.select(Session, where, is_newest_first=True, limit=wanted)
            kept = [session for session in read if session.status != "deleted"]
            if wanted is None or len(read) < wanted or len(kept) >= (limit or 0):
                return kept[:limit]
            wanted *= 2

    def show(self, key: int | str) -> tuple[Session, Sequence[Turn]]:
        """Return a session, of whatever profile, and its turns. Writes nothing.

        Raises:
            UnknownId: there is no such session, or it was deleted.
        """
        from amx.core.turns import Turn

        session = _find(self._reader, key)
        return session, self._reader.select(Turn, {"session_id": session.id})

    def latest_turns(self, session: Session, limit: int) -> Sequence[Turn]:
        """Return the last turns of a session, newest first."""
        from amx.core.turns import Turn

        where = {"session_id": session.id}
        return self._reader.select(Turn, where, is_newest_first=True, limit=limit)

    def append(  # noqa: PLR0913 - a turn has that many parts, each by its name
        self,
        profile: Profile,
        key: int | str | None,
        *,
        question: str,
        answer: str,
        citations: Sequence[Mapping[str, object]],
        provenance: str,
        is_new: bool = False,
    ) -> Exchange:
        """Append a question and its answer to a session, in one transaction.

        Args:
            profile: The active profile.
            key: The session; None for the active one, which is begun where there is none.
            question: What was asked; titles a session that it begins.
            answer: What was answered.
            citations: What the answer rests on.
            provenance: What made the answer.
            is_new: Begin a session, whatever is active.

        Raises:
            ProfileMismatch: the session is bound to another profile or database.
            UnknownId: there is no such session, or it was deleted.
        """
        with self._local.transaction() as writer:
            session = None if is_new else self._continued(writer, profile, key)
            if session is None:
                session = _begin(writer, profile, _title(question))
            asked, answered = _turns(session, question, answer)
            user = writer.put(asked)
            assistant = writer.put(
                replace(answered, citations=list(citations), provenance=provenance)
            )
            return _touched(writer, session), user, assistant

    def _continued(self, reader: Reader, profile: Profile, key: int | str | None) -> Session | None:
        if key is None:
            return _current(reader, profile)
        return self._bound(reader, profile, key)

    def _bound(self, reader: Reader, profile: Profile, key: int | str) -> Session:
        session = _find(reader, key)
        if reason := why_not(session, profile):
            raise mismatch(session, profile, reason, self._known_profiles())
        return session


def _begin(writer: Writer, profile: Profile, title: str) -> Session:
    moment = now()
    session = writer.put(
        Session(
            profile=profile.name,
            identity=profile.identity,
            target=profile.target,
            title=title.strip(),
            started_at=moment,
            last_active_at=moment,
        )
    )
    writer.point_session(profile.name, profile.identity, session.id)
    return session


def _current(reader: Reader, profile: Profile) -> Session | None:
    pointed = reader.active_session(profile.name, profile.identity)
    session = None if pointed is None else reader.find(Session, pointed)
    return session if session and session.status == "open" else None


def _reopened(writer: Writer, session: Session) -> Session:
    if session.status == "open":
        return session
    return writer.put(replace(session, status="open", ended_at=None))


def _ended(writer: Writer, session: Session) -> Session:
    if writer.active_session(session.profile, session.identity) == session.id:
        writer.point_session(session.profile, session.identity, None)
    if session.status == "ended":
        return session
    return writer.put(replace(session, status="ended", ended_at=now()))


def _turns(session: Session, question: str, answer: str) -> tuple[Turn, Turn]:
    from amx.core.turns import Turn

    user = Turn(
        session_id=session.id,
        turn_index=session.turn_count + 1,
        role="user",
        content=question,
        profile=session.profile,
        identity=session.identity,
    )
    assistant = Turn(
        session_id=session.id,
        turn_index=session.turn_count + 2,
        role="assistant",
        content=answer,
        profile=session.profile,
        identity=session.identity,
    )
    return user, assistant


def _touched(writer: Writer, session: Session) -> Session:
    """Write the session after its turns: a child's write enters its parent with it."""
    count = session.turn_count + 2
    return writer.put(
        replace(session, status="open", ended_at=None, turn_count=count, last_active_at=now())
    )


def _find(reader: Reader, key: int | str) -> Session:
    session = reader.find(Session, parse_id(str(key), "session", LIST_ALL))
    if session is None:
        raise unknown_id(key, "session", LIST_ALL)
    if session.status == "deleted":
        msg = f"Session {session.local_id} was deleted; nothing was changed."
        raise UnknownId(msg, hint=LIST_ALL, details={"id": session.local_id})
    return session


def _title(question: str) -> str:
    return " ".join(question.split())[:TITLE_LENGTH]
