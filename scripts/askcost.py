"""Measure what a question costs over the start of a command that opens the store.

The catalog has 250 tables and 2,600 columns, and its index is fresh: a question looks at the
catalog, finds that nothing has changed, searches, and writes its two turns. Both commands are run
by the same Python in turn, as their console script would; the figures are medians of the
differences within a round.

Usage: python -m scripts.askcost [ROUNDS | --quick]

``--quick`` is for CI: few rounds and a limit half again as wide.
"""

import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

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
    statements = []
    columns = 0
    for subject in _SUBJECTS:
        for place, kind in enumerate(_KINDS):
            fields = [f"{field} TEXT" for field in _FIELDS]
            if place:
                fields.append(f"{subject}_id INTEGER REFERENCES {subject} (id)")
            if subject != _SUBJECTS[0] and place < 5:
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


def _measured(home: Path, question: str, rounds: int) -> list[float]:
    """Return, by round, how many milliseconds more than a start a question took."""
    costs = []
    for turn in range(rounds + 1):
        start, ask = _took(home, "session", "current"), _took(home, "ask", question)
        if turn:  # the first only warms the caches
            costs.append(1000 * (ask - start))
    return costs


def _took(home: Path, *args: str) -> float:
    begin = time.perf_counter()
    furnish.run(home, *args)
    return time.perf_counter() - begin


def _told(question: str, costs: list[float], most_ms: float) -> bool:
    cost = statistics.median(costs)
    word = "ok" if cost <= most_ms else "TOO SLOW"
    spread = f"{min(costs):.0f} to {max(costs):.0f}"
    print(f"{question:<44} {cost:5.1f} ms over a start ({spread}), limit {most_ms:.0f}: {word}")
    return cost <= most_ms


if __name__ == "__main__":
    if sys.argv[1:] == ["--quick"]:
        sys.exit(main(FEWEST_ROUNDS, MOST_QUICK_MS))
    sys.exit(main(max(FEWEST_ROUNDS, int((sys.argv[1:] or [str(ROUNDS)])[0])), MOST_MS))
