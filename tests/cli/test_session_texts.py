"""Titles of sessions, and sessions as documents."""

import json
import sqlite3
from pathlib import Path

import pexpect
import pytest

from tests.support import Amx, AmxPty, set_up

EVIL = "# Heading\n```\n</pre><b>\x1b[31mred\x07 `````` \N{RIGHT-TO-LEFT OVERRIDE}\n---\n1. one"


@pytest.fixture
def shop(home: Path, tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, total_price REAL)")
    set_up("db", "add", "shop", "--backend", "sqlite", "--path", str(tmp_path / "shop.db"))
    return home


def title(amx: Amx) -> str:
    found: str = amx("session", "current", "--json").json["title"]
    return found


@pytest.mark.parametrize("begin", [["session", "new"], ["ask", "where   are\norders?"]])
def test_a_title_comes_from_the_first_question(amx: Amx, shop: Path, begin: list[str]) -> None:
    set_up(*begin)
    set_up("ask", "where are\torders?")
    set_up("ask", "and prices?")

    assert title(amx) == "where are orders?"


def test_a_title_that_was_given_stays(amx: Amx, shop: Path) -> None:
    set_up("session", "new", "--title", "Prices")
    set_up("ask", "where are orders?")

    assert title(amx) == "Prices"


def test_a_session_gets_another_title_from_any_profile(amx: Amx, shop: Path) -> None:
    set_up("ask", "where are orders?")
    set_up("db", "remove", "shop")

    done = amx("session", "rename", "1", "  All\n the \x1b[1mprices ", "--json")

    assert (done.code, done.json["id"]) == (0, 1)
    assert done.json["title"] == "All the \x1b[1mprices"
    assert "\x1b" not in done.out
    listed = amx("session", "list", "--all-profiles").out
    assert "All the \\x1b[1mprices" in listed


@pytest.mark.parametrize(
    ("key", "text"), [("1", " \n "), ("2", "Title"), ("0", "Title"), ("x", "Title")]
)
def test_no_title_and_no_session_is_refused(amx: Amx, shop: Path, key: str, text: str) -> None:
    set_up("ask", "where are orders?")

    assert amx("session", "rename", key, text).code == 2
    assert title(amx) == "where are orders?"


def test_the_same_title_again_writes_nothing(amx: Amx, shop: Path) -> None:
    set_up("session", "new", "--title", "Prices")
    before = (shop / "local.db").read_bytes()

    assert amx("session", "rename", "1", "Prices").code == 0
    assert (shop / "local.db").read_bytes() == before


def test_no_text_of_a_turn_breaks_the_document(amx: Amx, shop: Path, tmp_path: Path) -> None:
    set_up("ask", EVIL)
    set_up("session", "rename", "1", "# Prices | *of* <all>")
    before = (shop / "local.db").read_bytes()
    file = tmp_path / "out.md"

    printed = amx("session", "export", "1")
    written = amx("session", "export", "1", "--md", "--output", str(file))

    assert (printed.code, written.code, written.out) == (0, 0, "")
    assert written.err == f"Wrote {file}.\n"
    assert file.read_text() == printed.out
    lines = printed.out.splitlines()
    assert lines[0] == r"# \# Prices \| \*of\* &lt;all&gt;"
    outside, fence = [], None
    for line in lines:
        if fence:
            fence = None if line == fence else fence
        elif line.startswith("```"):
            fence = line.removesuffix("text")
        else:
            outside.append(line)
    assert fence is None
    headings = [line for line in outside if line.startswith("#")]
    assert [line.split(",")[0] for line in headings[1:]] == ["## 1. user", "## 2. assistant"]
    assert not [line for line in outside if line.startswith(("---", "</pre>"))]
    assert "# Heading" in lines  # as it was said, within the fence
    assert not any(mark in printed.out for mark in ("\x1b", "\x07", "\N{RIGHT-TO-LEFT OVERRIDE}"))
    assert (shop / "local.db").read_bytes() == before


def test_an_export_is_what_show_tells_scripts(amx: Amx, shop: Path, tmp_path: Path) -> None:
    set_up("ask", "where are orders?")
    file = tmp_path / "out.json"
    shown = amx("session", "show", "--id", "1", "--json").json

    assert amx("session", "export", "1", "--json").json == shown
    written = amx("session", "export", "1", "--json", "--output", str(file))
    assert written.json == {"output": str(file)}
    assert json.loads(file.read_text()) == shown


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["1", "--md", "--json"], 2),
        (["2"], 2),
        (["1", "--output", "/nowhere/at/all"], 1),
    ],
)
def test_an_export_that_cannot_be_made_says_why(
    amx: Amx, shop: Path, words: list[str], code: int
) -> None:
    set_up("ask", "where are orders?")

    done = amx("session", "export", *words)
    assert (done.code, done.out) == (code, "")


@pytest.mark.parametrize("what", ["show", "export"])
def test_a_session_is_read_whatever_has_become_of_its_profile(
    amx: Amx, shop: Path, tmp_path: Path, what: str
) -> None:
    words = ["show", "--id", "1"] if what == "show" else ["export", "1"]
    set_up("ask", "where are orders?")
    whole = amx("session", *words).out
    before = {path.name: path.read_bytes() for path in shop.iterdir() if path.name != "config.yml"}

    (tmp_path / "shop.db").unlink()
    assert amx("session", *words).out == whole
    (shop / "config.yml").write_text("db_profiles: {}\n")
    assert amx("session", *words).out == whole
    for text in ("a: [", "\0\1", ""):
        (shop / "config.yml").write_text(text)
        assert amx("session", *words).out == whole
    (shop / "config.yml").unlink()
    assert amx("session", *words).out == whole
    assert {path.name: path.read_bytes() for path in shop.iterdir()} == before


def test_no_text_of_a_session_steers_the_terminal(amx_pty: AmxPty, amx: Amx, shop: Path) -> None:
    set_up("ask", EVIL)
    for words in (["list"], ["show", "--id", "1"], ["current"], ["export", "1"], ["end", "1"]):
        child = amx_pty("session", *words, env={"NO_COLOR": "1"})
        child.expect(pexpect.EOF)
        assert "red" in child.before or words == ["end", "1"]
        assert "\x1b[31m" not in child.before
        assert "\x07" not in child.before
