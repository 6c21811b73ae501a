"""A store of an older version: upgraded in place in one transaction, or read as it is."""

import os
import signal
from hashlib import sha256
from pathlib import Path

import pytest

from amx.core.profiles import Profile
from amx.core.sessions import SessionService
from amx.core.tables import BY_NAME
from amx.stores.schema import VERSION, version_1
from tests.local.older import made_older, rows, schema
from tests.local.places import Place, event, put_all

SHOP = Profile(name="shop", backend="sqlite", path="/shop.db")
KILLED = -signal.SIGKILL

VERSION_1 = "6497efad9e1c4b400e3a12c0850f9a1aed1350b55820faa94f3d63ebb440c241"
"""Digest of the statements of the first step: what is released is never edited."""


@pytest.fixture
def fresh(tmp_path: Path) -> Place:
    """Give a store of the present version that has rows of every kind."""
    place = Place(tmp_path / "fresh" / "local.db")
    put_all(place)
    sessions = SessionService(place.local)
    for question in ("which table holds prices?", "and of tracks?"):
        sessions.append(
            SHOP, None, question=question, answer="main.tracks", citations=[], provenance="evidence"
        )
    place.local.close()
    return place


@pytest.fixture
def older(tmp_path: Path, fresh: Place) -> Place:
    """Give a store of the first version with the same rows."""
    (tmp_path / "older").mkdir()
    made_older(tmp_path / "older" / "local.db", fresh.path)
    return Place(tmp_path / "older" / "local.db")


def test_the_released_step_is_never_edited() -> None:
    assert sha256("\n".join(version_1()).encode()).hexdigest() == VERSION_1


def test_an_upgraded_store_is_as_a_fresh_one_and_keeps_every_row(
    older: Place, fresh: Place
) -> None:
    names = {name: ", ".join(BY_NAME[name].names) for name in BY_NAME}
    before = {name: rows(older.path, name, columns) for name, columns in names.items()}
    pointers = rows(older.path, "active_sessions", "*")
    queue = rows(older.path, "outbox", "*")
    assert schema(older.path) != schema(fresh.path)
    assert [name for name, found in before.items() if not found] == ["results"]
    assert pointers

    older.local.transaction().__enter__()
    older.local.close()

    assert schema(older.path) == schema(fresh.path)
    assert {name: rows(older.path, name, columns) for name, columns in names.items()} == before
    assert rows(older.path, "active_sessions", "*") == pointers
    assert rows(older.path, "outbox", "*") == queue
    assert {pair[0] == pair[1] for pair in rows(older.path, "sessions", "owner, profile")} == {True}
    assert {*rows(older.path, "turns", "privacy"), *rows(older.path, "sessions", "privacy")} == {
        (0,)
    }
    assert older.counted() == fresh.counted()
    assert older.put_event().local_id


def test_an_upgrade_killed_anywhere_leaves_the_older_store_or_the_newer(
    tmp_path: Path, older: Place, fresh: Place
) -> None:
    old, new, content = schema(older.path), schema(fresh.path), older.path.read_bytes()
    ends, n = [], 1
    while True:
        place = Place(tmp_path / str(n) / "local.db")
        place.path.parent.mkdir()
        place.path.write_bytes(content)
        is_over = not upgrade_killed_at(n, place)
        ends.append(schema(place.path))
        if is_over:
            break
        n += 1
        place.put_event()
        assert schema(place.path) == new
    assert n > 20
    assert [end == new for end in ends] == sorted(end == new for end in ends)
    assert {str(end) for end in ends} == {str(old), str(new)}


def upgrade_killed_at(n: int, place: Place) -> bool:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED
    steps = 0

    def step(_: str) -> None:
        nonlocal steps
        steps += 1
        if steps == n:
            os.kill(os.getpid(), signal.SIGKILL)

    database = place.local.database
    connect = database._connect

    def traced(mode: str) -> object:
        connection = connect(mode)
        connection.set_trace_callback(step)
        return connection

    database._connect = traced  # type: ignore[method-assign,assignment]  # this process ends here
    with place.local.transaction() as writer:
        writer.put(event())
    os._exit(0)


def test_a_store_of_an_older_version_is_read_as_it_is(older: Place, fresh: Place) -> None:
    before = older.path.read_bytes()
    reader, newer = (Place(one.path, is_read_only=True) for one in (older, fresh))
    read, known = SessionService(reader.local), SessionService(newer.local)

    assert read.list(SHOP) == known.list(SHOP)
    assert [one.owner for one in read.list(SHOP)] == ["shop", "shop"]
    assert read.list(None, 1) == known.list(None, 1)
    assert read.show(2) == known.show(2)
    assert read.current(SHOP) == known.current(SHOP)
    assert reader.local.renaming() is None
    assert not reader.local.has_traces()
    assert reader.queued() == newer.queued()
    for table in BY_NAME.values():
        rows_read = reader.outbox.local_rows(table, "", 10)
        assert rows_read == newer.outbox.local_rows(table, "", 10)
    assert older.path.read_bytes() == before
    assert schema(older.path)[-1] == (1,)
    assert VERSION > 1
