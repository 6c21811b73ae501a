"""Measure whether a flush of many rows needs more memory, or more time for each, than of few.

Peak memory is the kernel's own count (VmHWM) of the process that runs `flush-pending`; the time is
what that says it took. Small and large queues are flushed in turn, to one PostgreSQL.

Usage: python -m scripts.flushscale [SMALL LARGE [ROUNDS] | --quick]

``--quick`` is for CI: from 5,000 to 50,000 rows, and a wide limit for the time.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from scripts import furnish
from scripts.verdicts import told
from tests.postgres import PostgresServer

SMALL, LARGE, ROUNDS = 10_000, 1_000_000, 3
QUICK = (5_000, 50_000, 3)
MOST_MEMORY = 1.1
MOST_TIME, MOST_TIME_QUICK = 1.5, 3.0


class Flushed(NamedTuple):
    """What the flush of one row cost on the average, and the whole flush at its peak."""

    row_us: float
    peak_mib: float


def main(small: int, large: int, rounds: int, most_time: float) -> int:
    """Print both ratios; return 1 when one is beyond its limit."""
    with PostgresServer() as server, tempfile.TemporaryDirectory(prefix="amx-scale-") as name:
        homes = {rows: _full(Path(name), server, rows) for rows in (small, large)}
        pairs = [[_flush(server, homes[rows], rows) for rows in homes] for _ in range(rounds)]
    for rows, flushes in zip(homes, zip(*pairs, strict=True), strict=True):
        facts = ", ".join(f"{one.row_us:.0f} us and {one.peak_mib:.1f} MiB" for one in flushes)
        print(f"{rows:>9,} rows: {facts}")
    words = f"{small:,} to {large:,} rows"
    memory = [many.peak_mib / few.peak_mib for few, many in pairs]
    time = [many.row_us / few.row_us for few, many in pairs]
    verdicts = [
        told(f"peak memory, {words}", memory, MOST_MEMORY),
        told(f"time for each row, {words}", time, most_time),
    ]
    return 0 if all(verdicts) else 1


def _full(folder: Path, server: PostgresServer, rows: int) -> tuple[Path, str]:
    home, database = folder / str(rows), server.new_database()
    furnish.enable(home, server, database)
    furnish.fill(home, rows)
    return home, database


def _flush(server: PostgresServer, full: tuple[Path, str], rows: int) -> Flushed:
    home, database = full
    copy = home.with_name("copy")
    shutil.copytree(home, copy)
    server.execute('TRUNCATE "AMX".runs, "AMX".results', database)
    done = furnish.run(copy, "history-store", "flush-pending", "--json")
    shutil.rmtree(copy)
    report = json.loads(done.out)
    if (report["delivered"], report["pending"]) != (rows, 0):
        sys.exit(f"The flush of {rows} rows ended with {report}")
    return Flushed(report["seconds"] / rows * 1e6, done.peak_kib / 1024)


if __name__ == "__main__":
    if sys.argv[1:] == ["--quick"]:
        sys.exit(main(*QUICK, MOST_TIME_QUICK))
    asked = dict(enumerate(map(int, sys.argv[1:])))
    sys.exit(main(asked.get(0, SMALL), asked.get(1, LARGE), asked.get(2, ROUNDS), MOST_TIME))
