"""Measure how fast the queue is flushed, against a hand-written upsert of the same rows.

Both write to tables that `amx history-store enable` has made, on one PostgreSQL with fsync on,
in turn. Ours begins at the local store and ends with an empty queue (reading, sending,
confirming, as `flush-pending` says); theirs has its rows in memory and only sends them, with
psycopg2's execute_values.

Usage: python -m scripts.flushrate [ROWS [ROUNDS]]
"""

import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2.extras import execute_values

from amx.core import clock
from amx.core.models import Values
from amx.core.tables import RESULTS, RUNS, Table
from amx.core.work import Result, Run
from amx.runtime import Runtime
from tests.postgres import PostgresServer

ROWS = 10_000
ROUNDS = 5
FEWEST_ROUNDS = 3
LIMIT = 0.5
RESULTS_PER_RUN = 500
PAGE = 1_000

Rows = Mapping[Table, Sequence[Values]]


@dataclass(frozen=True, slots=True)
class Bench:
    """A home full of queued rows, and a database for each side."""

    server: PostgresServer
    folder: Path
    ours: str
    theirs: str

    @property
    def full(self) -> Path:
        """The home whose queue is full; it is only ever copied."""
        return self.folder / "full"


def main(rows: int, rounds: int) -> int:
    """Print both rates and their ratio with its spread; return 1 when it is below the limit."""
    with (
        PostgresServer(fsync=True) as server,
        tempfile.TemporaryDirectory(prefix="amx-flushrate-") as folder,
    ):
        bench = Bench(server, Path(folder), server.new_database(), server.new_database())
        queued = _furnish(bench, rows)
        count = sum(len(part) for part in queued.values())
        pairs = [(_flush(bench, count), _write_by_hand(bench, queued)) for _ in range(rounds)]
    ratios = sorted(theirs / ours for ours, theirs in pairs)
    ratio = statistics.median(ratios)
    for name, seconds in zip(("flush", "by hand"), zip(*pairs, strict=True), strict=True):
        print(f"{name:<8} {count / statistics.median(seconds):8,.0f} rows/s")
    print(
        f"ratio {ratio:.2f} (median of {rounds} alternating rounds of {count:,} rows, "
        f"{ratios[0]:.2f}-{ratios[-1]:.2f}), limit {LIMIT}: "
        f"{'ok' if ratio >= LIMIT else 'TOO SLOW'}"
    )
    return 0 if ratio >= LIMIT else 1


def _furnish(bench: Bench, rows: int) -> Rows:
    """Fill the queue of one home, and make the shared tables in both databases."""
    for database in (bench.theirs, bench.ours):
        home = bench.full if database == bench.ours else bench.folder / "bare"
        place = ["--host", bench.server.host, "--port", str(bench.server.port)]
        login = ["--user", bench.server.user, "--database", database]
        _amx(home, "db", "add", "team", "--backend", "postgresql", *place, *login)
        _amx(home, "history-store", "enable", "--profile", "team")
    _amx(bench.full, "history-store", "flush-pending")
    runtime = Runtime(dict(_environment(bench.full)))
    with runtime.local.transaction() as writer:
        for _ in range(math.ceil(rows / (RESULTS_PER_RUN + 1))):
            run = writer.put(_run())
            for number in range(RESULTS_PER_RUN):
                writer.put(_result(run, number))
    queued = {table: runtime.outbox.local_rows(table, "", rows * 2) for table in (RUNS, RESULTS)}
    runtime.local.close()
    return queued


def _run() -> Run:
    return Run(
        profile="warehouse",
        identity="0" * 64,
        target="postgresql warehouse.internal:5432/sales",
        describer="evidence",
        status="completed",
        started_at=clock.now(),
        ended_at=clock.now(),
        proposed=RESULTS_PER_RUN,
    )


def _result(run: Run, number: int) -> Result:
    return Result(
        run_id=run.id,
        schema_name="sales",
        table_name=f"ord_hdr_{number // 20:03d}",
        column_name=f"cust_ref_{number % 20:02d}",
        asset_kind="column",
        description=f"Reference {number} of the customer who placed the order; "
        "points at the customer's key and is empty for orders made at the counter.",
        provenance="evidence",
        evidence={"type": "integer", "tokens": ["cust", "ref"], "distinct": 9_421 + number},
    )


def _flush(bench: Bench, count: int) -> float:
    """Flush a copy of the full home; return the seconds that `flush-pending` says it took."""
    home = bench.folder / "copy"
    shutil.copytree(bench.full, home)
    _empty(bench.server, bench.ours)
    report = json.loads(_amx(home, "history-store", "flush-pending", "--json"))
    shutil.rmtree(home)
    if (report["delivered"], report["pending"]) != (count, 0):
        sys.exit(f"The flush of {count} rows ended with {report}")
    return float(report["seconds"])


def _write_by_hand(bench: Bench, queued: Rows) -> float:
    """Upsert the same rows as one would by hand; return the seconds that it took."""
    _empty(bench.server, bench.theirs)
    begin = time.perf_counter()
    with closing(psycopg2.connect(bench.server.dsn(bench.theirs))) as connection, connection:
        for table, rows in queued.items():
            with connection.cursor() as cursor:
                values = [tuple(row[name] for name in table.names) for row in rows]
                execute_values(cursor, _upsert(table), values, page_size=PAGE)
    return time.perf_counter() - begin


def _upsert(table: Table) -> str:
    names = ", ".join(table.names)
    changes = ", ".join(f"{name} = excluded.{name}" for name in table.names if name != "id")
    return f"""
        INSERT INTO "AMX".{table.name} AS stored ({names})
        VALUES %s
        ON CONFLICT (id) DO UPDATE SET {changes}
        WHERE stored.revision < excluded.revision"""  # noqa: S608 - names that amx declares


def _empty(server: PostgresServer, database: str) -> None:
    server.execute('TRUNCATE "AMX".runs, "AMX".results', database)
    server.execute("CHECKPOINT", database)


def _environment(home: Path) -> Mapping[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("AMX_", "PG"))}
    return {**kept, "AMX_HOME": str(home)}


def _amx(home: Path, *args: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "amx", *args],
        env=_environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"amx {' '.join(args)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    asked = dict(enumerate(map(int, sys.argv[1:])))
    sys.exit(main(asked.get(0, ROWS), max(FEWEST_ROUNDS, asked.get(1, ROUNDS))))
