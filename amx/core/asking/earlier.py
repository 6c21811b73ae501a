"""What the earlier turns of a session are about.

Never those of another session: it may be about another database.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from amx.core.asking.documents import TableName

if TYPE_CHECKING:
    from amx.core.turns import Turn

REMEMBERED_TURNS = 8
"""How many turns back something is looked for that a question may refer to."""


class Earlier(NamedTuple):
    """The last answer that cited something: its tables, best first, and what was asked."""

    tables: Sequence[TableName] = ()
    question: str = ""


def recalled(turns: Sequence["Turn"]) -> Earlier:
    """Return what the newest of these turns, newest first, are about."""
    tables: list[TableName] = []
    for turn in turns:
        if tables and turn.role == "user":
            return Earlier(tables, turn.content)
        if not tables and turn.role == "assistant" and isinstance(turn.citations, list):
            tables = list(dict.fromkeys(_cited(turn.citations)))
    return Earlier(tables)


def _cited(citations: Sequence[object]) -> Sequence[TableName]:
    known = [one for one in citations if isinstance(one, Mapping)]
    return [(str(one.get("schema") or ""), str(one["table"])) for one in known if one.get("table")]
