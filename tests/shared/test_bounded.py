"""No call of a shared store keeps its caller longer than the deadline."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from amx.core.bounded import GRACE_S, BoundedStore
from amx.core.errors import Systemic, Transient
from amx.core.ports import SharedStore
from amx.core.profiles import profile_of
from amx.core.sending import Deadline
from amx.core.tables import RESULTS, RUNS
from amx.stores.postgres import PostgresSharedStore
from tests.shared import rows
from tests.shared.installation import Installation


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Give the port of a server that accepts, acknowledges bytes and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[socket.socket] = []

        def accept() -> None:
            try:
                while True:
                    kept.append(server.accept()[0])
            except OSError:
                return

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        for one in kept:
            one.close()


def silent_store(port: int) -> SharedStore:
    settings = {"host": "127.0.0.1", "port": port, "database": "d", "user": "u"}
    profile = profile_of("team", settings, {})
    return BoundedStore(lambda: PostgresSharedStore(profile, "AMX", None, {}), profile.target)


def test_a_bounded_store_does_what_the_store_does(bare_store: SharedStore) -> None:
    bounded = BoundedStore(lambda: bare_store, "team")
    meta = bounded.bootstrap(Deadline(30)).meta
    run = rows.run()
    assert bounded.meta(Deadline(30)) == meta
    assert bounded.upsert(RUNS, [run], Deadline(30)) == []
    assert bounded.rows(RUNS, [rows.ORIGIN], "", 9, Deadline(30)) == [run]
    number = (int(run["local_id"] or 0), str(run["id"]))
    assert bounded.numbers(rows.ORIGIN, {}, Deadline(30))["runs"] == (number[0], 0)
    assert bounded.numbered(RUNS, rows.ORIGIN, (0, ""), 9, Deadline(30)) == [number]
    assert bounded.orphans(RESULTS, [rows.ORIGIN], Deadline(30)) == 0
    assert [member.runs for member in bounded.team(None, Deadline(30))] == [1]
    assert bounded.target == "team"
    bounded.close()


def test_its_errors_are_those_of_the_store() -> None:
    def refuse() -> SharedStore:
        raise Systemic("no such role")

    with pytest.raises(Systemic, match="no such role"):
        BoundedStore(refuse, "team").meta(Deadline(5))


def test_a_server_that_never_answers_is_given_up_at_the_deadline(silent_port: int) -> None:
    store = silent_store(silent_port)
    began = time.monotonic()
    with pytest.raises(Transient):
        store.meta(Deadline(0.3))
    with pytest.raises(Transient, match="did not answer in time"):
        store.meta(Deadline(30))
    store.close()
    assert time.monotonic() - began < 0.3 + GRACE_S + 1


def test_a_flush_to_it_ends_at_its_deadline_and_keeps_all(tmp_path: Path, silent_port: int) -> None:
    ours = Installation(tmp_path / "ours", silent_store(silent_port))
    ours.write(2)
    began = time.monotonic()
    report = ours.replayer().replay(Deadline(0.3))
    assert time.monotonic() - began < 2
    assert (report.delivered, report.pending) == (0, 2)
    assert report.problem
