"""Profiles: add, list, show, use, remove, test, tables."""

import sqlite3
from pathlib import Path

import pytest
import yaml

from tests.postgres import PostgresServer
from tests.support import Amx


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, total NUMERIC)")
        connection.execute("CREATE VIEW big AS SELECT * FROM orders WHERE total > 100")
    return path


def add(amx: Amx, name: str, path: Path | str) -> None:
    assert amx("db", "add", name, "--backend", "sqlite", "--path", str(path)).code == 0


def test_the_first_profile_becomes_the_active_one(amx: Amx, shop: Path) -> None:
    add(amx, "shop", shop)
    add(amx, "other", "other.db")
    listed = amx("db", "list", "--json").json
    assert listed["active"] == "shop"
    assert [one["name"] for one in listed["profiles"]] == ["shop", "other"]
    assert set(listed["profiles"][0]) == {"name", "backend", "target", "identity"}


def test_a_relative_path_is_kept_as_an_absolute_one(amx: Amx, home: Path) -> None:
    add(amx, "shop", "shop.db")
    settings = yaml.safe_load((home / "config.yml").read_text())["db_profiles"]["shop"]
    assert settings == {"backend": "sqlite", "path": str(Path.cwd() / "shop.db")}


def test_a_password_is_kept_as_a_reference(amx: Amx, home: Path) -> None:
    words = ["--backend", "postgresql", "--database", "sales", "--password-env", "SALES_PW"]
    amx("db", "add", "sales", *words, "--port", "5433", "--sslmode", "require")
    assert yaml.safe_load((home / "config.yml").read_text())["db_profiles"]["sales"] == {
        "backend": "postgresql",
        "database": "sales",
        "password": "${SALES_PW}",
        "port": 5433,
        "sslmode": "require",
    }


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["x", "--backend", "oracle"], "oracle"),
        (["x", "--backend", "sqlite"], "needs --path"),
        (["x", "--backend", "sqlite", "--path", "a", "--host", "h"], "takes no --host"),
        (["x", "--backend", "postgresql"], "needs --database"),
        (["x", "--backend", "postgresql", "--database", "d", "--port", "0"], "not a port"),
        (["x", "--backend", "postgresql", "--database", "d", "--port", "a"], "not a port"),
        (["x", "--backend", "postgresql", "--database", "d", "--path", "p"], "takes no --path"),
        (["", "--backend", "sqlite", "--path", "a"], "cannot name a profile"),
        (["a b", "--backend", "sqlite", "--path", "a"], "cannot name a profile"),
        (["a\x1b", "--backend", "sqlite", "--path", "a"], "cannot name a profile"),
        (["x" * 65, "--backend", "sqlite", "--path", "a"], "cannot name a profile"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_wrong_words_add_nothing(amx: Amx, home: Path, words: list[str], says: str) -> None:
    done = amx("db", "add", *words)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert not (home / "config.yml").exists()


def test_a_name_is_given_once(amx: Amx, home: Path, shop: Path) -> None:
    add(amx, "shop", shop)
    before = (home / "config.yml").read_bytes()
    done = amx("db", "add", "shop", "--backend", "sqlite", "--path", "other.db")
    assert (done.code, done.out) == (2, "")
    assert "There is a profile 'shop' already" in done.err
    assert (home / "config.yml").read_bytes() == before


def test_show_hides_secrets_and_shows_references(amx: Amx, home: Path) -> None:
    words = ["--backend", "postgresql", "--database", "sales"]
    amx("db", "add", "one", *words, "--password-env", "PW")
    amx("db", "add", "two", *words)
    text = (home / "config.yml").read_text()
    (home / "config.yml").write_text(text.replace("  two:\n", "  two:\n    password: hunter2\n"))
    assert amx("db", "show", "one", "--json").json["settings"]["password"] == "${PW}"
    done = amx("db", "show", "two", "--json")
    assert done.json["settings"]["password"] == "***"
    assert "hunter2" not in done.out + done.err


@pytest.mark.parametrize("command", ["use", "remove", "show", "test"])
def test_an_unknown_name_is_an_error_with_the_list_of_names(
    amx: Amx, shop: Path, command: str
) -> None:
    add(amx, "shop", shop)
    done = amx("db", command, "sho")
    assert done == (2, "", "amx: There is no profile 'sho'. Profiles: shop.\n  try: amx db list\n")


def test_use_makes_a_profile_active(amx: Amx, shop: Path) -> None:
    add(amx, "shop", shop)
    add(amx, "other", "other.db")
    assert amx("db", "use", "other", "--json").json == {"active": "other"}
    assert amx("db", "list", "--json").json["active"] == "other"


def test_a_removed_profile_is_gone_and_no_other_takes_its_place(amx: Amx, shop: Path) -> None:
    add(amx, "shop", shop)
    add(amx, "other", "other.db")
    assert amx("db", "remove", "shop").code == 0
    listed = amx("db", "list", "--json").json
    assert (listed["active"], len(listed["profiles"])) == (None, 1)
    assert amx("db", "tables").code == 2


def test_tables_lists_tables_and_views(amx: Amx, shop: Path) -> None:
    add(amx, "shop", shop)
    assert amx("db", "tables") == (0, "main\tbig\tview\t2\nmain\torders\ttable\t2\n", "")


def test_test_reaches_a_sqlite_file(amx: Amx, shop: Path) -> None:
    add(amx, "shop", shop)
    assert amx("db", "test", "--json").json == {
        "name": "shop",
        "target": f"sqlite:{shop}",
        "tables": 2,
    }


def test_test_reaches_a_server(amx: Amx, postgres: PostgresServer, database: str) -> None:
    words = ["--host", postgres.host, "--port", str(postgres.port), "--user", postgres.user]
    amx("db", "add", "pg", "--backend", "postgresql", "--database", database, *words)
    assert amx("db", "test", "pg", "--json").json["tables"] == 0


@pytest.mark.parametrize("content", [None, b"not a database, surely not one at all" * 50])
def test_a_database_that_cannot_be_read_is_6(
    amx: Amx, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "bad.db"
    if content:
        path.write_bytes(content)
    add(amx, "bad", path)
    done = amx("db", "test", "bad")
    assert (done.code, done.out) == (6, "")
    assert str(path) in done.err
    assert path.exists() is bool(content)


def test_a_server_that_is_not_there_is_6_within_seconds(amx: Amx) -> None:
    words = ["--host", "127.0.0.1", "--port", "1", "--user", "ada"]
    amx("db", "add", "pg", "--backend", "postgresql", "--database", "d", *words)
    done = amx("db", "test", "pg")
    assert (done.code, done.out) == (6, "")
    assert "postgresql://127.0.0.1:1/d" in done.err


def test_a_profile_of_another_tools_backend_is_listed_and_cannot_be_used(
    amx: Amx, home: Path
) -> None:
    home.mkdir(mode=0o700)
    text = "db_profiles:\n  lake:\n    backend: snowflake\n    account: x\n"
    (home / "config.yml").write_text(text)
    (home / "config.yml").chmod(0o600)
    [profile] = amx("db", "list", "--json").json["profiles"]
    assert profile == {"name": "lake", "backend": "snowflake", "target": None, "identity": None}
    done = amx("db", "test", "lake")
    assert done.code == 5
    assert "amx reads postgresql and sqlite" in done.err


def test_a_name_that_looks_like_an_option_is_refused_by_words(amx: Amx) -> None:
    assert amx("db", "use", "--bogus").code == 2
