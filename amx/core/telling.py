"""What services report, told to scripts and to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amx.core.errors import CheckFailed, RowsLeft

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amx.core.reports import Member, OutboxEntry, ReplayReport, VerifyReport

ENTRY = ("id", "table", "local_id", "revision", "state", "attempts", "queued_at", "last_error")
"""What is shown of an entry."""

COMPARED = (
    "checked",
    "pending",
    "missing",
    "stale",
    "altered",
    "extra",
    "elsewhere",
    "orphans",
)

MEMBER = ("created_by", "hostname", "client_versions", "runs", "sessions", "events", "last_seen_at")

RESTORED = (
    "The shared store has forgotten rows that it had confirmed: it was restored from an older"
    " backup. They are all here. To send them again: amx history-store verify --repair"
)


def rolled_back_words(rows: int) -> str:
    """Return what is said of a local store that went back in time."""
    concerned = "1 row is" if rows == 1 else f"{rows} rows are"
    return (
        "The local store was restored from a backup, or cloned with its machine: the shared store"
        " knows more of its origin than it does. A new origin has begun, so nothing collides;"
        f" {concerned} concerned. To compare: amx history-store verify"
    )


def check_delivered(report: ReplayReport) -> None:
    """Pass where a flush left nothing behind.

    Raises:
        RowsLeft: rows are pending or quarantined.
    """
    if not (report.pending or report.quarantined):
        return
    reason = f": {report.problem.removesuffix('.')}" if report.problem else ""
    msg = f"Rows are left: {report.pending} pending, {report.quarantined} quarantined{reason}."
    quarantined = "amx history-store pending --quarantined"
    hint = report.hint or ("amx history-store status" if report.pending else quarantined)
    raise RowsLeft(msg, hint=hint, details={"problem": report.problem})


def flush_document(report: ReplayReport) -> dict[str, object]:
    """Return what a flush did, as scripts read it."""
    return _facts(report, ("delivered", "pending", "quarantined", "seconds"))


def flush_words(report: ReplayReport) -> str:
    """Return what a flush did, in one line."""
    left = f"{report.pending} pending, {report.quarantined} quarantined"
    rows = "1 row" if report.delivered == 1 else f"{report.delivered} rows"
    return f"Delivered {rows} in {report.seconds:.1f} s; {left}."


def check_equal(report: VerifyReport) -> None:
    """Pass where local rows and shared rows agree.

    Raises:
        CheckFailed: they differ.
    """
    if report.is_equal:
        return
    found = f"{report.missing} missing, {report.stale} stale, {report.altered} altered"
    msg = f"Local and shared rows differ: {found}, {report.extra} extra. Nothing was changed."
    hint = "amx history-store verify --repair"
    if not (report.missing or report.stale or report.altered):
        msg += " Rows of this installation are there and not here: its local store was restored"
        msg += " from a backup, or cloned."
        hint = "amx history-store team"
    raise CheckFailed(msg, hint=hint)


def verify_document(report: VerifyReport) -> dict[str, object]:
    """Return how both sides compare, as scripts and people read it."""
    return {"equal": report.is_equal, **_facts(report, COMPARED)}


def entry_facts(entry: OutboxEntry) -> dict[str, object]:
    """Return one entry of the queue, as scripts and people read it."""
    return _facts(entry, ENTRY)


def member_facts(member: Member) -> dict[str, object]:
    """Return who wrote what, as scripts read it."""
    return _facts(member, MEMBER)


def member_cells(member: Member) -> Sequence[object]:
    """Return who wrote what, as people read it."""
    facts = member_facts(member) | {"client_versions": ", ".join(member.client_versions)}
    return list(facts.values())


def _facts(report: object, names: Sequence[str]) -> dict[str, object]:
    return {name: getattr(report, name) for name in names}
