"""Measure how long a command takes to start, against a two-command hello world of the same Typer.

Both are run by the same Python in the same environment, as files with warm bytecode caches, in
turn, so that whatever else the machine does meets all of them. The figures are medians of
ratios: each round's own runs are compared with each other.

Usage: python scripts/coldstart.py [ROUNDS]
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROUNDS = 15
FEWEST_ROUNDS = 9
LIMITS = {"amx --version": 1.3, "amx session list": 1.6, "amx history-store flush-pending": 1.6}

_HELLO = '''"""Two commands."""

import typer

app = typer.Typer()


@app.command()
def hello(name: str) -> None:
    """Say hello."""
    typer.echo(f"Hello {name}")


@app.command()
def goodbye(name: str) -> None:
    """Say goodbye."""
    typer.echo(f"Goodbye {name}")


def run() -> None:
    """Run the program."""
    app()
'''


def main(rounds: int) -> int:
    """Print each ratio with its spread; return 1 when one is beyond its limit."""
    with tempfile.TemporaryDirectory(prefix="amx-coldstart-") as folder:
        environment = _furnish(Path(folder))
        commands = {"hello": ["hello", "world"], **{name: name.split()[1:] for name in LIMITS}}
        times = _measure(commands, environment, rounds)
    print(f"median of {rounds} alternating rounds; hello world: {_ms(times['hello'])}")
    verdicts = [_verdict(name, times[name], times["hello"]) for name in LIMITS]
    return 0 if all(verdicts) else 1


def _furnish(folder: Path) -> Mapping[str, str]:
    """Make the hello world, and a home with a profile and a session in it."""
    (folder / "hello.py").write_text(_HELLO)
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("AMX_", "PY"))}
    environment = {**kept, "AMX_HOME": str(folder / "home"), "PYTHONPATH": str(folder)}
    database = str(folder / "shop.db")
    for words in (
        ["db", "add", "shop", "--backend", "sqlite", "--path", database],
        ["db", "use", "shop"],
        ["session", "new", "--title", "Prices"],
    ):
        _run(words, "amx.cli", environment)
    return environment


def _measure(
    commands: Mapping[str, Sequence[str]], environment: Mapping[str, str], rounds: int
) -> Mapping[str, Sequence[float]]:
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name, args in commands.items():
            seconds = _run(args, "hello" if name == "hello" else "amx.cli", environment)
            if turn > 0:  # the first round only warms the caches
                times[name].append(seconds)
    return times


def _run(args: Sequence[str], module: str, environment: Mapping[str, str]) -> float:
    """Run a program as its console script would, and return how many seconds it took."""
    code = f"import sys; from {module} import run; sys.exit(run())"
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *args],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - begin
    if done.returncode:
        sys.exit(f"{module} {' '.join(args)} ended with {done.returncode}:\n{done.stderr}")
    return seconds


def _verdict(name: str, ours: Sequence[float], theirs: Sequence[float]) -> bool:
    ratios = sorted(mine / hello for mine, hello in zip(ours, theirs, strict=True))
    ratio, limit = statistics.median(ours) / statistics.median(theirs), LIMITS[name]
    word = "ok" if ratio <= limit else "TOO SLOW"
    print(
        f"{name:<32} {_ms(ours)}  {ratio:.2f}x (rounds {ratios[0]:.2f}-{ratios[-1]:.2f}), "
        f"limit {limit}x: {word}"
    )
    return ratio <= limit


def _ms(times: Sequence[float]) -> str:
    return f"{statistics.median(times) * 1000:.0f} ms"


if __name__ == "__main__":
    sys.exit(main(max(FEWEST_ROUNDS, int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)))
