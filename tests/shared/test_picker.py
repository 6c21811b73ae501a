"""The picker on a real terminal: Status first, everything destructive asks, No by default."""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pexpect
import pytest

from tests.support import Amx, AmxPty

HS = "history-store"

TITLE = "Escape leaves"

DOWN = "\x1b[B"

WAYS_OUT = {"Escape": "\x1b", "Ctrl-C": "\x03", "Ctrl-D": "\x04"}

Snapshot = Callable[[], tuple[object, ...]]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a home in shared mode with a row queued and the store away; return it."""
    folder = tmp_path_factory.mktemp("template")
    store = folder / "team.db"
    environ = {**os.environ, "HOME": str(folder), "AMX_HOME": str(folder / "amx")}

    def amx(*args: str) -> None:
        subprocess.run([sys.executable, "-m", "amx", *args], env=environ, check=True)

    amx("db", "add", "team", "--backend", "sqlite", "--path", str(store))
    amx(HS, "enable", "--profile", "team")
    store.rename(folder / "away.db")
    amx("session", "new")
    return folder / "amx"


@pytest.fixture
def team(template: Path, home: Path) -> Path:
    """Give this test a home in shared mode with a row queued; return it."""
    shutil.copytree(template, home)
    return home


@pytest.fixture
def snapshot(home: Path) -> Snapshot:
    """Give what must not change: configuration and queue."""

    def take() -> tuple[object, ...]:
        with closing(sqlite3.connect(home / "local.db")) as connection:
            queue = connection.execute("SELECT * FROM outbox").fetchall()
            events = connection.execute("SELECT count(*) FROM events").fetchall()
        return (home / "config.yml").read_bytes(), queue, events

    return take


def ended(child: "pexpect.spawn[str]") -> tuple[str, int | None]:
    """Wait for the end; return what was shown since the last question, and the exit code."""
    child.expect(pexpect.EOF)
    child.close()
    return child.before or "", child.exitstatus


def test_enter_shows_the_status(amx_pty: AmxPty, team: Path, snapshot: Snapshot) -> None:
    assert team.exists()
    before = snapshot()
    child = amx_pty(HS)
    child.expect(TITLE)
    child.send("\r")
    shown, code = ended(child)
    assert code == 0
    assert "Shared mode" in shown
    assert "Pending" in shown
    assert snapshot() == before


@pytest.mark.parametrize("key", WAYS_OUT.values(), ids=WAYS_OUT.keys())
def test_each_way_out_of_the_list_changes_nothing(
    amx_pty: AmxPty, team: Path, snapshot: Snapshot, key: str
) -> None:
    assert team.exists()
    before = snapshot()
    child = amx_pty(HS)
    child.expect(TITLE)
    child.send(DOWN)
    child.send(key)
    shown, code = ended(child)
    assert code == 0
    assert "Nothing was changed." in shown
    assert snapshot() == before


NOES = {"Enter": "\r", "n": "n", "nonsense and Enter": "x\r", **WAYS_OUT}


@pytest.mark.parametrize(
    ("steps", "effect"),
    [
        (1, "stops dual-writing for every run of this workstation"),
        (2, "sends everything that is queued"),
        (4, "empties the queue"),
    ],
    ids=["disable", "flush-pending", "drop-pending"],
)
@pytest.mark.parametrize("key", NOES.values(), ids=NOES.keys())
def test_anything_but_a_yes_to_a_destructive_entry_changes_nothing(  # noqa: PLR0913, PLR0917 - fixtures
    amx_pty: AmxPty, team: Path, snapshot: Snapshot, key: str, steps: int, effect: str
) -> None:
    assert team.exists()
    before = snapshot()
    child = amx_pty(HS)
    child.expect(TITLE)
    child.send(DOWN * steps)
    child.send("\r")
    child.expect("y/N")
    question = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\s", "", child.before or "")
    for part in (effect, "Queued: 1 pending, the oldest for"):
        assert part.replace(" ", "") in question
    child.send(key)
    shown, code = ended(child)
    assert (code, "Nothing was changed." in shown) == (0, True)
    assert snapshot() == before


def test_a_yes_does_it(amx: Amx, amx_pty: AmxPty, team: Path) -> None:
    assert team.exists()
    child = amx_pty(HS)
    child.expect(TITLE)
    child.send(DOWN + "\r")
    child.expect("y/N")
    child.send("y")
    shown, code = ended(child)
    assert code == 0
    assert "Shared mode is off" in shown
    assert amx(HS, "status", "--json").json["enabled"] is False


def test_enable_asks_which_profile(amx: Amx, amx_pty: AmxPty, tmp_path: Path) -> None:
    amx("db", "add", "team", "--backend", "sqlite", "--path", str(tmp_path / "team.db"))
    child = amx_pty(HS, "--pick")
    child.expect(TITLE)
    child.send(DOWN + "\r")
    child.expect("Which profile")
    child.expect(TITLE)
    child.send("\r")
    shown, code = ended(child)
    assert code == 0
    assert "Shared mode is on" in shown
    assert (tmp_path / "team.db").exists()


def test_a_lost_terminal_changes_nothing(amx_pty: AmxPty, team: Path, snapshot: Snapshot) -> None:
    assert team.exists()
    before = snapshot()
    child = amx_pty(HS)
    child.expect(TITLE)
    child.send(DOWN + "\r")
    child.expect("y/N")
    child.kill(signal.SIGHUP)
    child.close()
    assert snapshot() == before


def test_a_terminal_that_is_closed_changes_nothing(
    amx_pty: AmxPty, team: Path, snapshot: Snapshot
) -> None:
    assert team.exists()
    before = snapshot()
    child = amx_pty(HS)
    child.expect(TITLE)
    child.send(DOWN + "\r")
    child.expect("y/N")
    child.close()
    assert snapshot() == before


@pytest.mark.parametrize("args", [["--no-input"], ["status"]])
def test_nothing_is_asked_on_a_terminal_unless_the_picker_is_wanted(
    amx_pty: AmxPty, team: Path, args: list[str]
) -> None:
    assert team.exists()
    shown, code = ended(amx_pty(HS, *args))
    assert TITLE not in shown
    assert code == (2 if args == ["--no-input"] else 0)


def test_the_questions_go_to_standard_error(team: Path, tmp_path: Path) -> None:
    assert team.exists()
    out = tmp_path / "out.txt"
    code = f"import os, sys; os.dup2(os.open({str(out)!r}, os.O_WRONLY | os.O_CREAT), 1)"
    code += "; from amx.cli import main; sys.exit(main(['history-store']))"
    child: pexpect.spawn[str] = pexpect.spawn(
        sys.executable, ["-c", code], env={"TERM": "xterm", **os.environ}, encoding="utf-8"
    )
    child.expect(TITLE)
    child.send("\r")
    assert ended(child)[1] == 0
    assert out.read_text().startswith("Shared mode\ton\n")


def test_an_escape_between_two_questions_is_a_no(
    amx_pty: AmxPty, team: Path, snapshot: Snapshot
) -> None:
    before = snapshot()
    child = amx_pty("history-store")
    child.expect("Drop pending")
    child.send(f"{DOWN}\r")
    child.expect("Disable")
    child.send("\x1b")  # before the second question stands there
    shown, code = ended(child)
    assert (code, "Nothing was changed." in shown) == (0, True)
    assert snapshot() == before
