"""The door to PostgreSQL: what its errors mean, and that no statement is without end."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from amx.core.errors import RowsRejected, Systemic, Transient
from amx.core.profiles import Profile, profile_of
from amx.drivers.postgres import Fault, connect, error_of, fault_of, insert_rows, query, quoted
from tests.postgres import PostgresServer

TRANSIENT = [None, "", "08006", "08001", "57P01", "57P02", "57P03", "57014", "40001", "40P01"]
TRANSIENT += ["53100", "53200", "53300", "55P03", "25006"]
ROWS = ["22001", "22P02", "22021", "23502", "23505", "23514", "54000", "P0001", "client"]
SYSTEMIC = ["28P01", "28000", "3D000", "3F000", "42501", "42P01", "42703", "0A000", "XX000"]
SYSTEMIC += ["55000", "25001", "57000", "58030", "F0000", "99999"]


@pytest.mark.parametrize(
    ("sqlstate", "fault"),
    [
        *((one, Fault.TRANSIENT) for one in TRANSIENT),
        *((one, Fault.ROWS) for one in ROWS),
        *((one, Fault.SYSTEMIC) for one in SYSTEMIC),
    ],
)
def test_an_sqlstate_says_whether_to_try_again(sqlstate: str | None, fault: Fault) -> None:
    assert fault_of(sqlstate) is fault


def test_an_error_is_one_line_without_secrets() -> None:
    error = error_of("42501", "no right\n\tat postgresql://ada:s3cret@db1/x password=s3cret")
    assert error.message == "no right at postgresql://ada:***@db1/x password=***"
    assert error.details == {"sqlstate": "42501"}


@pytest.fixture
def profile(postgres: PostgresServer, database: str) -> Profile:
    """Give a profile of an empty database."""
    settings = {"host": postgres.host, "port": postgres.port, "database": database}
    return profile_of("team", {**settings, "user": postgres.user}, os.environ)


def test_a_server_that_is_not_there_is_transient() -> None:
    nobody = profile_of("x", {"host": "127.0.0.1", "port": 1, "database": "d"}, {})
    with pytest.raises(Transient, match="Connection refused"):
        connect(nobody, {}, timeout_s=2)


def test_a_statement_ends_at_its_time_out_and_the_connection_lives(profile: Profile) -> None:
    connection = connect(profile, {}, timeout_s=5)
    with pytest.raises(Transient) as caught:
        query(connection, "SELECT pg_sleep(30)", timeout_s=0.1)
    assert caught.value.details == {"sqlstate": "57014"}
    assert query(connection, "SELECT '100%'") == [("100%",)]


def test_no_setting_outlives_its_statement(profile: Profile) -> None:
    connection = connect(profile, {}, timeout_s=5)
    query(connection, "SELECT 1", timeout_s=7)
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchall() == [("0",)]
    assert connection.notices == []


def test_a_read_only_connection_writes_nothing_and_stays_usable(profile: Profile) -> None:
    connection = connect(profile, {}, timeout_s=5, is_read_only=True)
    with pytest.raises(Transient) as caught:
        query(connection, "CREATE TABLE t (n INT)")
    assert caught.value.details == {"sqlstate": "25006"}
    assert query(connection, "SELECT 1") == [(1,)]
    assert connection.info.transaction_status == 0


def test_several_statements_are_all_done_or_none(profile: Profile) -> None:
    connection = connect(profile, {}, timeout_s=5)
    with pytest.raises(Systemic):
        query(connection, "CREATE TABLE t (n INT); SELECT nonsense")
    assert query(connection, "SELECT to_regclass('t')") == [(None,)]


@pytest.mark.parametrize("value", ["NUL \0", "lone \ud800"])
def test_a_value_that_cannot_be_encoded_is_the_fault_of_its_row(
    profile: Profile, value: str
) -> None:
    connection = connect(profile, {}, timeout_s=5)
    with pytest.raises(RowsRejected) as caught:
        query(connection, "SELECT %s", (value,))
    assert caught.value.sqlstate == "client"
    assert value not in caught.value.message


def test_many_rows_go_in_one_statement(profile: Profile) -> None:
    connection = connect(profile, {}, timeout_s=5)
    query(connection, "CREATE TABLE t (n INT PRIMARY KEY)")
    sql = "INSERT INTO t VALUES %s ON CONFLICT DO NOTHING RETURNING n"
    assert insert_rows(connection, sql, [(n,) for n in range(3)]) == [(0,), (1,), (2,)]
    assert insert_rows(connection, sql, [(n,) for n in range(5)]) == [(3,), (4,)]
    with pytest.raises(RowsRejected, match="invalid input syntax"):
        insert_rows(connection, sql, [(9,), ("x",)])
    assert query(connection, "SELECT count(*) FROM t") == [(5,)]


def test_a_password_comes_from_the_environment_and_is_never_told(
    postgres: PostgresServer, profile: Profile
) -> None:
    postgres.execute("DROP ROLE IF EXISTS ada")
    postgres.execute("CREATE ROLE ada LOGIN PASSWORD 'right'")
    settings = {"host": profile.host, "port": profile.port, "database": profile.database}
    ada = profile_of("ada", {**settings, "user": "ada", "password": "${PW}"}, {})
    connection = connect(ada, {"PW": "right"}, timeout_s=5, application_name="amx test")
    found = query(connection, "SELECT session_user, current_setting('application_name')")
    assert found == [("ada", "amx test")]
    with pytest.raises(Transient, match="authentication failed") as caught:
        connect(ada, {"PW": "wr0ng"}, timeout_s=5)
    assert "wr0ng" not in str(caught.value)


@pytest.mark.parametrize("name", ["AMX", 'a"b', "ünï cödé", "100%", "x'; DROP", "é" * 20])
def test_any_name_can_be_quoted(profile: Profile, name: str) -> None:
    connection = connect(profile, {}, timeout_s=5)
    query(connection, f"CREATE SCHEMA {quoted(name)}")
    found = query(connection, "SELECT nspname FROM pg_namespace WHERE nspname = %s", (name,))
    assert found == [(name,)]


def test_a_connection_leads_where_the_profile_says_whatever_libpq_finds_around_it(
    profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "services").write_text("[far]\nhost=127.0.0.9\nhostaddr=127.0.0.9\nport=1\n")
    far = {"PGHOST": "127.0.0.9", "PGHOSTADDR": "127.0.0.9", "PGPORT": "1", "PGDATABASE": "far"}
    far |= {"PGSERVICE": "far", "PGSERVICEFILE": str(tmp_path / "services")}
    for name, value in far.items():
        monkeypatch.setenv(name, value)

    with closing(connect(profile, os.environ, timeout_s=5)) as connection:
        found = query(connection, "SELECT current_database()::text")

    assert found == [(profile.database,)]
