"""The work from the command line: run, history, export, ask."""

import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from amx import __version__
from amx.catalogs.sample import build_shop
from tests.postgres import PostgresServer
from tests.support import Amx, set_up


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    build_shop(path)
    set_up("db", "add", "shop", "--backend", "sqlite", "--path", str(path))
    return path


def assets(path: Path) -> int:
    """Count tables, views and columns of a SQLite file, independently of the catalog."""
    with sqlite3.connect(path) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%'"
        ).fetchall()
        columns = sum(
            len(connection.execute(f'PRAGMA table_info("{name}")').fetchall()) for (name,) in names
        )
    return len(names) + columns


def test_a_run_describes_every_table_view_and_column(amx: Amx, shop: Path) -> None:
    done = amx("run", "--json")
    assert done.code == 0
    assert (done.json["status"], done.json["proposed"]) == ("completed", assets(shop))
    shown = amx("history", "show", "1", "--json").json
    assert len(shown["results"]) == assets(shop)
    assert all(one["description"] and one["evidence"] for one in shown["results"])
    assert {one["provenance"] for one in shown["results"]} == {"evidence"}


def test_a_run_changes_nothing_in_the_database(amx: Amx, shop: Path) -> None:
    before = shop.read_bytes()
    amx("run")
    assert shop.read_bytes() == before


def test_a_run_of_named_tables_describes_only_them(amx: Amx, shop: Path) -> None:
    [first, second, *_] = [line.split("\t")[1] for line in amx("db", "tables").out.splitlines()]
    amx("run", first, second)
    results = amx("history", "show", "1", "--json").json["results"]
    assert {one["table"] for one in results} == {first, second}


def test_an_unknown_table_is_2_and_begins_no_run(amx: Amx, shop: Path) -> None:
    done = amx("run", "no_such_table")
    assert (done.code, done.out) == (2, "")
    assert "no_such_table" in done.err
    assert amx("history", "list", "--json").json == {"runs": []}


def test_history_list_has_the_shape_that_scripts_rely_on(amx: Amx, shop: Path) -> None:
    amx("run", env={"LOGNAME": "ada"})
    [run] = amx("history", "list", "--json").json["runs"]
    keys = ("id", "profile", "status", "created_by", "client_version", "accepted", "applied")
    assert [run[key] for key in keys] == [1, "shop", "completed", "ada", __version__, 0, 0]
    assert {"uuid", "started_at", "ended_at", "hostname", "proposed"} <= set(run)


@pytest.mark.parametrize("words", [["history", "show"], ["export"]], ids=" ".join)
@pytest.mark.parametrize("key", ["2", "0", "-1", "x", "9" * 30])
def test_an_id_that_no_run_has_is_2(amx: Amx, shop: Path, words: list[str], key: str) -> None:
    amx("run")
    done = amx(*words, "--", key)
    assert (done.code, done.out) == (2, "")


def test_export_markdown_names_every_table_and_column(amx: Amx, shop: Path) -> None:
    amx("run")
    text = amx("export", "1", "--md").out
    for line in amx("db", "tables").out.splitlines():
        assert line.split("\t")[1] in text
    assert amx("export").out == text


def test_export_json_is_one_document_with_every_description(amx: Amx, shop: Path) -> None:
    amx("run")
    document = amx("export", "1", "--json").json
    described = sum(1 + len(table["columns"]) for table in document["tables"])
    assert described == assets(shop)


def test_export_takes_one_format(amx: Amx, shop: Path) -> None:
    amx("run")
    assert amx("export", "1", "--md", "--json").code == 2


def test_export_without_a_run_says_so(amx: Amx, shop: Path) -> None:
    done = amx("export")
    assert (done.code, done.out) == (2, "")
    assert "amx run" in done.err


def test_a_run_that_is_stopped_is_interrupted_and_one_that_is_killed_is_found(
    amx: Amx, tmp_path: Path
) -> None:
    path = tmp_path / "slow.db"
    slow_database(path)
    amx("db", "add", "slow", "--backend", "sqlite", "--path", str(path))
    codes = [stopped_run(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)]
    assert codes == [143, 130, -signal.SIGKILL]
    runs = amx("history", "list", "--json").json["runs"]
    assert [(run["id"], run["status"]) for run in runs] == [
        (3, "interrupted"),
        (2, "interrupted"),
        (1, "interrupted"),
    ]
    assert all(run["ended_at"] for run in runs)


def test_a_run_that_still_runs_is_never_marked(amx: Amx, tmp_path: Path) -> None:
    path = tmp_path / "slow.db"
    slow_database(path)
    amx("db", "add", "slow", "--backend", "sqlite", "--path", str(path))
    process = started_run()
    [run] = amx("history", "list", "--json").json["runs"]
    process.kill()
    process.communicate()
    assert run["status"] == "running"


