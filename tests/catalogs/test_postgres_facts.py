"""Facts about values in PostgreSQL, against a real server."""

import os
import signal
import threading
import time
from contextlib import closing

import pytest

from amx.catalogs.postgres import PostgresCatalog
from amx.core.catalog import ColumnFacts
from tests.catalogs.servers import named, profile_of
from tests.postgres import PostgresServer


def test_facts_leave_out_what_cannot_be_compared_and_hide_what_is_private(
    catalog: PostgresCatalog,
) -> None:
    assert catalog.facts(named(catalog, "customer")) == {
        "id": ColumnFacts(rows=2, nulls=0, distinct=2, minimum="1", maximum="2"),
        "email": ColumnFacts(rows=2, nulls=0, distinct=2),
        "born": ColumnFacts(
            rows=2,
            nulls=1,
            distinct=1,
            minimum="2001-02-03 04:05:06+00",
            maximum="2001-02-03 04:05:06+00",
        ),
        "mood": ColumnFacts(rows=2, nulls=0, distinct=1, minimum="good", maximum="good"),
        "is_active": ColumnFacts(rows=2, nulls=0, distinct=2),
        "tag": ColumnFacts(rows=2, nulls=1, distinct=1),
        "spent": ColumnFacts(rows=2, nulls=0, distinct=2, minimum="9.99", maximum="12.50"),
    }


@pytest.mark.parametrize(
    ("name", "columns"),
    [("active", {"id"}), ("orders", {"customer", "number"}), ("nothing", set())],
)
def test_facts_of_views_and_partitioned_tables_are_counted_too(
    catalog: PostgresCatalog, name: str, columns: set[str]
) -> None:
    facts = catalog.facts(named(catalog, name))

    assert set(facts) == columns
    assert all(fact.rows == 1 for fact in facts.values())


@pytest.mark.parametrize(
    "name",
    ['say "hi"', "two words", "größe", "semi;colon", "Select", "per%cent", "%s", "a'b", "$1", "."],
)
def test_odd_names_of_schemas_tables_and_columns_are_quoted(
    postgres: PostgresServer, database: str, name: str
) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    postgres.execute(
        f"CREATE SCHEMA {quoted}; CREATE TABLE {quoted}.{quoted} ({quoted} int);"
        f"INSERT INTO {quoted}.{quoted} VALUES (7)",
        database,
    )
    with closing(PostgresCatalog(profile_of(postgres, database, schema=name), {})) as catalog:
        (table,) = catalog.tables()
        facts = catalog.facts(table)

    assert (table.schema, table.name) == (name, name)
    assert facts == {name: ColumnFacts(rows=1, nulls=0, distinct=1, minimum="7", maximum="7")}


@pytest.mark.parametrize("is_analyzed", [True, False])
def test_a_large_table_is_sampled_and_says_so(
    postgres: PostgresServer, database: str, *, is_analyzed: bool
) -> None:
    postgres.execute("CREATE TABLE t AS SELECT generate_series(1, 100000) AS n", database)
    if is_analyzed:
        postgres.execute("ANALYZE t", database)
    with closing(
        PostgresCatalog(profile_of(postgres, database, schema="public"), {}, sample_rows=9_000)
    ) as catalog:
        (table,) = catalog.tables()
        first, again = catalog.facts(table), catalog.facts(table)

    assert first == again
    assert first["n"].is_sampled
    assert 6_000 < first["n"].rows < 12_000
    assert first["n"].distinct == first["n"].rows


def test_a_table_that_may_not_be_read_is_described_without_facts(
    postgres: PostgresServer, shop: str
) -> None:
    postgres.execute("CREATE ROLE reader LOGIN PASSWORD 'pw'")
    try:
        postgres.execute("GRANT USAGE ON SCHEMA shop TO reader", shop)
        postgres.execute("GRANT SELECT ON shop.orders TO reader", shop)
        with closing(
            PostgresCatalog(profile_of(postgres, shop, login=("reader", "pw")), {})
        ) as catalog:
            assert catalog.facts(named(catalog, "customer")) == {}
            assert set(catalog.facts(named(catalog, "orders"))) == {"customer", "number"}
    finally:
        postgres.execute("DROP OWNED BY reader", shop)
        postgres.execute("DROP ROLE reader")


@pytest.mark.parametrize(
    "view", ["SELECT pg_sleep(30)::text AS n", "SELECT 1 / count(*) AS n FROM shop.line"]
)
def test_a_view_that_is_slow_or_fails_is_described_without_facts(
    postgres: PostgresServer, shop: str, view: str
) -> None:
    postgres.execute(f"CREATE VIEW shop.broken AS {view}", shop)
    with closing(PostgresCatalog(profile_of(postgres, shop), {}, facts_timeout_s=0.3)) as catalog:
        assert catalog.facts(named(catalog, "broken")) == {}
        assert catalog.facts(named(catalog, "orders")) != {}


def test_ctrl_c_reaches_a_statement_that_is_not_done_yet(
    postgres: PostgresServer, database: str
) -> None:
    postgres.execute("CREATE VIEW slow AS SELECT pg_sleep(20)::text AS n", database)
    catalog = PostgresCatalog(profile_of(postgres, database, schema="public"), {})
    (view,) = catalog.tables()
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    begun = time.monotonic()

    with pytest.raises(KeyboardInterrupt):
        catalog.facts(view)
    catalog.close()

    assert time.monotonic() - begun < 10
