"""The odd files of the proof of bad files: every corner of YAML 1.1 that we know.

They stand in ``fuzz_oddities.txt``, one a line.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

_CHARACTER = re.compile(r"<U\+([0-9A-F]+)>")


class Case(NamedTuple):
    """One file to be tried, and its name in a report."""

    name: str
    data: bytes


def oddities() -> Iterator[Case]:
    """Yield each odd file once."""
    for word in part("words"):
        yield _case("value", f"a: {word}\nb: 1 # c\n")
        yield _case("key", f"# c\n{word}: 1\n# d\n")
        yield _case("item", f"a:\n  b: [{word}, x]\n")
        yield _case("alone", word)
    for phrase in part("phrases"):
        yield _case("phrase", f"a: {phrase}")
        yield _case("phrase", f"# 1\nz: &a 1\na: {phrase}\n# 2\nb: 1 # 3\n")
        yield _case("below", f"z:\n  # 1\n  a: {phrase}\n  # 2\n")
    for merge in part("merges"):
        yield _case("merge", f"b: &b {{x: 1, y: 2}}\na: &a\n  {merge}\n# c\n")
    for text in (*part("documents"), *_numbers()):
        yield _case("document", text)


@cache
def part(name: str) -> Sequence[str]:
    """Return the texts of one part of the list."""
    text = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")
    parts = re.split(r"^== (\w+):.*\n", text, flags=re.MULTILINE)
    lines = parts[parts.index(name) + 1].splitlines()
    return [_decoded(line) for line in lines]


def _decoded(line: str) -> str:
    text = line.replace("<nothing>", "").replace("↵", "\n").replace("→", "\t")
    return _CHARACTER.sub(lambda found: chr(int(found[1], 16)), text)


def _numbers() -> Iterator[str]:
    """Yield numbers that are about as large as a number may be."""
    for digits in (300, 308, 309, 310, 1000, 4300, 4301):
        yield f"delivery_budget_s: {'9' * digits}\n"
        yield f"a: -1{'0' * digits}\n"


def _case(kind: str, text: str) -> Case:
    return Case(f"{kind} {text!r}", text.encode())
