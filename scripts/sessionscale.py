"""Measure whether sessions are listed and shown more slowly where there are many than where few.

Sessions have ten turns each, of several profiles. Each command runs in a process of its own, small
and large stores in turn; beside it the reading alone is measured, which the start of the program
would hide.

Usage: python -m scripts.sessionscale [SMALL LARGE [ROUNDS] | --quick]

``--quick`` is for CI: from 1,000 to 50,000 turns, few rounds, and wide limits.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from amx.core.profiles import Profile
from amx.core.sessions import SessionService
from amx.core.tables import SESSIONS, TURNS
from amx.runtime import Runtime
from scripts import furnish
from scripts.verdicts import told

SMALL, LARGE, ROUNDS = 1_000, 1_000_000, 15
QUICK = (1_000, 50_000, 5)
MOST, MOST_QUICK = 1.5, 2.5
TURNS_EACH = 10
PROFILES = 4
READINGS = 50
"""So many readings are measured as one: each takes well under a millisecond."""

COMMANDS: Mapping[str, list[str]] = {
    "session list": ["session", "list"],
    "session list --all-profiles": ["session", "list", "--all-profiles"],
    "session show": ["session", "show", "--id", "1"],
}


def main(small: int, large: int, rounds: int, most: float) -> int:
    """Print the ratios; return 1 when one is beyond its limit."""
    with tempfile.TemporaryDirectory(prefix="amx-scale-") as name:
        homes = [_filled(Path(name) / str(turns), turns) for turns in (small, large)]
        ways = {
            **{f"`{what}`": _command(words) for what, words in COMMANDS.items()},
            **{f"the reading alone: {what}": way for what, way in READINGS_OF.items()},
        }
        print(f"Time at {large:,} turns against {small:,}:")
        kept = []
        for what, way in ways.items():
            for home in homes:  # both have been read once
                way(home)
            pairs = [[way(home) for home in homes] for _ in range(rounds)]
            ratios = [many / few for few, many in pairs]
            kept.append(told(what, ratios, most))
    return 0 if all(kept) else 1


def _command(words: list[str]) -> Callable[[Path], float]:
    def timed(home: Path) -> float:
        begun = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "amx", *words],
            env=furnish.environment(home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return time.perf_counter() - begun

    return timed


def _reading(act: Callable[[SessionService, Profile], object]) -> Callable[[Path], float]:
    def timed(home: Path) -> float:
        runtime = Runtime(furnish.environment(home))
        sessions, profile = runtime.session_reader, runtime.profile
        act(sessions, profile)
        begun = time.perf_counter()
        for _ in range(READINGS):
            act(sessions, profile)
        taken = time.perf_counter() - begun
        runtime.reader.close()
        return taken

    return timed


READINGS_OF = {
    "list": _reading(lambda sessions, profile: sessions.list(profile, 50)),
    "list of all profiles": _reading(lambda sessions, _: sessions.list(None, 50)),
    "show": _reading(lambda sessions, _: sessions.show(1)),
}


def _filled(home: Path, turns: int) -> Path:
    """Make a home with so many turns. The first session is written as ever, and multiplied."""
    for number in range(PROFILES):
        path = str(home / f"{number}.db")
        furnish.run(home, "db", "add", f"shop{number}", "--backend", "sqlite", "--path", path)
    runtime = Runtime(furnish.environment(home))
    for _ in range(TURNS_EACH // 2):
        runtime.sessions.append(
            runtime.profile,
            None,
            question="Which table holds the prices of tracks, and in which currency?",
            answer="main.tracks: Tracks of albums, with their price and length. " * 3,
            citations=[{"schema": "main", "table": "tracks", "column": "unit_price"}],
            provenance="evidence",
        )
    with runtime.local.database.transaction() as connection:
        sessions = [name for name in SESSIONS.names if name not in ("id", "local_id", "profile")]
        connection.execute(
            f"""
            WITH RECURSIVE numbers (number) AS (
                SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?)
            INSERT INTO sessions (id, profile, owner, {", ".join(sessions)})
            SELECT substr(id, 1, 24) || printf('%012x', number),
                   'shop' || number % {PROFILES}, 'shop' || number % {PROFILES},
                   {", ".join(sessions)}
            FROM numbers CROSS JOIN (SELECT * FROM sessions WHERE local_id = 1)""",  # noqa: S608 - declared
            (turns // TURNS_EACH - 1,),
        )
        own = ("id", "local_id", "session_id", "profile")
        said = [name for name in TURNS.names if name not in own]
        connection.execute(
            f"""
            INSERT INTO turns (id, session_id, profile, {", ".join(said)})
            SELECT substr(one.id, 1, 8) || printf('%02x', one.local_id) || substr(two.id, 11),
                   two.id, two.profile, {", ".join(f"one.{name}" for name in said)}
            FROM sessions AS two CROSS JOIN turns AS one
            WHERE two.local_id > 1 AND one.local_id <= {TURNS_EACH}""",  # noqa: S608 - declared
        )
        found = connection.execute("SELECT count(*) FROM turns").fetchone()[0]
    runtime.local.close()
    if found != turns:
        sys.exit(f"{found} turns were made instead of {turns}")
    return home


if __name__ == "__main__":
    if sys.argv[1:] == ["--quick"]:
        sys.exit(main(*QUICK, MOST_QUICK))
    asked = dict(enumerate(map(int, sys.argv[1:])))
    sys.exit(main(asked.get(0, SMALL), asked.get(1, LARGE), asked.get(2, ROUNDS), MOST))
