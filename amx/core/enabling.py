"""Shared mode turned on: the schema is created or checked first, and only then is anything kept."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

from amx.core import back_off, targets
from amx.core.bounded import BoundedStore
from amx.core.config.model import REMOVED
from amx.core.errors import AmxError, Systemic, Transient
from amx.core.outbox import check_store
from amx.core.sending import Deadline
from amx.core.sharing import ENABLE_S, Surroundings, bounded, record
from amx.core.verify import Verifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amx.core.ports import Outbox
    from amx.core.profiles import Profile
    from amx.core.reports import Bootstrap, StoreMeta
    from amx.core.targets import Target

BOOTSTRAP_S = 300.0
"""An upgrade of many rows may take its time."""

_NO_RIGHT = "42501"


class Enabled(NamedTuple):
    """What `enable` found and did."""

    target: Target
    bootstrap: Bootstrap
    lacking: int

    @property
    def document(self) -> Mapping[str, object]:
        """What was done, as scripts read it."""
        return {
            "enabled": True,
            "target": self.target.words,
            "schema_version": self.bootstrap.meta.schema_version,
            "created": self.bootstrap.found is None,
            "upgraded_from": self.bootstrap.upgraded_from,
            "lacking": self.lacking,
        }

    @property
    def words(self) -> str:
        """What was done, in one line."""
        version = f"schema version {self.bootstrap.meta.schema_version} ({self.bootstrap.words})"
        rows = "1 earlier local row" if self.lacking == 1 else f"{self.lacking} earlier local rows"
        lacking = f" It lacks {rows}." if self.lacking else ""
        return f"Shared mode is on: {self.target.words}, {version}.{lacking}"


def enable(
    around: Surroundings, outbox: Outbox, profile_name: str, schema: str, database: str | None
) -> Enabled:
    """Create, upgrade or check the schema, turn dual-writing on, and say what the store lacks.

    Raises:
        UnknownProfile: there is none of this name.
        UsageError: no schema can have this name.
        TargetMismatch: rows are queued for another target.
        SharedStoreError: the store cannot be had; nothing was changed.
    """
    profile = around.profile_named(profile_name)
    target = targets.target_of(profile, schema, database)
    targets.check_switch(outbox, target)
    store = bounded(around, profile, target)
    try:
        done = _bootstrapped(store, profile)
        meta = check_store(done.meta, None, target.words)
        lacking = Verifier(outbox, store).verify().missing
    except Transient as error:
        hint = error.hint or f"amx db test {shlex.quote(profile_name)}"
        raise Transient(_not_enabled(error), hint=hint, details=error.details) from error
    except Systemic as error:
        hint = error.hint or _way_on(error, profile, target)
        raise type(error)(_not_enabled(error), hint=hint, details=error.details) from error
    finally:
        store.close()
    _turn_on(around, outbox, target, meta)
    return Enabled(target=target, bootstrap=done, lacking=lacking)


def _bootstrapped(store: BoundedStore, profile: Profile) -> Bootstrap:
    """Create or upgrade the schema, once the store has answered.

    A file that does not exist cannot be told from one out of reach: it is made.
    """
    if profile.backend != "sqlite":
        store.meta(Deadline(ENABLE_S))
    return store.bootstrap(Deadline(BOOTSTRAP_S))


def _way_on(error: Systemic, profile: Profile, target: Target) -> str:
    """Return the command that helps: the SQL for who has the rights, or another schema."""
    words = ["amx", "history-store", "dump-ddl", "--profile", profile.name]
    if error.details.get("sqlstate") != _NO_RIGHT:
        words[2] = "enable"
        return f"{shlex.join(words)} --schema ANOTHER"
    words += ["--schema", target.schema]
    if profile.user:
        words += ["--grant-to", profile.user]
    return f"{shlex.join(words)}, for who may run that SQL"


def _not_enabled(error: Systemic | Transient) -> str:
    return f"{error.message.removesuffix('.')}. Shared mode was not turned on; nothing was changed."


def _turn_on(around: Surroundings, outbox: Outbox, target: Target, meta: StoreMeta) -> None:
    changes: dict[tuple[str, ...], object] = {
        ("history_store_enabled",): True,
        ("history_store_profile",): target.profile,
        ("history_store_schema",): target.schema,
    }
    if target.database or around.config().history_store_database:
        changes["history_store_database",] = target.database or REMOVED
    before = targets.known(outbox)
    targets.remember(outbox, target, meta)
    try:
        around.patch(changes)
    except AmxError:  # nothing was changed: neither here nor there
        outbox.set_state(before)
        raise
    back_off.note_success(outbox)
    record(around, outbox, "enable", {"store_id": meta.store_id, "profile": target.profile})
