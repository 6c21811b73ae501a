"""The index is made anew when the database or a description changes, and only then."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from amx.catalogs.sqlite import SQLiteCatalog
from amx.core.catalog import TableInfo
from amx.core.catalog_ports import Catalog
from amx.core.clock import now, seconds_from_now
from amx.core.work import Result, Run
from amx.runtime import Runtime
from tests.asking.conftest import Ask, change, cited, said
from tests.local.places import Place
from tests.postgres import PostgresServer
from tests.support import Amx


def made(home: Path) -> list[tuple[str, str]]:
    """Return when each index was made and from what."""
    with closing(sqlite3.connect(home / "local.db")) as connection:
        return connection.execute("SELECT digest, made_at FROM catalog_indexes").fetchall()


def test_the_index_is_made_once_while_nothing_changes(ask: Ask, home: Path, music: Path) -> None:
    ask("customers")
    first = made(home)
    change(music, "INSERT INTO Artist (Name) VALUES ('Nobody')")

    for question in ("customers", "invoices", "and their tracks?"):
        ask(question)
    assert made(home) == first
    assert len(first) == 1


def _same(catalog: Catalog) -> Catalog:
    return catalog


def test_a_catalog_that_has_not_changed_is_not_read(home: Path, music: Path) -> None:
    class Counted(SQLiteCatalog):
        reads = 0

        def tables(self) -> Sequence[TableInfo]:
            Counted.reads += 1
            return super().tables()

    reads = []
    for script in ("", "", "CREATE TABLE Weather (Day DATE)", ""):
        change(music, script)
        runtime = Runtime(dict(os.environ))
        with closing(Counted(runtime.profile)) as catalog:
            runtime.answers.ask(runtime.profile, "customers", None, partial(_same, catalog))
        runtime.local.close()
        runtime.reader.close()
        reads.append(Counted.reads)
    assert reads == [1, 1, 2, 2]


@pytest.mark.parametrize(
    ("script", "question", "citation"),
    [
        ("CREATE TABLE Weather (Day DATE)", "weather", "Weather"),
        ("CREATE VIEW Storm AS SELECT 1 AS Wind", "wind of the storm", "Storm.Wind"),
        ("ALTER TABLE Artist ADD COLUMN Nickname TEXT", "nicknames", "Artist.Nickname"),
        ("ALTER TABLE Artist RENAME COLUMN Name TO Moniker", "moniker", "Artist.Moniker"),
        ("ALTER TABLE Artist RENAME TO Musician", "musicians", "Musician"),
    ],
)
def test_a_changed_schema_is_answered_from_at_once(
    ask: Ask, music: Path, script: str, question: str, citation: str
) -> None:
    assert citation not in cited(ask(question))

    change(music, script)
    assert citation in cited(ask(question))


def test_a_file_that_was_made_anew_in_place_is_noticed(ask: Ask, music: Path) -> None:
    """Its counter of changes (PRAGMA schema_version) may be what it was."""
    ask("customers")
    with closing(sqlite3.connect(music)) as connection:
        [version] = connection.execute("PRAGMA schema_version").fetchone()
    music.unlink()
    change(music, f"CREATE TABLE Animal (Id INTEGER); PRAGMA schema_version = {version}")

    assert cited(ask("customers")) == []
    assert cited(ask("animals"))[0] == "Animal"


@pytest.fixture
def _a_run(amx: Amx, ask: Ask) -> None:
    assert ask("barcodes")["citations"] == []
    assert amx("run").code == 0


@pytest.mark.usefixtures("music", "_a_run")
@pytest.mark.parametrize(
    ("status", "is_found"), [("accepted", True), ("rejected", False), ("proposed", False)]
)
def test_an_accepted_description_is_searched_at_once(
    ask: Ask, home: Path, status: str, is_found: bool
) -> None:
    local = Place(home / "local.db").local
    with local.transaction() as writer:
        [run] = writer.select(Run)
        where = {"run_id": run.id, "table_name": "Artist", "column_name": "Name"}
        [result] = writer.select(Result, where)
        text = "What stands on the barcode."
        writer.put(replace(result, status=status, description=text))
        writer.put(replace(run, accepted=int(status == "accepted")))
    local.close()

    answer = ask("barcodes")
    assert cited(answer)[:2] == (["Artist", "Artist.Name"] if is_found else [])
    assert ("What stands on the barcode." in answer["answer"]) is is_found

    assert ask("barcodes")["citations"] == answer["citations"]


def test_comments_and_keys_of_postgresql_are_searched_at_once(
    amx: Amx, ask: Ask, postgres: PostgresServer, database: str, home: Path
) -> None:
    def run(sql: str) -> None:
        postgres.execute(sql, database)

    place = ["--host", postgres.host, "--port", str(postgres.port), "--user", postgres.user]
    named = ["db", "add", "pg", "--backend", "postgresql", "--database", database]
    assert amx(*named, *place, "--schema", "public").code == 0

    run("CREATE TABLE artist (id int PRIMARY KEY, nm text)")
    run("CREATE TABLE album (artist_id int)")
    assert cited(ask("barcodes")) == []
    first = made(home)

    run("COMMENT ON COLUMN artist.nm IS 'What stands on the barcode.'")
    assert cited(ask("barcodes")) == ["artist", "artist.nm"]
    assert made(home) != first

    run("COMMENT ON TABLE album IS 'A round thing.'")
    assert cited(ask("round")) == ["album"]

    assert "refers to nothing" in ask("what does album refer to?")["answer"]
    run("ALTER TABLE album ADD FOREIGN KEY (artist_id) REFERENCES artist")
    assert cited(ask("what does album refer to?")) == ["album", "album.artist_id"]

    run("ALTER TABLE artist ADD UNIQUE (nm)")
    assert "artist.nm" in cited(ask("what is unique in artists?"))

    last = made(home)
    ask("albums")
    assert made(home) == last


def test_a_database_that_cannot_be_reached_is_answered_for_with_the_age_of_what_is_known(
    amx: Amx, home: Path, music: Path
) -> None:
    said(amx, "customers")
    with closing(sqlite3.connect(home / "local.db")) as connection, connection:
        moment = seconds_from_now(-3 * 86400 - 60)
        connection.execute("UPDATE catalog_indexes SET made_at = ?", (moment,))
    music.rename(music.with_suffix(".away"))

    done = said(amx, "customer email")
    assert done.code == 0
    assert cited(done.json)[:2] == ["Customer", "Customer.Email"]
    assert "cannot be read: there is no file" in done.err
    assert f"This answer is from the catalog as it was read 3 d ago ({moment})." in done.err


def test_a_database_that_was_never_reached_is_an_error(amx: Amx, music: Path) -> None:
    music.unlink()

    done = said(amx, "customers")
    assert (done.code, done.error["code"]) == (6, "database.unreachable")
    assert amx("session", "list", "--json").json["sessions"] == []


def test_processes_that_refresh_at_once_make_one_index(home: Path, ask: Ask, music: Path) -> None:
    ask("customers")
    columns = ", ".join(f"Field{number} TEXT" for number in range(20))
    tables = "".join(f"CREATE TABLE Extra{number} ({columns});" for number in range(60))
    change(music, tables)

    command = [sys.executable, "-m", "amx", "ask", "extra", "--json"]
    asking = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    done = [(one.communicate(), one.returncode) for one in asking]

    assert [code for _, code in done] == [0, 0, 0, 0], done
    assert len({out.partition('"answer"')[2] for (out, _), _ in done}) == 1
    with closing(sqlite3.connect(home / "local.db")) as connection:
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("catalog_documents", "catalog_words", "catalog_indexes")
        ]
    assert counts == [1260 + 35, 1260 + 35, 1]
    assert made(home)[0][1] <= now()
