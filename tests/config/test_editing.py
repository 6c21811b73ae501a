"""Guard 4: what `ConfigFile.edit` makes of a valid text, however an editor has written it."""

import stat
from pathlib import Path

import pytest

from amx.core.config.file import ConfigFile
from amx.core.errors import ConfigGone, ConfigInvalid, EditorFailed
from tests.config.drafting import (
    LOCKS,
    SAVED,
    UNCHANGED,
    Change,
    kept,
    refused,
    seen_by_the_next_edit,
    to,
    untouched,
)
from tests.config.support import Place

# --- a text that can be saved


def test_a_text_that_was_not_changed_writes_not_a_byte(place: Place) -> None:
    place.write("# note\na:   1\n", mode=0o640)
    before = place.state()
    assert place.file().edit(untouched) == UNCHANGED
    assert place.file().edit(to("# note\na:   1\n")) == UNCHANGED
    assert place.state() == before


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("# c\n\na:    2 # d\n\n# e\n", id="comments and blanks"),
        pytest.param("a: 2\r\n# c\r\n", id="CRLF"),
        pytest.param("\ufeffa: 2\n", id="byte order mark"),
        pytest.param("a: 2", id="no newline at the end"),
        pytest.param("---\n'a': &x {b: 1}\nc: *x\n...\n", id="anchors and markers"),
        pytest.param("b: 1\nunknown: [no, 010]\na: 1\n", id="another order, unknown keys"),
        pytest.param("a: 1\n# only a comment\n", id="only a comment"),
    ],
)
def test_a_valid_text_is_saved_byte_for_byte_and_once(place: Place, text: str) -> None:
    place.write("a: 1\nb: 1\n")
    assert place.file().edit(to(text)) == SAVED
    assert place.live.read_bytes() == text.encode()
    assert stat.S_IMODE(place.live.stat().st_mode) == 0o600
    assert place.backups() == ["a: 1\nb: 1\n"]
    assert place.names() == ["config.yml", "config.yml.bak.1", *LOCKS]


def test_the_copy_and_its_folder_are_private_and_the_copy_is_called_as_the_file(
    place: Place,
) -> None:
    place.write("a: 1\n", mode=0o644)
    seen: list[tuple[str, int, int]] = []

    def look(copy: Path) -> None:
        mode, above = copy.stat().st_mode, copy.parent.stat().st_mode
        seen.append((copy.name, stat.S_IMODE(mode), stat.S_IMODE(above)))

    place.file().edit(look)
    assert seen == [("config.yml", 0o600, 0o700)]


def test_on_a_new_installation_an_edit_begins_with_nothing_and_makes_the_file(
    place: Place,
) -> None:
    assert seen_by_the_next_edit(place) == ""
    assert place.file().edit(to("a: 1\n")) == SAVED
    assert place.live.read_text() == "a: 1\n"
    assert stat.S_IMODE(place.live.stat().st_mode) == 0o600


def test_a_file_that_was_named_and_is_not_there_is_not_made_by_an_edit(place: Place) -> None:
    refused(place.file(is_explicit=True), untouched, ConfigGone)
    assert not place.folder.exists()


@pytest.mark.parametrize(
    "broken", ["a: [\n", "", "a: 1\na: 2\n", "\x00", "history_store_enabled: 5\n"]
)
def test_a_broken_file_can_be_edited_and_mended(place: Place, broken: str) -> None:
    place.write(broken)
    assert seen_by_the_next_edit(place) == broken
    assert place.file().edit(to("a: 2\n")) == SAVED
    assert place.live.read_text() == "a: 2\n"
    assert place.backups() == [broken]


def test_an_edit_works_through_a_symbolic_link(tmp_path: Path) -> None:
    real, linked = Place(tmp_path / "dotfiles", "amx.yml"), Place(tmp_path / "amx")
    real.write("a: 1\n")
    linked.folder.mkdir()
    linked.live.symlink_to(real.live)
    assert linked.file().edit(to("a: 2\n")) == SAVED
    assert linked.live.is_symlink()
    assert linked.names() == ["config.yml"]
    assert real.live.read_text() == "a: 2\n"
    refused(linked.file(), to("a: [\n"), ConfigInvalid)
    assert (real.folder / "amx.yml.rejected").read_text() == "a: [\n"


def test_after_an_edit_this_process_knows_what_was_saved(place: Place) -> None:
    place.write("a: 1\n")
    file = place.file()
    file.load()
    file.edit(to("a: 2\n"))
    assert file.patch({("a",): 3})
    assert place.live.read_text() == "a: 3\n"


def test_a_background_worker_may_edit_itself(place: Place) -> None:
    place.write("a: 1\n")
    file = ConfigFile(place.live, is_explicit=False, warn=print, is_background=True)
    assert file.edit(to("a: 2\n")) == SAVED


# --- what editors do to a file


def renamed(copy: Path) -> None:
    """Save as editors do that write a new file."""
    other = copy.with_name("4913")
    other.write_text("a: 2\n")
    other.chmod(0o644)
    other.rename(copy)


def linked(copy: Path) -> None:
    """Put a symbolic link to a text elsewhere in place of the file."""
    target = copy.parents[2] / "elsewhere.yml"
    target.write_text("a: 2\n")
    copy.unlink()
    copy.symlink_to(target)


def littered(copy: Path) -> None:
    """Leave swap and backup files behind, and a folder of them."""
    copy.write_text("a: 2\n")
    copy.with_name(".config.yml.swp").write_bytes(b"b0VIM")
    copy.with_name("config.yml~").write_text("a: 1\n")
    copy.with_name("undo").mkdir()
    copy.with_name("undo").joinpath("%config.yml").write_bytes(b"VimUnDo")


def opened_to_all(copy: Path) -> None:
    """Leave the file readable for everybody."""
    copy.write_text("a: 2\n")
    copy.chmod(0o644)


@pytest.mark.parametrize("editor", [renamed, linked, littered, opened_to_all])
def test_however_an_editor_writes_the_text_is_saved_privately_and_nothing_is_left(
    place: Place, editor: Change
) -> None:
    place.write("a: 1\n")
    assert place.file().edit(editor) == SAVED
    assert place.live.read_text() == "a: 2\n"
    assert not place.live.is_symlink()
    assert stat.S_IMODE(place.live.stat().st_mode) == 0o600
    assert place.names() == ["config.yml", "config.yml.bak.1", *LOCKS]


def test_an_editor_that_removes_the_copy_changes_nothing_and_what_was_kept_stays(
    place: Place,
) -> None:
    place.write("a: 1\n")
    before = place.state()
    refused(place.file(), Path.unlink, EditorFailed)
    assert place.state() == before
    refused(place.file(), to("a: [\n"), ConfigInvalid)
    refused(place.file(), Path.unlink, EditorFailed)
    assert kept(place).read_text() == "a: [\n"
