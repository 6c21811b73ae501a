"""Measure what a write costs while the shared store is down and known to be, against local mode.

A write is a whole command (`session new`), with the delivery that it thinks of at its end. Told
apart is one row in a transaction of its own, in one process: with its place in the queue it has
more to put on the disk. Both sides write in turn, on one disk. The store's server is gone, and the
back-off runs, as it does after the first command that found it so.

Usage: python -m scripts.downcost [WRITES [COMMANDS] | --quick]

``--quick`` is for CI: fewer of both, and limits half again as wide.
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from amx.core import back_off
from amx.core.clock import seconds_from_now
from amx.runtime import Runtime
from scripts import furnish
from scripts.verdicts import told
from tests.postgres import PostgresServer

WRITES, COMMANDS = 300, 15
FEWEST_WRITES, FEWEST_COMMANDS = 100, 5
ROUNDS = 5
MOST, MOST_QUICK = 1.1, 1.65
ROW_SLACK = 1.25


def main(writes: int, commands: int, most: float) -> int:
    """Print both ratios; return 1 when one is beyond its limit."""
    with tempfile.TemporaryDirectory(prefix="amx-downcost-") as name:
        homes = [Path(name) / side for side in ("local", "down")]
        for home in homes:
            furnish.run(home, "db", "add", "shop", "--backend", "sqlite", "--path", f"{name}/shop")
            furnish.run(home, "db", "use", "shop")
        with PostgresServer() as server:
            furnish.enable(homes[1], server, server.new_database())
        _keep_off(homes[1])
        rows = _rows(homes, writes)
        pairs = [[_commanded(home) for home in homes] for _ in range(commands)]
        _check_that_all_waits(homes[1], commands)
    verdicts = [
        told("a command that writes, store down to local mode", _ratios(pairs), most),
        told("a row in one process, store down to local mode", rows, most * ROW_SLACK),
    ]
    return 0 if all(verdicts) else 1


def _ratios(pairs: list[list[float]]) -> list[float]:
    return [down / local for local, down in pairs]


def _check_that_all_waits(home: Path, commands: int) -> None:
    """End the program where something was delivered, or not even entered."""
    status = json.loads(furnish.run(home, "history-store", "status", "--json").out)
    if status["pending"] < commands or not status["backing_off_until"]:
        sys.exit(f"The store was not taken to be down: {status}")


def _keep_off(home: Path) -> None:
    """Let the back-off run for longer than it ever does, since this takes longer than usual."""
    runtime = Runtime(furnish.environment(home))
    until = seconds_from_now(back_off.LONGEST_S)
    reason = "connection to server failed: Connection refused"
    runtime.outbox.set_state(
        {back_off.UNTIL: until, back_off.FAILURES: "9", back_off.LAST_ERROR: reason}
    )
    runtime.local.close()


def _rows(homes: list[Path], writes: int) -> list[float]:
    """Write rows in turn, each in a transaction of its own; return the ratios of some rounds."""
    runtimes = [Runtime(furnish.environment(home)) for home in homes]
    for runtime in runtimes:
        _write(runtime)
    ratios = []
    for _ in range(ROUNDS):
        times = [[_write(runtime) for runtime in runtimes] for _ in range(writes // ROUNDS)]
        local, down = (statistics.median(side) for side in zip(*times, strict=True))
        ratios.append(down / local)
    return ratios


def _write(runtime: Runtime) -> float:
    begin = time.perf_counter()
    runtime.history.record_event("bench", "a row", {"because": "it is measured"})
    return time.perf_counter() - begin


def _commanded(home: Path) -> float:
    begin = time.perf_counter()
    furnish.run(home, "session", "new")
    return time.perf_counter() - begin


if __name__ == "__main__":
    if sys.argv[1:] == ["--quick"]:
        sys.exit(main(FEWEST_WRITES, FEWEST_COMMANDS, MOST_QUICK))
    asked = dict(enumerate(map(int, sys.argv[1:])))
    sys.exit(main(asked.get(0, WRITES), max(3, asked.get(1, COMMANDS)), MOST))
