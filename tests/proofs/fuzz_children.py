"""Batches of files, each in a process of its own: what ends it is seen, what it takes is measured.

Whatever is raised that was not promised, a signal, and a hang all end the child; the file at which
that happened is the first without an outcome.
"""

import json
import os
import resource
import select
import shutil
import signal
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple, NoReturn

from tests.proofs.fuzz_oddities import Case
from tests.proofs.fuzz_trial import Outcome

LONGEST_S = 30
"""After so many seconds at one file a child is ended by its alarm."""

MOST_BYTES = 1 << 30
"""More memory than this no child gets: a bomb must not harm the machine."""

Try = Callable[[Case, Path], Outcome]


class Batch(NamedTuple):
    """Files for one child, and what it does with each."""

    family: str
    cases: Sequence[Case]
    attempt: Try


class Ended(NamedTuple):
    """What one child has found out."""

    family: str
    outcomes: Sequence[Outcome]
    peak_bytes: int
    left: Batch | None
    """What it did not come to, because it died."""


def run(batches: Iterable[Batch], folder: Path, lanes: int) -> Iterator[Ended]:
    """Run each batch in a child, so many at once; the rest of one that died in another child."""
    running: dict[int, _Child] = {}
    for number, batch in enumerate(batches):
        if len(running) >= lanes:
            yield from _ended(running)
        child = _started(batch, folder / str(number))
        running[child.alive] = child
    while running:
        yield from _ended(running)


def _ended(running: dict[int, "_Child"]) -> Iterator[Ended]:
    ready, _, _ = select.select(list(running), [], [])
    child = running.pop(ready[0])
    ended = _reaped(child)
    yield ended
    if ended.left:
        yield from run([ended.left], child.place, 1)


class _Child(NamedTuple):
    """A child at work; ``alive`` is the end of a pipe that closes when it ends."""

    alive: int
    process: int
    batch: Batch
    place: Path


def _started(batch: Batch, place: Path) -> _Child:
    place.mkdir(parents=True)
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        _work(batch, place)
    os.close(writing)
    return _Child(reading, process, batch, place)


def _work(batch: Batch, place: Path) -> NoReturn:
    code = 1
    try:
        _redirect(place)
        warnings.simplefilter("error")
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
        with (place / "outcomes").open("w", buffering=1) as outcomes:
            for case in batch.cases:
                signal.alarm(LONGEST_S)
                outcomes.write(json.dumps(asdict(batch.attempt(case, place / "amx"))) + "\n")
        code = 0
    finally:
        if code:
            with (place / "err").open("a") as errors:
                traceback.print_exc(file=errors)
        os._exit(code)


def _redirect(place: Path) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for descriptor, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(place / name, flags, 0o600), descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)


def _reaped(child: _Child) -> Ended:
    batch, place = child.batch, child.place
    os.close(child.alive)
    _, status, usage = os.wait4(child.process, 0)
    lines = (place / "outcomes").read_text().splitlines() if (place / "outcomes").exists() else []
    shutil.rmtree(place / "amx", ignore_errors=True)
    outcomes = [Outcome(**json.loads(line)) for line in lines]
    left = None
    code = os.waitstatus_to_exitcode(status)
    if code or len(outcomes) < len(batch.cases):
        case, *rest = batch.cases[len(outcomes) :] or batch.cases[-1:]
        outcomes.append(Outcome(case.name, faults=[_death(code, place)]))
        left = batch._replace(cases=rest) if rest else None
    for case, outcome in zip(batch.cases, outcomes, strict=False):
        if outcome.faults:
            outcome.faults[-1] += f" | {case.data[:500]!r}, {len(case.data)} bytes"
    return Ended(batch.family, outcomes, usage.ru_maxrss * 1024, left)


def _death(code: int, place: Path) -> str:
    if code == -signal.SIGALRM:
        return f"no end after {LONGEST_S} s"
    if code < 0:
        return f"the process was ended by {signal.Signals(-code).name}"
    said = (place / "err").read_text(errors="replace").splitlines()
    last = next((line for line in reversed(said) if line and line[0] != " "), "and said nothing")
    return f"the process ended with {code}: {last}"
