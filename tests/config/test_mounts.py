"""Guard 4 on the file systems of containers: mounts, full and read-only disks, for real."""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.config.namespaces import Step, container, inside
from tests.config.steps import PAGE
from tests.config.support import Place
from tests.support import Done

LIVE = "# note\nn: 0  # zero\n"
OLDER = [f"n: {-number}\n" for number in range(1, 6)]

SAVES: Mapping[str, Step] = {
    "set": ("amx", "config", "set", "n", "1"),
    "unset": ("amx", "config", "unset", "n"),
    "restore": ("amx", "config", "restore", "3"),
    "add": ("amx", "db", "add", "shop", "--backend", "sqlite", "--path", "/shop.db"),
}

READS: Sequence[Step] = [
    ("amx", "config", "get", "n"),
    ("amx", "config", "show", "--origin"),
    ("amx", "config", "validate"),
    ("amx", "config", "backups"),
    ("amx", "config", "diff", "1"),
    ("amx", "config", "restore", "--list"),
    ("amx", "db", "list"),
]

HOLD = """
import sys
from pathlib import Path
from amx.core.locks import FileLock
with FileLock(Path(sys.argv[1]), wait_s=0, purpose=sys.argv[2]):
    print("held", flush=True)
    sys.stdin.readline()
"""

STATUS_FIRST = 'told=$("$@" 2>&1); echo $?; printf %s "$told"'


@pytest.fixture
def mine(home: Path) -> Place:
    """Give the configuration of the program, with five generations."""
    place = Place(home)
    place.write(LIVE)
    place.write_backups(*OLDER)
    return place


def here(place: Place) -> dict[str, str]:
    return {name: data.decode() for name, (data, *_) in place.state().items()}


def there(looked: Done) -> dict[str, str]:
    """Return what `look` has seen, but for the locks."""
    files: dict[str, str] = json.loads(looked.out)
    return {name: text for name, text in files.items() if not name.endswith(".lock")}


def refusal(done: Done) -> tuple[int, str, str]:
    """Return the code, what the message says of the cause, and the hint."""
    message, _, hint = done.err.partition("\n  try: ")
    return done.code, message.rpartition("config.yml could not be saved: ")[2], hint.strip()


MOUNTED = (
    1,
    "Device or resource busy (EBUSY). It is unchanged.",
    "A file that is mounted by itself cannot be replaced: mount its folder instead.",
)

READ_ONLY = (
    1,
    "Read-only file system (EROFS). It is unchanged.",
    "The file system is read-only; use another place: AMX_CONFIG or AMX_HOME.",
)

FULL = (
    1,
    "No space left on device (ENOSPC). It is unchanged.",
    "Make room on the disk, then try again.",
)


@pytest.mark.parametrize("save", SAVES)
def test_a_file_that_is_mounted_by_itself_is_not_saved_and_the_remedy_is_told(
    mine: Place, tmp_path: Path, save: str
) -> None:
    theirs = tmp_path / "theirs.yml"
    theirs.write_text("n: 7\n")
    _, before, read, saved, after = inside(
        ("mount", "--bind", str(theirs), str(mine.live)),
        ("look", str(mine.folder)),
        ("amx", "config", "get", "n"),
        SAVES[save],
        ("look", str(mine.folder)),
    )
    assert (read.code, read.out) == (0, "7\n")
    assert refusal(saved) == MOUNTED
    assert there(after) == there(before) == {**here(mine), "config.yml": "n: 7\n"}
    assert theirs.read_text() == "n: 7\n"


def test_a_link_to_a_file_that_is_mounted_by_itself_is_refused_too(
    mine: Place, tmp_path: Path
) -> None:
    (tmp_path / "folder with a blank").mkdir()
    real = tmp_path / "folder with a blank" / "real.yml"
    real.write_text("n: 7\n")
    mine.live.unlink()
    mine.live.symlink_to(real)
    _, saved = inside(("mount", "--bind", str(real), str(real)), SAVES["set"])
    assert saved.code == 1
    assert "real.yml could not be saved: Device or resource busy (EBUSY)" in saved.err
    assert real.read_text() == "n: 7\n"
    assert mine.live.is_symlink()


