"""Rows for the tests of the shared store, as a local store would hand them over."""

from amx.core.attribution import Attribution
from amx.core.conversations import Session
from amx.core.models import Row, Values
from amx.core.rows import values_of
from amx.core.turns import Turn
from amx.core.work import Event, Result, Run

MOMENT = "2026-01-31T23:59:59.000001Z"

ORIGIN = "origin-one"

WHO = Attribution(created_by="ada", hostname="difference", client_version="0.1.0")


def stamped(kind: type[Row], fields: dict[str, object]) -> Values:
    """Return a row as its values, stamped unless told otherwise."""
    stamp: dict[str, object] = {
        "local_id": 1,
        "revision": 1,
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "updated_by_version": "0.1.0",
        "created_by": WHO.created_by,
        "hostname": WHO.hostname,
        "client_version": WHO.client_version,
        "origin_id": ORIGIN,
    }
    return values_of(kind(**{**stamp, **fields}))


def in_key_order(values: list[Values]) -> list[Values]:
    """Return the rows as a store returns them."""
    return sorted(values, key=lambda row: str(row["id"]))


def run(**fields: object) -> Values:
    """Return a run."""
    own = {"profile": "sales", "identity": "v1:aa", "target": "sqlite:/x", "describer": "evidence"}
    return stamped(Run, {**own, "started_at": MOMENT, **fields})


def result(**fields: object) -> Values:
    """Return a result."""
    own = {"run_id": "r", "schema_name": "", "table_name": "t", "asset_kind": "table"}
    more = {"description": "", "provenance": "evidence"}
    return stamped(Result, {**own, **more, **fields})


def session(**fields: object) -> Values:
    """Return a session."""
    own = {"profile": "sales", "identity": "v1:aa", "target": "sqlite:/x"}
    return stamped(Session, {**own, "started_at": MOMENT, "last_active_at": MOMENT, **fields})


def turn(**fields: object) -> Values:
    """Return a turn."""
    own = {"session_id": "s", "turn_index": 1, "role": "user", "content": "how many?"}
    return stamped(Turn, {**own, "profile": "sales", "identity": "v1:aa", **fields})


def event(**fields: object) -> Values:
    """Return an event."""
    return stamped(Event, {"kind": "enable", "subject": "team", **fields})
