"""Rotation under power loss: any subset of what was not synced may reach the disk."""

from itertools import combinations
from pathlib import Path

import pytest

from amx.core.config import disk
from amx.core.config.generations import Generations

OLDER = ["one", "two", "three", "four", "five"]


def made(folder: Path, count: int) -> tuple[Path, Generations]:
    folder.mkdir(parents=True)
    live = folder / "config.yml"
    live.write_text("live")
    generations = Generations(live)
    for number, text in enumerate(OLDER[:count], 1):
        generations.path(number).write_text(text)
    return live, generations


def texts(generations: Generations) -> list[str]:
    return [generations.path(number).read_text() for number in generations.numbers()]


def subsets(items: list[int]) -> list[tuple[int, ...]]:
    return [chosen for size in range(len(items) + 1) for chosen in combinations(items, size)]


def stage(live: Path, generations: Generations, wanted: tuple[int, ...]) -> None:
    """Give these staged names, of those that a rotation makes, to the disk."""
    for number in wanted:
        source = live if number == 1 else generations.path(number - 1)
        live.with_name(f"config.yml.bak.{number}.next").write_bytes(source.read_bytes())


@pytest.mark.parametrize("count", range(6))
def test_rotation_moves_every_generation_up_and_drops_only_a_sixth(
    tmp_path: Path, count: int
) -> None:
    live, generations = made(tmp_path / "amx", count)
    sight = disk.look(live)
    assert sight is not None
    assert generations.rotate(sight)
    assert texts(generations) == ["live", *OLDER[:count]][:5]


@pytest.mark.parametrize("count", range(6))
def test_power_lost_before_the_staged_names_were_durable_changes_no_generation(
    tmp_path: Path, count: int
) -> None:
    names = [1, *(number + 1 for number in range(1, min(count, 4) + 1))]
    for case, survived in enumerate(subsets(names)):
        live, generations = made(tmp_path / str(case), count)
        stage(live, generations, survived)
        generations.recover()
        assert texts(generations) == OLDER[:count]
        assert not list(live.parent.glob("*.next"))


@pytest.mark.parametrize("is_published", [False, True])
@pytest.mark.parametrize("count", range(6))
def test_power_lost_in_the_renumbering_loses_at_most_the_oldest(
    tmp_path: Path, count: int, *, is_published: bool
) -> None:
    names = [1, *(number + 1 for number in range(1, min(count, 4) + 1))]
    for case, renamed in enumerate(subsets(names)):
        live, generations = made(tmp_path / str(case), count)
        stage(live, generations, tuple(names))
        for number in reversed(renamed):
            live.with_name(f"config.yml.bak.{number}.next").rename(generations.path(number))
        if is_published:
            live.write_text("new")
        generations.recover()
        is_begun = bool(renamed) or is_published
        assert texts(generations) == (
            ["live", *OLDER][: count + 1][:5] if is_begun else OLDER[:count]
        )
        assert not list(live.parent.glob("*.next"))


def test_a_gap_in_the_numbers_is_filled_before_anything_is_dropped(tmp_path: Path) -> None:
    live, generations = made(tmp_path / "amx", 5)
    generations.path(2).unlink()
    sight = disk.look(live)
    assert sight is not None
    assert generations.rotate(sight)
    assert texts(generations) == ["live", "one", "three", "four", "five"]


def test_where_there_are_no_hard_links_generations_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    live, generations = made(tmp_path / "amx", 3)
    sight = disk.look(live)
    assert sight is not None
    assert generations.rotate(sight)
    assert texts(generations) == ["live", "one", "two", "three"]


@pytest.mark.parametrize("has_links", [True, False])
def test_what_was_left_before_a_power_failure_burns_no_generation_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_links: bool
) -> None:
    """The lock file may say still that a save ended well, when the next one had rotated already."""
    if not has_links:
        monkeypatch.setattr(disk, "link", lambda *_: False)
    live, generations = made(tmp_path / "amx", 3)
    sight = disk.look(live)
    assert sight is not None
    for _ in range(2):
        assert generations.rotate(sight, is_new=True)
        assert texts(generations) == ["live", "one", "two", "three"]


def test_a_live_file_that_changed_meanwhile_is_not_made_a_generation(tmp_path: Path) -> None:
    live, generations = made(tmp_path / "amx", 3)
    sight = disk.look(live)
    assert sight is not None
    live.write_text("edited")
    assert not generations.rotate(sight)
    generations.recover()
    assert texts(generations) == ["one", "two", "three"]
