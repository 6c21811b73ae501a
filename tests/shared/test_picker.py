"""The picker on a real terminal: Status first, everything destructive asks, No by default."""

import os
import re
import signal
import sys
from pathlib import Path

import pexpect
import pytest

from tests.shared.pickers import DOWN, HS, NOES, TITLE, WAYS_OUT, Snapshot, ended
from tests.support import Amx, AmxPty


def test_enter_shows_the_status(amx_pty: AmxPty, queued_home: Path, snapshot: Snapshot) -> None:
    assert queued_home.exists()
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
    amx_pty: AmxPty, queued_home: Path, snapshot: Snapshot, key: str
) -> None:
    assert queued_home.exists()
    before = snapshot()
    child = amx_pty(HS)
    child.expect(TITLE)
    child.send(DOWN)
    child.send(key)
    shown, code = ended(child)
    assert code == 0
    assert "Nothing was changed." in shown
    assert snapshot() == before


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
    amx_pty: AmxPty, queued_home: Path, snapshot: Snapshot, key: str, steps: int, effect: str
) -> None:
    assert queued_home.exists()
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


def test_a_yes_does_it(amx: Amx, amx_pty: AmxPty, queued_home: Path) -> None:
    assert queued_home.exists()
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


def test_a_lost_terminal_changes_nothing(
    amx_pty: AmxPty, queued_home: Path, snapshot: Snapshot
) -> None:
    assert queued_home.exists()
    before = snapshot()
    child = amx_pty(HS)
    child.expect(TITLE)
    child.send(DOWN + "\r")
    child.expect("y/N")
    child.kill(signal.SIGHUP)
    child.close()
    assert snapshot() == before


def test_a_terminal_that_is_closed_changes_nothing(
    amx_pty: AmxPty, queued_home: Path, snapshot: Snapshot
) -> None:
    assert queued_home.exists()
    before = snapshot()
    child = amx_pty(HS)
    child.expect(TITLE)
    child.send(DOWN + "\r")
    child.expect("y/N")
    child.close()
    assert snapshot() == before


@pytest.mark.parametrize("args", [["--no-input"], ["status"]])
def test_nothing_is_asked_on_a_terminal_unless_the_picker_is_wanted(
    amx_pty: AmxPty, queued_home: Path, args: list[str]
) -> None:
    assert queued_home.exists()
    shown, code = ended(amx_pty(HS, *args))
    assert TITLE not in shown
    assert code == (2 if args == ["--no-input"] else 0)


def test_the_questions_go_to_standard_error(queued_home: Path, tmp_path: Path) -> None:
    assert queued_home.exists()
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
    amx_pty: AmxPty, queued_home: Path, snapshot: Snapshot
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
