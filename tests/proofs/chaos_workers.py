"""The processes of the concurrency proof: they save, run the command, read, or contend for a key.

Each is forked into a process group of its own, so that a kill takes the command along that a
worker has started.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path

from amx.core.config import syntax
from amx.core.config.model import same
from amx.core.errors import AmxError, EditConflict
from tests.proofs.chaos_ground import (
    FOREIGN,
    LOCK_TIMEOUT_S,
    SECTION,
    Ground,
    Verdict,
    digest_of,
    foreign,
    value_of,
)

ROOT = Path(__file__).parents[2]
LIMIT_S = 300.0
"""Whoever has not ended by then is stuck, which is a violation."""

_PAUSE_S = 0.003
_LOADS_EVERY = 25

FORK = get_context("fork")
Role = Callable[..., None]


def started(role: Role, *args: object) -> ForkProcess:
    """Start a process that leads a group of its own."""
    process = FORK.Process(target=_led, args=(role, *args), daemon=True)
    process.start()
    with suppress(OSError):  # it did so itself already, or has ended
        os.setpgid(process.pid or 0, process.pid or 0)
    return process


def _led(role: Role, *args: object) -> None:
    with suppress(OSError):  # the parent did it already
        os.setpgid(0, 0)
    role(*args)


def end_all(part: str, processes: Sequence[ForkProcess], verdict: Verdict) -> None:
    """Wait until all have ended by themselves; whoever failed or is stuck is a violation."""
    end = time.monotonic() + LIMIT_S
    waiting = list(processes)
    while waiting and (left := end - time.monotonic()) > 0:
        ended = wait([process.sentinel for process in waiting], left)
        for process in [one for one in waiting if one.sentinel in ended]:
            waiting.remove(process)
            process.join()
            text = f"{part}: a process ended with {process.exitcode}"
            verdict.check(process.exitcode == 0, text)
    for process in waiting:
        verdict.violations.append(f"{part}: a process was stuck for {LIMIT_S:.0f} s")
        process.kill()
        process.join()


# --- who saves


def saver(ground: Ground, names: Sequence[str]) -> None:
    """Save each key, with a view of its own, and acknowledge it when that has returned."""
    for name in names:
        ground.ledger.note("begun", name)
        try:
            word = "done" if ground.save(name) else "unchanged"
        except AmxError as error:
            ground.ledger.note("refused", name, error.code, error.message)
        else:
            ground.ledger.note(word, name)


def commander(ground: Ground, names: Sequence[str]) -> None:
    """Save each key by the real command, and acknowledge it when that has ended with 0."""
    for name in names:
        ground.ledger.note("begun", name)
        value = value_of(name)
        words = ["--string", value] if isinstance(value, str) else [json.dumps(value)]
        with commanded(ground, "config", "set", f"{SECTION}.{name}", *words) as command:
            _, errors = command.communicate()
        if command.returncode == 0:
            ground.ledger.note("done", name)
        else:
            ground.ledger.note("refused", name, str(command.returncode), errors)


def commanded(ground: Ground, *words: str) -> "subprocess.Popen[str]":
    """Start the real program in this home."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith("AMX_")}
    home = {"HOME": str(ground.folder), "AMX_HOME": str(ground.home)}
    return subprocess.Popen(
        [sys.executable, "-m", "amx", *words],
        env={**environ, **home, "AMX_LOCK_TIMEOUT": str(LOCK_TIMEOUT_S)},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# --- who reads


class Watch:
    """Readers that look at the configuration while others save.

    Args:
        ground: Where they look.
        count: How many they are.
    """

    def __init__(self, ground: Ground, count: int) -> None:
        self._ground = ground
        self._ours, self._theirs = os.pipe()
        reports = [ground.folder / f"reader.{number}" for number in range(count)]
        self._readers = {
            path: started(_reader, ground, path, self._ours, self._theirs) for path in reports
        }

    def ends(self, part: str, verdict: Verdict) -> list[dict[str, object]]:
        """Tell the readers to stop; return what each has seen."""
        os.close(self._theirs)
        end_all(part, list(self._readers.values()), verdict)
        os.close(self._ours)
        return [json.loads(path.read_text()) for path in self._readers if path.exists()]


def judge(
    part: str, reports: Sequence[dict[str, object]], states: Sequence[bytes], verdict: Verdict
) -> int:
    """Check that readers saw whole states only, never an older one later; return the reads."""
    order = {digest_of(state): number for number, state in enumerate(states)}
    reads = 0
    for report in reports:
        seen, faults, count = report["seen"], report["faults"], report["reads"]
        if not (isinstance(seen, list) and isinstance(faults, list) and isinstance(count, int)):
            raise TypeError("a report that no reader writes")
        verdict.violations += [f"{part}: a reader: {fault}" for fault in faults]
        numbers = [order.get(digest, -1) for digest in seen]
        text = f"{part}: a reader saw {numbers.count(-1)} contents that no save has made"
        verdict.check(-1 not in numbers, text)
        text = f"{part}: a reader saw an older state after a newer one"
        verdict.check(numbers == sorted(numbers), text)
        reads += count
    return reads


def _reader(ground: Ground, report: Path, stop: int, inherited: int) -> None:
    os.close(inherited)  # the pipe ends when the parent closes it
    seen: list[str] = []
    faults: list[str] = []
    reads = 0
    while not select.select([stop], [], [], _PAUSE_S)[0]:
        reads += 1
        try:
            digest = _read(ground, seen[-1:], is_loading=reads % _LOADS_EVERY == 0)
        except (OSError, AmxError, AssertionError) as error:
            faults.append(f"{type(error).__name__}: {error}")
            continue
        if seen[-1:] != [digest]:
            seen.append(digest)
    report.write_text(json.dumps({"seen": seen, "faults": faults[:5], "reads": reads}))


def _read(ground: Ground, last: Sequence[str], *, is_loading: bool) -> str:
    """Look at the file in three ways; return what its bytes were.

    What costs time, and so keeps the savers from saving, is done for new contents, and now and
    then for known ones.
    """
    status = ground.live.stat()
    assert status.st_size > 0, "the file is empty"
    data = ground.live.read_bytes()
    digest = digest_of(data)
    if digest not in last:
        syntax.read(data, "what was read")
    if is_loading or digest not in last:
        raw = ground.file().load().raw
        assert same(foreign(raw), FOREIGN), "a foreign key is not what it was"
    return digest


# --- who contends

Outcome = tuple[str, ...]


def contender(ground: Ground, wire: "Connection[object, object]", gate: int) -> None:
    """Load, meet the others at the gate, save the one key; tell what came of it; again."""
    while (value := wire.recv()) is not None:
        file = ground.file()
        file.load()
        wire.send("loaded")
        os.read(gate, 1)
        try:
            outcome: Outcome = ("won", str(file.patch({(SECTION, "contested"): value})))
        except EditConflict as error:
            sides = (str(error.details["mine"]), str(error.details["theirs"]))
            outcome = ("told", error.code, str(error.exit_code), *sides)
        except AmxError as error:
            outcome = ("other", error.code, error.message)
        wire.send(outcome)
