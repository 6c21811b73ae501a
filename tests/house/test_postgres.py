"""The suite's own PostgreSQL does what the tests about outages take for granted."""

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from tests.postgres import PostgresServer

ROOT = Path(__file__).parents[2]
WAIT_S = 30

_PROGRAM = """
import sys
from tests.postgres import PostgresServer
server = PostgresServer()
print(server.socket_folder.parent, server._watchdog.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


def test_it_is_postgresql_18_and_not_run_by_root(postgres: PostgresServer) -> None:
    [(version,)] = postgres.execute("SHOW server_version")

    assert str(version).startswith("18.")
    assert postgres.socket_folder.stat().st_uid != 0


def test_a_new_database_is_empty(postgres: PostgresServer) -> None:
    first, second = postgres.new_database(), postgres.new_database()
    postgres.execute("CREATE TABLE here (id INTEGER)", first)

    assert postgres.execute("SELECT to_regclass('here')::text", first) == [("here",)]
    assert postgres.execute("SELECT to_regclass('here')::text", second) == [(None,)]


def test_a_role_needs_its_password(postgres: PostgresServer, database: str) -> None:
    postgres.execute("CREATE ROLE engineer LOGIN PASSWORD 'right'")
    where = f"host={postgres.host} port={postgres.port} dbname={database} user=engineer"

    psycopg2.connect(f"{where} password=right").close()
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(f"{where} password=wrong")


def test_it_keeps_its_port_and_what_was_committed_over_a_kill(server: PostgresServer) -> None:
    dsn, database = server.dsn(), server.new_database()
    server.execute("CREATE TABLE kept AS SELECT 1 AS id", database)

    server.kill()
    is_running_when_killed = server.is_running()
    with pytest.raises(psycopg2.OperationalError, match="Connection refused"):
        psycopg2.connect(dsn)
    server.start()

    assert not is_running_when_killed
    assert server.is_running()
    assert server.dsn() == dsn
    assert server.execute("SELECT id FROM kept", database) == [(1,)]


def test_it_can_be_stopped_and_started(server: PostgresServer) -> None:
    server.stop()
    is_running_when_stopped = server.is_running()
    server.start()

    assert not is_running_when_stopped
    assert server.is_running()


@pytest.mark.parametrize("is_killed", [False, True], ids=["ended", "killed"])
def test_nothing_of_it_is_left_when_its_program_is_gone(*, is_killed: bool) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout
        folder, watchdog = program.stdout.readline().rsplit(maxsplit=1)
        postmaster = int((Path(folder) / "data" / "postmaster.pid").read_text().split()[0])
        watched = os.pidfd_open(int(watchdog))
        if is_killed:
            program.kill()
    is_over = bool(select.select([watched], [], [], WAIT_S)[0])
    os.close(watched)

    assert is_over
    assert not Path(folder).exists()
    assert not _is_alive(postmaster)


def _is_alive(process: int) -> bool:
    """Tell whether a process runs; one that only waits to be reaped does not."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
