"""Power loss: every state of the disk that a failure may leave at any call of a save.

The calls of real saves, restores and edits are recorded; for each prefix of them every state in
which the disk of `disk_model` may be found is judged by `disk_judge`: config.yml is the old or the
new file, the new one once the action has returned; the next ordinary save works, loses no
generation but the oldest and leaves nothing behind.

Run it: ``python -m tests.proofs.powerloss [--quick]``.
"""

import argparse
import os
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.proofs.disk_judge import Judge
from tests.proofs.disk_model import State
from tests.proofs.powerloss_cases import CASES, Recording, after_kill, after_power_loss, record

SEED = 3
TOLD = 20
TOO_MANY = 200_000
"""More states than this of one recording are not looked at: they are a violation."""

_MEMORY = Path("/dev/shm")


class Violation(NamedTuple):
    """What was wrong with one state; one of each kind is told."""

    kind: str
    text: str


@dataclass(slots=True)
class Tally:
    """What was tried, and what was wrong."""

    recordings: int = 0
    prefixes: int = 0
    states: int = 0
    distinct: set[State] = field(default_factory=set)
    judged: int = 0
    violations: list[Violation] = field(default_factory=list)

    def __str__(self) -> str:
        counts = f"{self.recordings} recordings, {self.prefixes} prefixes, {self.states} states"
        distinct = f"({len(self.distinct)} distinct, {self.judged} judged)"
        return f"{counts} {distinct}, {len(self.violations)} violations"

    def add(self, other: "Tally") -> None:
        """Add what was tried elsewhere."""
        self.recordings += other.recordings
        self.prefixes += other.prefixes
        self.states += other.states
        self.distinct |= other.distinct
        self.judged += other.judged
        self.violations += other.violations


class Replay:
    """Replays recordings onto disks that lose power, in a folder of its own.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._chance = random.Random(SEED)  # noqa: S311 - which states are tried, not a secret
        self._made = 0
        self._judge = Judge(self.fresh())

    def fresh(self) -> Path:
        """Return a new, empty folder."""
        self._made += 1
        folder = self._folder / str(self._made)
        folder.mkdir()
        return folder

    def run(self, recording: Recording, most: int | None = None) -> Tally:
        """Judge the states that may follow on each prefix: all, or so many by chance."""
        tally = Tally(recordings=1)
        chosen = list(self._found(recording, tally).items())
        tally.distinct = {state for (state, _), _ in chosen}
        if most is not None and len(chosen) > most:
            chosen = self._chance.sample(chosen, most)
        for (state, is_acknowledged), count in chosen:
            tally.judged += 1
            told = self._judge.complaint(state, recording.story, is_acknowledged=is_acknowledged)
            if told is not None:
                tally.violations.append(_violation(recording, count, told, state))
        return tally

    def _found(self, recording: Recording, tally: Tally) -> dict[tuple[State, bool], int]:
        """Return each state, whether the action had returned, and after which call it is first."""
        found: dict[tuple[State, bool], int] = {}
        disk = recording.before.copy()
        for count in range(len(recording.calls) + 1):
            disk.apply(recording.calls[count - 1].effects if count else [])
            tally.prefixes += 1
            for state in disk.states():
                tally.states += 1
                if tally.states > TOO_MANY:
                    told = f"more than {TOO_MANY} states: next to nothing is synced"
                    tally.violations.append(_violation(recording, count, told, ()))
                    return found
                found.setdefault((state, count == len(recording.calls)), count)
        return found

    def after_power_loss(self, recording: Recording, count: int, most: int) -> Tally:
        """Try the saves that follow on some of the states that a power failure leaves."""
        found = self._found(recording, Tally())
        chosen = self._chance.sample(list(found.items()), min(count, len(found)))
        total = Tally()
        for (state, _), calls in chosen:
            if (told := self._wrong(recording, calls, state)) is not None:
                total.violations.append(told)
            else:
                total.add(self.run(after_power_loss(recording, state, self.fresh()), most))
        return total

    def after_kills(self, recording: Recording, step: int, most: int) -> Tally:
        """Try the saves that follow when an action is killed after each, or some, of its calls."""
        total = Tally()
        disk = recording.before.copy()
        cut_off = {*range(len(recording.calls) - 1, 0, -step)}
        for calls, call in enumerate(recording.calls[:-1], 1):
            disk.apply(call.effects)
            if (told := self._wrong(recording, calls, disk.present())) is not None:
                total.violations.append(told)
            elif calls in cut_off:
                total.add(self.run(after_kill(recording, calls, self.fresh()), most))
        return total

    def _wrong(self, recording: Recording, count: int, state: State) -> Violation | None:
        """Tell what is wrong with a state, before anything is built on it."""
        told = self._judge.complaint(state, recording.story, is_acknowledged=False)
        return None if told is None else _violation(recording, count, told, state)


def _violation(recording: Recording, count: int, told: str, state: State) -> Violation:
    last = f"after call {count} ({recording.calls[count - 1].text})" if count else "at the start"
    lines = [f"  {one.path}: {one.data!r} {one.mode:o} {one.first_name}" for one in state]
    text = "\n".join([f"{recording.name}, {last}: {told}", *lines])
    return Violation(f"{recording.kind}: {told.partition(':')[0]}", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much is tried.

    Args:
        names: The cases that are recorded.
        followed: Which of them are killed, and fail, before another save.
        most: How many states of each are judged; all if None.
        step: They are killed after every call, or every ``step``-th from the end.
        twice: After how many states that a power failure left another save is made.
        most_after: How many states of each of these saves are judged.
    """

    names: tuple[str, ...]
    followed: tuple[str, ...]
    most: int | None
    step: int
    twice: int
    most_after: int


