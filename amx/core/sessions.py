"""Guard 1: a session is bound for life to the profile and the identity under which it began.

The rule is checked before anything is read or sent, again inside the transaction that writes, and
a third time by the triggers of the local schema.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from amx.core import steps
from amx.core.binding import mismatch, why_not
from amx.core.clock import now
from amx.core.conversations import Session
from amx.core.errors import AmxError, Busy, LocalStoreFailed, UnknownId, UsageError
from amx.core.keys import parse_id, unknown_id
from amx.core.profiles import Profile
from amx.core.rows import clean

if TYPE_CHECKING:
    from amx.core.ports import LocalStore, Reader
    from amx.core.turns import Turn

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
        confirm: Raises where a profile is not what it was when this process asked for it;
            called inside each transaction that goes on under its name.
        exported: The variables that the caller's shell has set: they decide which ways on work.
    """

    def __init__(
        self,
        local: LocalStore,
        reader: Reader | None = None,
        *,
        known_profiles: Callable[[], Mapping[str, str | None]] = dict,
        confirm: Callable[[Profile], None] = lambda _: None,
        exported: Collection[str] = (),
    ) -> None:
        self._local = local
        self._reader = reader or local
        self._known_profiles = known_profiles
        self._confirm = confirm
        self._exported = exported

    why_not = staticmethod(why_not)

    def new(self, profile: Profile, title: str = "") -> Session:
        """Begin a session on this profile and make it the active one."""
        with self._local.transaction() as writer:
            self._confirm(profile)
            return steps.begin(writer, profile, title)

    def resume(self, profile: Profile, key: int | str) -> Session:
        """Make a session the active one of this profile; an ended one is open again.

        Raises:
            ProfileMismatch: the session is bound to another profile or database.
            UnknownId: there is no such session, or it was deleted.
        """
        self.check(profile, key)
        with self._local.transaction() as writer:
            self._confirm(profile)
            session = steps.reopened(writer, self._bound(writer, profile, key))
            writer.point_session(profile.name, profile.identity, session.id)
            return session

    def current(self, profile: Profile, key: int | str | None = None) -> Session | None:
        """Return the session that is active for this profile, where there is one, or this one.

        Raises:
            ProfileMismatch: the session is bound to another profile or database.
            UnknownId: there is no such session, or it was deleted.
        """
        return self._continued(self._reader, profile, key)

    def with_owner(self, session: Session) -> Session:
        """Return a session that was read elsewhere with the present name of its profile."""
        known = self._reader.find(Session, session.id)
        return replace(session, owner=known.owner) if known else session

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
            return steps.ended(writer, _find(writer, session.id))

    def rename(self, key: int | str, title: str) -> Session:
        """Give a session another title, from any profile.

        Raises:
            UsageError: the title is empty.
            UnknownId: there is no such session, or it was deleted.
        """
        new = " ".join(title.split())
        if not new:
            raise UsageError("The title is empty. Nothing was changed.", hint=LIST_ALL)
        session = _find(self._reader, key)
        if session.title == clean(new):
            return session
        with self._local.transaction() as writer:
            return writer.put(replace(_find(writer, session.id), title=new))

    def delete(self, key: int | str) -> Session:
        """Blank a session's text here and, when it is delivered, in the shared store.

        Who, when and how many turns stay. What is blanked may still stand in unused parts of the
        store's file, until `remove_traces`.

        Raises:
            UnknownId: there is no such session, or it was deleted before.
        """
        from amx.core.work import Event

        _find(self._reader, key)
        with self._local.transaction() as writer:
            session = _find(writer, key)
            writer.blank_turns(session.id)
            ended = session.ended_at or now()
            deleted = writer.put(replace(session, status="deleted", title="", ended_at=ended))
            details = {"session": session.id, "turns": session.turn_count}
            name = session.profile_now
            subject = f"session {session.local_id}"
            writer.put(Event(kind="session-delete", subject=subject, profile=name, details=details))
        return deleted

    def remove_traces(self) -> AmxError | None:
        """Let no byte of deleted text stay in the store's files; return why that failed.

        Where it failed, the next command that writes a session tries again.
        """
        if not self._reader.has_traces():
            return None
        try:
            self._local.remove_traces()
        except (Busy, LocalStoreFailed) as error:
            return error
        return None

    def list(self, profile: Profile | None, limit: int | None = None) -> Sequence[Session]:
        """Return the sessions under this profile's name, or all; newest first, none deleted."""
        where = {"owner": profile.name} if profile else {}
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
            self._confirm(profile)
            session = None if is_new else self._continued(writer, profile, key)
            if session is None:
                session = steps.begin(writer, profile, steps.title(question))
            asked, answered = steps.turns(session, question, answer)
            user = writer.put(asked)
            assistant = writer.put(
                replace(answered, citations=list(citations), provenance=provenance)
            )
            return steps.touched(writer, session, question), user, assistant

    def _continued(self, reader: Reader, profile: Profile, key: int | str | None) -> Session | None:
        if key is None:
            return steps.current(reader, profile)
        return self._bound(reader, profile, key)

    def _bound(self, reader: Reader, profile: Profile, key: int | str) -> Session:
        session = _find(reader, key)
        if reason := why_not(session, profile):
            raise mismatch(session, profile, reason, self._known_profiles(), self._exported)
        return session


def _find(reader: Reader, key: int | str) -> Session:
    session = reader.find(Session, parse_id(str(key), "session", LIST_ALL))
    if session is None:
        raise unknown_id(key, "session", LIST_ALL)
    if session.status == "deleted":
        msg = f"Session {session.local_id} was deleted; nothing was changed."
        raise UnknownId(msg, hint=LIST_ALL, details={"id": session.local_id})
    return session
