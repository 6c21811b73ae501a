"""Backups and restore: byte for byte, undone by ``restore 1``, whatever the live file holds."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from amx.core.config.restoring import Source
from amx.core.errors import Failed, SaveFailed, UsageError
from tests.config.support import Place

GARBAGE = b"a: [\0 \xff" + b"x" * 600_000

LIVES: dict[str, Callable[[Place], object]] = {
    "valid": lambda place: place.write("a: 9\n"),
    "empty": lambda place: place.write(""),
    "garbage": lambda place: place.write(GARBAGE),
    "missing": lambda place: place.live.unlink(missing_ok=True),
}


@pytest.fixture
def full(place: Place) -> Place:
    """Give a live file and five generations, the third of them broken."""
    place.write("a: 0\n")
    place.write_backups("a: 1  # one\n", "a: 2\r\n", "a: [\n", "a: 4\n", "a: 5\n")
    return place


@pytest.mark.parametrize("state", LIVES)
@pytest.mark.parametrize("number", range(1, 6))
def test_every_generation_can_be_restored_byte_for_byte_over_anything(
    full: Place, state: str, number: int
) -> None:
    LIVES[state](full)
    wanted = full.backup(number).read_bytes()
    restored = full.file().restore(Source(number=number))
    assert full.live.read_bytes() == wanted
    assert (restored.number, restored.is_changed) == (number, True)
    assert {path.stat().st_mode & 0o777 for path in full.folder.iterdir()} == {0o600}
    assert not {*full.names()} - {
        *("config.yml", "config.yml.lock"),
        *(f"config.yml.bak.{kept}" for kept in range(1, 6)),
    }


@pytest.mark.parametrize("state", ["valid", "empty", "garbage"])
def test_restore_1_undoes_a_restore(full: Place, state: str) -> None:
    LIVES[state](full)
    before = full.live.read_bytes()
    full.file().restore(Source(number=5))
    assert full.backup(1).read_bytes() == before
    full.file().restore(Source(number=1))
    assert full.live.read_bytes() == before


def test_a_broken_generation_is_restored_when_it_is_named_and_said_to_be_broken(
    full: Place,
) -> None:
    restored = full.file().restore(Source(number=3))
    assert full.live.read_text() == "a: [\n"
    assert restored.problem is not None
    assert "line 2, column 1" in restored.problem


def test_the_newest_valid_generation_is_found(full: Place) -> None:
    full.backup(1).write_text("")
    full.backup(2).write_text("share_questions: maybe\n")
    assert full.file().restore(Source(is_latest_valid=True)).number == 4
    assert full.live.read_text() == "a: 4\n"


def test_without_a_valid_generation_nothing_is_restored(place: Place) -> None:
    place.write("")
    place.write_backups("[]", "")
    with pytest.raises(Failed) as caught:
        place.file().restore(Source(is_latest_valid=True))
    assert caught.value.hint == "amx config restore --list"
    assert place.live.read_text() == ""


def test_any_file_can_be_restored(full: Place, tmp_path: Path) -> None:
    source = tmp_path / "mine.yml"
    source.write_text("# mine\nb: 1\n")
    restored = full.file().restore(Source(path=source))
    assert (restored.path, restored.number, restored.problem) == (source, None, None)
    assert full.live.read_text() == "# mine\nb: 1\n"
    assert full.backups()[0] == "a: 0\n"


def test_restoring_what_is_live_already_burns_no_generation(full: Place) -> None:
    full.write("a: 4\n")
    before = full.state()
    assert not full.file().restore(Source(number=4)).is_changed
    assert full.state() == before


@pytest.mark.parametrize("number", [0, -1, 6, 10**20])
def test_a_generation_that_is_not_there_is_refused_with_those_that_are(
    full: Place, number: int
) -> None:
    with pytest.raises(UsageError) as caught:
        full.file().restore(Source(number=number))
    assert caught.value.message == (
        f"There is no generation {number}. Generations: 1, 2, 3, 4, 5. Nothing was changed."
    )


def test_a_file_that_is_none_or_far_too_large_is_not_restored(full: Place, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(600_000))
    for path in (tmp_path / "nothing", tmp_path, large):
        with pytest.raises(UsageError):
            full.file().restore(Source(path=path))
    assert full.live.read_text() == "a: 0\n"


def test_a_dangling_link_is_followed_to_where_the_file_should_be(place: Place) -> None:
    place.folder.mkdir()
    place.live.symlink_to(place.folder / "real.yml")
    (place.folder / "real.yml.bak.1").write_text("a: 1\n")
    place.file().restore(Source(number=1))
    assert place.live.is_symlink()
    assert (place.folder / "real.yml").read_text() == "a: 1\n"


def test_a_folder_in_place_of_the_file_is_left_alone(full: Place) -> None:
    full.live.unlink()
    full.live.mkdir()
    with pytest.raises(SaveFailed) as caught:
        full.file().restore(Source(number=1))
    assert caught.value.message == (
        f"{full.live} could not be saved: {full.live} is not a regular file. It is unchanged."
    )
    assert full.live.is_dir()


def test_generations_are_listed_with_what_they_differ_in(full: Place) -> None:
    full.write("a: 0\nb: {c: 1}\n")
    os.utime(full.backup(1), (0, 0))
    listed = full.file().backups()
    assert [one.number for one in listed] == [1, 2, 3, 4, 5]
    assert [one.problem is None for one in listed] == [True, True, False, True, True]
    assert [one.changed_keys for one in listed] == [["a", "b"], ["a", "b"], None, *[["a", "b"]] * 2]
    assert (listed[0].path, listed[0].size_bytes) == (full.backup(1), 12)
    assert listed[0].modified_at == "1970-01-01T00:00:00.000000Z"


@pytest.mark.parametrize("state", LIVES)
def test_generations_can_be_listed_whatever_the_live_file_holds(full: Place, state: str) -> None:
    LIVES[state](full)
    before = full.state()
    assert [one.size_bytes for one in full.file().backups()] == [12, 6, 5, 5, 5]
    assert full.state() == before
