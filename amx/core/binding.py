"""What binds a session: the rule of guard 1, and the refusal that it speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amx.core.errors import ProfileMismatch
from amx.core.rows import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    if has_other_identity:
        return (
            f"it is bound to the database at which profile {session.profile_now!r} pointed before"
        )
    return None


def mismatch(
    session: Session, profile: Profile, reason: str, known: Mapping[str, str | None]
) -> ProfileMismatch:
    """Return the refusal: both sides, what differs, and the ways on that exist.

    Args:
        session: The session that was asked for.
        profile: The active profile.
        reason: What `why_not` said.
        known: The identities of the configured profiles, by name.
    """
    number = session.local_id
    ways_on = [f"amx session show --id {number}"]
    if known.get(session.profile_now) == session.identity:
        name = _argument(session.profile_now)
        # The option also wins over an AMX_PROFILE, which `db use` does not.
        resume = f"amx session resume {number} --profile={name.removeprefix('-- ')}"
        ways_on.insert(0, f"amx db use {name} && {resume}")
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


def _argument(name: str) -> str:
    """Quote a name for a shell, and keep one that begins with a dash from being an option."""
    import shlex

    quoted = shlex.quote(name)
    return f"-- {quoted}" if name.startswith("-") else quoted
