"""Shared stores of both backends, each empty and its own."""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from amx.core.ports import SharedStore
from amx.core.profiles import Profile, profile_of
from amx.core.sending import Deadline
from amx.stores.postgres import COPIED_FROM, PostgresSharedStore
from amx.stores.sqlite import SQLiteSharedStore
from tests.postgres import PostgresServer
from tests.shared.installation import Installation
from tests.shared.pickers import Snapshot
from tests.support import set_up

SCHEMA = 'te"am 100% ünïcode'


@pytest.fixture
def soon() -> Deadline:
    """Give a deadline that no healthy call meets."""
    return Deadline(30)


@pytest.fixture
def postgres_profile(postgres: PostgresServer) -> Profile:
    """Give a profile of a new database on the session's server."""
    settings = {
        "backend": "postgresql",
        "host": postgres.host,
        "port": postgres.port,
        "user": postgres.user,
        "database": postgres.new_database(),
    }
    return profile_of("team", settings, os.environ)


@pytest.fixture
def sqlite_profile(tmp_path: Path) -> Profile:
    """Give a profile of a file that does not exist yet."""
    return profile_of("team", {"backend": "sqlite", "path": str(tmp_path / "team.db")}, {})


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Give the port of a server that acknowledges what it gets and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def batch_rows(monkeypatch: pytest.MonkeyPatch) -> int:
    """Make batches small for this test; return how many rows one has."""
    monkeypatch.setattr("amx.core.outbox.BATCH_ROWS", 400)
    return 400


def store_of(request: pytest.FixtureRequest) -> SharedStore:
    """Return a new store of the kind that a fixture's parameter names, without a schema.

    ``postgresql-copy`` is PostgreSQL with every row copied in, however few there are.
    """
    if request.param == "sqlite":
        return SQLiteSharedStore(request.getfixturevalue("sqlite_profile"))
    profile = request.getfixturevalue("postgres_profile")
    copied_from = 1 if request.param == "postgresql-copy" else COPIED_FROM
    return PostgresSharedStore(profile, SCHEMA, None, os.environ, copied_from=copied_from)


@pytest.fixture(params=["postgresql", "sqlite"])
def bare_store(request: pytest.FixtureRequest) -> SharedStore:
    """Give a store of each backend, without a schema."""
    return store_of(request)


@pytest.fixture
def store(bare_store: SharedStore, soon: Deadline) -> SharedStore:
    """Give a store of each backend, ready to take rows."""
    bare_store.bootstrap(soon)
    return bare_store


@pytest.fixture
def ours(tmp_path: Path, store: SharedStore) -> Installation:
    """Give an installation whose shared store is ready."""
    return Installation(tmp_path / "ours", store)


@pytest.fixture
def team(home: Path, tmp_path: Path) -> Path:
    """Turn shared mode on with a file; return the file."""
    path = tmp_path / "team.db"
    set_up("db", "add", "team", "--backend", "sqlite", "--path", str(path))
    set_up("history-store", "enable", "--profile", "team")
    assert home.is_dir()
    return path


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a home in shared mode with a row queued and the store away; return it."""
    folder = tmp_path_factory.mktemp("template")
    store = folder / "team.db"
    environ = {**os.environ, "HOME": str(folder), "AMX_HOME": str(folder / "amx")}

    def amx(*args: str) -> None:
        subprocess.run([sys.executable, "-m", "amx", *args], env=environ, check=True)

    amx("db", "add", "team", "--backend", "sqlite", "--path", str(store))
    amx("history-store", "enable", "--profile", "team")
    store.rename(folder / "away.db")
    amx("session", "new")
    return folder / "amx"


@pytest.fixture
def queued_home(template: Path, home: Path) -> Path:
    """Give this test a home in shared mode with a row queued; return it."""
    shutil.copytree(template, home)
    return home


@pytest.fixture
def snapshot(home: Path) -> Snapshot:
    """Give what must not change: configuration and queue."""

    def take() -> tuple[object, ...]:
        with closing(sqlite3.connect(home / "local.db")) as connection:
            queue = connection.execute("SELECT * FROM outbox").fetchall()
            events = connection.execute("SELECT count(*) FROM events").fetchall()
        return (home / "config.yml").read_bytes(), queue, events

    return take
