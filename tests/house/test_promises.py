"""Each promise of the guards names tests, and they are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FEWEST = {"guard-1.md": 35, "guard-4.md": 30, "guards-2-and-3.md": 35}


@pytest.mark.parametrize("page", FEWEST)
def test_every_promise_is_held_by_tests_that_are_there(page: str) -> None:
    rows = [
        line.split("|")[1:3]
        for line in (ROOT / "docs" / page).read_text().splitlines()
        if line.startswith("| ") and "`" in line
    ]
    texts = [path.read_text() for path in (ROOT / "tests").rglob("test_*.py")]
    there = set(re.findall(r"^ *def (test_\w+)\(", "\n".join(texts), re.MULTILINE))

    named = {promise: re.findall(r"`(test_\w+)`", tests) for promise, tests in rows}
    assert len(named) > FEWEST[page]
    assert [promise for promise, tests in named.items() if not tests] == []
    assert {name for tests in named.values() for name in tests} - there == set()
