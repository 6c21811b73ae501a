"""The target: the one shared store that the queue of this installation belongs to."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from amx.core.errors import SharedModeOff, TargetMismatch, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from amx.core.config.model import Config
    from amx.core.ports import Outbox
    from amx.core.profiles import Profile
    from amx.core.reports import StoreMeta

KEY = "target"

STORE_ID = "store_id"
STORE_VERSION = "store_schema_version"
LAST_FLUSH = "last_flush_at"
RESTORED_AT = "store_looks_restored_at"
"""What is remembered of the store that the target turned out to be.

``RESTORED_AT`` is when it was noticed that it went back in time, until `verify` finds it whole.
"""

LONGEST_NAME = 63
"""Bytes of an identifier, unless a server was built otherwise."""


class Target(NamedTuple):
    """A shared store by its profile, schema and database, and what these pointed at."""

    profile: str
    schema: str
    database: str | None
    identity: str
    words: str


def target_of(profile: Profile, schema: str, database: str | None) -> Target:
    """Return the target that a profile, a schema and a database make.

    Raises:
        UsageError: no schema can have this name.
    """
    place = profile
    if profile.backend != "sqlite":
        check_name(schema, "schema")
        place = replace(profile, schema=schema, database=database or profile.database)
    return Target(
        profile=profile.name,
        schema=schema,
        database=database,
        identity=place.identity,
        words=place.target,
    )


def check_name(name: str, what: str) -> None:
    """Let a name through that PostgreSQL takes as it is: a longer one it would cut off.

    Source: PostgreSQL manual, 4.1.1 (identifiers end at 63 bytes and hold no NUL).

    Raises:
        UsageError: it is empty, too long, or no text.
    """
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        size = 0
    if not 0 < size <= LONGEST_NAME or "\0" in name:
        msg = f"No {what} can have the name {name!r}: names have 1 to {LONGEST_NAME} bytes of text."
        raise UsageError(f"{msg} Nothing was changed.")


def remembered(outbox: Outbox) -> Target | None:
    """Return the target that was enabled last, if any ever was."""
    text = outbox.state(KEY)
    return Target(**json.loads(text)) if text else None


def remember(outbox: Outbox, target: Target, meta: StoreMeta | None = None) -> None:
    """Keep which target the queue belongs to from now on, and, if it was asked, which store."""
    facts: dict[str, str | None] = {KEY: json.dumps(target._asdict())}
    if meta is not None:
        facts |= {STORE_ID: meta.store_id, STORE_VERSION: str(meta.schema_version)}
    outbox.set_state(facts)


def known(outbox: Outbox) -> dict[str, str | None]:
    """Return all that `remember` keeps, as `set_state` takes it back."""
    return {key: outbox.state(key) for key in (KEY, STORE_ID, STORE_VERSION)}


def current(
    outbox: Outbox, config: Config, profile_named: Callable[[str], Profile]
) -> tuple[Target, Profile]:
    """Return the target that the queue belongs to, and its profile as it is now.

    While shared mode is on that is the one that the configuration names (the only one in a home
    whose local store is new: a CI job with the team's configuration); else the one enabled last.

    Raises:
        SharedModeOff: there is neither.
        UnknownProfile: its profile is gone.
        TargetMismatch: the configuration names another target than the one that was enabled, or
            its profile was pointed at something else since.
    """
    target = remembered(outbox)
    if config.is_shared and config.history_store_profile:
        profile = profile_named(config.history_store_profile)
        named = target_of(profile, config.history_store_schema, config.history_store_database)
        if target is not None:
            check_unmoved(target, named)
        return named, profile
    if target is None:
        msg = "Shared mode was never turned on here, so there is no shared store. Nothing was done."
        raise SharedModeOff(msg, hint="amx history-store enable --profile P")
    profile = profile_named(target.profile)
    check_unmoved(target, target_of(profile, target.schema, target.database))
    return target, profile


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
