"""Concurrency, part 2: savers that are killed at random moments and go on with their next key."""

import os
import random
import re
import select
import signal
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from pathlib import Path

from amx.core.locks import is_held
from tests.proofs.chaos_ground import Ground, Size, Verdict
from tests.proofs.chaos_saves import READERS, jobs_of
from tests.proofs.chaos_workers import LIMIT_S, Role, Watch, commander, judge, started
from tests.proofs.telling import words_of

_LONGEST_PAUSE_S = 0.12
_LOOKS = 1500
_LOOK_S = 0.0002
_LATEST_S = 0.004


@dataclass
class Shift:
    """The savers that live just now, by process id, and what each has still to do."""

    ground: Ground
    verdict: Verdict
    dice: random.Random
    counts: Counter[str] = field(default_factory=Counter)
    live: dict[int, tuple[ForkProcess, Role, Sequence[str]]] = field(default_factory=dict)

    def begin(self, role: Role, names: Sequence[str]) -> None:
        """Start a saver, unless nothing is left to be saved."""
        if names:
            process = started(role, self.ground, names)
            self.live[process.pid or 0] = (process, role, names)

    def work(self, kills: int) -> None:
        """Kill so often, at random moments, until all is saved; who was killed goes on."""
        end = time.monotonic() + LIMIT_S
        while self.live and time.monotonic() < end:
            pause = self.dice.uniform(0, _LONGEST_PAUSE_S) if self.counts["kills"] < kills else 5
            ended = wait([process.sentinel for process, *_ in self.live.values()], pause)
            for pid, (process, *_) in list(self.live.items()):
                if process.sentinel in ended:
                    self._end(pid)
            if self.live and not ended and self.counts["kills"] < kills:
                self._kill(self._victim())
        self.verdict.check(not self.live, f"killed: savers were stuck for {LIMIT_S:.0f} s")
        for pid in self.live:
            os.killpg(pid, signal.SIGKILL)

    def _end(self, pid: int) -> None:
        process, *_ = self.live.pop(pid)
        process.join()
        text = f"killed: a saver ended by itself with {process.exitcode}"
        self.verdict.check(process.exitcode == 0, text)

    def _victim(self) -> int:
        """Choose anybody; or who holds the lock, just now or while a file of its save stands."""
        chosen = self.dice.choice(sorted(self.live))
        how = self.dice.choice(("anybody", "holder", "shadow", "bak.1.next"))
        if how in ("shadow", "bak.1.next"):
            self._await_file(self.ground.live.with_name(f"config.yml.{how}"))
        if how != "anybody":
            with suppress(OSError):  # the holder has ended meanwhile
                leader = os.getpgid(self._holder())
                chosen = leader if leader in self.live else chosen
        return chosen

    def _await_file(self, path: Path) -> None:
        """Wait until it is there, if it comes soon, and mostly a little longer."""
        for _ in range(_LOOKS):
            if path.exists():
                break
            select.select([], [], [], _LOOK_S)
        select.select([], [], [], max(0.0, self.dice.uniform(-_LATEST_S / 2, _LATEST_S)))

    def _holder(self) -> int:
        """Return the process id that the lock file names; that of nobody where it names none."""
        lock = self.ground.live.with_name("config.yml.lock")
        found = re.match(rb"\d+", lock.read_bytes())
        return int(found[0]) if found else 1 << 30

    def _kill(self, pid: int) -> None:
        process, role, names = self.live[pid]
        if not process.is_alive():  # and its id may be another's by now
            self._end(pid)
            return
        os.killpg(pid, signal.SIGSTOP)
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        left = self._look_at_stopped(pid)
        os.killpg(pid, signal.SIGKILL)
        process.join()
        if process.exitcode != -signal.SIGKILL:
            self._end(pid)  # it had ended before
            return
        del self.live[pid]
        begun, done = (set(self.ground.ledger.names(word)) for word in ("begun", "done"))
        self.counts["kills"] += 1
        self.counts["in a save"] += any(name in begun - done for name in names)
        self.counts["of the command"] += role is commander
        self.counts["in the lock"] += left is not None
        self.counts["with files left behind"] += bool(left)
        self.begin(role, [name for name in names if name not in begun])

    def _look_at_stopped(self, pid: int) -> list[str] | None:
        """Return what it would leave behind if it died now; None where it does not hold the lock.

        It is stopped: while it holds the lock nobody changes anything.
        """
        with suppress(OSError):
            lock = self.ground.live.with_name("config.yml.lock")
            if self._holder() == pid and is_held(lock):
                left, lost = self.ground.leftovers(), self.ground.lost()
                if self._holder() == pid:  # else it was the next one's already
                    self.verdict.violations += [f"killed: lost at a kill: {one}" for one in lost]
                    return left
        return None


def killed_savers(folder: Path, verdict: Verdict, dice: random.Random, size: Size) -> str:
    """Let processes save and kill them: whatever one has acknowledged must be there at the end."""
    part = "killed"
    ground = Ground(folder).prepare()
    shift = Shift(ground, verdict, dice)
    watch = Watch(ground, READERS)
    for role, names in jobs_of(size).values():
        shift.begin(role, names)
    shift.work(size.kills)
    reports = watch.ends(part, verdict)
    done, present = set(ground.ledger.names("done")), set(ground.present())
    reads = judge(part, reports, ground.settle(part, verdict), verdict)
    counts = shift.counts
    verdict.count(part, saves=len(done), kills=counts["kills"], reads=reads)
    verdict.count(part, kills_in_the_lock=counts["in the lock"])
    hits = words_of(counts)
    return (
        f"{size.processes} processes x {size.saves} saves, {hits}; {len(done)} acknowledged, "
        f"{len(done & present)} of them present, {len(present - done)} more; {reads} reads"
    )
