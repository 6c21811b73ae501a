"""A save or a restore that is killed, or refused, at any of its calls."""

import errno
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from amx.core.config.restoring import Source
from amx.core.errors import AmxError, ConfigUnreadable, SaveFailed
from tests.config.support import Place, count_calls, killed_at, watched

OLD = "# note\nn: 0\n"
OLDER = [f"n: {-number}\n" for number in range(1, 6)]


def prepared(folder: Path) -> Place:
    place = Place(folder)
    place.write(OLD)
    place.write_backups(*OLDER)
    return place


def save(place: Place, n: int = 1) -> bool:
    return place.file().patch({("n",): n})


def new_text(n: int) -> str:
    return OLD.replace("0", str(n))


def assert_whole_after(place: Place, *possible: str) -> None:
    """Live is one of these; generations are what they should be after one more save."""
    live = place.live.read_text()
    assert live in possible
    assert {*place.backups()} <= {*possible, OLD, *OLDER}
    assert {path.stat().st_mode & 0o777 for path in place.folder.iterdir()} == {0o600}
    assert save(place, 99)
    history = [new_text(99), *possible[: possible.index(live) + 1][::-1], *OLDER]
    assert [place.live.read_text(), *place.backups()] == history[:6]
    assert place.names() == [
        "config.yml",
        *(f"config.yml.bak.{number}" for number in range(1, 6)),
        "config.yml.lock",
    ]


def test_a_save_killed_at_any_call_leaves_old_or_new_and_loses_no_generation(
    tmp_path: Path,
) -> None:
    counted = prepared(tmp_path / "count")
    total = count_calls(lambda: save(counted))
    ends = set()
    for n in range(1, total + 1):
        place = prepared(tmp_path / str(n))
        assert killed_at(n, lambda place=place: save(place))  # type: ignore[misc]  # a lambda with a default
        ends.add(place.live.read_text())
        assert_whole_after(place, OLD, new_text(1))
    assert total > 30
    assert ends == {OLD, new_text(1)}


def test_a_save_killed_over_the_leftovers_of_a_killed_save_loses_nothing_either(
    tmp_path: Path,
) -> None:
    counted = prepared(tmp_path / "count")
    total = count_calls(lambda: save(counted))
    chance = random.Random(4)  # noqa: S311 - which call the second kill hits, not a secret
    killed_again = 0
    for n in range(1, total + 1):
        place = prepared(tmp_path / str(n))
        assert killed_at(n, lambda place=place: save(place))  # type: ignore[misc]  # a lambda with a default
        first = place.live.read_text()
        second = chance.randint(1, total)
        killed_again += killed_at(second, lambda place=place: save(place, 2))  # type: ignore[misc]  # a lambda with a default
        before = [OLD] if first == OLD else [OLD, first]
        assert_whole_after(place, *before, new_text(2))
    assert killed_again > total // 2


def test_the_first_save_killed_at_any_call_leaves_nothing_or_the_new_file(tmp_path: Path) -> None:
    first = Place(tmp_path / "count")
    total = count_calls(lambda: save(first))
    for n in range(1, total + 1):
        place = Place(tmp_path / str(n))
        assert killed_at(n, lambda place=place: save(place))  # type: ignore[misc]  # a lambda with a default
        assert not place.live.exists() or place.live.read_text() == "n: 1\n"
        assert place.file().load().raw in ({}, {"n": 1})
        assert save(place, 2)
        assert place.live.read_text() == "n: 2\n"
        assert set(place.names()) <= {"config.yml", "config.yml.bak.1", "config.yml.lock"}


def test_a_restore_killed_at_any_call_leaves_old_or_new_and_loses_no_generation(
    tmp_path: Path,
) -> None:
    def restore(place: Place) -> object:
        return place.file().restore(Source(number=5))

    counted = prepared(tmp_path / "count")
    total = count_calls(lambda: restore(counted))
    for n in range(1, total + 1):
        place = prepared(tmp_path / str(n))
        assert killed_at(n, lambda place=place: restore(place))  # type: ignore[misc]  # a lambda with a default
        live = place.live.read_text()
        assert live in (OLD, OLDER[4])
        kept = place.backups()
        assert set(OLDER[:4]) <= {*kept}
        assert live == OLD or kept[0] == OLD
        assert save(place, 99)
        assert not [name for name in place.names() if "next" in name or "shadow" in name]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_save_whose_any_call_fails_says_why_and_leaves_the_live_file(
    tmp_path: Path, number: int
) -> None:
    counted = prepared(tmp_path / "count")
    total = count_calls(lambda: save(counted))
    refused = 0
    for n in range(1, total + 1):
        place = prepared(tmp_path / str(n))
        with watched(failing(n, number)):
            error = error_of(lambda place=place: save(place))  # type: ignore[misc]  # a lambda with a default
        if error is None or "has its new contents" in error.message:
            assert place.live.read_text() == new_text(1)
        else:
            refused += 1
            assert isinstance(error, SaveFailed | ConfigUnreadable)
            assert errno.errorcode[number] in error.message
            assert place.live.read_text() == OLD
        assert not [name for name in place.names() if name.endswith(("shadow", "next", "copy"))]
        assert_whole_after(place, OLD, new_text(1))
    assert refused > 15


@pytest.mark.parametrize(
    ("write", "mode"),
    [(1, 0o600), (2, 0o640)],
    ids=["the shadow", "a copy of what others may read"],
)
def test_a_disk_that_stays_full_costs_no_generation_however_often_one_tries(
    place: Place, write: int, mode: int
) -> None:
    place.write(OLD, mode)
    place.write_backups(*OLDER)
    before = place.state()
    for _ in range(7):
        writes: list[str] = []

        def fail(_: int, name: str, __: object, writes: list[str] = writes) -> None:
            writes += [name] if name == "write" else []
            if name == "write" and len(writes) >= write:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with watched(fail):
            error = error_of(lambda: save(place))
        assert len(writes) == write
        assert isinstance(error, SaveFailed)
        assert error.hint == "Make room on the disk, then try again."
    assert place.state() == before


def test_a_failed_fsync_is_never_tried_again(place: Place) -> None:
    place.write(OLD)
    synced: list[object] = []

    def fail(_: int, name: str, args: tuple[object, ...]) -> None:
        if name == "fsync":
            synced.append(args)
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    with watched(fail):
        assert isinstance(error_of(lambda: save(place)), SaveFailed)
    assert len(synced) == 1
    assert place.live.read_text() == OLD


def test_a_rename_that_is_refused_again_and_again_burns_one_generation_at_most(
    place: Place,
) -> None:
    place.write(OLD)
    place.write_backups(*OLDER)

    def fail(_: int, name: str, args: tuple[object, ...]) -> None:
        if name == "rename" and str(args[0]).endswith("shadow"):
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    for _ in range(7):
        with watched(fail):
            assert isinstance(error_of(lambda: save(place)), SaveFailed)
    assert place.backups() == [OLD, *OLDER[:4]]
    assert place.live.read_text() == OLD


def failing(n: int, number: int) -> Callable[[int, str, tuple[object, ...]], None]:
    """Fail the n-th call, unless it closes something."""

    def fail(count: int, name: str, _: tuple[object, ...]) -> None:
        if count == n and name != "close":
            raise OSError(number, os.strerror(number))

    return fail


def error_of(work: Callable[[], object]) -> AmxError | None:
    try:
        work()
    except AmxError as error:
        return error
    return None
