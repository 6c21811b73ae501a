"""`dump-ddl --check`: the live schema against the bootstrap DDL, on real servers and files."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from amx.core import checking
from amx.core.config.model import Config
from amx.core.errors import Transient
from amx.core.ports import SharedStore
from amx.core.profiles import Profile, profile_of
from amx.core.sending import Deadline
from amx.core.shapes import Difference, differences
from amx.core.sharing import Surroundings
from amx.core.tables import SHARED_TABLES
from amx.drivers.postgres import quoted
from amx.stores.ddl import bootstrap_ddl
from amx.stores.postgres import PostgresSharedStore
from amx.stores.postgres_schema import plain
from amx.stores.sqlite import SQLiteSharedStore
from tests.postgres import PostgresServer
from tests.shared.conftest import SCHEMA
from tests.support import Amx

HS = "history-store"

CHECK = (HS, "dump-ddl", "--profile", "team", "--check")


def found_by(store: SharedStore, role: str | None = None) -> list[Difference]:
    return differences(*store.shapes(role, Deadline(30)))


def alter(postgres: PostgresServer, profile: Profile, sql: str) -> None:
    """Run statements as the owner, each table named bare."""
    dsn = postgres.dsn(profile.database)
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL search_path = {quoted(SCHEMA)};\n{sql}")


def test_a_schema_that_was_just_made_is_what_it_should_be(store: SharedStore) -> None:
    assert found_by(store) == []
    expected, live = store.shapes(None, Deadline(30))
    assert set(live) == {"meta", *(table.name for table in SHARED_TABLES)}
    assert sum(map(len, expected.values())) > 150


DRIFT = {
    "DROP TABLE turns": [("turns", "table", "", "missing", "table", None)],
    "ALTER TABLE runs DROP COLUMN error": [
        ("runs", "column", "error", "missing", "text", None),
    ],
    "ALTER TABLE runs ADD COLUMN mood INTEGER DEFAULT 7": [
        ("runs", "column", "mood", "extra", None, "integer"),
    ],
    "ALTER TABLE runs ALTER COLUMN proposed TYPE INTEGER": [
        ("runs", "column", "proposed", "differs", "bigint not null", "integer not null"),
    ],
    "ALTER TABLE events ALTER COLUMN created_by DROP NOT NULL": [
        ("events", "column", "created_by", "differs", "text not null", "text"),
    ],
    "ALTER TABLE events ALTER COLUMN db_user SET DEFAULT 'me'": [
        ("events", "default", "db_user", "differs", "session_user", "'me'"),
    ],
    "ALTER TABLE events ALTER COLUMN received_at DROP DEFAULT": [
        ("events", "default", "received_at", "missing", "clock_timestamp", None),
    ],
    "ALTER TABLE turns DROP CONSTRAINT turns_role_check": [
        ("turns", "check", "role in 'user', 'assistant'", "missing", "valid", None),
    ],
    "ALTER TABLE turns ADD CONSTRAINT house CHECK (content <> 'x y') NOT VALID": [
        ("turns", "check", "content <> 'x y'", "extra", None, "not valid"),
    ],
    "ALTER TABLE turns DROP CONSTRAINT turns_pkey": [
        ("turns", "primary key", "", "missing", "id", None),
    ],
    "DROP INDEX runs_origin": [
        ("runs", "index", "origin_id, local_id", "missing", "btree", None),
    ],
    "CREATE UNIQUE INDEX ON runs (local_id, origin_id)": [
        ("runs", "index", "local_id, origin_id", "extra", None, "unique btree"),
    ],
    "CREATE INDEX ON runs (lower(created_by)) WHERE applied > 0": [
        *[("runs", "index", "lower(created_by)", "extra", None, "btree where (applied > 0)")],
    ],
    "ALTER TABLE results ADD FOREIGN KEY (run_id) REFERENCES runs": [
        ("results", "constraint", "FOREIGN KEY (run_id) REFERENCES runs(id)", "extra", None, ""),
    ],
    "COMMENT ON COLUMN runs.error IS 'mine'": [
        ("runs", "comment", "error", "differs", "Why it failed.", "mine"),
    ],
    "COMMENT ON TABLE runs IS NULL": [
        ("runs", "comment", "", "missing", "Productions of proposed descriptions.", None),
    ],
    "ALTER TABLE runs ENABLE ROW LEVEL SECURITY": [
        ("runs", "row security", "", "extra", None, "on"),
    ],
    "ALTER TABLE runs SET UNLOGGED": [
        ("runs", "table", "", "differs", "table", "table unlogged"),
    ],
    "CREATE FUNCTION f() RETURNS TRIGGER LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
    " CREATE TRIGGER house BEFORE INSERT ON runs FOR EACH ROW EXECUTE FUNCTION f()": [
        ("runs", "trigger", "house", "extra", None, "there"),
    ],
    "UPDATE meta SET schema_version = 7": [
        ("meta", "value", "schema_version", "differs", "1", "7"),
    ],
    "DELETE FROM meta": [
        ("meta", "value", "schema_version", "missing", "1", None),
        ("meta", "value", "oldest_writer", "missing", "1", None),
    ],
    "ALTER TABLE runs ALTER COLUMN error SET NOT NULL; CREATE TABLE payroll (x INT)": [
        ("runs", "column", "error", "differs", "text", "text not null"),
    ],
}


@pytest.mark.parametrize("sql", DRIFT, ids=lambda sql: sql[:50])
def test_each_kind_of_drift_on_a_server_is_told_and_nothing_else(
    postgres: PostgresServer, postgres_profile: Profile, sql: str
) -> None:
    store = PostgresSharedStore(postgres_profile, SCHEMA, None, {})
    store.bootstrap(Deadline(30))
    alter(postgres, postgres_profile, sql)
    found = [one._replace(found="") if one.kind == "constraint" else one for one in found_by(store)]
    store.close()
    # A foreign key names its table as the search path of who asks has it.
    schema = quoted(SCHEMA)
    shown = [one._replace(name=one.name.replace(f"{schema}.", "")) for one in found]
    assert [tuple(one) for one in shown] == DRIFT[sql]


DRIFT_OF_A_FILE = {
    "DROP TABLE turns": [("turns", "table", "", "missing", "table", None)],
    "ALTER TABLE runs DROP COLUMN error": [
        ("runs", "column", "error", "missing", "text", None),
        ("runs", "comment", "Why it failed.", "missing", "there", None),
    ],
    "ALTER TABLE runs ADD COLUMN mood INTEGER DEFAULT 7 CHECK (mood > 0)": [
        ("runs", "column", "mood", "extra", None, "integer"),
        ("runs", "check", "mood > 0", "extra", None, "valid"),
    ],
    "DROP INDEX runs_origin": [
        ("runs", "index", "origin_id, local_id", "missing", "btree", None),
    ],
    "CREATE UNIQUE INDEX odd ON runs (local_id) WHERE applied > 0": [
        ("runs", "index", "local_id", "extra", None, "unique partial btree"),
    ],
    "CREATE TRIGGER house BEFORE INSERT ON runs BEGIN SELECT 1; END": [
        ("runs", "trigger", "house", "extra", None, "there"),
    ],
    "UPDATE meta SET oldest_writer = 2": [
        ("meta", "value", "oldest_writer", "differs", "1", "2"),
    ],
    "CREATE TABLE payroll (x INT)": [],
}


@pytest.mark.parametrize("sql", DRIFT_OF_A_FILE, ids=lambda sql: sql[:50])
def test_each_kind_of_drift_in_a_file_is_told_and_nothing_else(
    sqlite_profile: Profile, sql: str
) -> None:
    store = SQLiteSharedStore(sqlite_profile)
    store.bootstrap(Deadline(30))
    with closing(sqlite3.connect(sqlite_profile.path)) as connection, connection:
        connection.execute(sql)
    assert [tuple(one) for one in found_by(store)] == DRIFT_OF_A_FILE[sql]


WORSE = {
    '"title" TEXT NOT NULL': ('"title" TEXT', ("column", "title", "differs")),
    "\"role\" TEXT NOT NULL CHECK (\"role\" IN ('user', 'assistant'))": (
        '"role" TEXT NOT NULL',
        ("check", "role IN ( 'user', 'assistant' )", "missing"),
    ),
    '"revision" INTEGER': ('"revision" TEXT', ("column", "revision", "differs")),
    " DEFAULT 1 CHECK (singleton": (" CHECK (singleton", ("default", "singleton", "missing")),
    '"id" TEXT NOT NULL PRIMARY KEY': (
        '"id" TEXT NOT NULL UNIQUE',
        ("primary key", "", "differs"),
    ),
    "Utterances of sessions.": ("Mine.", ("comment", "Utterances of sessions.", "missing")),
}


@pytest.mark.parametrize("part", WORSE)
def test_a_file_that_another_hand_made_is_told_from_ours(
    sqlite_profile: Profile, part: str
) -> None:
    ddl = bootstrap_ddl("sqlite", "")
    instead, difference = WORSE[part]
    assert part in ddl
    with closing(sqlite3.connect(sqlite_profile.path)) as connection:
        connection.executescript(ddl.replace(part, instead))
    found = [(one.kind, one.name, one.state) for one in found_by(SQLiteSharedStore(sqlite_profile))]
    assert difference in found


def test_what_a_server_adds_when_it_shows_an_expression_makes_no_difference() -> None:
    ours = "\"kind\" IN ('a', 'it''s (b)')"
    shown = "CHECK ((kind = ANY (ARRAY['a'::text, 'it''s (b)'::text])))".removeprefix("CHECK ")
    assert plain(ours) == plain(shown) == "kind in 'a', 'it''s (b)'"
    assert plain("(a <> 'x y'::text)") != plain("(a <> 'xy'::text)")


def place(postgres: PostgresServer, database: str, user: str) -> list[str]:
    where = ["--host", postgres.host, "--port", str(postgres.port), "--database", database]
    return ["db", "add", "team", "--backend", "postgresql", "--user", user, *where]


def test_check_works_for_a_writer_where_a_dba_ran_the_ddl(
    amx: Amx, postgres: PostgresServer, database: str, home: Path
) -> None:
    role = f"w {database}"
    postgres.execute(f"CREATE ROLE \"{role}\" LOGIN PASSWORD 'x'")
    assert amx(*place(postgres, database, role)).code == 0
    env = {"PGPASSWORD": "x"}
    missing = amx(*CHECK, "--schema", SCHEMA, "--json", env=env)
    assert missing.code == 1
    assert {one["state"] for one in missing.json["differences"]} == {"missing"}
    assert not (home / "local.db").exists()
    assert amx(HS, "enable", "--profile", "team", "--schema", SCHEMA, env=env).code == 4
    ddl = amx(HS, "dump-ddl", "--profile", "team", "--schema", SCHEMA, "--grant-to", role).out
    postgres.execute(ddl, database)
    for rights in ([], ["--grant-to", role]):
        equal = amx(*CHECK, "--schema", SCHEMA, "--json", *rights, env=env)
        assert (equal.code, equal.json["equal"], equal.err) == (0, True, "")
    assert "is what version 1 of the DDL makes" in amx(*CHECK, "--schema", SCHEMA, env=env).out
    postgres.execute(f'GRANT DELETE, UPDATE ON {quoted(SCHEMA)}.runs TO "{role}"', database)
    more = amx(*CHECK, "--schema", SCHEMA, "--json", "--grant-to", role, env=env)
    kinds = [(one["kind"], one["name"], one["state"]) for one in more.json["differences"]]
    assert kinds == [("right", "UPDATE", "differs"), ("right", "DELETE", "differs")]
    nobody = amx(*CHECK, "--schema", SCHEMA, "--json", "--grant-to", "no body", env=env)
    [difference] = nobody.json["differences"]
    assert (difference["kind"], difference["name"]) == ("role", "no body")


def test_check_tells_a_script_table_by_table(amx: Amx, team: Path) -> None:
    assert amx(*CHECK).code == 0
    with closing(sqlite3.connect(team)) as connection, connection:
        connection.execute("DROP INDEX runs_origin")
        connection.execute("DROP TABLE turns")
    done = amx(*CHECK)
    assert done.code == 1
    assert done.out == (
        "runs\tindex origin_id, local_id\tmissing\tbtree\t-\nturns\ttable\tmissing\ttable\t-\n"
    )
    assert f"The shared schema at sqlite:{team} is not what version 1" in done.err
    assert "2 differences in runs, turns. Nothing was changed." in done.err
    assert amx(*CHECK, "--json").error["code"] == "check.found"


def test_check_needs_a_profile_that_is_there_and_a_store_in_reach(amx: Amx, team: Path) -> None:
    assert amx(HS, "dump-ddl", "--check", "--backend", "sqlite").code == 2
    assert amx(HS, "dump-ddl", "--check").code == 2
    assert amx(HS, "dump-ddl", "--check", "--profile", "nobody").code == 2
    team.unlink()
    done = amx(*CHECK, "--json")
    assert (done.code, done.error["code"]) == (4, "shared.unreachable")
    assert not team.exists()
    amx("db", "add", "far", "--backend", "postgresql", "--host", "127.0.0.1", "--port", "1",
        "--database", "d")  # fmt: skip
    far = amx(HS, "dump-ddl", "--check", "--profile", "far", "--json")
    assert (far.code, far.error["hint"]) == (4, "amx db test far")


def test_check_gives_a_silent_server_up_at_its_limit(
    silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "CHECK_S", 0.2)
    settings = {"host": "127.0.0.1", "port": silent_port, "database": "d", "user": "u"}
    around = Surroundings(
        config=Config,
        profile_named=lambda name: profile_of(name, settings, {}),
        patch=lambda _: None,
        record=lambda *_: None,
        warn=print,
        open_store=lambda profile, schema, _: PostgresSharedStore(profile, schema, None, {}),
    )
    began = time.monotonic()
    with pytest.raises(Transient, match="could not be checked"):
        checking.check_schema(around, "team", "AMX")
    assert time.monotonic() - began < 5
