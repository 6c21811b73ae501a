"""The origins that this installation has written under: the present one and those before it.

A local store that was restored from a backup or cloned repeats its numbers and revisions, so a
new origin is begun for the rows that come after, and for those that were never sent.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from amx.core.ids import uuid7
from amx.core.tables import SHARED_TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amx.core.ports import Outbox

PRESENT = "origin_id"
FORMER = "former_origins"
LEFT_AT = "left_origins_at"
"""Where another copy goes on under an origin that was left: by origin and table, a number."""


def origins_of(outbox: Outbox) -> list[str]:
    """Return all origins of this installation, the present one last."""
    former = json.loads(outbox.state(FORMER) or "[]")
    present = outbox.state(PRESENT)
    return [*former, present] if present else former


def begin_origin(
    outbox: Outbox,
    left_at: Mapping[str, int] | None = None,
    facts: Mapping[str, str | None] | None = None,
) -> str:
    """Begin a new origin for the rows that come after; return it.

    Args:
        outbox: Where it is kept.
        left_at: By table, the number from which rows of the origin before belong to others.
        facts: What is kept in the same transaction.
    """
    origin = uuid7()
    left = left_origins(outbox)
    present = outbox.state(PRESENT)
    if present and left_at:
        left[present] = dict(left_at)
    state = {FORMER: json.dumps(origins_of(outbox)), PRESENT: origin}
    outbox.set_state({**state, LEFT_AT: json.dumps(left) if left else None, **(facts or {})})
    return origin


def adopt(outbox: Outbox, table: str, row_id: str, origin: str) -> None:
    """Give a row the origin under which another copy of this installation has sent it already."""
    known = origins_of(outbox)
    if origin not in known:
        left = {**left_origins(outbox), origin: {one.name: 0 for one in SHARED_TABLES}}
        former = json.dumps([origin, *known[:-1]])
        outbox.set_state({FORMER: former, LEFT_AT: json.dumps(left)})
    outbox.move_to_origin(table, [row_id], origin)


def left_origins(outbox: Outbox) -> dict[str, dict[str, int]]:
    """Return from which numbers on rows of former origins are those of another copy, by table."""
    left: dict[str, dict[str, int]] = json.loads(outbox.state(LEFT_AT) or "{}")
    return left
