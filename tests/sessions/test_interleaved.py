"""Guard 1 between two processes: what changes after the check is seen by the one that writes."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from time import monotonic

import pytest

from tests.support import Amx, set_up


@pytest.fixture
def shops(tmp_path: Path) -> Path:
    """Two databases, two profiles, and session 1 with a question about the first."""
    for name in ("shop", "archive"):
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as connection:
            connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, total_price REAL)")
        set_up("db", "add", name, "--backend", "sqlite", "--path", str(tmp_path / f"{name}.db"))
    set_up("ask", "where are prices of orders?")
    return tmp_path


@pytest.fixture
def turns(home: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(home / "local.db")) as connection:
        yield connection


REPOINT = ("config", "set", "db_profiles.shop.path", "{}/archive.db")
ADD_AGAIN = ("db", "add", "shop", "--backend", "sqlite", "--path", "{}/archive.db")

CASES: dict[str, tuple[list[tuple[str, ...]], int, str, int]] = {
    "pointed elsewhere": ([REPOINT], 3, "was pointed at another database meanwhile", 2),
    "used again": ([("db", "remove", "shop"), ADD_AGAIN], 3, "at another database meanwhile", 2),
    "removed": ([("db", "remove", "shop")], 2, "There is no profile 'shop'", 2),
    "renamed": ([("db", "rename", "shop", "store")], 2, "There is no profile 'shop'", 2),
    "deleted": ([("session", "delete", "1")], 2, "Session 1 was deleted", 2),
    "left": ([("db", "use", "archive"), ("session", "new")], 0, "session 1 on shop", 4),
}


@pytest.mark.parametrize("case", CASES)
def test_what_another_process_changes_between_check_and_write_is_heeded(
    amx: Amx, shops: Path, turns: sqlite3.Connection, case: str
) -> None:
    """A question waits at its database, long after its session was checked; then things happen."""
    changes, code, says, left = CASES[case]
    with closing(sqlite3.connect(shops / "shop.db", isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        asking = subprocess.Popen(
            [sys.executable, "-m", "amx", "ask", "and how many?", "--session", "1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        _wait_until_open(asking, shops / "shop.db")
        for words in changes:
            assert amx(*(word.format(shops) for word in words)).code == 0
        database.execute("ROLLBACK")
        out, err = asking.communicate(timeout=60)

    assert (asking.returncode, bool(out)) == (code, code == 0), err
    assert says in err
    counted = turns.execute("SELECT turn_count FROM sessions WHERE local_id = 1").fetchone()
    rows = turns.execute("SELECT count(*), count(DISTINCT session_id) FROM turns").fetchone()
    assert (counted, rows) == ((left,), (left, 1))


def _wait_until_open(process: subprocess.Popen[str], path: Path) -> None:
    end = monotonic() + 30
    while monotonic() < end:
        with suppress(FileNotFoundError):
            for link in Path(f"/proc/{process.pid}/fd").iterdir():
                with suppress(FileNotFoundError):
                    if link.readlink() == path:
                        return
    pytest.fail(f"{path} was not opened")
