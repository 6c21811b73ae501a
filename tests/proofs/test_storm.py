"""The proof of the shared store in its reduced form, and that its checks can fail."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from amx.core.models import Values
from tests.proofs.running import reduced
from tests.proofs.storm_judge import WORDS, judge, logs_of
from tests.shared import rows
from tests.shared.machine_model import Change

ROW = rows.run(id="a", revision=2)
KEY = ("runs", "a")


def test_nothing_is_lost_doubled_or_restamped_while_everything_fails(tmp_path: Path) -> None:
    done = reduced("storm", tmp_path)
    lines = done.stdout.splitlines()
    parts = ["seed", "judged", "troubles", "faults of the network", "storm"]
    assert [line.partition(":")[0] for line in lines] == parts, done.stdout + done.stderr
    assert (done.returncode, done.stderr) == (0, "")
    none = ", ".join(f"0 {word}" for word in WORDS)
    assert re.fullmatch(rf"judged: \d+ rows, [1-9]\d* changes of them; {none}", lines[1])
    assert lines[-1].endswith("; 0 violations")


@pytest.mark.parametrize(
    ("shared", "found"),
    [
        ({}, {"lost": 1}),
        ({KEY: rows.run(id="a", revision=1)}, {"lost": 1, "altered": 1}),
        ({KEY: ROW, ("runs", "b"): rows.run(id="b")}, {"unknown": 1, "duplicated": 1}),
        ({KEY: {**ROW, "created_by": "cron"}}, {"re-stamped": 1, "altered": 1}),
        ({KEY: {**ROW, "status": "failed"}}, {"altered": 2}),
        ({KEY: ROW}, {}),
    ],
)
def test_what_went_wrong_is_found(
    shared: Mapping[tuple[str, str], Values], found: dict[str, int]
) -> None:
    logs = logs_of([("runs", rows.run(id="a", revision=1)), ("runs", ROW)])
    assert +judge(logs, {KEY: ROW}, shared, []) == found


@pytest.mark.parametrize("after", [1, 2, None])
def test_a_revision_that_fell_or_stayed_or_went_away_is_found(after: int | None) -> None:
    logs = logs_of([("runs", ROW)])
    changes = [Change("runs", "a", 1, 2), Change("runs", "a", 2, after)]
    assert +judge(logs, {KEY: ROW}, {KEY: ROW}, changes) == {"regressed": 1}
