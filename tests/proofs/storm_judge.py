"""The judge of the storm: what was acknowledged against what the shared store has, by SQL."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tests.shared.machine_model import Change, Key, Rows, content_of, revision_of, stamp_of


class Log(NamedTuple):
    """What was acknowledged of one row: its first stamp and its last revision."""

    stamp: Mapping[str, object]
    last: Mapping[str, Any]


def logs_of(lines: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[Key, Log]:
    """Return what was acknowledged, row by row, from the writers' logs in their order."""
    logs: dict[Key, Log] = {}
    for table, row in lines:
        key = (table, str(row["id"]))
        known = logs.get(key)
        logs[key] = Log(known.stamp if known else stamp_of(row), row)
    return logs


WORDS = ("lost", "duplicated", "re-stamped", "regressed", "altered", "unknown")
"""What may have become of a row, or of many."""


def judge(
    logs: Mapping[Key, Log], local: Rows, shared: Rows, changes: Iterable[Change]
) -> Counter[str]:
    """Count what went wrong.

    A row may be newer than its log: a writer was killed between its commit and its log. So what
    is newer is compared with the local stores, ``local``.
    """
    found: Counter[str] = Counter(dict.fromkeys(WORDS, 0))
    for key, log in logs.items():
        row = shared.get(key)
        if row is None or revision_of(row) < revision_of(log.last):
            found["lost"] += 1
        elif stamp_of(row) != log.stamp:
            found["re-stamped"] += 1
        elif revision_of(row) == revision_of(log.last) and content_of(row) != content_of(log.last):
            found["altered"] += 1
    found["lost"] += len(local.keys() - shared.keys() - logs.keys())
    found["unknown"] += len(shared.keys() - local.keys())
    found["altered"] += sum(shared[key] != local[key] for key in shared.keys() & local.keys())
    numbers = Counter((key[0], row["origin_id"], row["local_id"]) for key, row in shared.items())
    found["duplicated"] += sum(number - 1 for number in numbers.values())
    found["regressed"] += sum(
        change.after is None or change.after <= change.before for change in changes
    )
    return found
