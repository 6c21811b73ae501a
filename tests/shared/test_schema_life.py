"""The life of the shared schema: newer, older, upgraded, made by several processes at once."""

import os
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from amx.drivers.postgres import quoted
from tests.postgres import PostgresServer
from tests.support import Amx, Done

HS = "history-store"

SCHEMA = 'Te"am 100% %s ünïcode'

ROOT = Path(__file__).parents[2]

NOW, LATER = "amx", "tests.shared.next_version"
"""Two releases: the later one's schema has a version 2."""

Place = Sequence[str]
"""The words that add the profile of a store."""


def release(module: str, *args: str, **env: str) -> subprocess.Popen[str]:
    """Start a release of amx."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *args],
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def done(process: "subprocess.Popen[str]") -> Done:
    """Wait for its end."""
    out, err = process.communicate(timeout=60)
    return Done(process.returncode, out, err)


def run(module: str, *args: str, **env: str) -> Done:
    """Run a release of amx to its end."""
    return done(release(module, *args, **env))


@pytest.fixture(params=["postgresql", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Give the words that add a profile of an empty store of each backend."""
    if request.param == "sqlite":
        return ("--backend", "sqlite", "--path", str(tmp_path / "team.db"))
    server: PostgresServer = request.getfixturevalue("postgres")
    return on_server(server, request.getfixturevalue("database"), server.user)


def on_server(server: PostgresServer, database: str, user: str) -> Place:
    where = ("--host", server.host, "--port", str(server.port))
    return ("--backend", "postgresql", *where, "--database", database, "--user", user)


ENABLE = (HS, "enable", "--profile", "team", "--schema", SCHEMA)
CHECK = (HS, "dump-ddl", "--profile", "team", "--schema", SCHEMA, "--check")


def test_an_older_schema_is_upgraded_by_enable_alone_and_old_clients_go_on(place: Place) -> None:
    run(NOW, "db", "add", "team", *place)
    assert run(NOW, *ENABLE).code == 0
    waits = run(LATER, "session", "new")
    assert waits.code == 0
    assert "has version 1, and this client writes version 2. The rows stay queued" in waits.err
    drift = run(LATER, *CHECK, "--json")
    assert drift.code == 1
    found = [(one["kind"], one["name"], one["state"]) for one in drift.json["differences"]]
    assert found == [("index", "started_at", "missing"), ("value", "schema_version", "differs")]
    assert "history-store enable --profile team" in drift.error["hint"]

    upgraded = run(LATER, *ENABLE, "--json")
    assert (upgraded.code, upgraded.err) == (0, "")
    facts = [upgraded.json[key] for key in ("schema_version", "created", "upgraded_from")]
    assert facts == [2, False, 1]
    assert run(LATER, *CHECK).code == 0
    assert "schema version 2 (found)" in run(LATER, *ENABLE).out

    older = run(NOW, "session", "new", "--require-delivery")
    assert (older.code, older.err) == (0, "")
    assert "schema version 2 (found)" in run(NOW, *ENABLE).out
    assert run(NOW, *CHECK, "--json").error["hint"] == "pip install --upgrade amx"
    verified = run(NOW, HS, "verify", "--json")
    assert (verified.code, verified.json["equal"], verified.json["checked"]) == (0, True, 6)


@pytest.mark.parametrize("before", [None, NOW], ids=["fresh", "upgrade"])
def test_several_enables_at_once_are_harmless_and_each_says_what_it_did(
    place: Place, tmp_path: Path, before: str | None
) -> None:
    homes = [str(tmp_path / f"home {number}") for number in range(4)]
    for home in homes:
        run(NOW, "db", "add", "team", *place, AMX_HOME=home)
    if before:
        assert run(before, *ENABLE, AMX_HOME=homes[0]).code == 0
    started = [release(LATER, *ENABLE, AMX_HOME=home) for home in homes]
    ends = [done(process) for process in started]
    assert [(one.code, one.err) for one in ends] == [(0, "")] * 4
    did = sorted(re.findall(r"version 2 \((.*?)\)", "".join(one.out for one in ends)))
    made = "upgraded from version 1" if before else "created"
    assert did == sorted([made, "found", "found", "found"])
    assert run(LATER, *CHECK, AMX_HOME=homes[3]).code == 0
    members = run(LATER, HS, "team", "--json", AMX_HOME=homes[3]).json["members"]
    assert [one["events"] for one in members] == [4 + (before is not None)]


@pytest.fixture
def poor(postgres: PostgresServer, database: str) -> str:
    """Make a role that may connect and no more; return it."""
    name = f'po"or {database}'
    postgres.execute(f"CREATE ROLE {quoted(name)} LOGIN PASSWORD 'x'")
    return name


def sql_for_the_dba(module: str, refused: Done) -> str:
    """Return the SQL that the hint of a refusal leads to."""
    assert (refused.code, refused.error["code"]) == (4, "shared.refused"), refused.err
    assert "nothing was changed" in refused.error["message"]
    words, _, _ = refused.error["hint"].partition(", for who")
    ddl = run(module, *shlex.split(words)[1:])
    assert (ddl.code, ddl.err) == (0, "")
    return ddl.out


