"""The proof of the shared store: writers and flushers while everything between fails.

Usage: python -m tests.proofs.storm [--quick] [--seconds S] [--seed N]

Two installations, each with two writers and one flusher, share one PostgreSQL behind a proxy that
refuses, resets, drops, falls silent and swallows answers to commits, and goes through a pgbouncer
now and then, where there is one. Meanwhile the server is stopped, killed with -9, made read-only,
robbed of its connections and, where root may mount a small disk, of space; pgbouncer is restarted;
writers and flushers are killed. When all is well again and flushed, what
the writers were told is compared with the shared store by SQL, and by `verify`.

The last line sums up; the exit code is 0 when nothing was lost, doubled, stamped anew or older
than before, and everything was tried; else 1.
"""

import argparse
import os
import random
import select
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from functools import partial
from itertools import cycle
from multiprocessing.context import ForkProcess
from pathlib import Path

import psycopg2

from amx.core.models import Values
from amx.core.verify import Verifier
from amx.stores.ddl import bootstrap_ddl
from tests.pgbouncer import PROGRAM, Bouncer
from tests.postgres import PostgresServer, free_port
from tests.proofs.chaos_ground import Verdict
from tests.proofs.chaos_workers import Role, end_all, started
from tests.proofs.storm_disk import APART, SmallDisk, can_mount, go_apart, small_disk
from tests.proofs.storm_judge import judge, logs_of
from tests.proofs.storm_proxy import FAULTS, proxy
from tests.proofs.storm_workers import (
    PASSWORD,
    ROLE,
    SCHEMA,
    Home,
    Sea,
    flusher,
    logged,
    settled,
    writer,
)
from tests.proofs.telling import tell, words_of
from tests.shared.machine_model import Key
from tests.shared.machine_sides import PostgresSide, local_side

FULL_S, QUICK_S = 60.0, 15.0

Troubles = dict[str, Callable[[], None]]

CREW: Sequence[tuple[Role, str, str]] = (
    (writer, "one", "ada"),
    (writer, "one", "grace"),
    (flusher, "one", "cron"),
    (writer, "two", "joan"),
    (writer, "two", "hedy"),
    (flusher, "two", "systemd"),
)
HOMES = ("one", "two")

CONNECTIONS = 14
"""Of which a role without special rights gets eleven."""

_TROUBLE_S = (0.2, 0.6)
_AT_FIRST_S = (1.0, 1.0)
_LOOKS = 100
_LOOK_S = (0.05, 0.1)
_CALM_S = (0.4, 1.0)


class Storm:
    """The server and the crew, and what is done to them.

    Args:
        sea: Where it takes place.
        server: The server of the shared store.
        dice: What is random.
    """

    def __init__(self, sea: Sea, server: PostgresServer, dice: random.Random) -> None:
        self.sea = sea
        self.counts: Counter[str] = Counter()
        self._server = server
        self._dice = dice
        self._crew: dict[int, ForkProcess] = {n: self._begin(n) for n in range(len(CREW))}

    def rage(self, seconds: float, more: Troubles) -> None:
        """Let one trouble follow the other until the time is over and each was there.

        Args:
            seconds: The time.
            more: Troubles that not every machine can make.
        """
        troubles: Troubles = {
            "killed writers": lambda: self._kill(writer),
            "stopped fast": lambda: self._restart(lambda: self._server.stop("fast")),
            "killed flushers": lambda: self._kill(flusher),
            "killed with -9": lambda: self._restart(self._server.kill),
            "read-only": self._read_only,
            "stopped immediately": lambda: self._restart(lambda: self._server.stop("immediate")),
            "without connections": self._exhaust,
            **more,
        }
        end = time.monotonic() + seconds
        self._wait(_AT_FIRST_S)
        for name in cycle(troubles):
            if time.monotonic() > end and troubles.keys() <= self.counts.keys():
                break
            troubles[name]()
            self.counts[name] += 1
            self._wait(_CALM_S)

    def ends(self, verdict: Verdict) -> None:
        """Let the crew end."""
        self.sea.end()
        end_all("storm", list(self._crew.values()), verdict)

    def _begin(self, place: int) -> ForkProcess:
        role, home, name = CREW[place]
        return started(role, self.sea, home, name, self._dice.randrange(1 << 30))

    def _kill(self, role: Role) -> None:
        place = self._dice.choice([n for n, member in enumerate(CREW) if member[0] is role])
        process = self._crew[place]
        with suppress(ProcessLookupError):
            os.killpg(process.pid or 0, signal.SIGKILL)
        process.join()
        if process.exitcode != -signal.SIGKILL:
            self.sea.ledger.note("failed", f"{CREW[place][2]} ended with {process.exitcode}")
        self._crew[place] = self._begin(place)

    def _restart(self, end: Callable[[], None]) -> None:
        end()
        self._wait(_TROUBLE_S)
        self._server.start()

    def _read_only(self) -> None:
        self._server.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        self._server.execute("SELECT pg_reload_conf()")
        self._await("read-only transaction")
        self._server.execute("ALTER SYSTEM RESET default_transaction_read_only")
        self._server.execute("SELECT pg_reload_conf()")

    def fill(self, disk: SmallDisk) -> None:
        """Let the disk of the store be full for a moment."""
        disk.fill()
        self._await("No space left")
        disk.free()

    def restart(self, bouncer: Bouncer) -> None:
        """Let pgbouncer be away for a moment."""
        bouncer.stop()
        self._wait(_TROUBLE_S)
        bouncer.start()

    def _exhaust(self) -> None:
        place = f"host={self._server.host} port={self._server.port} dbname={self.sea.database}"
        with ExitStack() as held:
            with suppress(psycopg2.OperationalError):
                for _ in range(CONNECTIONS):
                    connection = psycopg2.connect(place, user=ROLE, password=PASSWORD)
                    held.enter_context(closing(connection))
            self._await("connection slots")

    def _await(self, reason: str) -> None:
        """Wait until somebody was refused for this reason, if it is soon."""
        before = self.sea.ledger.count(reason)
        for _ in range(_LOOKS):
            self._wait(_LOOK_S)
            if self.sea.ledger.count(reason) > before:
                self.counts[f"met: {reason}"] += 1
                break

    def _wait(self, limits: tuple[float, float]) -> None:
        select.select([], [], [], self._dice.uniform(*limits))


