"""The steps of a conversation: what each of them writes, within the transaction of its caller."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from amx.core.clock import now
from amx.core.conversations import Session

if TYPE_CHECKING:
    from amx.core.ports import Reader, Writer
    from amx.core.profiles import Profile
    from amx.core.turns import Turn

TITLE_LENGTH = 60
"""Characters of the first question that become the title of a session begun by it."""


def begin(writer: Writer, profile: Profile, name: str) -> Session:
    """Begin a session of this title and make it the active one."""
    moment = now()
    session = writer.put(
        Session(
            profile=profile.name,
            identity=profile.identity,
            target=profile.target,
            title=name.strip(),
            started_at=moment,
            last_active_at=moment,
        )
    )
    writer.point_session(profile.name, profile.identity, session.id)
    return session


def current(reader: Reader, profile: Profile) -> Session | None:
    """Return the session that is active for a profile, where there is one."""
    pointed = reader.active_session(profile.name, profile.identity)
    session = None if pointed is None else reader.find(Session, pointed)
    return session if session and session.status == "open" else None


def reopened(writer: Writer, session: Session) -> Session:
    """Open a session that has ended; an open one stays as it is."""
    if session.status == "open":
        return session
    return writer.put(replace(session, status="open", ended_at=None))


def ended(writer: Writer, session: Session) -> Session:
    """End a session; it is the active one no more."""
    name = session.profile_now
    if writer.active_session(name, session.identity) == session.id:
        writer.point_session(name, session.identity, None)
    if session.status == "ended":
        return session
    return writer.put(replace(session, status="ended", ended_at=now()))


def turns(session: Session, question: str, answer: str) -> tuple[Turn, Turn]:
    """Return a question and its answer as the next turns of a session."""
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


def touched(writer: Writer, session: Session, question: str) -> Session:
    """Write the session after its turns: a child's write enters its parent with it."""
    return writer.put(
        replace(
            session,
            title=session.title or ("" if session.turn_count else title(question)),
            status="open",
            ended_at=None,
            turn_count=session.turn_count + 2,
            last_active_at=now(),
        )
    )


def title(question: str) -> str:
    """Return what a question makes the title of its session."""
    return " ".join(question.split())[:TITLE_LENGTH]
