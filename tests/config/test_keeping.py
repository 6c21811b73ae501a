"""Guard 4: a text that cannot be saved is kept aside, and is what the next edit begins with."""

import stat
from pathlib import Path

import pytest

from amx.core.errors import Busy, ConfigInvalid, EditorFailed
from amx.core.locks import FileLock
from tests.config.drafting import (
    KEPT,
    LOCKS,
    SAVED,
    UNCHANGED,
    kept,
    linked_to,
    refused,
    seen_by_the_next_edit,
    to,
    untouched,
)
from tests.config.support import Place


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        pytest.param("a: 1\nb: [\n", 3, 1, id="broken"),
        pytest.param("a: 1\nhistory_store_enabled: often\n", 2, 24, id="of the wrong type"),
        pytest.param("a: 1\nb: 2\na: 3\n", 3, 1, id="a key twice"),
        pytest.param("", 1, 1, id="emptied"),
        pytest.param(b"a: \xff\n", 1, 4, id="no UTF-8"),
        pytest.param(b"a: 1\n# " + b"x" * (10 << 20), 1, 1, id="ten megabytes"),
    ],
)
def test_an_invalid_text_is_told_with_its_place_and_kept_and_nothing_else_is_changed(
    place: Place, text: str | bytes, line: int, column: int
) -> None:
    place.write("a: 1\n", mode=0o640)
    place.write_backups("a: 0\n")
    before = place.state()
    error = refused(place.file(), to(text), ConfigInvalid)
    assert error.details == {"line": line, "column": column, "kept": str(kept(place))}
    assert error.message.startswith(str(kept(place)))
    assert f"{place.live} is unchanged; your text is in {kept(place)}." in error.message
    assert error.hint is not None
    assert "amx config edit" in error.hint
    assert kept(place).read_bytes() == (text.encode() if isinstance(text, str) else text)
    assert stat.S_IMODE(kept(place).stat().st_mode) == 0o600
    after = place.state()
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"config.yml.rejected", "config.yml.rejected.base"}


def test_a_rejected_text_is_opened_again_and_once_saved_nothing_of_it_is_left(
    place: Place,
) -> None:
    place.write("a: 1\n")
    refused(place.file(), to("a: [ # mine\n"), ConfigInvalid)
    assert seen_by_the_next_edit(place) == "a: [ # mine\n"
    assert any(str(kept(place)) in warning for warning in place.warnings)
    refused(place.file(), untouched, ConfigInvalid)
    assert seen_by_the_next_edit(place) == "a: [ # mine\n"
    assert place.file().edit(to("a: [1] # mine\n")) == SAVED
    assert place.live.read_text() == "a: [1] # mine\n"
    assert place.names() == ["config.yml", "config.yml.bak.1", *LOCKS]


def test_a_fresh_edit_throws_away_what_was_kept(place: Place) -> None:
    place.write("a: 1\n")
    refused(place.file(), to("a: [\n"), ConfigInvalid)
    assert place.file().edit(untouched, is_fresh=True) == UNCHANGED
    assert place.names() == ["config.yml", LOCKS[0]]


def test_what_an_editor_that_failed_had_changed_is_kept(place: Place) -> None:
    def change(copy: Path) -> None:
        copy.write_text("a: 2\n")
        raise EditorFailed("The editor ended with 3.")

    place.write("a: 1\n")
    error = refused(place.file(), change, EditorFailed)
    assert error.details == {"kept": str(kept(place))}
    assert kept(place).read_text() == "a: 2\n"
    assert place.live.read_text() == "a: 1\n"


def test_what_an_error_of_another_kind_interrupts_is_kept_for_the_next_edit(place: Place) -> None:
    def change(copy: Path) -> None:
        copy.write_text("a: 2\n")
        raise ZeroDivisionError

    place.write("a: 1\nb: 1\n")
    with pytest.raises(ZeroDivisionError):
        place.file().edit(change)
    assert place.file().patch({("b",): 2})
    assert place.names() == ["config.yml", "config.yml.bak.1", *LOCKS, *KEPT]
    assert seen_by_the_next_edit(place) == "a: 2\n"


def test_a_text_that_cannot_be_saved_for_the_lock_is_kept(place: Place) -> None:
    place.write("a: 1\n")
    lock = place.folder / "config.yml.lock"
    with FileLock(lock, wait_s=0, purpose="tests"):
        refused(place.file(lock_timeout_s=0), to("a: 2\n"), Busy)
    assert place.live.read_text() == "a: 1\n"
    assert place.file().edit(untouched) == SAVED
    assert place.live.read_text() == "a: 2\n"
    assert not kept(place).exists()


def test_an_editor_that_fails_without_a_change_leaves_nothing(place: Place) -> None:
    place.write("a: 1\n")
    seen_by_the_next_edit(place)
    assert place.names() == ["config.yml", LOCKS[0]]


def test_a_text_as_large_as_ten_megabytes_is_opened_again_whole_and_its_size_is_told(
    place: Place,
) -> None:
    text = b"a: " + b"x" * 10_000_000
    place.write("a: 1\n")
    refused(place.file(), to(text), ConfigInvalid)
    error = refused(place.file(), untouched, ConfigInvalid)
    assert f"{kept(place)} has 10000003 bytes" in error.message
    assert kept(place).read_bytes() == text


def test_a_rejected_text_is_kept_although_a_generation_says_the_same(place: Place) -> None:
    place.write("a: [\n")
    place.file().edit(to("a: 1\n"))
    assert place.backups() == ["a: [\n"]
    refused(place.file(), to("a: [\n"), ConfigInvalid)
    assert kept(place).read_text() == "a: [\n"


# --- a copy that an editor has made a symbolic link


def test_what_a_relative_link_leads_to_is_kept_as_a_file_of_its_own(place: Place) -> None:
    def change(copy: Path) -> None:
        other = copy.rename(copy.with_name("other"))
        other.write_text("a: [\n")
        copy.symlink_to(other.name)

    place.write("a: 1\n")
    refused(place.file(), change, ConfigInvalid)
    assert kept(place).read_text() == "a: [\n"
    assert not kept(place).is_symlink()


def test_keeping_what_a_link_leads_to_leaves_that_as_it_is(place: Place, tmp_path: Path) -> None:
    other = tmp_path / "mine.yml"
    other.write_text("a: [\n")
    other.chmod(0o644)
    before = other.stat()
    place.write("a: 1\n")
    refused(place.file(), linked_to(other), ConfigInvalid)
    after = other.stat()
    assert (after.st_ino, after.st_mode, after.st_mtime) == (
        before.st_ino,
        before.st_mode,
        before.st_mtime,
    )
    assert stat.S_IMODE(kept(place).lstat().st_mode) == 0o600
    assert not kept(place).is_symlink()


def test_a_link_to_itself_is_no_text_and_blocks_no_later_edit(place: Place) -> None:
    place.write("a: 1\n")
    refused(place.file(), linked_to("config.yml"), EditorFailed)
    assert place.file().edit(untouched) == UNCHANGED
    assert place.names() == ["config.yml", LOCKS[0]]