FULL = Extent(
    names=tuple(case.name for case in CASES),
    followed=("save", "first save", "save without hard links", "restore 5", "edit"),
    most=None,
    step=1,
    twice=30,
    most_after=100,
)
QUICK = Extent(
    names=("save", "first save", "save without hard links", "restore 5", "edit"),
    followed=("save", "edit"),
    most=200,
    step=2,
    twice=4,
    most_after=25,
)


def tried(replay: Replay, extent: Extent) -> Iterator[tuple[str, Tally]]:
    """Yield what was tried, kind by kind."""
    cases = [case for case in CASES if case.name in extent.names]
    recordings = {case.name: record(case, replay.fresh()) for case in cases}
    for name, recording in recordings.items():
        yield name, replay.run(recording, extent.most)
    for name in extent.followed:
        first, most = recordings[name], extent.most_after
        yield f"{name}, killed, save", replay.after_kills(first, extent.step, most)
        yield f"{name}, power loss, save", replay.after_power_loss(first, extent.twice, most)


def _told(violations: Sequence[Violation]) -> list[str]:
    """Return the first violation of each kind, if there are not too many."""
    first = {violation.kind: violation.text for violation in reversed(violations)}
    return [*reversed(first.values())][:TOLD]


@contextmanager
def ground() -> Iterator[Path]:
    """Give a temporary folder, in memory if it can be: no power will fail while judging."""
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        yield Path(folder)


def main(argv: list[str] | None = None) -> int:
    """Try everything, print what was tried, and return 0 if nothing was wrong."""
    parser = argparse.ArgumentParser(description="Replay saves onto disks that lose power.")
    parser.add_argument("--quick", action="store_true", help="the reduced form")
    extent = QUICK if parser.parse_args(argv).quick else FULL
    total = Tally()
    with ground() as folder:
        for name, tally in tried(Replay(folder), extent):
            print(f"{name}: {tally}", flush=True)  # noqa: T201 - a program's output
            total.add(tally)
    for violation in _told(total.violations):
        print(violation)  # noqa: T201 - as above
    print(f"powerloss: {total}")  # noqa: T201 - as above
    return 0 if total.judged and not total.violations else 1


if __name__ == "__main__":
    sys.exit(main())
