"""Measure how fast the queue is flushed, against a COPY and upsert of the same rows by hand.

Both write to tables that `amx history-store enable` has made, on one PostgreSQL with fsync on,
in turn. Ours begins at the local store and ends with an empty queue (reading, sending,
confirming, as `flush-pending` says); theirs has its rows in memory, as one would write it with
psycopg2: all of a table as text, one COPY into a temporary table, one INSERT … ON CONFLICT.

Usage: python -m scripts.flushrate [ROWS [ROUNDS] | --quick]

``--quick`` is for CI: fewer rows, and a low limit, since neighbours share its cores.
"""

import io
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import psycopg2

from amx.core.models import Values
from amx.core.tables import RESULTS, RUNS, Table
from amx.runtime import Runtime
from scripts import furnish
from scripts.verdicts import told
from tests.postgres import PostgresServer

ROWS, QUICK_ROWS = 100_000, 20_000
ROUNDS = 5
FEWEST_ROUNDS = 3
LEAST, LEAST_QUICK = 0.8, 0.25

Rows = Mapping[Table, Sequence[Values]]


def main(rows: int, rounds: int, least: float) -> int:
    """Print both rates and their ratio with its spread; return 1 when it is below the limit."""
    with (
        PostgresServer(fsync=True) as server,
        tempfile.TemporaryDirectory(prefix="amx-flushrate-") as name,
    ):
        folder, ours, theirs = Path(name), server.new_database(), server.new_database()
        for home, database in (("bare", theirs), ("full", ours)):
            furnish.enable(folder / home, server, database)
        furnish.fill(folder / "full", rows)
        queued = _queued(folder / "full", rows)
        pairs = [
            (_flush(server, ours, folder, rows), _write_by_hand(server, theirs, queued))
            for _ in range(rounds)
        ]
    for side, seconds in zip(("flush", "by hand"), zip(*pairs, strict=True), strict=True):
        print(f"{side:<8} {rows / statistics.median(seconds):8,.0f} rows/s of {rows:,} rows")
    ratios = [hand / flush for flush, hand in pairs]
    return (
        0 if told("rate of a flush to COPY + upsert by hand", ratios, least, is_least=True) else 1
    )


def _queued(home: Path, rows: int) -> Rows:
    runtime = Runtime(furnish.environment(home))
    queued = {table: runtime.outbox.local_rows(table, "", rows) for table in (RUNS, RESULTS)}
    runtime.local.close()
    return queued


def _flush(server: PostgresServer, database: str, folder: Path, rows: int) -> float:
    """Flush a copy of the full home; return the seconds that `flush-pending` says it took."""
    home = folder / "copy"
    shutil.copytree(folder / "full", home)
    _empty(server, database)
    report = json.loads(furnish.run(home, "history-store", "flush-pending", "--json").out)
    shutil.rmtree(home)
    if (report["delivered"], report["pending"]) != (rows, 0):
        sys.exit(f"The flush of {rows} rows ended with {report}")
    return float(report["seconds"])


def _write_by_hand(server: PostgresServer, database: str, queued: Rows) -> float:
    """Copy and upsert the same rows as one would by hand; return the seconds that it took."""
    _empty(server, database)
    begin = time.perf_counter()
    with closing(psycopg2.connect(server.dsn(database))) as connection, connection:
        for table, rows in queued.items():
            with connection.cursor() as cursor:
                names = ", ".join(table.names)
                cursor.execute(_room(table, names))
                cursor.copy_expert(f"COPY incoming ({names}) FROM STDIN", _text(table, rows))
                cursor.execute(_upsert(table, names))
                cursor.execute("DROP TABLE incoming")
    return time.perf_counter() - begin


def _text(table: Table, rows: Sequence[Values]) -> io.StringIO:
    lines = ("\t".join(_field(row[name]) for name in table.names) + "\n" for row in rows)
    return io.StringIO("".join(lines))


def _field(value: str | int | None) -> str:
    if value is None:
        return r"\N"
    text = str(value).replace("\\", r"\\")
    return text.replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")


def _room(table: Table, names: str) -> str:
    return f'CREATE TEMPORARY TABLE incoming AS SELECT {names} FROM "AMX".{table.name} WITH NO DATA'  # noqa: S608 - names that amx declares


def _upsert(table: Table, names: str) -> str:
    changes = ", ".join(f"{name} = excluded.{name}" for name in table.names if name != "id")
    return f"""
        INSERT INTO "AMX".{table.name} AS stored ({names})
        SELECT {names} FROM incoming
        ON CONFLICT (id) DO UPDATE SET {changes}
        WHERE stored.revision < excluded.revision"""  # noqa: S608 - names that amx declares


def _empty(server: PostgresServer, database: str) -> None:
    server.execute('TRUNCATE "AMX".runs, "AMX".results', database)
    server.execute("CHECKPOINT", database)


if __name__ == "__main__":
    if sys.argv[1:] == ["--quick"]:
        sys.exit(main(QUICK_ROWS, FEWEST_ROUNDS, LEAST_QUICK))
    asked = dict(enumerate(map(int, sys.argv[1:])))
    sys.exit(main(asked.get(0, ROWS), max(FEWEST_ROUNDS, asked.get(1, ROUNDS)), LEAST))
