"""Several threads and processes on one store, and what opening it imports."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from amx.stores.migrations import STEPS
from tests.local.places import Place


def test_threads_and_their_stores_write_side_by_side(place: Place) -> None:
    def write() -> None:
        own = Place(place.path)
        for _ in range(20):
            place.put_event()
            own.put_event()

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    numbers = list(range(1, 121))
    assert [one.local_id for one in place.events()] == numbers
    assert place.queued() == [("events", number, 1, "pending") for number in numbers]
    assert place.counted() == (120, 0)


WRITER = """
import sys
from pathlib import Path
from tests.local.places import Place
place = Place(Path(sys.argv[1]))
sys.stdin.readline()
print(place.put_event().local_id)
"""


def test_processes_that_meet_a_new_store_at_once_share_it(place: Place) -> None:
    children = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(place.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(4)
    ]
    for child in children:
        assert child.stdin
        child.stdin.write("go\n")
        child.stdin.flush()

    answers = sorted(int(child.communicate()[0]) for child in children)

    assert answers == [1, 2, 3, 4]
    assert place.counted() == (4, 0)
    applied = place.local.database.query("SELECT name FROM _sqlite_migrations")
    assert [record["name"] for record in applied] == [name for name, _ in STEPS]
    assert len({one.origin_id for one in place.events()}) == 1


COLD = """
import sys
from pathlib import Path
from amx.core.sessions import SessionService
from amx.stores.local import SQLiteLocalStore
store = SQLiteLocalStore(
    Path(sys.argv[1]), attribution=None, is_shared=None, is_read_only=bool(int(sys.argv[2]))
)
print(len(SessionService(store).list(None)))
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize("is_read_only", ["0", "1"])
def test_opening_a_current_store_imports_no_migrations(place: Place, is_read_only: str) -> None:
    place.put_event()

    done = subprocess.run(
        [sys.executable, "-c", COLD, str(place.path), is_read_only],
        capture_output=True,
        text=True,
        check=True,
    )

    count, modules = done.stdout.splitlines()
    assert count == "0"
    assert "sqlite3" in modules.split()
    assert not {"sqlite_utils", "sqlite_fts4", "click", "psycopg2"} & set(modules.split())
