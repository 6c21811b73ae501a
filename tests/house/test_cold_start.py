"""Commands that people and prompts call all day import nothing that they do not need."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from amx.core.clock import seconds_from_now
from tests.postgres import PostgresServer
from tests.support import Amx

HEAVY = ("httpx", "psycopg2", "questionary", "rich", "ruamel", "sqlite_utils")

_LOADED = """
import json, os, sys
from amx.cli import main
code = main(sys.argv[1:])
os.write(3, json.dumps([code, sorted(sys.modules)]).encode())
"""


def _loaded(*args: str) -> tuple[int, set[str]]:
    """Return the exit code of a command, and every top-level module that it has loaded."""
    reader, writer = os.pipe()
    script = _LOADED.replace("os.write(3", f"os.write({writer}")
    bare = {name: os.environ[name] for name in os.environ if not name.startswith("COVERAGE_")}
    try:
        subprocess.run(
            [sys.executable, "-c", script, *args],
            env=bare,  # a measured process loads what its measuring needs
            pass_fds=[writer],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )
    finally:
        os.close(writer)
    with os.fdopen(reader) as answer:
        code, modules = json.load(answer)
    return code, {name if name.startswith("amx.") else name.partition(".")[0] for name in modules}


@pytest.fixture
def _a_profile_with_a_session(amx: Amx) -> None:
    for words in ("db add shop --backend sqlite --path shop.db", "db use shop", "session new"):
        done = amx(*words.split())
        assert done.code == 0, done.err


def test_the_version_is_told_without_configuration_or_store() -> None:
    code, modules = _loaded("--version")

    assert code == 0
    assert modules.isdisjoint({*HEAVY, "yaml", "sqlite3"})


@pytest.mark.usefixtures("_a_profile_with_a_session")
@pytest.mark.parametrize(
    "command",
    ["session list", "session current", "history-store status", "history-store flush-pending"],
)
def test_a_frequent_command_loads_nothing_heavy(command: str) -> None:
    code, modules = _loaded(*command.split())

    assert code == 0
    assert modules.isdisjoint(HEAVY)
    assert "sqlite3" in modules


@pytest.mark.usefixtures("_a_profile_with_a_session")
def test_a_question_whose_index_is_fresh_loads_nothing_that_reads_or_describes_a_catalog(
    amx: Amx,
) -> None:
    with closing(sqlite3.connect("shop.db")) as connection, connection:
        connection.execute("CREATE TABLE customer (id INTEGER)")
    assert amx("ask", "customers").code == 0

    code, modules = _loaded("ask", "custmer")

    assert code == 0
    readers = {"amx.core.asking.knowledge", "amx.core.catalog", "amx.core.work"}
    assert modules.isdisjoint({*HEAVY, *readers, "amx.describers.evidence"})
    assert "amx.core.asking.ranking" in modules


@pytest.mark.parametrize("words", [[], ["--no-model"]])
def test_an_answer_without_a_model_loads_nothing_that_speaks_to_one(
    amx: Amx, words: list[str]
) -> None:
    with closing(sqlite3.connect("shop.db")) as connection, connection:
        connection.execute("CREATE TABLE orders (price)")
    amx("db", "add", "shop", "--backend", "sqlite", "--path", "shop.db")
    if words:
        amx("config", "set", "llm_profiles.x.api_base", "http://127.0.0.1:9/v1")
        amx("config", "set", "active_llm_profile", "x")

    code, modules = _loaded("ask", "prices of orders", *words)

    assert code == 0
    speakers = {"amx.core.endpoints", "amx.core.naming", "amx.describers.openai"}
    assert modules.isdisjoint({"httpx", "ssl", "asyncio", *speakers})


@pytest.fixture
def _a_store_on_postgresql(amx: Amx, postgres: PostgresServer, database: str) -> None:
    place = ["--host", postgres.host, "--port", str(postgres.port), "--user", postgres.user]
    name = ["db", "add", "team", "--backend", "postgresql", "--database", database]
    for words in ([*name, *place], ["history-store", "enable", "--profile", "team"]):
        done = amx(*words)
        assert done.code == 0, done.err


@pytest.mark.usefixtures("_a_profile_with_a_session", "_a_store_on_postgresql")
@pytest.mark.parametrize("command", ["history-store status", "history-store flush-pending"])
def test_with_shared_mode_on_and_nothing_queued_no_driver_is_loaded(amx: Amx, command: str) -> None:
    assert amx("history-store", "status", "--json").json["enabled"] is True

    code, modules = _loaded(*command.split())

    assert code == 0
    assert modules.isdisjoint({*HEAVY, "amx.core.outbox"})


@pytest.mark.usefixtures("_a_profile_with_a_session", "_a_store_on_postgresql")
def test_a_command_that_writes_while_the_store_is_known_to_be_down_loads_nothing_that_delivers(
    amx: Amx, home: Path
) -> None:
    known_down = {"back_off_until": seconds_from_now(600), "last_error": "refused"}
    with closing(sqlite3.connect(home / "local.db")) as connection, connection:
        connection.executemany("INSERT INTO state (key, value) VALUES (?, ?)", known_down.items())

    code, modules = _loaded("session", "new")

    assert code == 0
    assert amx("history-store", "status", "--json").json["pending"] == 1
    assert "amx.core.delivery" in modules
    deliverers = {"amx.core.outbox", "amx.core.sharing", "amx.core.reports", "amx.core.history"}
    assert modules.isdisjoint({*HEAVY, *deliverers})
