"""Guard 1 at the command line: every kind of refusal changes nothing, and what it prints works."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from amx.core.config.file import ConfigFile
from tests.sessions.shell import shell, untouched, words_of
from tests.support import Amx, set_up

NAMES = ("shop", "-x", "--all", "söld", "a;b", "*", "#1", "~", "$(boom)", "a b", "it's", "%s", "&&")
"""Names of profiles: most of them only a file can give, and a shell would take them apart."""

WORDS = (
    ("session", "resume", "1"),
    ("ask", "and how many?", "--session", "1"),
    ("session", "current", "--session", "1"),
)
"""Ways into a session by its number."""


@pytest.fixture
def shops(tmp_path: Path, home: Path) -> Path:
    """Give a folder with two databases."""
    home.mkdir(mode=0o700)
    for name in ("shop", "archive"):
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as connection:
            connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, total_price REAL)")
    return tmp_path


def configure(home: Path, active: str, **paths: Path) -> None:
    """Have these profiles, as a file may have them, one of them active."""
    file = ConfigFile(home / "config.yml", is_explicit=False, warn=lambda _: None, lock_timeout_s=5)
    profiles = {name: {"backend": "sqlite", "path": str(path)} for name, path in paths.items()}
    file.patch({("db_profiles",): profiles, ("active_db_profile",): active})


def test_the_way_back_to_another_profile_works_whatever_its_name(
    amx: Amx, shops: Path, home: Path
) -> None:
    profiles = dict.fromkeys(NAMES, shops / "shop.db") | {"other": shops / "archive.db"}
    configure(home, "other", **profiles)
    for name in NAMES:
        assert amx("session", "new", "--title", name, f"--profile={name}").code == 0
    tried = 0
    for number, name in enumerate(NAMES, 1):
        with untouched(home):
            done = amx("session", "resume", str(number), "--json")
        assert (done.code, done.error["details"]["differs"]) == (3, ["profile", "identity"])
        for words in words_of(done.error["hint"]):
            assert amx(*words).code == 0, words
            tried += 1
        assert amx("session", "current", "--json").json["title"] == name
        assert amx("db", "use", "other").code == 0
    assert tried == 3 * len(NAMES)


@pytest.mark.parametrize("words", WORDS, ids=str)
def test_every_way_into_a_session_is_refused_alike(
    amx: Amx, shops: Path, home: Path, words: tuple[str, ...]
) -> None:
    configure(home, "shop", shop=shops / "shop.db", other=shops / "archive.db")
    set_up("ask", "where are prices of orders?")
    amx("db", "use", "other")

    with untouched(home):
        done = amx(*words)

    assert (done.code, done.out) == (3, "")
    assert done.err == (
        "amx: Session 1 cannot be continued here: it is bound to another profile and to another "
        f"database. It began under profile 'shop' (sqlite:{shops}/shop.db); the active profile is "
        f"'other' (sqlite:{shops}/archive.db). Nothing was changed.\n"
        "  try: amx db use shop && amx session resume 1\n  try: amx session show --id 1\n"
    )
    ways = [line.removeprefix("  try: ") for line in done.err.splitlines()[1:]]
    told = shell("\n".join([*ways, "amx ask 'how many orders?' --json"]))
    assert (told.code, '"session": 1' in told.out) == (0, True), told


def test_where_a_variable_chooses_the_profile_the_way_back_sets_it(
    amx: Amx, shops: Path, home: Path
) -> None:
    paths = {"shop": shops / "shop.db", "archive": shops / "archive.db"}
    configure(home, "shop", **paths)
    set_up("ask", "where are prices of orders?")
    env = {"AMX_PROFILE": "archive"}
    done = amx("session", "resume", "1", "--json", env=env)

    back, _ = done.error["hint"].splitlines()

    assert back == "export AMX_PROFILE=shop && amx session resume 1"
    told = shell(f"{back} && amx ask 'how many orders?' --json", env)
    assert (told.code, '"session": 1' in told.out) == (0, True)


def test_a_variable_that_names_a_session_of_another_profile_can_be_let_go(
    amx: Amx, shops: Path, home: Path
) -> None:
    paths = {"shop": shops / "shop.db", "archive": shops / "archive.db"}
    configure(home, "shop", **paths)
    set_up("ask", "where are prices of orders?")
    env = {"AMX_SESSION": "1"}
    amx("db", "use", "archive")
    for words in (["ask", "how many?"], ["session", "current"]):
        with untouched(home):
            assert amx(*words, env=env).code == 3
    with untouched(home):
        done = amx("ask", "how many?", "--json", env=env)

    back, let_go, _ = done.error["hint"].splitlines()

    assert let_go == "unset AMX_SESSION"
    told = shell(f"{let_go} && amx ask 'how many orders?' --json", env)
    assert (told.code, '"session": 2' in told.out) == (0, True)
    told = shell(f"{back} && amx ask 'how many orders?' --json", env)
    assert (told.code, '"session": 1' in told.out) == (0, True)


@pytest.mark.parametrize("kind", ["re-pointed", "used again", "gone", "twin"])
def test_each_other_kind_of_refusal_prints_only_what_works(
    amx: Amx, shops: Path, home: Path, kind: str
) -> None:
    configure(home, "shop", shop=shops / "shop.db", other=shops / "archive.db")
    set_up("ask", "where are prices of orders?")
    uuid = amx("session", "current", "--json").json["uuid"]
    change = {
        "re-pointed": [f"amx config set db_profiles.shop.path {shops}/archive.db"],
        "used again": [
            "amx db remove shop",
            f"amx db add shop --backend sqlite --path {shops}/archive.db",
            "amx db use shop",
        ],
        "gone": ["amx db remove shop", "amx db use other"],
        "twin": [f"amx db add twin --backend sqlite --path {shops}/shop.db", "amx db use twin"],
    }[kind]
    assert shell(" && ".join(change)).code == 0

    with untouched(home):
        done = amx("session", "resume", uuid, "--json")
        assert amx("session", "resume", uuid).err.startswith(f"amx: {done.error['message']}\n")

    assert done.code == 3
    told = shell("\n".join(["set -e", *done.error["hint"].splitlines()]))
    assert (told.code, told.err) == (0, "")
    assert ("db use shop" in done.error["hint"]) is (kind == "twin")
    says = "points at the same database" if kind == "twin" else "database"
    assert says in done.error["message"]
    active = {"gone": "'other'", "twin": "'twin'"}.get(kind, "'shop'")
    place = shops / ("shop.db" if kind == "twin" else "archive.db")
    for side in (f"'shop' (sqlite:{shops}/shop.db)", f"{active} (sqlite:{place})"):
        assert side in done.error["message"]


def test_amx_session_names_the_session_of_every_command_that_continues_one(
    amx: Amx, shops: Path, home: Path
) -> None:
    configure(home, "shop", shop=shops / "shop.db")
    for words in (["ask", "where are orders?"], ["session", "new"]):
        set_up(*words)
    env = {"AMX_SESSION": "1"}

    assert amx("ask", "how many orders?", "--json", env=env).json["session"] == 1
    assert amx("session", "current", "--json", env=env).json["id"] == 1
    assert amx("session", "current", "--json", env={"AMX_SESSION": ""}).json["id"] == 2
    assert amx("session", "current", "--session", "").code == 2
    assert amx("session", "end", "", env=env).code == 2
    assert amx("session", "end", "--json", env=env).json["id"] == 1
    assert amx("session", "current", "--json").json["id"] == 2
    assert amx("ask", "--new", "how many?", "--json", env=env).json["session"] == 3
    for key in ("0", "99", "x"):
        assert amx("ask", "how many?", env={"AMX_SESSION": key}).code == 2
