"""Facts about values in a SQLite file."""

import os
import signal
import threading
from pathlib import Path

import pytest

from amx.core.catalog import ColumnFacts, ColumnInfo, TableInfo
from tests.catalogs.files import ENDLESS, catalog_of, made


def test_facts_are_counted_and_columns_that_cannot_be_compared_left_out(tmp_path: Path) -> None:
    catalog = catalog_of(made(tmp_path / "shop.db"))
    orders = next(table for table in catalog.tables() if table.name == "orders")

    assert catalog.facts(orders) == {
        "customer": ColumnFacts(rows=3, nulls=0, distinct=2, minimum="1", maximum="2"),
        "number": ColumnFacts(rows=3, nulls=0, distinct=2, minimum="1", maximum="2"),
        "total": ColumnFacts(rows=3, nulls=1, distinct=2, minimum="9.5", maximum="10"),
    }


def test_values_of_secret_and_personal_columns_are_counted_but_never_read(tmp_path: Path) -> None:
    catalog = catalog_of(made(tmp_path / "shop.db"))
    customer = catalog.tables()[0]

    assert catalog.facts(customer)["email"] == ColumnFacts(rows=2, nulls=0, distinct=2)


def test_facts_of_a_view_are_counted_too(tmp_path: Path) -> None:
    catalog = catalog_of(made(tmp_path / "shop.db"))
    totals = catalog.tables()[-1]

    assert catalog.facts(totals)["total"] == ColumnFacts(
        rows=2, nulls=1, distinct=1, minimum="19.5", maximum="19.5"
    )


@pytest.mark.parametrize(
    "name",
    ['say "hi"', "two words", "größe", "semi;colon", "select", "per%cent", "a'b", "[x]", "`", "."],
)
def test_odd_names_of_tables_and_columns_are_quoted(tmp_path: Path, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    script = f"CREATE TABLE {quoted} ({quoted} INT); INSERT INTO {quoted} VALUES (7);"
    catalog = catalog_of(made(tmp_path / "odd #1?.db", script))
    (table,) = catalog.tables()

    assert table.name == name
    assert catalog.facts(table) == {
        name: ColumnFacts(rows=1, nulls=0, distinct=1, minimum="7", maximum="7")
    }


def test_a_large_table_is_sampled_and_says_so(tmp_path: Path) -> None:
    script = """
    CREATE TABLE t (n INT);
    WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 50)
    INSERT INTO t SELECT n FROM up;
    """
    catalog = catalog_of(made(tmp_path / "big.db", script), sample_rows=20)
    (table,) = catalog.tables()

    assert catalog.facts(table) == {
        "n": ColumnFacts(rows=20, nulls=0, distinct=20, minimum="1", maximum="20", is_sampled=True)
    }


def test_a_table_of_two_thousand_columns_is_read_in_parts(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(2_000)]
    values = ", ".join(str(number) for number in range(2_000))
    script = f"CREATE TABLE wide ({', '.join(names)}); INSERT INTO wide VALUES ({values});"
    catalog = catalog_of(made(tmp_path / "wide.db", script))
    (table,) = catalog.tables()

    facts = catalog.facts(table)

    assert [facts[name].minimum for name in names] == [str(number) for number in range(2_000)]


def test_long_values_are_cut_and_unstorable_ones_cleaned(tmp_path: Path) -> None:
    script = """
    CREATE TABLE t (long TEXT, nul TEXT, wrong TEXT, raw TEXT);
    INSERT INTO t VALUES (replace(hex(zeroblob(60)), '0', 'x'), 'a' || char(0) || 'b',
                          CAST(x'61ff' AS TEXT), x'00ff');
    """
    catalog = catalog_of(made(tmp_path / "values.db", script))
    (table,) = catalog.tables()

    facts = catalog.facts(table)

    assert facts["long"].minimum == "x" * 79 + "…"
    assert facts["nul"].minimum == "a�b"
    assert facts["wrong"].minimum == "a�"
    assert facts["raw"] == ColumnFacts(rows=1, nulls=0, distinct=1)


def test_a_table_that_is_gone_since_has_no_facts(tmp_path: Path) -> None:
    catalog = catalog_of(made(tmp_path / "shop.db"))
    gone = TableInfo(schema="main", name="gone", columns=(ColumnInfo(name="a", type=""),))

    assert catalog.facts(gone) == {}


def test_facts_that_take_too_long_are_left_out(tmp_path: Path) -> None:
    catalog = catalog_of(made(tmp_path / "slow.db", ENDLESS), timeout_s=0.2)
    (view,) = catalog.tables()

    assert catalog.facts(view) == {}
    assert catalog.tables()[0].name == "endless"


def test_ctrl_c_reaches_a_statement_that_is_not_done_yet(tmp_path: Path) -> None:
    catalog = catalog_of(made(tmp_path / "slow.db", ENDLESS))
    (view,) = catalog.tables()
    threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()

    with pytest.raises(KeyboardInterrupt):
        catalog.facts(view)


def test_reading_leaves_no_thread_behind(tmp_path: Path) -> None:
    catalog = catalog_of(made(tmp_path / "shop.db"))
    before = threading.active_count()

    catalog.facts(catalog.tables()[0])

    assert threading.active_count() == before
