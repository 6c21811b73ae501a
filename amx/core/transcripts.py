"""A session as a Markdown document for people.

Pure: nothing is read or written here. What was said is data: it stands in fences that no text in
it can close, with control characters made visible.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amx.core.documents import asset
from amx.core.export import escaped, steerless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amx.core.conversations import Session
    from amx.core.turns import Turn

SHORTEST_FENCE = 3
"""Backticks that begin and end a block of code. Source: CommonMark 0.31, 4.5."""


def as_markdown(session: Session, turns: Sequence[Turn]) -> str:
    """Return a session and its turns as one Markdown document, a section for each turn."""
    facts = {
        "Profile": session.profile_now,
        "Database": session.target,
        "State": session.status,
        "Began": session.started_at,
        "By": f"{session.created_by} on {session.hostname}",
    }
    lines = [f"# {escaped(session.title) or f'Session {session.local_id}'}", ""]
    lines += [f"- {name}: {escaped(fact)}" for name, fact in facts.items()]
    return "\n".join([*lines, "", *(_section(turn) for turn in turns)])


def _section(turn: Turn) -> str:
    lines = [f"## {turn.turn_index}. {turn.role}, {turn.created_at}", "", _fenced(turn.content), ""]
    if turn.citations and isinstance(turn.citations, list):
        lines += [f"Cites: {', '.join(escaped(asset(one)) for one in turn.citations)}", ""]
    return "\n".join(lines)


def _fenced(text: str) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(SHORTEST_FENCE, longest + 1)
    return f"{fence}text\n{steerless(text)}\n{fence}"
