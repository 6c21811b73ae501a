"""The origins that this installation has written under: the present one and those before it.

A local store that was restored from a backup or cloned repeats its numbers and revisions, so a
new origin is begun for the rows that come after.
"""

import json

from amx.core.ids import uuid7
from amx.core.ports import Outbox

PRESENT = "origin_id"
FORMER = "former_origins"


def origins_of(outbox: Outbox) -> list[str]:
    """Return all origins of this installation, the present one last."""
    former = json.loads(outbox.state(FORMER) or "[]")
    present = outbox.state(PRESENT)
    return [*former, present] if present else former


def begin_origin(outbox: Outbox) -> str:
    """Begin a new origin for the rows that come after; return it."""
    origin = uuid7()
    outbox.set_state({FORMER: json.dumps(origins_of(outbox)), PRESENT: origin})
    return origin
