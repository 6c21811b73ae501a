"""What the history-store picker offers now, and what it asks first. Pure decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from amx.core.checking import Looked
    from amx.core.status import StoreStatus

STATUS = "status"
ENABLE = "enable"
DISABLE = "disable"
FLUSH = "flush-pending"
PENDING = "pending"
RETRY = "retry"
DROP = "drop-pending"
VERIFY = "verify"
TEAM = "team"
DUMP_DDL = "dump-ddl"
MIGRATE = "migrate-from-local"

SUBCOMMANDS = (
    *(STATUS, ENABLE, DISABLE, FLUSH, PENDING, RETRY, DROP, DUMP_DDL, MIGRATE, VERIFY, TEAM),
)


class Entry(NamedTuple):
    """One line of the picker; ``question`` is asked first, and answered No by default."""

    key: str
    label: str
    question: str | None = None


def entries_of(status: StoreStatus, *, has_profiles: bool) -> list[Entry]:
    """Return the actions that make sense now, Status first."""
    entries = [Entry(STATUS, "Status")]
    if status.enabled:
        entries.append(Entry(DISABLE, "Disable", _disable(status)))
    elif has_profiles:
        entries.append(Entry(ENABLE, "Enable"))
    entries += _queue_entries(status)
    if status.target:
        entries += [Entry(VERIFY, "Verify"), Entry(TEAM, "Team")]
        entries.append(Entry(DUMP_DDL, "Dump DDL"))
    return entries


def dump_ddl_question(status: StoreStatus, looked: Looked) -> str | None:
    """Return what is asked before Dump DDL; nothing where the profile has no schema yet."""
    if looked.problem is None and not looked.is_there:
        return None
    there = f"{status.target} has the schema already (version {looked.version})."
    if looked.problem is not None:
        problem = looked.problem.removesuffix(".")
        there = f"Whether {status.target} has the schema could not be asked: {problem}."
    return (
        f"{there} Dump DDL prints the SQL that would bootstrap it again; nothing is run, so there "
        f"is nothing to undo. {status.queue_words}; that stays queued. Print it?"
    )


def _queue_entries(status: StoreStatus) -> list[Entry]:
    entries = []
    if status.pending:
        entries.append(Entry(FLUSH, "Flush pending", _flush(status)))
    if status.pending or status.quarantined:
        entries.append(Entry(PENDING, "List pending"))
        entries.append(Entry(DROP, "Drop pending", _drop(status)))
    if status.quarantined:
        entries.append(Entry(RETRY, "Retry quarantined"))
    return entries


def _disable(status: StoreStatus) -> str:
    return (
        "Disable stops dual-writing for every run of this workstation until it is enabled again. "
        f"{status.queue_words}; that stays queued. Undo: Enable. Disable?"
    )


def _flush(status: StoreStatus) -> str:
    return (
        f"Flush pending sends everything that is queued to {status.target}. "
        f"{status.queue_words}. The alternative is Drop pending. What was sent cannot be taken "
        "back. Flush?"
    )


def _drop(status: StoreStatus) -> str:
    return (
        f"Drop pending empties the queue. {status.queue_words}. The team will not see that; "
        "the local rows stay. Undo: migrate-from-local queues them again. Drop?"
    )
