"""The picker on a real terminal: what it asks of the server, and keys typed ahead."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from tests.shared.pickers import DOWN, HS, NOES, TITLE, Snapshot, ended
from tests.support import Amx, AmxPty

GAP = r"(?:\x1b\[[0-9;?]*[a-zA-Z]|\s)*"

ASKED = GAP.join("y/N")
"""The end of a question, wherever its line breaks."""

DUMP_DDL = DOWN * 7 + "\r"


def bare(shown: str | None) -> str:
    """Return what was shown without colours and line breaks."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\s", "", shown or "")


@pytest.mark.parametrize("key", NOES.values(), ids=NOES.keys())
@pytest.mark.parametrize("is_away", [False, True], ids=["has the schema", "cannot be asked"])
def test_dump_ddl_asks_where_the_store_has_the_schema_or_cannot_be_asked(
    amx_pty: AmxPty, queued_home: Path, is_away: bool, key: str
) -> None:
    store = Path(str(amx_status(queued_home)["target"]).removeprefix("sqlite:"))
    if not is_away:
        shutil.copy(store.with_name("away.db"), store)
    try:
        child = amx_pty(HS)
        child.expect(TITLE)
        child.send(DUMP_DDL)
        child.expect(ASKED)
        question = bare(child.before)
        part = "couldnotbeasked" if is_away else "hastheschemaalready(version1)"
        assert part in question
        assert "nothingisrun,sothereisnothingtoundo.Queued:1pending" in question
        child.send(key)
        shown, code = ended(child)
    finally:
        store.unlink(missing_ok=True)
    assert (code, "Nothing was changed." in shown, "CREATE TABLE" in shown) == (0, True, False)


def amx_status(home: Path) -> dict[str, object]:
    words = [sys.executable, "-m", "amx", HS, "status", "--json"]
    environ = {**os.environ, "AMX_HOME": str(home)}
    done = subprocess.run(words, env=environ, capture_output=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_dump_ddl_asks_nothing_where_there_is_no_schema_yet(
    amx_pty: AmxPty, queued_home: Path
) -> None:
    store = Path(str(amx_status(queued_home)["target"]).removeprefix("sqlite:"))
    sqlite3.connect(store).close()
    try:
        child = amx_pty(HS)
        child.expect(TITLE)
        child.send(DUMP_DDL)
        shown, code = ended(child)
    finally:
        store.unlink()
    assert (code, re.search(ASKED, shown) is not None, "CREATE TABLE" in shown) == (0, False, True)


def test_a_silent_server_delays_the_question_of_dump_ddl_by_its_limit(
    amx: Amx, amx_pty: AmxPty, queued_home: Path, silent_port: int
) -> None:
    assert queued_home.exists()
    amx(HS, "drop-pending")
    place = ["--host", "127.0.0.1", "--port", str(silent_port), "--database", "d"]
    amx("db", "add", "silent", "--backend", "postgresql", *place)
    for key, value in (("profile", "silent"), ("enabled", "true")):
        amx("config", "set", f"history_store_{key}", value)
    child = amx_pty(HS)
    child.expect(TITLE)
    child.send("\x1b[A\r")  # the last entry
    child.expect(ASKED, timeout=20)
    assert "couldnotbeasked" in bare(child.before)
    child.send("\r")
    assert "Nothing was changed." in ended(child)[0]


@pytest.mark.parametrize("keys", [f"{DOWN}\ry", f"{DOWN}\ryy\ry"])
def test_keys_typed_ahead_of_a_question_do_not_answer_it(
    amx_pty: AmxPty, queued_home: Path, snapshot: Snapshot, keys: str
) -> None:
    assert queued_home.exists()
    before = snapshot()
    child = amx_pty(HS)
    child.expect(TITLE)
    child.send(keys)
    child.expect(ASKED)
    assert child.expect(["Shared mode is off", "Nothing was", pexpect.TIMEOUT], timeout=1) == 2
    child.send("\r")
    assert "Nothing was changed." in ended(child)[0]
    assert snapshot() == before


def test_keys_typed_ahead_of_the_list_choose_nothing(
    amx_pty: AmxPty, queued_home: Path, snapshot: Snapshot
) -> None:
    assert queued_home.exists()
    before = snapshot()
    child = amx_pty(HS)
    child.send(f"{DOWN}\ry\r")
    child.expect(TITLE)
    assert child.expect([ASKED, pexpect.EOF, pexpect.TIMEOUT], timeout=1) == 2
    child.send("\x1b")
    assert "Nothing was changed." in ended(child)[0]
    assert snapshot() == before
