"""Each promise of guard 4 names tests, and they are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

ROWS = [
    line.split("|")[1:3]
    for line in (ROOT / "docs" / "guard-4.md").read_text().splitlines()
    if line.startswith("| ") and "`" in line
]


def test_every_promise_is_held_by_tests_that_are_there() -> None:
    texts = [path.read_text() for path in (ROOT / "tests").rglob("test_*.py")]
    there = set(re.findall(r"^ *def (test_\w+)\(", "\n".join(texts), re.MULTILINE))

    named = {promise: re.findall(r"`(test_\w+)`", tests) for promise, tests in ROWS}
    assert len(named) > 30
    assert [promise for promise, tests in named.items() if not tests] == []
    assert {name for tests in named.values() for name in tests} - there == set()