def prove(seconds: float, seed: int, folder: Path, *, is_apart: bool) -> Verdict:
    """Let it storm; tell what was tried and what became of it."""
    verdict = Verdict()
    with ExitStack() as held:
        server = held.enter_context(PostgresServer())
        disk = held.enter_context(small_disk(server)) if is_apart else None
        side = _prepare(server, "small" if disk else "pg_default")
        login = f"user={ROLE} password='{_DOUBLED}'"
        bouncer = held.enter_context(Bouncer(server, pool=2, login=login)) if PROGRAM else None
        ways = [server.port, *([bouncer.port] if bouncer else [])]
        sea = Sea(folder, server.host, free_port(), side.database)
        between = started(proxy, sea.ledger, server.host, sea.port, ways, seed)
        storm = Storm(sea, server, random.Random(seed))  # noqa: S311 - a seed, to try the same again
        more: Troubles = {"disk full": partial(storm.fill, disk)} if disk else {}
        more |= {"pgbouncer restarted": partial(storm.restart, bouncer)} if bouncer else {}
        try:
            storm.rage(seconds, more)
        finally:  # whoever lives on keeps the server's watchdog waiting
            storm.ends(verdict)
            between.kill()
            between.join()
        _settle(Sea(folder, server.host, server.port, side.database), side, verdict)
    tried = storm.counts + _tried(sea)
    for name in (*TRIED, *FAULTS, *more, *(["met: No space left"] if disk else [])):
        verdict.count("storm", **{name: tried[name]})
    tell("troubles", words_of(storm.counts))
    tell("faults of the network", words_of(Counter({name: tried[name] for name in FAULTS})))
    return verdict


TRIED = (
    *("writes", "updates", "flush", "interrupted", "delivery", "killed writers", "killed flushers"),
    *("stopped fast", "stopped immediately", "killed with -9", "read-only", "without connections"),
    *("met: read-only transaction", "met: connection slots"),
)
"""What must have been tried, beside the faults of the network."""

_DOUBLED = PASSWORD.replace("'", "''")


def _prepare(server: PostgresServer, tablespace: str) -> PostgresSide:
    """Make the shared store, and a role that may only write."""
    server.execute(f"ALTER SYSTEM SET max_connections = {CONNECTIONS}")
    server.stop()
    server.start()
    side = PostgresSide(server, tablespace)
    server.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{_DOUBLED}'")
    server.execute(bootstrap_ddl("postgresql", SCHEMA, grant_to=ROLE), side.database)
    side.close()
    return side


def _settle(sea: Sea, side: PostgresSide, verdict: Verdict) -> None:
    """Flush what is left, then compare what was acknowledged with what is there."""
    for home in HOMES:
        left = settled(sea, home)
        verdict.check(not left, f"storm: {len(left)} rows of {home} never arrived: {left[:3]}")
        one = Home(sea, home, "last")
        with closing(one.store()) as store:
            report = Verifier(one.outbox, store).verify()
        verdict.check(report.is_equal and not report.pending, f"storm: verify of {home}: {report}")
    side.connect()
    local: dict[Key, Values] = {}
    for home in HOMES:
        local |= local_side(sea.folder / home / "local.db")[0]
    shared = side.rows()
    found = judge(logs_of(_lines(sea)), local, shared, changes := side.changes())
    side.close()
    for word, number in found.items():
        verdict.check(not number, f"storm: {number} rows {word}")
    tell("judged", f"{len(shared)} rows, {len(changes)} changes of them; {words_of(found)}")
    wrong = sea.ledger.all("failed", "mistaken", "error")
    verdict.violations += [f"storm: {line}" for line in wrong]


def _lines(sea: Sea) -> Iterator[tuple[str, dict[str, object]]]:
    for role, home, name in CREW:
        if role is writer:
            yield from logged(sea.log(home, name))


def _tried(sea: Sea) -> Counter[str]:
    revisions = [row["revision"] for _, row in _lines(sea)]
    tried = Counter("writes" if revision == 1 else "updates" for revision in revisions)
    for word in ("flush", "interrupted", "busy", "delivery", *FAULTS):
        tried[word] = len(sea.ledger.all(word))
    return tried


def main(arguments: Sequence[str]) -> int:
    """Run the proof; return its exit code."""
    parser = argparse.ArgumentParser(prog="storm", description="The proof of the shared store.")
    parser.add_argument("--quick", action="store_true", help="the reduced form")
    parser.add_argument("--seconds", type=float, help="how long it storms")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random here")
    parser.add_argument(APART, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if can_mount() and not options.apart:
        go_apart("tests.proofs.storm", arguments)
    tell("seed", str(options.seed))
    seconds = options.seconds or (QUICK_S if options.quick else FULL_S)
    with tempfile.TemporaryDirectory(prefix="amx-storm-") as folder:
        verdict = prove(seconds, options.seed, Path(folder), is_apart=options.apart)
    for text in verdict.violations[:20]:
        tell("violation", text)
    tell("storm", f"{words_of(verdict.counts)}; {len(verdict.violations)} violations")
    return int(bool(verdict.violations))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
