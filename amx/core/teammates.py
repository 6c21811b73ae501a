"""Rows of the whole team, read live. Nothing of a teammate is ever written here as one's own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from amx.core.errors import UsageError
from amx.core.rows import row_of
from amx.core.sending import Deadline
from amx.core.tables import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amx.core.documents import Document
    from amx.core.models import Row
    from amx.core.ports import Outbox
    from amx.core.reports import Member
    from amx.core.rows import RowT
    from amx.core.sharing import SharingService

TEAM_S = 30.0


class Wanted(NamedTuple):
    """Which rows; what is None is not asked for.

    ``since`` is a date or a length of time ago, about when a row was last active.
    """

    limit: int
    by: str | None = None
    host: str | None = None
    version: str | None = None
    since: str | None = None
    identity: str | None = None

    @property
    def as_moments(self) -> Wanted:
        """The same with the point in time that ``since`` means.

        Raises:
            UsageError: it is neither a date nor a length of time.
        """
        from amx.core.durations import since_of

        return self if self.since is None else self._replace(since=since_of(self.since))


def check_own(wanted: Wanted, command: str) -> None:
    """Refuse to look for teammates among the rows of this installation.

    Raises:
        UsageError: somebody or some time was asked for.
    """
    if wanted[1:] != Wanted(0)[1:]:
        msg = "--by, --host, --client-version and --since go with --team. Nothing was changed."
        raise UsageError(msg, hint=f"amx {command} --team")


def newest(
    sharing: SharingService, outbox: Outbox, kind: type[RowT], wanted: Wanted
) -> Sequence[RowT]:
    """Return rows of anybody, newest first; those of other installations without a number.

    Raises:
        UsageError: no point in time is meant by ``since``.
        SharedStoreError: the store could not be read.
    """
    from amx.core.origins import origins_of

    which = wanted.as_moments
    table = BY_NAME[kind.TABLE]
    found = sharing.read(lambda store: store.newest(table, which, Deadline(TEAM_S)))
    ours = set(origins_of(outbox))
    rows = [row_of(kind, values) for values in found]
    return [row if row.origin_id in ours else replace(row, local_id=None) for row in rows]


def members(sharing: SharingService, wanted: Wanted) -> list[Member]:
    """Return who wrote what, as the shared store tells it now.

    Raises:
        UsageError: no point in time is meant by ``since``.
        SharedStoreError: the store could not be read.
    """
    since = wanted.as_moments.since
    found = sharing.read(lambda store: store.team(since, Deadline(TEAM_S)))
    return [
        one
        for one in found
        if wanted.by in (None, one.created_by) and wanted.host in (None, one.hostname)
    ]


def with_author(document: Document, row: Row) -> Document:
    """Return a document that says who wrote its row, where and with which version."""
    return {
        **document,
        "created_by": row.created_by,
        "hostname": row.hostname,
        "client_version": row.client_version,
        "actor": row.actor,
    }


WHY_NOT = "it belongs to another installation"
"""Why a teammate's session cannot be resumed here."""
