"""The JSON documents that scripts rely on. Fields may be added, never renamed or removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amx.core.conversations import Session
    from amx.core.turns import Turn
    from amx.core.work import Result, Run

Document = dict[str, object]


def session_document(session: Session, why_not: str | None) -> Document:
    """Return a session; ``why_not`` says why it cannot be resumed from here, if it cannot."""
    return {
        "id": session.local_id,
        "uuid": session.id,
        "profile": session.profile_now,
        "identity": session.identity,
        "title": session.title,
        "status": session.status,
        "turn_count": session.turn_count,
        "started_at": session.started_at,
        "last_active_at": session.last_active_at,
        "ended_at": session.ended_at,
        "resumable": why_not is None,
        "why_not": why_not,
    }


def turn_document(turn: Turn) -> Document:
    """Return a turn of a session."""
    return {
        "id": turn.local_id,
        "index": turn.turn_index,
        "role": turn.role,
        "content": turn.content,
        "citations": turn.citations,
        "created_at": turn.created_at,
    }


def run_document(run: Run) -> Document:
    """Return a run as `history list` shows it."""
    return {
        "id": run.local_id,
        "uuid": run.id,
        "profile": run.profile,
        "status": run.status,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "created_by": run.created_by,
        "hostname": run.hostname,
        "client_version": run.client_version,
        "proposed": run.proposed,
        "accepted": run.accepted,
        "applied": run.applied,
        "error": run.error,
    }


def result_document(result: Result) -> Document:
    """Return a proposal as `history show` shows it."""
    return {
        "id": result.local_id,
        "uuid": result.id,
        "schema": result.schema_name,
        "table": result.table_name,
        "column": result.column_name,
        "kind": result.asset_kind,
        "description": result.description,
        "provenance": result.provenance,
        "status": result.status,
        "evidence": result.evidence,
    }


def asset(citation: Mapping[str, object]) -> str:
    """Return a citation's asset as ``schema.table.column``."""
    parts = (citation.get(part) for part in ("schema", "table", "column"))
    return ".".join(str(part) for part in parts if part)
