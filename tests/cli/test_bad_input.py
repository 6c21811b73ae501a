"""What a user may mistype never looks like a bug of ours, and changes nothing."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import Amx, set_up

NOT_TEXT = os.fsdecode(b"\xff")
LONG = "x" * 300

ADD_PG = ["db", "add", "p", "--backend", "postgresql", "--database", "d"]
ADD_FILE = ["db", "add", "p", "--backend", "sqlite"]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    sqlite3.connect(path).close()
    set_up("db", "add", "shop", "--backend", "sqlite", "--path", str(path))
    return path


@pytest.mark.parametrize(
    "words",
    [
        ["--config", "~nosuchuser/config.yml", "db", "list"],
        [*ADD_FILE, "--path", "~nosuchuser/x.db"],
        [*ADD_PG, "--host", NOT_TEXT],
        ["config", "set", "foo", NOT_TEXT],
        ["config", "set", "--string", "foo", NOT_TEXT],
        ["config", "restore", "--from", LONG],
        ["history-store", "team", "--since", "99999999d"],
        ["history-store", "status", "--max-age", "99999999w"],
        ["demo", "--postgres", "postgresql://u@h1:1,h2:2/db"],
        ["--profile", "", "session", "current"],
        ["ask", "--session", "", "x"],
        ["history-store", "retry", "--all", "1"],
        ["history-store", "dump-ddl", "--profile", "shop", "--backend", "sqlite"],
        ["--config", "", "db", "list"],
    ],
    ids=lambda words: " ".join(words).encode("unicode_escape").decode()[:50],
)
def test_a_slip_is_2_and_changes_nothing(
    amx: Amx, shop: Path, home: Path, words: list[str]
) -> None:
    before = (home / "config.yml").read_bytes()
    done = amx(*words)
    assert (done.code, done.out) == (2, "")
    assert "Traceback" not in done.err
    assert (home / "config.yml").read_bytes() == before


@pytest.mark.parametrize("path", ['"/tmp/x\\0y"', "~nosuchuser/x.db"])
def test_a_profile_that_names_no_place_is_5_when_it_is_used_and_is_still_listed(
    amx: Amx, shop: Path, home: Path, path: str
) -> None:
    text = (home / "config.yml").read_text()
    text = text.replace(
        "db_profiles:\n", f"db_profiles:\n  odd: {{backend: sqlite, path: {path}}}\n"
    )
    (home / "config.yml").write_text(text)
    assert amx("db", "test", "odd").code == 5
    listed = amx("db", "list", "--json").json["profiles"]
    assert {one["name"]: one["target"] is None for one in listed} == {"odd": True, "shop": False}


def test_a_database_whose_name_is_too_long_is_6(amx: Amx) -> None:
    amx("db", "add", "long", "--backend", "sqlite", "--path", f"/tmp/{LONG}.db")
    done = amx("db", "test", "long")
    assert (done.code, "File name too long" in done.err) == (6, True)


def test_required_delivery_needs_no_configuration(amx: Amx, shop: Path, home: Path) -> None:
    (home / "config.yml").write_text("a: [\n")
    env = {"AMX_REQUIRE_DELIVERY": "1"}
    assert [amx(*words, env=env).code for words in (["--version"], ["config", "path"])] == [0, 0]
    assert amx("config", "backups", env=env).code == 0


def test_an_edit_conflict_shows_no_secret() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CONFLICT], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "refused, shown: ***"


CONFLICT = """
import os
from pathlib import Path
from amx.core.config.file import ConfigFile
from amx.core.errors import EditConflict
path = Path(os.environ["HOME"]) / "config.yml"
path.write_text("secrets: {foo: hunter1}\\n")
path.chmod(0o600)
file = ConfigFile(path, is_explicit=True, warn=lambda _: None)
file.load()
path.write_text("secrets: {foo: hunter2}\\n")
try:
    file.patch({("secrets", "foo"): "hunter3"})
except EditConflict as error:
    text = error.message + repr(error.details)
    print("refused, shown:", "secret" if "hunter" in text else "***")
"""
