"""Measure what a question costs over the start of a command that opens the store.

The catalog has 250 tables and 2,600 columns, and its index is fresh: a question looks at the
catalog, finds that nothing has changed, searches, and writes its two turns. It is held against
`amx session current`, which reads the configuration and the store. Both are run by the same Python
in turn, with warm bytecode; the figures are medians of the differences within a round, on the
clock and, which neighbours on the machine disturb less, in processor time.

Usage: python -m scripts.askcost [ROUNDS | --quick]

``--quick`` is for CI: few rounds and a limit half again as wide.
"""

import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from scripts import furnish

ROUNDS, FEWEST_ROUNDS = 25, 5
MOST_MS, MOST_QUICK_MS = 50, 75

TABLES, COLUMNS = 250, 2_600

QUESTIONS = (
    "which table holds the prices of products?",
    "custmer addresses",
    "what references customer?",
    "how do invoices join customers?",
    "and their dates?",
)
"""Of every kind: found at once, misspelt, about keys, a way between tables, going on."""

_SUBJECTS = (
    "customer", "invoice", "product", "purchase", "supplier", "payment", "shipment", "employee",
    "account", "warehouse", "contract", "campaign", "ticket", "asset", "budget", "vehicle",
    "project", "machine", "patient", "lesson", "booking", "claim", "tariff", "sensor", "recipe",
)  # fmt: skip
_KINDS = (
    "", "_line", "_addr", "_type", "_status", "_hist", "_note", "_price", "_contact", "_group",
)  # fmt: skip
_FIELDS = (
    "name", "created_at", "amt", "qty", "unit_price", "start_dt", "end_dt", "status_cd", "remark",
)  # fmt: skip


class Cost(NamedTuple):
    """What a command took, or took more than another."""

    clock_ms: float
    cpu_ms: float


def main(rounds: int, most_ms: float) -> int:
    """Print what each kind of question costs; return 1 where one is beyond the limit."""
    with tempfile.TemporaryDirectory(prefix="amx-askcost-") as name:
        database, home = Path(name) / "erp.db", Path(name) / "home"
        tables, columns = build(database)
        print(f"{tables} tables, {columns} columns, {rounds} rounds")
        furnish.run(home, "db", "add", "erp", "--backend", "sqlite", "--path", str(database))
        furnish.run(home, "ask", "customers")
        times = {question: _measured(home, question, rounds) for question in QUESTIONS}
    verdicts = [_told(question, costs, most_ms) for question, costs in times.items()]
    return 0 if all(verdicts) else 1


def build(path: Path) -> tuple[int, int]:
    """Make the database; return how many tables and columns it has."""
    statements: list[str] = []
    columns = 0
    for subject in _SUBJECTS:
        for place, kind in enumerate(_KINDS):
            fields = [f"{field} TEXT" for field in _FIELDS[: len(_FIELDS) - place % 2]]
            if place:
                fields.append(f"{subject}_id INTEGER REFERENCES {subject} (id)")
            if subject != _SUBJECTS[0] and not place:
                fields.append(f"{_SUBJECTS[0]}_id INTEGER REFERENCES {_SUBJECTS[0]} (id)")
            left = COLUMNS - columns - len(fields) - 1
            if len(statements) == TABLES - 1:
                fields += [f"extra_{number} TEXT" for number in range(left)]
            columns += len(fields) + 1
            table = f"{subject}{kind}"
            statements.append(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, {', '.join(fields)})")
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return len(statements), columns


def _measured(home: Path, question: str, rounds: int) -> list[Cost]:
    """Return, by round, what a question took more than a start."""
    costs = []
    for turn in range(rounds + 1):
        start, ask = _took(home, "session", "current"), _took(home, "ask", question)
        if turn:  # the first only warms the caches
            costs.append(Cost(ask.clock_ms - start.clock_ms, ask.cpu_ms - start.cpu_ms))
    return costs


def _took(home: Path, *args: str) -> Cost:
    begin, used = time.perf_counter(), _used()
    furnish.run(home, *args)
    return Cost(1000 * (time.perf_counter() - begin), 1000 * (_used() - used))


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _told(question: str, costs: list[Cost], most_ms: float) -> bool:
    clock, cpu = (statistics.median(side) for side in zip(*costs, strict=True))
    word = "ok" if clock <= most_ms else "TOO SLOW"
    print(
        f"{question:<44} {clock:5.1f} ms over a start, limit {most_ms:.0f}: {word}"
        f"  (rounds {min(costs).clock_ms:.0f}-{max(costs).clock_ms:.0f}; processor {cpu:.1f} ms)"
    )
    return bool(clock <= most_ms)


if __name__ == "__main__":
    if sys.argv[1:] == ["--quick"]:
        sys.exit(main(FEWEST_ROUNDS, MOST_QUICK_MS))
    sys.exit(main(max(FEWEST_ROUNDS, int((sys.argv[1:] or [str(ROUNDS)])[0])), MOST_MS))
