"""Proof: a configuration of any bytes is read, or refused with line and column, soon and in bounds.

``python -m tests.proofs.fuzz [--quick] [--seed N]``: thousands of broken, hostile and odd files are
loaded in children whose time and memory are measured. What is read must mean what PyYAML reads and
survive a save with all of its comments, or the save must be refused with nothing changed. On odd
files of every kind the commands for a bad night must work.
"""

import argparse
import os
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path

from tests.proofs.fuzz_children import Batch, Ended, run
from tests.proofs.fuzz_commands import called, started
from tests.proofs.fuzz_files import codings, families, original
from tests.proofs.fuzz_huge import huge
from tests.proofs.fuzz_oddities import Case, oddities
from tests.proofs.fuzz_trial import LIMIT_S, Outcome, tried

LIMIT_BYTES = 200 << 20

_SAVED_BYTES = 60_000
"""Larger files are not saved here: ruamel takes seconds for them."""

_TOLD = 20


@dataclass(slots=True)
class Tally:
    """What was tried, and what went wrong."""

    read: int = 0
    refused: int = 0
    saves: int = 0
    saves_refused: int = 0
    commands: int = 0
    slowest: tuple[float, str] = (0.0, "")
    peak_bytes: int = 0
    violations: list[str] = field(default_factory=list)
    files: Counter[str] = field(default_factory=Counter)
    """How many of each family."""

    def add(self, ended: Ended) -> None:
        """Count what a child has found out."""
        self.files[ended.family] += len(ended.outcomes)
        for outcome in ended.outcomes:
            self._add(outcome)
        self.peak_bytes = max(self.peak_bytes, ended.peak_bytes)
        if ended.peak_bytes > LIMIT_BYTES:
            names = f"{ended.outcomes[0].name} to {ended.outcomes[-1].name}"
            self.violations.append(f"{names}: {ended.peak_bytes >> 20} MB of memory")

    def _add(self, outcome: Outcome) -> None:
        self.commands += outcome.commands
        if not outcome.commands:
            self.read += outcome.is_read
            self.refused += not outcome.is_read
        self.saves += outcome.saved
        self.saves_refused += outcome.saves_refused
        self.slowest = max(self.slowest, (outcome.seconds, outcome.name))
        self.violations += [f"{outcome.name}: {fault}" for fault in outcome.faults]
        if outcome.seconds > LIMIT_S:
            self.violations.append(f"{outcome.name}: {outcome.seconds:.1f} s")

    @property
    def is_good(self) -> bool:
        """Whether everything was tried, and nothing went wrong."""
        return not self.violations and all((self.read, self.refused, self.saves, self.commands))

    def __str__(self) -> str:
        return (
            f"fuzz: {self.read + self.refused} files ({self.read} read, {self.refused} refused), "
            f"{self.saves} saves ({self.saves_refused} more refused), {self.commands} commands, "
            f"slowest {self.slowest[0] * 1000:.0f} ms, peak {self.peak_bytes >> 20} MB, "
            f"{len(self.violations)} violations"
        )


def batches(seed: int, *, is_quick: bool) -> Iterator[Batch]:
    """Yield all that is to be tried."""
    for family in families(seed, is_quick=is_quick):
        attempt = partial(_attempt, family.save_every)
        size = 1 if family.is_alone else 200
        yield from (Batch(family.name, cases, attempt) for cases in _parts(family.files, size))
    odd = islice(chain(oddities(), codings(original())), 0, None, 50 if is_quick else 5)
    hostile = islice(huge(is_quick=is_quick), 0, None, 50 if is_quick else 16)
    yield from (Batch("commands", cases, called) for cases in _parts(chain(odd, hostile), 10))
    few = islice(oddities(), 7, None, 800 if is_quick else 100)
    yield from (Batch("processes", cases, started) for cases in _parts(few, 1))


def _attempt(save_every: int, case: Case, folder: Path) -> Outcome:
    is_saved = zlib.crc32(case.data) % save_every == 0 and len(case.data) <= _SAVED_BYTES
    return tried(case, folder, is_saved=is_saved)


def _parts(cases: Iterable[Case], size: int) -> Iterator[Sequence[Case]]:
    rest = iter(cases)
    while part := list(islice(rest, size)):
        yield part


def main(arguments: Sequence[str]) -> int:
    """Try everything, tell what went wrong, and return the exit code."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the reduced form")
    parser.add_argument("--seed", type=int, default=1, help="other random files")
    words = parser.parse_args(arguments)
    for name in [name for name in os.environ if name.startswith("AMX_") or name == "FORCE_COLOR"]:
        del os.environ[name]
    lanes, tally = max(2, os.cpu_count() or 2), Tally()
    with tempfile.TemporaryDirectory() as folder:
        for ended in run(batches(words.seed, is_quick=words.quick), Path(folder), lanes):
            tally.add(ended)
    counts = [f"{name}: {count} files" for name, count in tally.files.items()]
    lines = [*counts, *tally.violations[:_TOLD], f"slowest: {tally.slowest[1]}; seed {words.seed}"]
    sys.stdout.writelines(f"{line}\n" for line in (*lines, tally))
    return 0 if tally.is_good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
