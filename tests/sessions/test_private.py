"""``share_questions: false``: text stays here, counts go; whichever way rows take to the team."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support import Amx, set_up

SECRET = "zebrafish"
OPEN = "pelican"


@pytest.fixture
def team(home: Path, tmp_path: Path) -> Path:
    """Give the file of a shared store that is enabled, and a profile to ask about."""
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute(f"CREATE TABLE {SECRET}_{OPEN} (id INTEGER PRIMARY KEY)")
    folder = tmp_path / "team"
    folder.mkdir()
    set_up("db", "add", "shop", "--backend", "sqlite", "--path", str(tmp_path / "shop.db"))
    set_up("db", "add", "team", "--backend", "sqlite", "--path", str(folder / "team.db"))
    set_up("history-store", "enable", "--profile", "team")
    return folder / "team.db"


def share(*, is_on: bool) -> None:
    set_up("config", "set", "share_questions", str(is_on).lower())


def told(team: Path) -> str:
    """Return the whole shared store as text: rows, and bytes of its files."""
    with closing(sqlite3.connect(team)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master")]
        dump = "\n".join(connection.iterdump())
    assert {"sessions", "turns"} <= {name.removeprefix("AMX_").lower() for name in names}
    files = [path.read_bytes() for path in team.parent.iterdir()]
    return dump + b"".join(files).decode("latin-1")


def turns(team: Path) -> list[tuple[int, str, str, str]]:
    with closing(sqlite3.connect(team)) as connection:
        found = connection.execute(
            "SELECT turn_index, role, content, citations FROM turns ORDER BY id"
        )
        return found.fetchall()


def is_equal(amx: Amx) -> bool:
    report = amx("history-store", "verify", "--json").json
    return bool(report["equal"] and report["checked"] and not report["pending"])


def ask(word: str, *more: str) -> None:
    set_up("ask", f"where is {word}?", *more)


def test_text_that_is_private_never_leaves_and_counts_do(amx: Amx, team: Path) -> None:
    share(is_on=False)
    ask(SECRET)
    set_up("session", "rename", "1", f"All about {SECRET}")
    set_up("session", "new", "--title", f"{SECRET} again")

    assert SECRET not in told(team)
    assert turns(team) == [(1, "user", "", "[]"), (2, "assistant", "", "[]")]
    listed = amx("session", "list", "--team", "--json").json["sessions"]
    assert [(one["title"], one["turn_count"]) for one in listed] == [("", 0), ("", 2)]
    shown = amx("session", "show", "--id", "1", "--json").json
    assert SECRET in shown["title"]
    assert SECRET in shown["turns"][0]["content"]
    assert is_equal(amx)


def test_what_was_private_stays_private_when_questions_are_shared_again(
    amx: Amx, team: Path
) -> None:
    share(is_on=False)
    ask(SECRET)
    share(is_on=True)
    ask(OPEN)
    set_up("session", "end")
    set_up("session", "resume", "1")

    assert SECRET not in told(team).replace(f"{SECRET}_{OPEN}", "")
    assert [content for *_, content, _ in turns(team)][:3] == ["", "", f"where is {OPEN}?"]
    assert is_equal(amx)
    set_up("session", "rename", "1", OPEN)
    listed = amx("session", "list", "--team", "--json").json["sessions"]
    assert [one["title"] for one in listed] == [OPEN]
    assert is_equal(amx)


def test_what_was_shared_before_stays(amx: Amx, team: Path) -> None:
    ask(OPEN)
    share(is_on=False)
    ask(SECRET)
    set_up("session", "end")

    assert SECRET not in told(team).replace(f"{SECRET}_{OPEN}", "")
    assert [content for *_, content, _ in turns(team)][0::2] == [f"where is {OPEN}?", ""]
    listed = amx("session", "list", "--team", "--json").json["sessions"]
    assert [one["title"] for one in listed] == [f"where is {OPEN}?"]
    assert is_equal(amx)


def test_a_title_is_private_where_its_question_was(amx: Amx, team: Path) -> None:
    set_up("session", "new")
    share(is_on=False)
    ask(SECRET)

    assert SECRET not in told(team)
    assert is_equal(amx)


def outage(team: Path) -> Path:
    away = team.parent.with_name("away")
    team.parent.rename(away)
    team.parent.touch()
    return away


def over(team: Path, away: Path) -> None:
    team.parent.unlink()
    away.rename(team.parent)


def test_what_was_not_sent_yet_becomes_private(amx: Amx, team: Path) -> None:
    away = outage(team)
    ask(SECRET)
    share(is_on=False)
    over(team, away)
    assert amx("history-store", "flush-pending").code == 0

    assert SECRET not in told(team)
    assert is_equal(amx)
    share(is_on=True)
    assert amx("history-store", "verify", "--repair").code == 0
    assert SECRET not in told(team)
    assert is_equal(amx)


def test_migrate_from_local_takes_no_text_along(amx: Amx, team: Path) -> None:
    set_up("history-store", "disable")
    ask(SECRET)
    share(is_on=False)
    ask(SECRET)
    set_up("history-store", "enable", "--profile", "team")
    assert amx("history-store", "migrate-from-local").code == 0

    assert SECRET not in told(team)
    assert len(turns(team)) == 4
    assert is_equal(amx)


def test_a_quarantined_row_is_sent_without_its_text(amx: Amx, home: Path, team: Path) -> None:
    away = outage(team)
    ask(SECRET)
    with closing(sqlite3.connect(home / "local.db")) as connection:
        connection.execute("UPDATE outbox SET state = 'quarantined'")
        connection.commit()
    share(is_on=False)
    over(team, away)
    assert amx("history-store", "retry", "--all").code == 0
    assert amx("history-store", "flush-pending").code == 0

    assert SECRET not in told(team)
    assert is_equal(amx)


@pytest.mark.parametrize("loss", ["rows", "text"])
def test_a_store_that_lost_shared_text_does_not_get_it_back(
    amx: Amx, team: Path, loss: str
) -> None:
    ask(SECRET)
    ask(SECRET)
    share(is_on=False)
    assert SECRET in told(team)
    with closing(sqlite3.connect(team)) as connection:
        for table, column in (("turns", "content"), ("sessions", "title")):
            lost = f"DELETE FROM {table}" if loss == "rows" else f"UPDATE {table} SET {column} = ''"
            connection.execute(lost)
        connection.execute("UPDATE turns SET citations = '[]'")
        connection.commit()
        connection.execute("VACUUM")
    assert SECRET not in told(team)

    assert amx("history-store", "verify", "--repair").code == 0

    assert SECRET not in told(team)
    assert is_equal(amx)


def test_only_true_and_false_can_be_said(amx: Amx, home: Path, team: Path) -> None:
    done = amx("config", "set", "share_questions", "perhaps")

    assert done.code == 2
    assert "share_questions must be true or false" in done.err
    (home / "config.yml").write_text("share_questions: 0\n")
    assert amx("config", "validate").code == 5


def test_no_other_writer_makes_private_text_public(amx: Amx, home: Path, team: Path) -> None:
    share(is_on=False)
    ask(SECRET)
    with closing(sqlite3.connect(home / "local.db")) as connection:
        for table in ("turns", "sessions"):
            with pytest.raises(sqlite3.IntegrityError, match="private text stays private"):
                connection.execute(f"UPDATE {table} SET privacy = 0")
