"""Guard 4 where a configuration really lives: behind links, in homes to be made, under quotas."""

import os
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from amx.core.locks import FileLock
from tests.config.support import Place
from tests.support import Amx

SET = ("config", "set", "n", "1")

GENERATION = ("config.yml", "config.yml.bak.1", "config.yml.lock")


@pytest.fixture
def mine(home: Path) -> Place:
    """Give the place of the program's configuration; nothing is there yet."""
    return Place(home)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_chain_of_links_to_the_file_stays_and_all_else_stands_beside_its_end(
    amx: Amx, mine: Place, tmp_path: Path
) -> None:
    real = Place(tmp_path / "dotfiles" / "real", "amx.yml")
    real.folder.parent.mkdir()
    real.write("n: 0  # zero\n")
    (tmp_path / "dotfiles" / "link.yml").symlink_to("real/amx.yml")
    mine.folder.mkdir()
    mine.live.symlink_to("../../dotfiles/link.yml")
    assert amx(*SET) == (0, "n: saved.\n", "")
    assert real.live.read_text() == "n: 1  # zero\n"
    (backup,) = amx("config", "backups", "--json").json["backups"]
    assert (backup["path"], backup["changed_keys"]) == (str(real.backup(1)), ["n"])
    assert amx("config", "restore", "1").code == 0
    assert real.live.read_text() == "n: 0  # zero\n"
    assert amx("config", "path").out == f"{mine.live}\n"
    assert mine.live.readlink() == Path("../../dotfiles/link.yml")
    assert (tmp_path / "dotfiles" / "link.yml").readlink() == Path("real/amx.yml")
    assert mine.names() == ["config.yml"]
    assert real.names() == ["amx.yml", "amx.yml.bak.1", "amx.yml.bak.2", "amx.yml.lock"]
    assert {mode_of(path) for path in real.folder.iterdir()} == {0o600}


def test_a_chain_of_links_to_the_home_is_one_home(amx: Amx, mine: Place, tmp_path: Path) -> None:
    mine.write("n: 0\n")
    (tmp_path / "links").mkdir()
    first, second = tmp_path / "links" / "first", tmp_path / "links" / "second"
    first.symlink_to("second")
    second.symlink_to(os.path.relpath(mine.folder, second.parent))
    by_link = {"AMX_HOME": str(first)}
    assert amx(*SET, env=by_link) == (0, "n: saved.\n", "")
    assert amx("config", "path", env=by_link).out == f"{first}/config.yml\n"
    assert mine.live.read_text() == "n: 1\n"
    assert amx("config", "restore", "1", env=by_link).code == 0
    assert mine.backups() == ["n: 1\n", "n: 0\n"]
    with FileLock(mine.folder / "config.yml.lock", wait_s=0, purpose="tests"):
        assert amx(*SET, "--lock-timeout", "0", env=by_link).code == 75
    assert (first.readlink(), second.is_symlink()) == (Path("second"), True)
    assert {*mine.names()} == {*GENERATION, "config.yml.bak.2"}


def test_a_home_that_is_not_there_is_made_by_the_first_save_and_by_nothing_else(
    amx: Amx, mine: Place, tmp_path: Path
) -> None:
    home = tmp_path / "new" / "deep" / "home"
    there = {"AMX_HOME": str(home)}
    for words in (
        ["config", "show"],
        ["config", "validate"],
        ["config", "backups"],
        ["db", "list"],
    ):
        assert amx(*words, env=there).code == 0
    assert amx("config", "unset", "n", env=there).code == 2
    assert amx("config", "restore", "--latest-valid", env=there).code == 1
    assert not (tmp_path / "new").exists()
    assert amx(*SET, env=there).code == 0
    made = [tmp_path / "new", tmp_path / "new" / "deep", home, home / "config.yml"]
    assert [mode_of(path) for path in made] == [0o700, 0o700, 0o700, 0o600]
    assert not mine.folder.exists()


def test_a_home_below_a_file_is_no_home_and_the_file_stays(amx: Amx, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    for words in (["db", "list"], SET, ["config", "validate"]):
        done = amx(*words, env={"AMX_HOME": str(tmp_path / "file" / "amx")})
        assert (done.code, done.out) == (5, "")
        assert "config.yml cannot be read: Not a directory (ENOTDIR)." in done.err
    assert (tmp_path / "file").read_text() == "precious"


@pytest.mark.parametrize("has_folder", [True, False])
def test_a_link_to_nowhere_is_no_new_installation_and_can_be_restored(
    amx: Amx, mine: Place, tmp_path: Path, has_folder: bool
) -> None:
    real = Place(tmp_path / "dotfiles", "amx.yml")
    if has_folder:
        real.folder.mkdir()
    mine.folder.mkdir(mode=0o700)
    mine.live.symlink_to(real.live)
    for words in (["config", "show"], ["config", "validate"], SET, ["db", "list"]):
        done = amx(*words, "--json")
        assert (done.code, done.out, done.error["code"]) == (5, "", "config.gone")
    assert real.folder.exists() is has_folder
    saved = tmp_path / "saved.yml"
    saved.write_text("n: 9  # saved\n")
    assert amx("config", "restore", "--from", str(saved)).code == 0
    assert amx(*SET).code == 0
    assert real.live.read_text() == "n: 1  # saved\n"
    assert mine.live.readlink() == real.live
    assert mine.names() == ["config.yml"]


def test_links_that_lead_to_each_other_are_unreadable_and_stay(amx: Amx, mine: Place) -> None:
    mine.folder.mkdir()
    mine.live.symlink_to("other.yml")
    (mine.folder / "other.yml").symlink_to("config.yml")
    for words in (["config", "show"], ["config", "validate"], SET, ["db", "list"]):
        done = amx(*words)
        assert (done.code, done.out) == (5, "")
        assert "config.yml cannot be read: " in done.err
        assert "(ELOOP)" in done.err
    assert mine.live.is_symlink()


@pytest.mark.parametrize(
    "words",
    [SET, ("config", "restore", "1"), ("db", "add", "a", "--backend", "sqlite", "--path", "/a")],
)
def test_a_quota_is_a_refusal_that_costs_nothing(mine: Place, words: Sequence[str]) -> None:
    mine.write(f"n: 0\nlong: {'x' * 5000}\n")
    mine.write_backups(f"n: 1\nlong: {'y' * 5000}\n", "n: 2\n")
    before = mine.state()
    done = limited(words, "4")  # of 512 bytes: less than the file has
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        f"{mine.live} could not be saved: File too large (EFBIG). It is unchanged." in done.stderr
    )
    assert mine.state() == before
    assert limited(words, "unlimited").returncode == 0
    assert mine.backup(1).read_bytes() == before["config.yml"][0]


def limited(words: Sequence[str], blocks: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh", sys.executable, "-m", "amx", *words],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
