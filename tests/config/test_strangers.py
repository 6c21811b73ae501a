"""What an ordinary user sees of a configuration that he may not read, or not write."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.config.many import Words
from tests.config.ordinary import IS_ROOT, Ordinary, user
from tests.support import Done

__all__ = ["user"]

OLDER = ["n: -1\n", "n: -2\n", "n: -3\n"]

READS: Sequence[Words] = [
    *(["config", "show"], ["config", "get", "n"], ["config", "validate"], ["db", "list"]),
    ["config", "show", "--origin"],
]

LISTS: Sequence[Words] = [["config", "backups"], ["config", "restore", "--list"]]

SAVES: Sequence[Words] = [
    *(["config", "set", "n", "1"], ["config", "unset", "n"]),
    ["db", "add", "shop", "--backend", "sqlite", "--path", "/shop.db"],
]

RESTORES: Sequence[Words] = [["config", "restore", "2"], ["config", "restore", "--latest-valid"]]

only_root = pytest.mark.skipif(not IS_ROOT, reason="only root can make files that others own")


def assert_told(done: Sequence[Done], code: int, name: Path, why: str) -> None:
    """Each failed: the file, the reason and a way on are told, and no untruth."""
    assert [one.code for one in done] == [code] * len(done)
    for one in done:
        assert one.out == ""
        assert str(name) in one.err
        assert why in one.err
        assert "\n  try: " in one.err
        assert "gone" not in one.err
        assert "Traceback" not in one.err


def split(done: Sequence[Done], *parts: Sequence[Words]) -> list[Sequence[Done]]:
    """Return the answers to each group of commands."""
    found, start = [], 0
    for part in parts:
        found.append(done[start : start + len(part)])
        start += len(part)
    return found


def assert_fine(done: Sequence[Done]) -> None:
    assert [(one.code, one.err) for one in done] == [(0, "")] * len(done)


def test_a_live_file_that_may_not_be_read_is_said_to_be_so_and_left_alone(user: Ordinary) -> None:
    live = user.place.live
    live.chmod(0)
    before = user.files()
    groups = (READS, SAVES, RESTORES, LISTS, [["config", "path"], ["config", "diff", "1"]])
    done = user.run(*(words for group in groups for words in group))
    read, saved, restored, listed, others = split(done, *groups)
    assert_told([*read, *saved], 5, live, "cannot be read: Permission denied (EACCES)")
    assert_told(restored, 1, live, "Permission denied (EACCES). It is unchanged.")
    assert_fine([*listed, *others])
    rows = [row.split("\t") for row in listed[0].out.splitlines()]
    assert [(row[0], *row[-3:]) for row in rows] == [
        (str(number), "6", "yes", "unknown") for number in (1, 2, 3)
    ]
    assert listed[1] == listed[0]
    assert user.files() == before
    live.chmod(0o600)
    assert_fine(user.run(["config", "set", "n", "1"]))


def test_a_generation_that_may_not_be_read_is_not_called_gone_and_holds_up_nothing(
    user: Ordinary,
) -> None:
    user.place.backup(1).chmod(0)
    before = user.files()
    listed, named, read, latest, saved = user.run(
        ["config", "backups", "--json"],
        ["config", "restore", "1"],
        ["config", "validate"],
        ["config", "restore", "--latest-valid"],
        ["config", "set", "n", "1"],
    )
    assert [one["valid"] for one in listed.json["backups"]] == [False, True, True]
    assert_told([named], 1, user.place.folder, "Permission denied (EACCES)")
    assert_fine([read, latest, saved])
    assert "Generation 2 is live" in latest.out
    texts = ["n: 1\n", "n: -2\n", "n: 0\n", *OLDER]
    names = ["config.yml", *(f"config.yml.bak.{number}" for number in range(1, 6))]
    assert {**before}["config.yml.bak.1"] == ("n: -1\n", 0)
    assert user.files() == {name: (text, 0o600) for name, text in zip(names, texts, strict=True)}


@pytest.mark.parametrize("mode", [0o500, 0o300], ids=["not written", "not listed"])
def test_a_folder_that_cannot_be_used_stops_saves_and_no_reading(user: Ordinary, mode: int) -> None:
    user.place.folder.chmod(mode)
    before = user.files()
    done = user.run(*READS, *LISTS, *SAVES, *RESTORES)
    read, listed, *saved = split(done, READS, LISTS, SAVES, RESTORES)
    assert_fine([*read, *listed])
    for group in saved:
        assert_told(group, 1, user.place.live, "Permission denied (EACCES). It is unchanged.")
    assert user.files() == before


def test_a_closed_folder_is_no_new_installation(user: Ordinary) -> None:
    user.place.folder.chmod(0)
    before = user.files()
    done = user.run(*READS, *SAVES, *LISTS, *RESTORES, ["config", "diff", "1"])
    assert_told(done, 5, user.place.folder, "Permission denied (EACCES)")
    assert user.files() == before


@only_root
def test_a_folder_of_somebody_else_is_read_with_a_warning_and_never_written(
    user: Ordinary,
) -> None:
    for path in (user.place.folder, *user.place.folder.iterdir()):
        os.chown(path, 0, 0)
        path.chmod(0o755 if path.is_dir() else 0o644)
    before = user.files()
    read, saved = split(user.run(*READS, *SAVES, *RESTORES), READS, [*SAVES, *RESTORES])
    assert [one.code for one in read] == [0] * len(READS)
    assert {"can be read by others (mode 0644)" in one.err for one in read} == {True}
    assert_told(saved, 1, user.place.live, "Permission denied (EACCES). It is unchanged.")
    assert user.files() == before


@only_root
@pytest.mark.parametrize("name", ["config.yml", "config.yml.bak.1", "config.yml.bak.2"])
def test_a_file_of_somebody_else_is_never_taken_from_him(user: Ordinary, name: str) -> None:
    path = user.place.folder / name
    os.chown(path, 0, 0)
    path.chmod(0o644)
    before = user.files()
    assert_told(
        user.run(*SAVES, *RESTORES),
        *(1, user.place.folder, "Operation not permitted (EPERM). It is unchanged."),
    )
    assert user.files() == before
    assert path.stat().st_uid == 0


@only_root
def test_a_lock_of_somebody_else_stops_saves(user: Ordinary) -> None:
    (user.place.folder / "config.yml.lock").touch(mode=0o600)
    before = user.files()
    assert_told(user.run(*SAVES), 1, user.place.folder, "Permission denied (EACCES)")
    assert user.files() == before


@only_root
def test_root_saves_for_the_owner_and_leaves_nothing_that_he_cannot_use(user: Ordinary) -> None:
    user.place.file().patch({("n",): 5})
    (user.place.folder / "config.yml.edit.lock").unlink(missing_ok=True)
    owners = {path.stat().st_uid for path in user.place.folder.iterdir()}
    assert owners == {user.folder.stat().st_uid}
    assert_fine(user.run(["config", "set", "n", "6"], ["config", "restore", "1"]))
    assert user.files()["config.yml"] == ("n: 5\n", 0o600)


@only_root
def test_a_home_that_cannot_be_made_is_told_when_something_is_to_be_kept(user: Ordinary) -> None:
    closed = user.folder / "closed"
    closed.mkdir(mode=0o755)
    home = closed / "a" / "b"
    read, saved = split(user.run(*READS[2:4], *SAVES[::2], home=home), READS[2:4], SAVES[::2])
    assert_fine(read)
    assert_told(saved, 1, home, "Permission denied (EACCES)")
    assert list(closed.iterdir()) == []
