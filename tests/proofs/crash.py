"""The kill sweep, ``make crash``: commands are killed, and fail, at each call that changes a file.

The commands are real; strace kills them and fails their calls. ``--quick`` only kills, and only
``set`` and ``restore``; ``--only NAME`` takes the commands whose name begins so.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import count, cycle
from pathlib import Path
from typing import NamedTuple

from tests.proofs.crash_cases import Scenario, scenarios
from tests.proofs.crash_invariants import Case, State, harm, missed, next_save, state_of
from tests.proofs.crash_tracing import OPENS, Call, Fault, harmed, is_there, recorded, unharmed

QUICK = ("set", "restore")
KILL = Fault()
ERRORS = (
    *(Fault(name) for name in ("EIO", "ENOSPC", "EROFS", "EACCES", "EDQUOT", "EBUSY")),
    Fault("ENOSPC", is_lasting=True),
)
TOLD = 20
"""How many violations are printed, the first ones."""

Faults = Callable[[Call], Iterable[Fault]]


class Result(NamedTuple):
    """What one case has shown, the folder as the command left it, and a save over that."""

    case: Case
    violations: Sequence[str]
    left: State
    successor: Scenario | None


class Sweep:
    """Runs cases, each in a folder of its own, and keeps what they have shown.

    Args:
        root: Where all folders are made.
        pool: Runs several at a time.
    """

    def __init__(self, root: Path, pool: Executor) -> None:
        self.cases = 0
        self.violations: list[str] = []
        self._pool = pool
        self._root = root
        self._numbers = count()
        (root / "runs").mkdir()
        (root / "left").mkdir()

    def sweep(self, title: str, over: Sequence[Scenario], faults: Faults) -> Sequence[Scenario]:
        """Do faults to all calls of these commands; return a save over each kind of leftovers."""
        began_at = time.monotonic()
        plans = list(self._pool.map(self._plan, over))
        cases = [
            Case(scenario, fault, call, plan)
            for scenario, plan in zip(over, plans, strict=True)
            for call in plan
            for fault in faults(call)
        ]
        results = list(self._pool.map(self._try, cases))
        kills = [one for one in results if one.case.fault == KILL]
        found = [f"{one.case}: {what}" for one in results for what in one.violations]
        found += _one_sided(title, kills)
        numbers = f"{len(kills)} kills, {len(cases) - len(kills)} errors"
        took = f"{time.monotonic() - began_at:.1f} s"
        say(f"{title}: {sum(map(len, plans))} calls, {numbers}, {len(found)} violations, {took}")
        self.cases += len(cases)
        self._tell(found)
        return _different(kills)

    def _tell(self, violations: Sequence[str]) -> None:
        for one in violations[: max(0, TOLD - len(self.violations))]:
            say(f"  {' / '.join(one.splitlines())}")
        self.violations += violations

    def _plan(self, scenario: Scenario) -> tuple[Call, ...]:
        """Run a command unharmed: it must do what it is for, and change the folder at all."""
        place = self._place()
        command = scenario.command(place)
        ended = recorded(command, place / "log")
        if ended.code != scenario.code or state_of(place / "home").live != scenario.new:
            self._tell([f"{scenario.name}: unharmed it ends {ended.code}: {ended.err}"])
        if not any(call.is_mutation for call in ended.calls):
            self._tell([f"{scenario.name}: no call changes the folder"])
        shutil.rmtree(place)
        return tuple(ended.calls)

    def _try(self, case: Case) -> Result:
        place = self._place()
        ended = harmed(case.scenario.command(place), place / "log", *case[1:])
        left, successor = state_of(place / "home"), None
        violations = [*missed(case, ended), *harm(case, ended, place)]
        if case.fault == KILL and not violations:
            successor = case.scenario.over_leftovers(place, self._root / "left" / place.name)
        violations += next_save(case, place)
        shutil.rmtree(place)
        return Result(case, violations, left, successor)

    def _place(self) -> Path:
        return self._root / "runs" / str(next(self._numbers))

    def warm(self, scenario: Scenario) -> None:
        """Let Python compile what a command imports: once, and beside the runs."""
        place = self._place()
        unharmed(scenario.command(place))
        shutil.rmtree(place)


def _one_sided(title: str, kills: Sequence[Result]) -> list[str]:
    """Kills before and after the rename must both have been among them."""
    saved = {one.left.live == one.case.scenario.new for one in kills if not one.case.scenario.code}
    return [f"{title}: no kill left the old file, or none the new one"] if len(saved) == 1 else []


def _different(kills: Sequence[Result]) -> list[Scenario]:
    """Return one successor for each kind of leftovers.

    Where an edit was killed, what the save left that ended it does not count: those of a save by
    itself are the same.
    """
    found: dict[object, Scenario] = {}
    for one in kills:
        alike = (".lock", *((".shadow", ".bak.") if one.case.scenario.edited else ()))
        files = {item for item in one.left.files.items() if not any(x in item[0] for x in alike)}
        if one.successor is not None:
            found.setdefault((frozenset(files), one.successor.owed), one.successor)
    return list(found.values())


def kills(call: Call) -> Iterable[Fault]:
    """Kill at each call that changes something."""
    return [KILL] if call.is_mutation else []


def everything(call: Call) -> Iterable[Fault]:
    """Kill and fail each call that changes something; fail each that reads."""
    if call.is_mutation:
        return [KILL, *ERRORS]
    return [Fault("EIO"), *([Fault("EACCES")] if call.name in OPENS else [])]


def sample(*, has_reads: bool) -> Faults:
    """Return all kills and, one after the other, an error at every third call.

    Args:
        has_reads: Whether a generation that cannot be opened is tried, too.
    """
    errors = cycle([[error] if turn == 0 else [] for error in ERRORS for turn in range(3)])

    def faults(call: Call) -> Iterable[Fault]:
        if call.is_mutation:
            return [KILL, *next(errors)]
        is_opened = call.name in OPENS and any(".bak." in path for path in call.paths)
        return [Fault("EIO")] if has_reads and is_opened else []

    return faults


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def run(root: Path, pool: Executor, *, is_quick: bool, only: str) -> Sweep:
    """Do the whole sweep, or the part of it that was asked for."""
    sweep = Sweep(root, pool)
    known = scenarios(root)
    sweep.warm(known[0])  # every other one is followed by it, too
    for one in known:
        if not one.name.startswith(only) or (is_quick and one.name not in QUICK):
            continue
        sweep.warm(one)
        successors = sweep.sweep(one.name, [one], kills if is_quick else everything)
        if not is_quick:
            faults = sample(has_reads=one.edited is None)
            sweep.sweep(f"set over {len(successors)} leftovers of {one.name}", successors, faults)
    return sweep


def main() -> int:
    """Run the sweep that the command line asks for and return the exit code."""
    parser = argparse.ArgumentParser(prog="make crash ARGS=", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only the kills of set and restore")
    parser.add_argument("--only", default="", metavar="NAME", help="only what begins so")
    options = parser.parse_args()
    if not is_there():
        say("crash: there is no strace here, and without it nothing is proved: install strace")
        return 1
    workers = len(os.sched_getaffinity(0))
    with (
        tempfile.TemporaryDirectory(prefix="amx-crash-") as name,
        ThreadPoolExecutor(workers) as pool,
    ):
        sweep = run(Path(name).resolve(), pool, is_quick=options.quick, only=options.only)
    say(f"crash: {sweep.cases} cases, {len(sweep.violations)} violations")
    return 0 if sweep.cases and not sweep.violations else 1


if __name__ == "__main__":
    sys.exit(main())
