"""A process that is killed while it writes leaves rows and their entries together."""

import random
import subprocess
import sys
from pathlib import Path

from amx.core.work import Event, Run
from tests.local.places import Place

KILLS = 36

# Every statement is told before it runs, every row after it was acknowledged. The parent kills
# after it has heard some of that, while the child runs on: at any point of a write.
CHILD = """
import sys
from dataclasses import replace
from pathlib import Path
from tests.local.places import Place, event, run
place = Place(Path(sys.argv[1]))
place.put_event()
tell = lambda text: print(text, flush=True)
place.local.database.connection().set_trace_callback(lambda sql: tell("statement"))
while True:
    with place.local.transaction() as writer:
        begun = writer.put(run())
        written = writer.put(event())
        writer.put(replace(begun, proposed=1))
    tell(written.id)
"""


def killed_after(path: Path, heard: int) -> list[str]:
    """Kill a writer after it has told so much; return the rows that it acknowledged."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as child:
        assert child.stdout
        lines = [child.stdout.readline() for _ in range(heard)]
        child.kill()
        lines += child.stdout.readlines()
    assert child.returncode == -9
    # The last line may be cut; an id that is cut names no row and was not acknowledged.
    return [line.strip() for line in lines if line.endswith("\n") and line != "statement\n"]


def test_a_killed_writer_leaves_each_row_with_its_entry(place: Place) -> None:
    dice = random.Random(7)  # noqa: S311 - a seed, so that a failure can be repeated
    acknowledged: list[str] = []

    for _ in range(KILLS):
        acknowledged += killed_after(place.path, dice.randrange(1, 300))

        runs, events = place.local.select(Run), place.events()
        assert place.local.database.query("PRAGMA integrity_check")[0][0] == "ok"
        assert {(one.revision, one.proposed) for one in runs} <= {(2, 1)}
        assert {row.id for row in events} >= set(acknowledged)
        assert sorted(place.queued()) == sorted(
            [("runs", number(one), 2, "pending") for one in runs]
            + [("events", number(one), 1, "pending") for one in events]
        )
        assert place.counted() == (len(runs) + len(events), 0)

    assert len(acknowledged) > KILLS


def number(row: Run | Event) -> int:
    assert row.local_id
    return row.local_id
