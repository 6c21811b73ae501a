"""What a person is told where something stands in the way: which file it is, and what helps."""

import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.config.many import ended
from tests.config.ordinary import IS_ROOT, Ordinary, user
from tests.config.support import Place
from tests.support import Amx, Done

__all__ = ["user"]

only_root = pytest.mark.skipif(not IS_ROOT, reason="only root can make files that others own")


@pytest.fixture
def mine(home: Path) -> Place:
    """Give the program's configuration and one backup."""
    place = Place(home)
    place.write("n: 1\n")
    place.write_backups("n: 0\n")
    return place


def test_a_generation_that_cannot_be_read_is_named_with_what_to_do(user: Ordinary) -> None:
    path = user.place.backup(1)
    path.chmod(0)
    restore, diff = user.run(["config", "restore", "1"], ["config", "diff", "1"])
    assert restore.code == 1
    assert f"It is unchanged. In the way is {path}.\n" in restore.err
    assert f"  try: Look at its owner and its rights: ls -ld {path}; " in restore.err
    assert (diff.code, diff.err) == (0, "")
    assert f"{path} cannot be read: Permission denied (EACCES)." in diff.out


def test_a_live_file_that_cannot_be_read_is_not_said_to_be_unwritable(user: Ordinary) -> None:
    live = user.place.live
    live.chmod(0)
    (restore,) = user.run(["config", "restore", "1"])
    assert restore.code == 1
    assert "In the way" not in restore.err
    assert f"ls -ld {live}; then chmod u+rwX {live}\n" in restore.err


@only_root
@pytest.mark.parametrize("name", ["config.yml.bak.2", "config.yml.lock"])
def test_a_file_of_somebody_else_that_stops_saves_is_named(user: Ordinary, name: str) -> None:
    path = user.place.folder / name
    path.touch()
    os.chown(path, 0, 0)
    path.chmod(0o600)
    (done,) = user.run(["config", "set", "n", "1"])
    assert done.code == 1
    assert f"It is unchanged. In the way is {path}.\n" in done.err


def test_a_folder_in_the_place_of_a_backup_is_named(mine: Place) -> None:
    mine.backup(1).unlink()
    mine.backup(1).mkdir()
    (done,) = ended(["config", "set", "n", "2"])
    assert done.code == 1
    assert f"{mine.backup(1)} is not a regular file. It is unchanged.\n" in done.err
    assert mine.live.read_text() == "n: 1\n"


def test_backups_that_others_may_read_are_told_by_what_reads_them(mine: Place) -> None:
    commands = [
        *(["config", "backups"], ["config", "diff", "1"], ["config", "validate"]),
        ["config", "restore", "--list"],
    ]
    assert [done.err for done in ended(*commands)] == [""] * len(commands)
    mine.backup(1).chmod(0o644)
    warning = (
        f"amx: warning: {mine.backup(1)} can be read by others (mode 0644); the next save makes "
        f"it private, or now: chmod 600 {mine.backup(1)}\n"
    )
    assert [done.err for done in ended(*commands)] == [warning] * len(commands)
    *_, after = ended(["config", "set", "n", "2"], *commands)
    assert after.err == ""


def test_a_new_home_is_private_and_usable_whatever_the_umask(tmp_path: Path) -> None:
    place = Place(tmp_path / "a" / "amx")
    before = os.umask(0o777)
    try:
        assert place.file().patch({("n",): 1})
    finally:
        os.umask(before)
    folders = (place.folder, place.folder.parent)
    assert [stat.S_IMODE(one.stat().st_mode) for one in folders] == [0o700] * 2


@pytest.mark.parametrize("below", ["", "more/amx"])
def test_a_home_that_is_a_link_to_nowhere_is_no_new_installation(
    tmp_path: Path, below: str
) -> None:
    link, target, other = (tmp_path / name for name in ("link", "unmounted", "other.yml"))
    link.symlink_to(target)
    other.write_text("n: 2\n")
    commands = (
        *(["config", "set", "n", "1"], ["db", "list"], ["config", "validate"], ["config", "edit"]),
        ["config", "restore", "--from", str(other)],
    )
    done = ended(*commands, env={"AMX_HOME": str(link / below), "VISUAL": "true"})
    message = f"amx: {link} is a link to a folder that is not there. Nothing was changed.\n"
    assert [(one.code, one.err.startswith(message)) for one in done] == [(5, True)] * len(commands)
    assert not target.exists()
    target.mkdir()
    assert ended(commands[0], env={"AMX_HOME": str(link / below)})[0].code == 0


def test_a_difference_that_cannot_be_told_names_the_side_and_the_reason(mine: Place) -> None:
    mine.backup(1).write_text("password: *hunter2\n")
    text, json = ended(["config", "diff"], ["config", "diff", "--json"])
    reason = f"{mine.backup(1)}, line 1, column 11: this alias has no anchor before it."
    assert text == Done(
        0,
        f"They cannot be compared. {reason}\nSee: amx config validate; amx config backups\n",
        "",
    )
    assert (json.code, json.json) == (
        0,
        {"generation": 1, "differences": None, "problems": [reason]},
    )


def test_a_difference_names_both_sides_where_both_are_at_fault(mine: Place) -> None:
    mine.live.unlink()
    mine.backup(1).write_text("")
    (done,) = ended(["config", "diff", "--json"])
    assert done.json["problems"] == [
        f"{mine.backup(1)}, line 1, column 1: the file is empty.",
        f"{mine.live} is not there.",
    ]


def test_a_limit_on_the_size_of_files_is_named(mine: Place) -> None:
    mine.write(f"n: 1 # {'x' * 3000}\n")
    done = subprocess.run(
        [sys.executable, "-B", "-m", "amx", "config", "set", "n", "2"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "(EFBIG). It is unchanged.\n  try: " in done.stderr
    assert "ulimit -f" in done.stderr


BUG = """
import sys
from amx import cli

def bug(*_, **__):
    raise ZeroDivisionError("x\\x1b[2J password=hunter2")

cli._finished = bug
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("words", "is_shown"),
    [(["--debug", "--version"], True), (["--version", "--debug"], True), (["--version"], False)],
)
def test_the_traceback_of_a_bug_is_shown_to_who_debugs_without_its_secrets(
    words: list[str], *, is_shown: bool
) -> None:
    command = [sys.executable, "-c", BUG, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 70
    assert ("ZeroDivisionError: x\\x1b[2J password=***\n" in done.stderr) is is_shown
    assert ("Traceback" in done.stderr) is is_shown
    assert "hunter2" not in done.stderr


def test_the_traceback_of_wrong_words_is_shown_too(amx: Amx) -> None:
    assert "Traceback" not in amx("db", "shwo").err
    assert "UsageError" in amx("db", "shwo", "--debug").err
