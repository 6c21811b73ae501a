"""The shared schema as `dump-ddl` prints it and the server takes it."""

import os
import sqlite3
from contextlib import closing

import psycopg2
import pytest

from amx.core.errors import Systemic
from amx.core.profiles import Profile, profile_of
from amx.core.sending import Deadline
from amx.core.tables import ATTRIBUTION, RUNS, SHARED_TABLES
from amx.stores.ddl import bootstrap_ddl, updatable
from amx.stores.postgres import PostgresSharedStore
from tests.postgres import PostgresServer
from tests.shared import rows
from tests.shared.conftest import SCHEMA

WRITER = 'wri"ter'


@pytest.fixture
def admin(postgres: PostgresServer, postgres_profile: Profile) -> str:
    """Give the DSN of an owner of the database of the profile."""
    return postgres.dsn(postgres_profile.database)


def run_as_psql_would(dsn: str, text: str) -> None:
    """Run a text in one transaction."""
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(text)


def ask(dsn: str, sql: str, *params: object) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


@pytest.mark.parametrize("backend", ["postgresql", "sqlite"])
def test_the_ddl_is_the_same_every_time_and_holds_no_transaction(backend: str) -> None:
    text = bootstrap_ddl(backend, "AMX")
    assert text == bootstrap_ddl(backend, "AMX")
    assert not {"BEGIN;", "COMMIT;", "BEGIN", "COMMIT"} & set(text.split())


def test_its_owner_may_run_it_again(admin: str) -> None:
    text = bootstrap_ddl("postgresql", SCHEMA, grant_to=None)
    for _ in range(2):
        run_as_psql_would(admin, text)
    sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s ORDER BY 1"
    names = [str(record[0]) for record in ask(admin, sql, SCHEMA)]
    assert names == sorted(["meta", *(table.name for table in SHARED_TABLES)])


def test_every_table_and_column_carries_a_comment(admin: str) -> None:
    run_as_psql_would(admin, bootstrap_ddl("postgresql", SCHEMA))
    without = ask(
        admin,
        """
        SELECT c.relname, a.attname FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum >= 0
        WHERE n.nspname = %s AND c.relkind = 'r'
          AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL)""",
        SCHEMA,
    )
    assert without == []


def test_the_key_is_the_only_unique_index_and_nothing_depends_on_a_parent(admin: str) -> None:
    run_as_psql_would(admin, bootstrap_ddl("postgresql", SCHEMA))
    sql = """
        SELECT count(*) FILTER (WHERE indexdef LIKE 'CREATE UNIQUE%%'), count(*)
        FROM pg_indexes WHERE schemaname = %s AND tablename <> 'meta'"""
    assert ask(admin, sql, SCHEMA) == [(5, 10)]
    sql = """
        SELECT count(*) FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
        WHERE n.nspname = %s AND contype = 'f'"""
    assert ask(admin, sql, SCHEMA) == [(0,)]


def test_a_file_takes_the_ddl_twice_and_shows_its_comments() -> None:
    text = bootstrap_ddl("sqlite", "ignored")
    with closing(sqlite3.connect(":memory:")) as connection:
        for _ in range(2):
            connection.executescript(text)
        [[shown]] = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'runs'")
        assert connection.execute("SELECT count(*) FROM meta").fetchall() == [(1,)]
    assert all(column.comment in shown for column in RUNS.columns)


def test_what_may_be_updated_leaves_out_the_key_and_the_first_stamp() -> None:
    fixed = {"id", "created_at", *(column.name for column in ATTRIBUTION)}
    for table in SHARED_TABLES:
        assert set(table.names) - set(updatable(table)) == fixed


@pytest.fixture
def restricted(postgres: PostgresServer, admin: str, postgres_profile: Profile) -> Profile:
    """Give the profile of a role that has only what ``dump-ddl --grant-to`` grants."""
    name = WRITER.replace('"', '""')
    exists = ask(admin, "SELECT 1 FROM pg_roles WHERE rolname = %s", WRITER)
    if not exists:
        postgres.execute(f"""CREATE ROLE "{name}" LOGIN PASSWORD 'w'""")
    run_as_psql_would(admin, bootstrap_ddl("postgresql", SCHEMA, grant_to=WRITER))
    settings = {"host": postgres.host, "port": postgres.port, "user": WRITER, "password": "w"}
    return profile_of("writer", {**settings, "database": postgres_profile.database}, os.environ)


def test_a_role_with_only_our_grants_writes_and_updates(restricted: Profile) -> None:
    store = PostgresSharedStore(restricted, SCHEMA, None, os.environ)
    first = rows.run()
    assert store.bootstrap(Deadline(30)).meta.bootstrapped_by == "postgres"
    assert store.upsert(RUNS, [first], Deadline(30)) == []
    newer = {**first, "revision": 2, "status": "completed"}
    assert store.upsert(RUNS, [newer], Deadline(30)) == []
    assert store.rows(RUNS, [rows.ORIGIN], "", 9, Deadline(30)) == [newer]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE {runs} SET created_by = 'mallory'",
        "UPDATE {runs} SET hostname = 'elsewhere'",
        "UPDATE {runs} SET origin_id = 'x'",
        "UPDATE {runs} SET db_user = 'mallory'",
        "UPDATE {runs} SET received_at = now()",
        "INSERT INTO {runs} (id, db_user) VALUES ('x', 'mallory')",
        "INSERT INTO {runs} (id, received_at) VALUES ('x', now())",
        "DELETE FROM {runs}",
        "UPDATE {meta} SET store_id = 'x'",
        "TRUNCATE {runs}",
    ],
)
def test_a_role_with_only_our_grants_can_forge_nothing(restricted: Profile, sql: str) -> None:
    schema = SCHEMA.replace('"', '""')
    text = sql.format(runs=f'"{schema}".runs', meta=f'"{schema}".meta')
    dsn = f"host={restricted.host} port={restricted.port} dbname={restricted.database}"
    with (
        closing(psycopg2.connect(dsn, user=WRITER, password="w")) as connection,
        connection.cursor() as cursor,
        pytest.raises(psycopg2.errors.InsufficientPrivilege),
    ):
        cursor.execute(text)


def test_the_server_attests_who_wrote_and_when(restricted: Profile, admin: str) -> None:
    store = PostgresSharedStore(restricted, SCHEMA, None, os.environ)
    store.upsert(RUNS, [rows.run(created_by="says-ada")], Deadline(30))
    schema = SCHEMA.replace('"', '""').replace("%", "%%")
    sql = f'SELECT created_by, db_user, now() - received_at < %s FROM "{schema}".runs'
    assert ask(admin, sql, "1 minute") == [("says-ada", WRITER, True)]


def test_a_role_without_rights_is_told_so_and_makes_nothing(
    restricted: Profile, admin: str
) -> None:
    store = PostgresSharedStore(restricted, "another", None, os.environ)
    with pytest.raises(Systemic, match="permission denied") as caught:
        store.bootstrap(Deadline(30))
    assert caught.value.details == {"sqlstate": "42501"}
    assert ask(admin, "SELECT 1 FROM pg_namespace WHERE nspname = %s", "another") == []
