"""The concurrency proof of guard 4: many processes save one configuration, read it, are killed.

Usage: python -m tests.proofs.chaos [--quick] [--seed N]

Parts, each in a folder of its own:

- savers: processes save different keys at once, some by the real command; readers look on.
- killed: the same, under SIGKILL at random moments.
- one key: all load, meet, and save the same key: one wins, each other is told.
- commands: the same by the real command.
- editors: an editor without the lock has its turn before each call of a save.
- containers: two trees of processes in namespaces of their own, with one volume.

The last line sums up; the exit code is 0 when there was no violation, else 1.
"""

import argparse
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from amx.core.errors import AmxError
from tests.proofs.chaos_containers import containers
from tests.proofs.chaos_editors import editors
from tests.proofs.chaos_ground import FULL, QUICK, Size, Verdict
from tests.proofs.chaos_kills import killed_savers
from tests.proofs.chaos_saves import many_savers, one_key, one_key_by_command
from tests.proofs.telling import tell

_SHOWN = 20


def prove(size: Size, seed: int, folder: Path) -> Verdict:
    """Try each part and tell, in a line, what it tried."""
    verdict, dice = Verdict(), random.Random(seed)  # noqa: S311 - a seed, to try the same again
    parts: dict[str, Callable[[Path], str]] = {
        "savers": lambda place: many_savers(place, verdict, size),
        "killed": lambda place: killed_savers(place, verdict, dice, size),
        "one key": lambda place: one_key(place, verdict, size),
        "commands": lambda place: one_key_by_command(place, verdict, size),
        "editors": lambda place: editors(place, verdict, dice, size),
        "containers": lambda place: containers(place, verdict, dice, size),
    }
    for name, part in parts.items():
        try:
            tell(name, part(folder / name))
        except (AmxError, OSError) as error:
            verdict.violations.append(f"{name}: ended by {type(error).__name__}: {error}")
    return verdict


def main(arguments: Sequence[str]) -> int:
    """Run the proof; return its exit code."""
    parser = argparse.ArgumentParser(prog="chaos", description="The concurrency proof of guard 4.")
    parser.add_argument("--quick", action="store_true", help="the reduced form")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random here")
    options = parser.parse_args(arguments)
    tell("seed", str(options.seed))
    with tempfile.TemporaryDirectory(prefix="amx-chaos-") as folder:
        verdict = prove(QUICK if options.quick else FULL, options.seed, Path(folder))
    for text in verdict.violations[:_SHOWN]:
        tell("violation", text)
    counts = verdict.counts
    tell(
        "chaos",
        f"{counts['saves']} saves acknowledged, {counts['kills']} kills, "
        f"{counts['conflicts']} conflicts, {counts['edits']} edits from outside, "
        f"{counts['reads']} reads, {len(verdict.violations)} violations",
    )
    return int(bool(verdict.violations) or not counts["saves"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
