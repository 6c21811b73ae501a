"""Guard 4: an edit that meets what others did: it is told, theirs stays, and the text is kept."""

import pytest

from amx.core.config.model import REMOVED
from amx.core.errors import ConfigGone, ConfigInvalid, EditConflict
from tests.config.drafting import KEPT, SAVED, kept, refused, seen_by_the_next_edit, to, untouched
from tests.config.support import Place

TEXT = "# top\na: 1  # of a\nb: 1  # of b\nc: 1  # of c\n"

# --- a change of the same key


def test_a_change_of_the_same_key_is_refused_with_both_values_and_the_text_is_kept(
    place: Place,
) -> None:
    place.write("a: 1\npassword: ${OLD}\nc: 1\n")
    theirs = "a: 3\npassword: theirs\nc: 1\n"
    mine = "a: 2\npassword: mine\nc: 1\n"
    error = refused(place.file(), to(mine, lambda: place.write(theirs)), EditConflict)
    assert error.message == (
        "a was changed by somebody else meanwhile: here 2, on disk 3; "
        "password was changed by somebody else meanwhile: here '***', on disk '***'. "
        f"Nothing was changed. {place.live} is unchanged; your text is in {kept(place)}."
    )
    met = [
        {"key": "a", "mine": "2", "theirs": "3"},
        {"key": "password", "mine": "'***'", "theirs": "'***'"},
    ]
    assert error.details == {**met[0], "conflicts": met, "kept": str(kept(place))}
    assert place.live.read_text() == theirs
    assert place.backups() == []


@pytest.mark.parametrize(
    ("mine", "theirs", "key", "words"),
    [
        pytest.param("a:\n  b: 1\n  c: 1\n", REMOVED, "a.c", ("1", "removed"), id="removed"),
        pytest.param("a:\n  b: 2\n", 5, "a.b", ("2", "5"), id="a value"),
        pytest.param("a: {}\n", 5, "a.b", ("removed", "5"), id="a value, with a key removed here"),
    ],
)
def test_a_change_below_a_mapping_that_is_none_any_more_is_a_conflict(
    place: Place, mine: str, theirs: object, key: str, words: tuple[str, str]
) -> None:
    place.write("a:\n  b: 1\nz: 1\n")

    def by_others() -> None:
        place.file().patch({("a",): theirs})

    error = refused(place.file(), to(f"{mine}z: 1\n", by_others), EditConflict)
    assert error.details["conflicts"] == [{"key": key, "mine": words[0], "theirs": words[1]}]
    assert place.file().load().raw == ({"z": 1} if theirs is REMOVED else {"a": theirs, "z": 1})


def test_after_a_conflict_the_next_edit_has_what_else_others_changed_and_saves_it(
    place: Place,
) -> None:
    place.write(TEXT)

    def by_others() -> None:
        place.file().patch({("a",): 3, ("c",): 4, ("d",): 5})

    mine = TEXT.replace("a: 1  # of a", "a: 2  # mine")
    refused(place.file(), to(mine, by_others), EditConflict)
    wanted = "# top\na: 2  # mine\nb: 1  # of b\nc: 4  # of c\nd: 5\n"
    assert seen_by_the_next_edit(place) == wanted
    assert place.file().edit(untouched) == SAVED
    assert place.live.read_text() == wanted
    assert not set(KEPT) & set(place.names())


def test_after_a_conflict_the_next_edit_can_save_also_where_amx_could_not_write_the_text(
    place: Place,
) -> None:
    rest = "l: [1, # one\n  2]\n"
    place.write(f"a: 1\n{rest}m: 1\n")
    theirs = f"a: 3\n{rest}m: 2\n"
    refused(place.file(), to(f"a: 2\n{rest}m: 1\n", lambda: place.write(theirs)), EditConflict)
    assert place.file().edit(untouched) == SAVED
    assert place.live.read_text() == f"a: 2\n{rest}m: 2\n"


# --- a file that is another one altogether


def test_a_file_that_broke_meanwhile_is_told_and_left_and_the_text_is_kept(place: Place) -> None:
    place.write("a: 1\n")
    error = refused(place.file(), to("a: 2\n", lambda: place.write("a: [\n")), ConfigInvalid)
    assert error.message.startswith(f"{place.live}, line 2, column 1: ")
    assert error.hint == "amx config restore --list; then amx config edit"
    assert place.live.read_text() == "a: [\n"
    assert kept(place).read_text() == "a: 2\n"
    place.write("a: 1\n")
    assert place.file().edit(untouched) == SAVED
    assert place.live.read_text() == "a: 2\n"


def test_a_file_that_was_emptied_meanwhile_is_broken_and_no_new_installation(
    place: Place,
) -> None:
    place.write("a: 1\nb: 1\n")
    refused(place.file(), to("a: 1\nb: 1\nc: 3\n", lambda: place.write("")), ConfigInvalid)
    assert place.live.read_bytes() == b""
    assert kept(place).read_text() == "a: 1\nb: 1\nc: 3\n"


def test_a_file_that_is_gone_meanwhile_is_not_made_again_and_the_text_is_kept(
    place: Place,
) -> None:
    place.write("a: 1\n")
    refused(place.file(), to("a: 2\n", place.live.unlink), ConfigGone)
    assert not place.live.exists()
    assert kept(place).read_text() == "a: 2\n"


def test_a_broken_file_that_others_mended_meanwhile_is_not_overwritten_by_surprise(
    place: Place,
) -> None:
    place.write("a: [\n")
    refused(place.file(), to("a: 2\n", lambda: place.write("a: 1\nb: 1\n")), EditConflict)
    assert place.live.read_text() == "a: 1\nb: 1\n"
    assert seen_by_the_next_edit(place) == "a: 2\n"
    assert place.file().edit(untouched) == SAVED
    assert place.live.read_text() == "a: 2\n"
    assert place.backups() == ["a: 1\nb: 1\n"]


# --- a merge that cannot be made


def test_a_merge_that_would_lose_a_comment_is_not_made_and_the_text_is_kept(
    place: Place,
) -> None:
    base = "a: 1\nl: [1, # one\n  2]\nb:\n- 1\n"
    mine, theirs = base.replace("a: 1", "a: 2").replace("- 1", "- 1 # mine"), f"{base[:-2]}2\n"
    place.write(base)
    error = refused(place.file(), to(mine, lambda: place.write(theirs)), EditConflict)
    assert "the two cannot be merged" in error.message
    assert error.details == {"kept": str(kept(place))}
    assert place.live.read_text() == theirs
    assert kept(place).read_text() == mine


def test_a_merge_that_would_mean_something_else_is_not_made_and_the_text_is_kept(
    place: Place,
) -> None:
    merging = "d: &d {x: 1}\ne: {<<: *d, y: 1}\n"
    place.write(merging)
    mine, theirs = merging.replace("y: 1", "y: 2"), merging.replace("<<: *d, ", "")
    error = refused(place.file(), to(mine, lambda: place.write(theirs)), EditConflict)
    assert "the two cannot be merged" in error.message
    assert place.live.read_text() == theirs
    assert kept(place).read_text() == mine
