"""What the team did, read live and read-only: `history list`, `session list` and `team`."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from amx.core.ports import SharedStore
from amx.core.sending import Deadline
from amx.core.tables import RUNS, SESSIONS
from amx.core.teammates import Wanted
from tests.postgres import PostgresServer
from tests.shared import rows
from tests.support import Amx, AmxPty, Done

HS = "history-store"

EARLY, LATE = "2026-01-01T00:00:00.000000Z", "2026-03-01T00:00:00.000000Z"


@pytest.mark.parametrize(
    ("wanted", "titles"),
    [
        (Wanted(9), ["late", "bot", "early"]),
        (Wanted(1), ["late"]),
        (Wanted(9, by="ada"), ["early"]),
        (Wanted(9, by="nightly"), ["bot"]),
        (Wanted(9, by="a'd%s--"), []),
        (Wanted(9, host="vega"), ["late", "bot"]),
        (Wanted(9, version="0.2.0"), ["late"]),
        (Wanted(9, since=LATE), ["late"]),
        (Wanted(9, identity="v1:bb"), ["bot"]),
        (Wanted(9, by="root", host="vega", since=EARLY, version="0.1.0"), ["bot"]),
    ],
)
def test_rows_of_anybody_are_found_by_person_host_version_and_time(
    store: SharedStore, soon: Deadline, wanted: Wanted, titles: list[str]
) -> None:
    early = rows.session(id="018-1", title="early", last_active_at=EARLY)
    bot = rows.session(
        id="018-2", title="bot", created_by="root", actor="nightly", hostname="vega",
        identity="v1:bb", last_active_at=EARLY, origin_id="two",
    )  # fmt: skip
    late = rows.session(
        id="018-3", title="late", created_by="grace", hostname="vega", client_version="0.2.0",
        last_active_at=LATE, origin_id="two",
    )  # fmt: skip
    gone = rows.session(id="018-4", title="", status="deleted")
    store.upsert(SESSIONS, [early, bot, late, gone], soon)
    found = store.newest(SESSIONS, wanted, soon)
    assert [row["title"] for row in found] == titles
    assert all(row in (early, bot, late) for row in found)


def test_runs_are_found_by_when_they_began(store: SharedStore, soon: Deadline) -> None:
    old, new = (rows.run(started_at=moment) for moment in (EARLY, LATE))
    store.upsert(RUNS, rows.in_key_order([old, new]), soon)
    assert store.newest(RUNS, Wanted(9, since=LATE), soon) == [new]


@pytest.fixture
def mate(amx: Amx, team: Path, tmp_path: Path) -> dict[str, str]:
    """Give the environment of a teammate who works on the same database, by another name."""
    assert team.exists()
    amx("db", "add", "shop", "--backend", "sqlite", "--path", str(tmp_path / "shop.db"))
    sqlite3.connect(tmp_path / "shop.db").executescript("CREATE TABLE item (id INT)")
    env = {"AMX_HOME": str(tmp_path / "mate"), "LOGNAME": "grace"}
    amx(
        "db", "add", "boutique", "--backend", "sqlite", "--path", str(tmp_path / "shop.db"), env=env
    )
    amx("db", "add", "team", "--backend", "sqlite", "--path", str(team), env=env)
    amx("db", "use", "shop")
    amx("db", "use", "boutique", env=env)
    assert amx(HS, "enable", "--profile", "team", env=env).code == 0
    return env


def test_a_teammates_rows_carry_their_uuid_and_no_number(amx: Amx, mate: dict[str, str]) -> None:
    ada = {"LOGNAME": "ada"}
    for env in (ada, mate):
        assert amx("run", env=env).code == 0
        assert amx("session", "new", "--title", env["LOGNAME"], env=env).code == 0
    runs = amx("history", "list", "--team", "--json").json["runs"]
    assert [(one["created_by"], one["id"]) for one in runs] == [("grace", None), ("ada", 1)]
    assert len({one["uuid"] for one in runs}) == 2
    [one] = amx("history", "list", "--team", "--by", "grace", "--json").json["runs"]
    assert one == runs[0]
    assert amx("history", "list", "--team", "--host", "nowhere", "--json").json["runs"] == []
    assert len(amx("history", "list", "--json").json["runs"]) == 1
    sessions = amx("session", "list", "--team", "--json").json["sessions"]
    facts = [(one["title"], one["id"], one["profile"], one["resumable"]) for one in sessions]
    assert facts == [("grace", None, "boutique", False), ("ada", 1, "shop", True)]
    assert sessions[0]["why_not"] == "it belongs to another installation"
    assert sessions[0]["hostname"]
    everywhere = amx("session", "list", "--team", "--all-profiles", "--since", "1h", "--json").json
    assert everywhere == {"profile": None, "sessions": sessions}
    amx("db", "use", "team")
    assert amx("session", "list", "--team", "--json").json["sessions"] == []
    members = amx(HS, "team", "--by", "grace", "--json").json["members"]
    assert [(one["created_by"], one["runs"]) for one in members] == [("grace", 1)]


def contents(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump())


VIEWS = (("history", "list", "--team"), ("session", "list", "--team"), (HS, "team"))


def test_the_views_of_the_team_write_nothing_here_nor_there(
    amx: Amx, mate: dict[str, str], team: Path, home: Path
) -> None:
    assert amx("run", env=mate).code == 0
    amx("session", "new")
    before = contents(team), contents(home / "local.db"), (home / "config.yml").read_bytes()
    for words in VIEWS:
        assert (amx(*words).code, amx(*words).err) == (0, "")
    assert (contents(team), contents(home / "local.db"), (home / "config.yml").read_bytes()) == (
        before
    )


@pytest.mark.parametrize("words", VIEWS, ids=lambda words: words[0])
def test_a_view_of_the_team_needs_the_store_and_says_so(
    amx: Amx, mate: dict[str, str], team: Path, words: tuple[str, ...]
) -> None:
    assert mate
    assert amx(*words, "--since", "yesterday").code == 2
    team.unlink()
    down = amx(*words, "--json")
    assert (down.code, down.error["code"]) == (4, "shared.unreachable")
    assert amx(*words[:2]).code == (4 if words[0] == HS else 0)


@pytest.mark.parametrize("group", ["history", "session"])
def test_who_is_asked_for_goes_with_team(amx: Amx, mate: dict[str, str], group: str) -> None:
    assert mate
    for words in (["--by", "ada"], ["--host", "h"], ["--since", "1d"], ["--client-version", "1"]):
        done = amx(group, "list", *words, "--json")
        assert (done.code, done.error["hint"]) == (2, f"amx {group} list --team")


EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil\r\n\tx"


def test_text_of_teammates_never_steers_the_terminal(
    amx: Amx, amx_pty: AmxPty, mate: dict[str, str], team: Path
) -> None:
    assert amx("run", env=mate).code == 0
    assert amx("session", "new", "--title", EVIL, env=mate).code == 0
    for table in ("runs", "sessions", "events"):
        with closing(sqlite3.connect(team)) as connection, connection:
            connection.execute(
                f"UPDATE {table} SET created_by = ?, hostname = ?, client_version = ?", (EVIL,) * 3
            )
    with closing(sqlite3.connect(team)) as connection, connection:
        connection.execute("UPDATE runs SET profile = ?", (EVIL,))
    for words in VIEWS:
        plain: Done = amx(*words)
        assert plain.code == 0
        for mark in ("\x1b", "\x07", "\x9b", "\u202e", "\r"):
            assert mark not in plain.out
            assert mark not in amx(*words, "--json").out
        assert "evil" in plain.out
        child = amx_pty(*words, env={"COLUMNS": "400", "NO_COLOR": "1"})
        shown = child.read()
        assert "evil" in shown
        for mark in ("\x1b]0", "\x1b[2J", "\x07", "\x9b", "\u202e"):
            assert mark not in shown


def test_the_views_work_on_a_server(
    amx: Amx, postgres: PostgresServer, database: str, tmp_path: Path
) -> None:
    place = ["--host", postgres.host, "--port", str(postgres.port), "--user", postgres.user]
    homes = [{"AMX_HOME": str(tmp_path / name), "LOGNAME": name} for name in ("ada", "grace")]
    for home in homes:
        amx(
            "db", "add", "team", "--backend", "postgresql", "--database", database, *place, env=home
        )
        amx("db", "use", "team", env=home)
        assert amx(HS, "enable", "--profile", "team", env=home).code == 0
        assert amx("session", "new", "--title", home["LOGNAME"], env=home).code == 0
        assert amx("run", env=home).code == 0
    sessions = amx("session", "list", "--team", "--json", env=homes[0]).json["sessions"]
    assert [(one["title"], one["id"]) for one in sessions] == [("grace", None), ("ada", 1)]
    words = ("history", "list", "--team", "--json", "--by", "grace", "--since", "1h")
    runs = amx(*words, env=homes[0]).json["runs"]
    assert [(one["created_by"], one["id"]) for one in runs] == [("grace", None)]