def test_where_the_mounts_cannot_be_seen_the_rename_itself_is_refused(
    mine: Place, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs.yml"
    theirs.write_text("n: 7\n")
    _, _, first, second, after = inside(
        ("mount", "--bind", str(theirs), str(mine.live)),
        ("mount", "-t", "tmpfs", "none", "/proc"),
        SAVES["set"],
        SAVES["set"],
        ("look", str(mine.folder)),
    )
    assert refusal(first) == refusal(second) == MOUNTED
    names = [f"config.yml.bak.{number}" for number in range(1, 6)]
    generations = dict(zip(names, ["n: 7\n", *OLDER[:4]], strict=True))
    assert there(after) == {"config.yml": "n: 7\n", **generations}


@pytest.mark.parametrize("lock", [[], ["config.yml.lock"]], ids=["new", "used"])
def test_on_a_read_only_file_system_everything_is_read_and_nothing_is_saved(
    mine: Place, lock: Sequence[str]
) -> None:
    for name in lock:
        (mine.folder / name).touch(mode=0o600)
    folder = str(mine.folder)
    done = inside(
        ("mount", "--bind", folder, folder),
        ("mount", "-o", "remount,bind,ro", folder),
        *READS,
        *SAVES.values(),
        ("look", folder),
    )
    read, saved = done[2 : 2 + len(READS)], done[2 + len(READS) : -1]
    assert [(one.code, one.err) for one in read] == [(0, "")] * len(READS)
    assert [refusal(one) for one in saved] == [READ_ONLY] * len(SAVES)
    assert there(done[-1]) == here(mine)


@pytest.mark.parametrize("pages", [0, 1])
def test_a_full_disk_costs_nothing_and_saves_go_on_when_there_is_room_again(
    mine: Place, tmp_path: Path, pages: int
) -> None:
    copy, disk = tmp_path / "copy", str(mine.folder)
    shutil.copytree(mine.folder, copy)
    done = inside(
        ("mount", "-t", "tmpfs", "-o", f"size={16 * PAGE}", "none", disk),
        ("cp", "-a", f"{copy}/.", disk),
        ("fill", f"{disk}/filler", str(pages)),
        *SAVES.values(),
        *READS[::3],
        ("rm", f"{disk}/filler"),
        ("look", disk),
        SAVES["set"],
        ("look", disk),
    )
    saved, read = done[3 : 3 + len(SAVES)], done[3 + len(SAVES) : -4]
    assert [refusal(one) for one in saved] == [FULL] * len(SAVES)
    assert [(one.code, one.err) for one in read] == [(0, "")] * 3
    assert there(done[-3]) == here(mine)
    assert (done[-2].code, done[-2].err) == (0, "")
    names = ["config.yml", *(f"config.yml.bak.{number}" for number in range(1, 6))]
    texts = ["# note\nn: 1  # zero\n", LIVE, *OLDER[:4]]
    assert there(done[-1]) == dict(zip(names, texts, strict=True))


def test_a_disk_without_inodes_costs_nothing_either(mine: Place, tmp_path: Path) -> None:
    copy, disk = tmp_path / "copy", str(mine.folder)
    shutil.copytree(mine.folder, copy)
    done = inside(
        ("mount", "-t", "tmpfs", "-o", "nr_inodes=9", "none", disk),
        ("cp", "-a", f"{copy}/.", disk),
        ("sh", "-c", f"touch {disk}/config.yml.lock; until ! touch {disk}/$((n+=1)); do :; done"),
        SAVES["set"],
        SAVES["restore"],
        ("look", disk),
    )
    assert refusal(done[3]) == refusal(done[4]) == FULL
    assert {**here(mine), **there(done[-1])} == there(done[-1])
    assert {text for name, text in there(done[-1]).items() if name.isdecimal()} == {""}


@pytest.mark.parametrize(
    ("lock", "words", "code"),
    [
        ("config.yml.lock", ("--lock-timeout", "0.1"), "busy.locked"),
        ("config.yml.edit.lock", ("--background",), "busy.suspended"),
    ],
)
def test_a_container_respects_the_lock_of_another_and_names_its_holder(
    mine: Place, lock: str, words: Step, code: str
) -> None:
    before = mine.state()
    hold = (sys.executable, "-c", HOLD, str(mine.folder / lock), "amx config edit")
    save = (sys.executable, "-m", "amx", "config", "set", "n", "1", "--json", *words)
    with container("left", *hold) as left:
        assert left.said.readline() == "held\n"
        with container("right", "sh", "-c", STATUS_FIRST, "sh", *save) as right:
            status, _, document = right.said.read().partition("\n")
        assert mine.state() == before
        left.heard.write("\n")
    error = json.loads(document)["error"]
    assert (status, error["code"]) == ("75", code)
    holder = error["details"]["holder"]
    assert (holder["host"], holder["purpose"]) == ("left", "amx config edit")
    assert f"process {holder['pid']} on left: amx config edit, since " in error["message"]
    with container("right", *save) as right:
        assert json.loads(right.said.read()) == {"key": "n", "changed": True}
