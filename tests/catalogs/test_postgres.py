"""The catalog of a PostgreSQL schema, against a real server."""

import socket
import time
from contextlib import closing
from typing import Any

import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class in lower case

from amx.catalogs.postgres import PostgresCatalog
from amx.core.catalog import ColumnInfo, ForeignKey
from amx.core.errors import DatabaseRefused, DatabaseUnreachable
from amx.core.profiles import Profile
from amx.core.secrets import Password
from amx.drivers import postgres as driver
from amx.drivers.postgres import query
from tests.catalogs.servers import named, profile_of
from tests.postgres import PostgresServer


def key(table: str, column: str) -> ForeignKey:
    return ForeignKey(schema="shop", table=table, column=column)


def test_tables_views_and_partitioned_tables_are_told_without_partitions(
    catalog: PostgresCatalog,
) -> None:
    assert [(table.name, table.kind, table.comment) for table in catalog.tables()] == [
        ("active", "view", None),
        ("customer", "table", "Who buys"),
        ("line", "table", None),
        ("moods", "materialized view", None),
        ("nothing", "table", None),
        ("orders", "table", None),
    ]


def test_columns_are_told_with_type_default_comment_and_keys(catalog: PostgresCatalog) -> None:
    assert named(catalog, "customer").columns == (
        ColumnInfo(name="id", type="bigint", is_nullable=False, is_primary_key=True),
        ColumnInfo(name="email", type="text", is_nullable=False, is_unique=True),
        ColumnInfo(name="born", type="timestamp with time zone", is_unique=True),
        ColumnInfo(name="mood", type="shop.mood", default="'good'::shop.mood"),
        ColumnInfo(name="settings", type="jsonb"),
        ColumnInfo(name="raw", type="bytea"),
        ColumnInfo(name="xml", type="xml"),
        ColumnInfo(name="tags", type="text[]"),
        ColumnInfo(name="place", type="point"),
        ColumnInfo(name="is_active", type="boolean"),
        ColumnInfo(name="tag", type="shop.tag"),
        ColumnInfo(name="spent", type="numeric(9,2)", comment="In euro"),
    )


def test_foreign_keys_of_several_columns_point_column_by_column(catalog: PostgresCatalog) -> None:
    assert named(catalog, "line").columns == (
        ColumnInfo(name="customer", type="bigint", foreign_key=key("orders", "customer")),
        ColumnInfo(name="number", type="integer", foreign_key=key("orders", "number")),
    )
    assert named(catalog, "orders").columns[0] == ColumnInfo(
        name="customer",
        type="bigint",
        is_nullable=False,
        is_primary_key=True,
        foreign_key=key("customer", "id"),
    )


def test_a_schema_of_two_thousand_columns_takes_three_queries(
    postgres: PostgresServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = ", ".join(f"c{number} int" for number in range(100))
    tables = "".join(f"CREATE TABLE t{number:02} ({columns});" for number in range(20))
    postgres.execute(tables, database)
    asked: list[str] = []

    def counted(connection: Connection, sql: str, *args: Any, **limits: Any) -> list[Any]:  # noqa: ANN401 - as given
        asked.append(sql)
        return query(connection, sql, *args, **limits)

    monkeypatch.setattr(driver, "query", counted)
    with closing(PostgresCatalog(profile_of(postgres, database, schema="public"), {})) as catalog:
        found = catalog.tables()

    assert [len(table.columns) for table in found] == [100] * 20
    assert len(asked) == 3


def test_the_server_says_who_it_is(postgres: PostgresServer, catalog: PostgresCatalog) -> None:
    ((expected,),) = postgres.execute("SELECT system_identifier FROM pg_control_system()")

    assert catalog.server_identity() == str(expected)


def test_the_server_says_nothing_where_the_role_may_not_ask(
    postgres: PostgresServer, shop: str
) -> None:
    postgres.execute("CREATE ROLE guest LOGIN PASSWORD 'pw'")
    postgres.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC", shop)
    try:
        with closing(
            PostgresCatalog(profile_of(postgres, shop, login=("guest", "pw")), {})
        ) as catalog:
            assert catalog.server_identity() is None
    finally:
        postgres.execute("DROP ROLE guest")


def test_nothing_can_be_written_over_its_connection(catalog: PostgresCatalog) -> None:
    with pytest.raises(DatabaseUnreachable, match="read-only transaction"):
        catalog._query("DELETE FROM shop.line")


def test_a_schema_that_is_not_there_is_refused_with_those_that_are(
    postgres: PostgresServer, shop: str
) -> None:
    with (
        closing(PostgresCatalog(profile_of(postgres, shop, schema="shopp"), {})) as catalog,
        pytest.raises(DatabaseRefused) as caught,
    ):
        catalog.tables()

    assert caught.value.message == (
        f"The database of team (postgresql://127.0.0.1:{postgres.port}/{shop}?schema=shopp) "
        "refused: there is no schema 'shopp'; schemas: public, shop. Nothing was changed."
    )
    assert caught.value.details == {"schemas": ["public", "shop"]}


def test_a_schema_without_tables_is_empty(postgres: PostgresServer, database: str) -> None:
    with closing(PostgresCatalog(profile_of(postgres, database, schema="public"), {})) as catalog:
        assert list(catalog.tables()) == []


def test_a_server_that_does_not_answer_is_named(postgres: PostgresServer) -> None:
    profile = Profile(
        name="away",
        backend="postgresql",
        host="127.0.0.1",
        port="1",
        database="shop",
        user="u",
        password=Password(where="here", text="hunter2"),
    )

    with pytest.raises(DatabaseUnreachable) as caught:
        PostgresCatalog(profile, {}).tables()

    assert caught.value.message.startswith(
        "The database of away (postgresql://127.0.0.1:1/shop?schema=) cannot be reached: "
    )
    assert caught.value.message.endswith("failed: Connection refused. Nothing was changed.")
    assert caught.value.hint == "amx db show away"
    assert "hunter2" not in repr(caught.value.message)


def test_a_server_that_accepts_and_never_answers_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("amx.catalogs.postgres.CONNECT_TIMEOUT_S", 0.2)
    monkeypatch.setattr("amx.catalogs.postgres._GRACE_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        profile = Profile(
            name="mute",
            backend="postgresql",
            host="127.0.0.1",
            port=str(silent.getsockname()[1]),
            database="shop",
            user="u",
        )
        begun = time.monotonic()
        with pytest.raises(DatabaseUnreachable, match="cannot be reached"):
            PostgresCatalog(profile, {})._query("SELECT 1", timeout_s=0.2)

    assert time.monotonic() - begun < 5


def test_a_wrong_password_is_told_without_the_password(postgres: PostgresServer) -> None:
    postgres.execute("CREATE ROLE locked LOGIN PASSWORD 'right'")
    try:
        catalog = PostgresCatalog(profile_of(postgres, "postgres", login=("locked", "hunter2")), {})
        with pytest.raises((DatabaseUnreachable, DatabaseRefused)) as caught:
            catalog.tables()
    finally:
        postgres.execute("DROP ROLE locked")

    assert "password authentication failed" in caught.value.message
    assert "hunter2" not in caught.value.message
