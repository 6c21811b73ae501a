"""What binds a session: the rule of guard 1, and the refusal that it speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amx.core.errors import ProfileMismatch
from amx.core.pasting import argument, quote
from amx.core.profiles import IDENTITY_VERSION
from amx.core.rows import clean

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from amx.core.conversations import Session
    from amx.core.profiles import Profile


def why_not(session: Session, profile: Profile | None) -> str | None:
    """Say why a session cannot be continued under a profile; None where it can."""
    if session.status == "deleted":
        return "it was deleted"
    if profile is None:
        return "no profile is active"
    has_other_name = session.profile_now != clean(profile.name)
    has_other_identity = session.identity != profile.identity
    if has_other_name and has_other_identity:
        return "it is bound to another profile and to another database"
    if has_other_name:
        return "it is bound to another profile, which points at the same database"
    return _elsewhere(session) if has_other_identity else None


def _elsewhere(session: Session) -> str:
    if not session.identity.startswith(f"{IDENTITY_VERSION}:"):
        return "it was bound by another version of amx, which tells databases apart otherwise"
    return f"it is bound to the database at which profile {session.profile_now!r} pointed before"


def mismatch(
    session: Session,
    profile: Profile,
    reason: str,
    known: Mapping[str, str | None],
    exported: Collection[str] = (),
) -> ProfileMismatch:
    """Return the refusal: both sides, what differs, and the ways on that exist.

    Args:
        session: The session that was asked for.
        profile: The active profile.
        reason: What `why_not` said.
        known: The identities of the configured profiles, by name.
        exported: The variables that the caller's shell has set.
    """
    number = session.local_id
    ways_on = [f"amx session show --id {number}"]
    if "AMX_SESSION" in exported:
        ways_on.insert(0, "unset AMX_SESSION")
    if known.get(session.profile_now) == session.identity:
        ways_on.insert(0, f"{_use(session.profile_now, exported)} && amx session resume {number}")
    return ProfileMismatch(
        f"Session {number} cannot be continued here: {reason}. "
        f"It began under profile {session.profile_now!r} ({session.target}); "
        f"the active profile is {profile.name!r} ({profile.target}). Nothing was changed.",
        hint="\n".join(ways_on),
        details={
            "session": number,
            "session_profile": session.profile_now,
            "session_target": session.target,
            "profile": profile.name,
            "target": profile.target,
            "differs": _differences(session, profile),
            "ways_on": ways_on,
        },
    )


def _differences(session: Session, profile: Profile) -> Sequence[str]:
    pairs = {
        "profile": session.profile_now != clean(profile.name),
        "identity": session.identity != profile.identity,
    }
    return [name for name, differs in pairs.items() if differs]


def _use(name: str, exported: Collection[str]) -> str:
    """Return what makes a profile the active one: a variable wins over what `db use` saves."""
    if "AMX_PROFILE" in exported:
        return f"export AMX_PROFILE={quote(name)}"
    return f"amx db use {argument(name)}"
