"""What every row of the history is made of.

A row's fields are the columns of its table (see ``tables.py``), name for name. The kinds of rows
stand in rooms of their own: making such a class takes a millisecond or two, and a command pays
only for those that it needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from amx.core.ids import uuid7

Values = Mapping[str, str | int | None]
"""One row as its columns: JSON as canonical text, times as RFC 3339 text."""


@dataclass(frozen=True, slots=True, kw_only=True, init=False, repr=False, eq=False)
class Row:
    """What every row of the history has.

    ``id`` is its key everywhere; ``local_id`` its number on this installation, ``None`` until
    the row is first written. The rest below is stamped by the writer, not by the maker of the
    row; unstamped rows are refused by the schema. ``TABLE`` names the table of the kind.

    Only its kinds are made, so it has no methods of its own: making them takes a millisecond.
    """

    TABLE: ClassVar[str] = ""

    id: str = field(default_factory=uuid7)
    local_id: int | None = None
    revision: int = 0
    created_at: str = ""
    updated_at: str = ""
    updated_by_version: str = ""
    created_by: str = ""
    hostname: str = ""
    client_version: str = ""
    origin_id: str = ""
    actor: str | None = None
    actor_kind: str = "human"
    run_url: str | None = None