def test_a_role_without_create_gets_the_sql_for_its_dba_also_for_an_upgrade(
    postgres: PostgresServer, database: str, poor: str, home: Path
) -> None:
    run(NOW, "db", "add", "team", *on_server(postgres, database, poor))
    before = (home / "config.yml").read_bytes()
    password = {"PGPASSWORD": "x"}
    ddl = sql_for_the_dba(NOW, run(NOW, *ENABLE, "--json", **password))
    assert (home / "config.yml").read_bytes() == before
    postgres.execute(ddl, database)
    assert run(NOW, *ENABLE, **password).code == 0
    before = (home / "config.yml").read_bytes()

    upgrade = sql_for_the_dba(LATER, run(LATER, *ENABLE, "--json", **password))
    assert (home / "config.yml").read_bytes() == before
    versions = f"SELECT schema_version, oldest_writer FROM {quoted(SCHEMA)}.meta"
    assert postgres.execute(versions, database) == [(1, 1)]
    for _ in range(2):
        postgres.execute(upgrade, database)
    assert postgres.execute(versions, database) == [(2, 1)]
    assert "version 2 (found)" in run(LATER, *ENABLE, **password).out
    assert run(LATER, *CHECK, "--grant-to", poor, **password).code == 0
    newer = run(LATER, "session", "new", "--require-delivery", **password)
    assert (newer.code, newer.err) == (0, "")


def test_a_role_that_may_fill_a_schema_need_not_be_able_to_make_one(
    postgres: PostgresServer, database: str, poor: str
) -> None:
    postgres.execute(f"CREATE SCHEMA {quoted(SCHEMA)}", database)
    postgres.execute(f"GRANT ALL ON SCHEMA {quoted(SCHEMA)} TO {quoted(poor)}", database)
    run(NOW, "db", "add", "team", *on_server(postgres, database, poor))
    enabled = run(NOW, *ENABLE, PGPASSWORD="x")
    assert (enabled.code, "(created)" in enabled.out) == (0, True), enabled.err
    assert run(NOW, *CHECK, PGPASSWORD="x").code == 0


def test_an_upgrade_that_fails_in_its_midst_leaves_the_older_schema(
    postgres: PostgresServer, database: str
) -> None:
    run(NOW, "db", "add", "team", *on_server(postgres, database, postgres.user))
    assert run(NOW, *ENABLE).code == 0
    meta = f"{quoted(SCHEMA)}.meta"
    postgres.execute(f"ALTER TABLE {meta} ADD CHECK (schema_version < 2)", database)
    failed = run(LATER, *ENABLE, "--json")
    assert failed.code != 0
    index = "SELECT count(*) FROM pg_indexes WHERE indexname = 'runs_started'"
    assert postgres.execute(index, database) == [(0,)]
    assert postgres.execute(f"SELECT schema_version FROM {meta}", database) == [(1,)]


NAMES = (SCHEMA, "x'; DROP SCHEMA public; --", "$$ \\ {0} /* é", "%(a)s;\n\tBEGIN")


@pytest.mark.parametrize("name", NAMES)
def test_any_schema_name_is_quoted_by_every_command(
    postgres: PostgresServer, database: str, name: str, amx: Amx
) -> None:
    amx("db", "add", "team", *on_server(postgres, database, postgres.user))
    amx("db", "use", "team")
    here = ("--profile", "team", "--schema", name)
    for args in (
        ("session", "new", "--title", "before"),
        (HS, "enable", *here, "--migrate"),
        ("session", "new", "--require-delivery"),
        (HS, "dump-ddl", *here, "--check"),
        (HS, "flush-pending"),
        (HS, "verify", "--repair"),
        (HS, "migrate-from-local"),
        (HS, "team", "--since", "1h"),
        ("history", "list", "--team"),
        ("session", "list", "--team"),
        (HS, "enable", *here),
        (HS, "disable"),
    ):
        ended = amx(*args)
        assert (args, ended.code) == (args, 0), ended.err
    schemas = "SELECT nspname::TEXT FROM pg_namespace WHERE nspname NOT LIKE 'pg%' ORDER BY 1"
    found = [str(one) for [one] in postgres.execute(schemas, database)]
    assert sorted(found) == sorted([name, "information_schema", "public"])


def test_a_newer_schema_is_told_as_a_reason_to_upgrade_amx(amx: Amx, team: Path) -> None:
    check = (HS, "dump-ddl", "--profile", "team", "--check")
    with closing(sqlite3.connect(team)) as connection, connection:
        connection.execute("UPDATE meta SET schema_version = 9")
    ended = amx(*check, "--json")
    assert (ended.code, ended.error["hint"]) == (1, "pip install --upgrade amx")
    assert amx(HS, "enable", "--profile", "team").code == 0  # which still takes our rows
    with closing(sqlite3.connect(team)) as connection, connection:
        connection.execute("UPDATE meta SET oldest_writer = 9")
    refused = amx(HS, "enable", "--profile", "team", "--json")
    assert (refused.code, refused.error["code"]) == (4, "shared.schema_too_new")
    told = amx("session", "new")
    assert (told.code, "upgrade amx" in told.err) == (0, True)
    assert amx(HS, "status", "--json").json["pending"] == 1
