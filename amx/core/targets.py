"""The target: the one shared store that the queue of this installation belongs to."""

import json
from dataclasses import asdict, dataclass, replace

from amx.core.errors import SharedModeOff, TargetMismatch
from amx.core.ports import Outbox
from amx.core.profiles import Profile

KEY = "target"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A shared store by its profile, schema and database, and what these pointed at."""

    profile: str
    schema: str
    database: str | None
    identity: str
    words: str


def target_of(profile: Profile, schema: str, database: str | None) -> Target:
    """Return the target that a profile, a schema and a database make."""
    place = profile
    if profile.backend != "sqlite":
        place = replace(profile, schema=schema, database=database or profile.database)
    return Target(
        profile=profile.name,
        schema=schema,
        database=database,
        identity=place.identity,
        words=place.target,
    )


def remembered(outbox: Outbox) -> Target | None:
    """Return the target that was enabled last, if any ever was."""
    text = outbox.state(KEY)
    return Target(**json.loads(text)) if text else None


def remember(outbox: Outbox, target: Target) -> None:
    """Keep which target the queue belongs to from now on."""
    outbox.set_state({KEY: json.dumps(asdict(target))})


def require(outbox: Outbox) -> Target:
    """Return the target that was enabled last.

    Raises:
        SharedModeOff: none ever was.
    """
    target = remembered(outbox)
    if target is None:
        msg = "Shared mode was never turned on here, so there is no shared store. Nothing was done."
        raise SharedModeOff(msg, hint="amx history-store enable --profile P")
    return target


def check_switch(outbox: Outbox, wanted: Target) -> None:
    """Let another target be enabled only once nothing is queued for the present one.

    Raises:
        TargetMismatch: rows are queued for another target.
    """
    present = remembered(outbox)
    if present is None or present.identity == wanted.identity:
        return
    counts = outbox.counts()
    queued = counts.pending + counts.quarantined
    if queued:
        msg = f"{queued} rows are queued for {present.words}, and {wanted.words} is another store."
        msg += " Nothing was changed."
        raise TargetMismatch(
            msg,
            hint="amx history-store flush-pending, or amx history-store drop-pending",
            details={"queued": queued, "present": present.words, "wanted": wanted.words},
        )


def check_unmoved(remembered_target: Target, present: Target) -> None:
    """Let rows go only to the target that they are queued for.

    Raises:
        TargetMismatch: the profile was pointed at something else since.
    """
    if remembered_target.identity != present.identity:
        msg = f"The queue belongs to {remembered_target.words}, and {present.profile} now points at"
        msg += f" {present.words}. Nothing was sent; the rows stay queued."
        raise TargetMismatch(msg, hint=f"amx history-store enable --profile {present.profile}")
