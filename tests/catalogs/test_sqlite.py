"""The catalog of a SQLite file: what it tells, and that it never writes."""

import os
import sqlite3
from pathlib import Path

import pytest

from amx.core.catalog import ColumnInfo, ForeignKey, TableInfo
from amx.core.errors import DatabaseRefused, DatabaseUnreachable
from tests.catalogs.files import catalog_of, made


def key(table: str, column: str) -> ForeignKey:
    return ForeignKey(schema="main", table=table, column=column)


def test_tables_and_views_are_told_with_their_types_and_keys(tmp_path: Path) -> None:
    tables = catalog_of(made(tmp_path / "shop.db")).tables()

    assert list(tables) == [
        TableInfo(
            schema="main",
            name="customer",
            columns=(
                ColumnInfo(name="id", type="INTEGER", is_nullable=False, is_primary_key=True),
                ColumnInfo(name="email", type="TEXT", is_nullable=False, is_unique=True),
                ColumnInfo(name="city", type="TEXT", default="'Turku'"),
            ),
        ),
        TableInfo(
            schema="main",
            name="line",
            columns=(
                ColumnInfo(name="customer", type="INTEGER", foreign_key=key("orders", "customer")),
                ColumnInfo(name="number", type="INTEGER", foreign_key=key("orders", "number")),
                ColumnInfo(name="next_of", type="INTEGER", foreign_key=key("line", "customer")),
                ColumnInfo(name="doubled", type="INTEGER"),
            ),
        ),
        TableInfo(
            schema="main",
            name="orders",
            columns=(
                ColumnInfo(
                    name="customer",
                    type="INTEGER",
                    is_nullable=False,
                    is_primary_key=True,
                    foreign_key=key("customer", "id"),
                ),
                ColumnInfo(name="number", type="INTEGER", is_nullable=False, is_primary_key=True),
                ColumnInfo(name="total", type="NUMERIC(9,2)"),
                ColumnInfo(name="photo", type="BLOB"),
            ),
        ),
        TableInfo(
            schema="main",
            name="totals",
            kind="view",
            columns=(
                ColumnInfo(name="customer", type="INTEGER"),
                ColumnInfo(name="total", type=""),
            ),
        ),
    ]


def test_a_view_whose_table_is_gone_is_told_without_columns(tmp_path: Path) -> None:
    script = "CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM gone; CREATE TABLE u (b);"
    catalog = catalog_of(made(tmp_path / "broken.db", script))

    tables = catalog.tables()

    assert [(table.name, len(table.columns)) for table in tables] == [("t", 1), ("u", 1), ("v", 0)]
    assert catalog.facts(tables[2]) == {}


def test_tables_that_full_text_search_keeps_for_itself_are_not_told(tmp_path: Path) -> None:
    script = "CREATE VIRTUAL TABLE notes USING fts5(body); CREATE TABLE notes_of_mine (a);"
    catalog = catalog_of(made(tmp_path / "fts.db", script))

    assert [table.name for table in catalog.tables()] == ["notes", "notes_of_mine"]


def test_an_empty_file_is_a_database_without_tables(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    catalog = catalog_of(path)

    assert list(catalog.tables()) == []
    assert catalog.server_identity() is None


def test_a_missing_file_is_named_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "gone.db"

    with pytest.raises(DatabaseUnreachable) as caught:
        catalog_of(path).tables()

    assert caught.value.message == (
        f"The database of shop (sqlite:{path}) cannot be read: there is no file {path}. "
        "Nothing was changed."
    )
    assert caught.value.hint == "amx db show shop"
    assert not path.exists()


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseRefused, match="is not a file"):
        catalog_of(tmp_path).tables()


def test_a_pipe_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(DatabaseRefused, match="is not a file"):
        catalog_of(tmp_path / "pipe").tables()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Dear diary, " * 100)

    with pytest.raises(DatabaseRefused, match="file is not a database"):
        catalog_of(path).tables()


def test_the_file_keeps_every_byte(tmp_path: Path) -> None:
    path = made(tmp_path / "shop.db")
    before = path.read_bytes(), path.stat().st_mtime_ns, sorted(tmp_path.iterdir())
    catalog = catalog_of(path)

    for table in catalog.tables():
        catalog.facts(table)
    catalog.close()

    assert (path.read_bytes(), path.stat().st_mtime_ns, sorted(tmp_path.iterdir())) == before


def test_the_connection_refuses_to_write(tmp_path: Path) -> None:
    catalog = catalog_of(made(tmp_path / "shop.db"))

    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        catalog._connection.execute("DELETE FROM customer")


def test_a_closed_catalog_opens_again_when_asked(tmp_path: Path) -> None:
    catalog = catalog_of(made(tmp_path / "shop.db"))
    before = catalog.tables()
    catalog.close()
    catalog.close()

    assert catalog.tables() == before
