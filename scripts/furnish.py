"""Homes full of queued rows, for the programs that measure what a flush costs."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from amx.core import clock
from amx.core.tables import RESULTS
from amx.core.work import Result, Run
from amx.runtime import Runtime
from tests.postgres import PostgresServer

_PROGRAM = """
import pathlib, re, sys
from amx.cli import main
code = main(sys.argv[1:])
status = pathlib.Path("/proc/self/status").read_text()
print("peak", re.search(r"VmHWM:\\s+(\\d+)", status)[1], file=sys.stderr)
sys.exit(code)
"""


class Done(NamedTuple):
    """What a command printed, and the most memory that it had at once."""

    out: str
    peak_kib: int


def run(home: Path, *args: str) -> Done:
    """Run a command in a home, in a process of its own; end the program where it fails."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *args],
        env=environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"amx {' '.join(args)} ended with {done.returncode}:\n{done.stderr}")
    return Done(done.stdout, int(done.stderr.rpartition("peak ")[2]))


def environment(home: Path) -> dict[str, str]:
    """Return what a command in this home finds around it, and nothing of whoever measures."""
    others = ("AMX_", "PG", "PYTHON")  # bytecode is kept, whatever the measuring shell says
    kept = {name: text for name, text in os.environ.items() if not name.startswith(others)}
    return {**kept, "AMX_HOME": str(home)}


def enable(home: Path, server: PostgresServer, database: str) -> None:
    """Make a home whose rows are shared in this database, and flush what that itself wrote."""
    place = ["--host", server.host, "--port", str(server.port)]
    login = ["--user", server.user, "--database", database]
    run(home, "db", "add", "team", "--backend", "postgresql", *place, *login)
    run(home, "history-store", "enable", "--profile", "team")
    run(home, "history-store", "flush-pending")


def fill(home: Path, rows: int) -> None:
    """Queue so many rows: a run and its results. The first is written as ever, and multiplied."""
    runtime = Runtime(environment(home))
    with runtime.local.transaction() as writer:
        first = writer.put(_result(writer.put(_run(rows - 1))))
    names = [name for name in RESULTS.names if name not in ("id", "local_id", "description")]
    columns = ", ".join([*names, "entered"])
    with runtime.local.database.transaction() as connection:
        connection.execute(
            f"""
            WITH RECURSIVE numbers (number) AS (
                SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?)
            INSERT INTO results (id, description, {columns})
            SELECT substr(id, 1, 24) || printf('%012x', number), number || description, {columns}
            FROM numbers CROSS JOIN (SELECT * FROM results WHERE id = ?)""",  # noqa: S608 - declared
            (rows - 2, first.id),
        )
        connection.execute(
            """
            INSERT INTO outbox (table_name, row_id, local_id, revision, queued_at)
            SELECT 'results', id, local_id, revision, created_at FROM results WHERE id <> ?""",
            (first.id,),
        )
    pending = runtime.outbox.counts().pending
    runtime.local.close()
    if pending != rows:
        sys.exit(f"{pending} rows were queued instead of {rows}")


def _run(results: int) -> Run:
    return Run(
        profile="warehouse",
        identity="0" * 64,
        target="postgresql warehouse.internal:5432/sales",
        describer="evidence",
        status="completed",
        started_at=clock.now(),
        ended_at=clock.now(),
        proposed=results,
    )


def _result(run: Run) -> Result:
    return Result(
        run_id=run.id,
        schema_name="sales",
        table_name="ord_hdr_017",
        column_name="cust_ref_04",
        asset_kind="column",
        description=" is the reference of the customer who placed the order; "
        "points at the customer's key and is empty for orders made at the counter.",
        provenance="evidence",
        evidence={"type": "integer", "tokens": ["cust", "ref"], "distinct": 9_421},
    )
