"""Measure a save of the configuration, against a bare write of the same bytes.

The bare sequence is what a careful program does at the least: the old bytes to one backup, the new
ones to a temporary file, each synced, a rename, the directory synced. Both run in turn in one
folder, so that whatever else the machine does meets both. What YAML costs (reading strictly,
writing with comments) is done beforehand, and told apart; the saves are real for the rest. As in
`timeit`, the collector of cycles rests meanwhile: it would walk what YAML has left.

Usage: python -m scripts.saverate [ROUNDS | --quick]

``--quick`` is for CI: few rounds, and limits four times as wide, since neighbours share its disk.
"""

import gc
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from amx.core.config import syntax
from amx.core.config.file import ConfigFile
from amx.core.config.model import Changes

ROUNDS = 60
FEWEST_ROUNDS = 30
WARMING = 6
PROFILES = 20
MOST_SAVE, MOST_UNCHANGED, MOST_LOAD_MS, LOAD_BYTES = 1.5, 0.5, 5.0, 4096


def main(rounds: int, slack: float) -> int:
    """Print each number with its limit; return 1 when one is beyond its limit times the slack."""
    with tempfile.TemporaryDirectory(prefix="amx-saverate-") as folder:
        live = Path(folder) / "config.yml"
        text = _configuration()
        live.write_text(text)
        live.chmod(0o600)
        gc.disable()
        times = _measure(live, rounds)
        gc.enable()
        load_ms = _load_ms(Path(folder), text, rounds)
    print(
        f"a file of {PROFILES} profiles, {len(text)} bytes; medians of {rounds} alternating rounds"
    )
    return 0 if all(list(_verdicts(times, load_ms, slack))) else 1


def _configuration() -> str:
    lines = ["# the team's databases", "db_profiles:"]
    for number in range(PROFILES):
        lines += [
            f"  shop{number}:  # number {number}",
            "    backend: postgresql",
            f"    host: db{number}.example",
            "    port: 5432",
            f"    database: shop_{number}",
            f"    password: ${{SHOP_{number}}}",
        ]
    return "\n".join([*lines, "active_db_profile: shop0", "number: 0", ""])


def _measure(live: Path, rounds: int) -> dict[str, list[float]]:
    file = ConfigFile(live, is_explicit=True, warn=print)
    # The first rounds fill the generations and warm the caches.
    changes: list[Changes] = [{("number",): number} for number in range(-WARMING, rounds)]
    with _yaml_done_before(live.read_text(), changes) as yaml_s:
        saves, bares = [], []
        for change in changes:
            saves.append(_timed(lambda: file.patch(change)))  # noqa: B023 - at once
            bares.append(_timed(lambda: _bare(live.with_name("bare.yml"), live.read_bytes())))
    files = [ConfigFile(live, is_explicit=True, warn=print) for _ in changes]  # none has read it
    unchanged = [_timed(lambda: one.patch(changes[-1])) for one in files]  # noqa: B023 - at once
    times = {"save": saves, "yaml": yaml_s, "unchanged": unchanged, "bare": bares}
    return {name: seconds[WARMING:] for name, seconds in times.items()}


@contextmanager
def _yaml_done_before(text: str, changes: Sequence[Changes]) -> Iterator[list[float]]:
    """Do all YAML of saves beforehand, and answer with it; yield the seconds that each took.

    What is asked for must be what was done: other bytes, other changes are a KeyError.
    """
    read: dict[bytes, syntax.Document] = {}
    written: dict[tuple[object, ...], str] = {}
    times = []

    def save(change: Changes) -> str:
        new = written[text, *change.items()] = syntax.rewrite(text, change)
        for data in (text.encode(), new.encode()):
            read[data] = syntax.read(data, "")
        return new

    for change in changes:
        begin = time.perf_counter()
        text = save(change)
        times.append(time.perf_counter() - begin)
    real = {name: getattr(syntax, name) for name in ("read", "rewrite")}
    answers = {
        "read": lambda data, _where: read[data],
        "rewrite": lambda old, asked: written[old, *asked.items()],
    }
    try:
        for name, answer in answers.items():
            setattr(syntax, name, answer)
        yield times
    finally:
        for name, function in real.items():
            setattr(syntax, name, function)


def _bare(live: Path, data: bytes) -> None:
    backup, new = f"{live}.bak", f"{live}.new"
    for path in (backup, new):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        os.write(descriptor, data)
        os.fsync(descriptor)
        os.close(descriptor)
    os.rename(new, live)  # noqa: PTH104 - bare means bare
    folder = os.open(live.parent, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(folder)
    os.close(folder)


def _load_ms(folder: Path, text: str, rounds: int) -> float:
    path = folder / "loaded.yml"
    path.write_text(text + f"padding: {'x' * (LOAD_BYTES - len(text) - 10)}\n")
    path.chmod(0o600)

    def load() -> None:  # as a command does, which has read nothing before
        ConfigFile(path, is_explicit=True, warn=print).load()

    return statistics.median(_timed(load) for _ in range(rounds)) * 1000


def _timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _verdicts(times: dict[str, list[float]], load_ms: float, slack: float) -> Iterator[bool]:
    middle = {name: statistics.median(seconds) for name, seconds in times.items()}
    for name, seconds in middle.items():
        print(f"  {name:<10} {seconds * 1000:8.2f} ms  ({_spread(times[name])})")
    whole = middle["save"] + middle["yaml"]
    yield _verdict(
        "a save, YAML apart, to the bare", middle["save"] / middle["bare"], MOST_SAVE * slack
    )
    yield _verdict(
        "an unchanged save to a save", middle["unchanged"] / whole, MOST_UNCHANGED * slack
    )
    yield _verdict(f"load of {LOAD_BYTES} bytes, ms", load_ms, MOST_LOAD_MS * slack)


def _spread(seconds: list[float]) -> str:
    tenths = statistics.quantiles(seconds, n=10)
    return f"tenths from {tenths[0] * 1000:.2f} to {tenths[-1] * 1000:.2f}"


def _verdict(what: str, number: float, limit: float) -> bool:
    is_met = number <= limit
    print(f"{what:<34} {number:6.2f}  limit {limit}: {'ok' if is_met else 'TOO SLOW'}")
    return is_met


if __name__ == "__main__":
    words = sys.argv[1:]
    if words == ["--quick"]:
        sys.exit(main(FEWEST_ROUNDS, slack=4.0))
    sys.exit(main(max(FEWEST_ROUNDS, int(words[0]) if words else ROUNDS), slack=1.0))
