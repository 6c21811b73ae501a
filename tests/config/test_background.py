"""Guard 4: autosave suspended across processes: background workers give way to an edit."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from amx.core.config.file import ConfigFile
from amx.core.errors import Busy, SavesSuspended
from tests.config.blocks import in_a_block
from tests.config.drafting import untouched
from tests.config.editors import WAIT_S, suspended_elsewhere
from tests.config.support import Place, watched
from tests.support import Amx


def test_a_background_worker_is_refused_while_another_process_has_a_block_open(
    place: Place, amx: Amx
) -> None:
    place.write("a: 0\n")
    at = {"AMX_CONFIG": str(place.live)}
    with suspended_elsewhere(place.live) as other:
        with pytest.raises(SavesSuspended) as caught:
            background(place).patch({("a",): 1})
        by_option = amx("config", "set", "a", "1", "--background", "--json", env=at)
        by_variable = amx("config", "set", "a", "1", env={**at, "AMX_BACKGROUND": "1"})
    who = f"process {other.pid} on {os.uname().nodename}: reconciles profiles, since 20"
    for said in (caught.value.message, by_option.error["message"], by_variable.err):
        assert who in said
    assert (by_option.code, by_variable.code) == (75, 75)
    assert by_option.error["code"] == "busy.suspended"
    holder = by_option.error["details"]["holder"]
    assert (holder["pid"], holder["purpose"]) == (str(other.pid), "reconciles profiles")
    assert place.live.read_text() == "a: 0\n"
    assert place.backups() == []


def test_a_foreground_save_goes_on_and_is_merged_when_the_block_ends(place: Place) -> None:
    place.write("a: 0\n")
    with suspended_elsewhere(place.live) as other:
        assert place.file().patch({("a",): 1})
        assert place.live.read_text() == "a: 1\n"
        other.communicate("\n", timeout=WAIT_S)
        assert other.returncode == 0
    assert place.live.read_text() == "a: 1\nfrom_the_block: 1\n"


def test_a_killed_block_frees_everyone_at_once_and_saves_nothing(place: Place) -> None:
    place.write("a: 0\n")
    with suspended_elsewhere(place.live) as other:
        with pytest.raises(Busy), place.file(lock_timeout_s=0).suspended():
            pass
        other.kill()
        other.wait(WAIT_S)
        assert background(place).patch({("a",): 1})
        with place.file(lock_timeout_s=0).suspended():
            pass
    assert place.live.read_text() == "a: 1\n"


def test_a_background_worker_saves_when_nobody_edits(place: Place, amx: Amx) -> None:
    place.write("a: 0\n")
    done = amx("config", "set", "a", "1", "--background", env={"AMX_CONFIG": str(place.live)})
    assert done.code == 0
    assert place.live.read_text() == "a: 1\n"


def test_a_background_save_that_changes_nothing_is_not_refused(place: Place) -> None:
    place.write("a: 0\n")
    with suspended_elsewhere(place.live):
        assert not background(place).patch({("a",): 0})


def test_a_background_worker_saves_at_the_end_of_its_own_block(place: Place) -> None:
    place.write("a: 1\n")
    in_a_block(background(place), {("a",): 2})
    assert place.live.read_text() == "a: 2\n"


def test_an_edit_waits_for_a_background_save_that_is_under_way(place: Place) -> None:
    place.write("a: 0\n")
    with saving_in_the_background(place) as go:
        with pytest.raises(Busy), place.file(lock_timeout_s=0).suspended():
            pass
        seen: list[str] = []
        editor = threading.Thread(
            target=lambda: place.file(lock_timeout_s=WAIT_S).edit(
                lambda copy: seen.append(copy.read_text())
            )
        )
        editor.start()
        go.set()
        editor.join(WAIT_S)
    assert seen == ["a: 1\n"]


def test_an_edit_that_meets_a_background_save_names_nobody_who_is_long_gone(place: Place) -> None:
    place.write("a: 0\n")
    lock = place.folder / "config.yml.edit.lock"
    lock.write_text("99999\tother\tamx config edit\t2001-01-01T00:00:00Z\n")
    with saving_in_the_background(place), pytest.raises(Busy) as caught:
        place.file(lock_timeout_s=0).edit(untouched)
    assert "99999" not in caught.value.message
    assert place.live.read_text() == "a: 1\n"


def test_nothing_of_a_suspension_is_left_but_the_lock_file(place: Place) -> None:
    place.write("a: 0\n")
    with place.file().suspended():
        assert place.names() == ["config.yml", "config.yml.edit.lock"]
    assert place.names() == ["config.yml", "config.yml.edit.lock"]


def background(place: Place) -> ConfigFile:
    """Return the view of a background worker."""
    return ConfigFile(place.live, is_explicit=False, warn=print, is_background=True)


@contextmanager
def saving_in_the_background(place: Place) -> Iterator[threading.Event]:
    """Have a background worker stand before the rename of its save until it is let go."""
    reached, go = threading.Event(), threading.Event()

    def stop_before_the_rename(_: int, name: str, args: tuple[object, ...]) -> None:
        if name == "rename" and str(args[0]).endswith(".shadow"):
            reached.set()
            go.wait(WAIT_S)

    with watched(stop_before_the_rename):
        saver = threading.Thread(target=lambda: background(place).patch({("a",): 1}))
        saver.start()
        try:
            assert reached.wait(WAIT_S)
            yield go
        finally:
            go.set()
            saver.join(WAIT_S)