def slow_database(path: Path) -> None:
    """Build a database with a view that takes minutes to look at."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE a_first (id INTEGER PRIMARY KEY)")
        connection.execute(
            "CREATE VIEW b_slow AS WITH RECURSIVE n(x) AS "
            "(SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000000000) SELECT MAX(x) AS x FROM n"
        )


def started_run() -> "subprocess.Popen[str]":
    """Start a run; return when its row says that it is running."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", RUN], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def stopped_run(number: signal.Signals) -> int:
    process = started_run()
    process.send_signal(number)
    process.communicate(timeout=30)
    return process.returncode


RUN = """
import sys
from amx.core.history import History
real = History.begin_run
def begin_run(self, profile, describer):
    run = real(self, profile, describer)
    print("begun", flush=True)
    return run
History.begin_run = begin_run
from amx.cli import main
sys.exit(main(["run"]))
"""


def test_a_database_that_goes_away_before_a_run_is_6_and_begins_none(amx: Amx, shop: Path) -> None:
    shop.unlink()
    done = amx("run")
    assert (done.code, done.out) == (6, "")
    assert amx("history", "list", "--json").json == {"runs": []}


def test_ask_cites_tables_and_columns_that_exist(amx: Amx, shop: Path) -> None:
    done = amx("ask", "where are customers' names?", "--json")
    assert set(done.json) == {
        *("session", "answer", "citations", "provenance"),
        *("read_as", "unknown", "earlier"),
    }
    with sqlite3.connect(shop) as connection:
        for cited in done.json["citations"]:
            assert set(cited) == {"schema", "table", "column"}
            columns = connection.execute(f'PRAGMA table_info("{cited["table"]}")').fetchall()
            assert columns
            assert cited["column"] is None or cited["column"] in [name for _, name, *_ in columns]


def test_ask_says_what_it_does_not_know(amx: Amx, shop: Path) -> None:
    done = amx("ask", "the weather on mars", "--json")
    assert (done.code, done.json["citations"]) == (0, [])
    assert "I do not know" in done.json["answer"]


def test_ask_sees_a_table_that_was_added_since(amx: Amx, shop: Path) -> None:
    assert amx("ask", "spaceships", "--json").json["citations"] == []
    with sqlite3.connect(shop) as connection:
        connection.execute("CREATE TABLE spaceship (id INTEGER PRIMARY KEY)")
    [first, *_] = amx("ask", "spaceships", "--json").json["citations"]
    assert first["table"] == "spaceship"


def test_ask_goes_on_from_its_index_when_the_database_is_away(amx: Amx, shop: Path) -> None:
    known = amx("ask", "customers", "--json").json
    shop.rename(shop.with_suffix(".away"))
    done = amx("ask", "customers", "--json")
    assert (done.code, done.json["citations"]) == (0, known["citations"])
    assert "from the catalog as it was read" in done.err


@pytest.mark.parametrize("question", ["\"'*()^:-", "a" * 100_000, "\x1b[31m ü 数据"])
def test_no_question_breaks_ask(amx: Amx, shop: Path, question: str) -> None:
    done = amx("ask", question)
    assert (done.code, "\x1b" in done.out) == (0, False)
    assert "Traceback" not in done.err


def test_a_broken_configuration_is_5_for_every_command_that_needs_it(amx: Amx, home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "config.yml").write_text("db_profiles:\n  shop: {backend: sqlite\n")
    (home / "config.yml").chmod(0o600)
    for words in (["run"], ["ask", "x"], ["db", "list"], ["session", "list"], ["db", "tables"]):
        done = amx(*words, "--json")
        assert (done.code, done.out) == (5, "")
        assert done.error["code"].startswith("config.")
        assert isinstance(done.error["details"]["line"], int)
        assert isinstance(done.error["details"]["column"], int)
        assert "restore" in done.error["hint"]


def test_the_same_work_on_a_server(amx: Amx, postgres: PostgresServer, database: str) -> None:
    postgres.execute("CREATE TABLE orders (id INT PRIMARY KEY, total_price NUMERIC)", database)
    postgres.execute("COMMENT ON TABLE orders IS 'What was bought.'", database)
    words = ["--host", postgres.host, "--port", str(postgres.port), "--user", postgres.user]
    amx("db", "add", "pg", "--backend", "postgresql", "--database", database, *words)
    assert amx("run", "--json").json["proposed"] == 3
    assert "What was bought." in amx("export", "--md").out
    [first, *_] = amx("ask", "price of an order", "--json").json["citations"]
    assert (first["schema"], first["table"]) == ("public", "orders")
    assert json.loads(amx("export", "--json").out)["run"]["status"] == "completed"
