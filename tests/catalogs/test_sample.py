"""The sample shop of the demo."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from amx.catalogs.sample import build_shop
from amx.catalogs.sqlite import SQLiteCatalog
from amx.core.profiles import Profile


def test_the_shop_has_twelve_tables_two_views_and_more_than_five_thousand_rows(
    tmp_path: Path,
) -> None:
    path = tmp_path / "shop.db"
    build_shop(path)
    tables = SQLiteCatalog(Profile(name="shop", backend="sqlite", path=str(path))).tables()
    with closing(sqlite3.connect(path)) as connection:
        rows = {
            one.name: connection.execute(f"SELECT count(*) FROM {one.name}").fetchone()[0]
            for one in tables
            if one.kind == "table"
        }

    assert [table.name for table in tables if table.kind == "view"] == ["V_ORD_SMRY", "V_STK_BAL"]
    assert sorted(rows) == [
        *("CUST_ADDR", "CUST_MST", "EMP_MST", "INV_TXN", "ORD_HDR", "ORD_LN"),
        *("PMT_TXN", "PRD_CAT", "PRD_MST", "STAT_REF", "SUPP_MST", "WHSE_MST"),
    ]
    assert sum(rows.values()) > 8_000
    assert sum(one.foreign_key is not None for table in tables for one in table.columns) == 13


def test_every_reference_of_the_shop_is_kept(tmp_path: Path) -> None:
    build_shop(tmp_path / "shop.db")
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_two_shops_are_the_same(tmp_path: Path) -> None:
    dumps = []
    for name in ("one.db", "two.db"):
        build_shop(tmp_path / name)
        with closing(sqlite3.connect(tmp_path / name)) as connection:
            dumps.append(list(connection.iterdump()))

    assert dumps[0] == dumps[1]


def test_a_file_that_is_there_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "mine.db"
    path.write_text("mine")

    with pytest.raises(FileExistsError):
        build_shop(path)

    assert path.read_text() == "mine"
