"""Copies of an installation, and what must hold of them and of their shared store."""

import shutil
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from amx.core.models import Values
from amx.core.origins import origins_of
from amx.core.ports import SharedStore
from amx.core.sending import Deadline
from amx.core.tables import SHARED_TABLES
from tests.shared.installation import Installation

STAMP = ("id", "local_id", "created_at", "created_by", "hostname", "client_version", "actor_kind")


def clone(ours: Installation, folder: Path) -> Installation:
    """Copy an installation with its machine."""
    ours.local.close()
    shutil.copytree(ours.path.parent, folder)
    return Installation(folder, ours.store)


def local_rows(one: Installation) -> list[Values]:
    """Return all rows of an installation."""
    return [row for table in SHARED_TABLES for row in one.outbox.local_rows(table, "", 10_000)]


def shared_rows(store: SharedStore, *those: Installation) -> list[Values]:
    """Return all shared rows of these installations, under every origin that they know."""
    return rows_of(store, set(chain.from_iterable(origins_of(one.outbox) for one in those)))


def rows_of(store: SharedStore, origins: set[str]) -> list[Values]:
    """Return all shared rows of these origins."""
    return [
        row
        for table in SHARED_TABLES
        for row in store.rows(table, sorted(origins), "", 10_000, Deadline(30))
    ]


def repeated(found: Sequence[Values]) -> list[tuple[object, ...]]:
    """Return what stands there twice: keys, and numbers of one origin in one table."""
    keys = Counter((row["id"],) for row in found)
    numbers = Counter((row["origin_id"], row["local_id"], "kind" in row) for row in found)
    return [key for key, count in (keys + numbers).items() if count > 1]


def check_whole(store: SharedStore, *those: Installation) -> None:
    """Check that the store has every row of these, each once, under a number of its own."""
    found = shared_rows(store, *those)
    assert repeated(found) == []
    by_key = {row["id"]: row for row in found}
    mine = {row["id"]: row for one in those for row in local_rows(one)}
    assert mine.keys() <= by_key.keys()
    for one in those:
        assert one.outbox.counts().quarantined == 0
        for row in local_rows(one):
            assert {name: row[name] for name in STAMP} == {
                name: by_key[row["id"]][name] for name in STAMP
            }


def drained(*those: Installation) -> None:
    """Flush each of these, and check that nothing is left of any."""
    for one in those:
        report = one.replay()
        assert (report.pending, report.quarantined, report.problem) == (0, 0, None)
