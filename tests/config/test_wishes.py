"""Reconcile: changes that wait to be saved, each with what its maker knew, in their order."""

import pytest

from amx.core.errors import EditConflict
from tests.config.blocks import in_a_block, patched_by_a_thread
from tests.config.drafting import to
from tests.config.support import Place

# --- what was known


def test_a_block_of_a_process_that_never_loaded_overwrites_no_change_of_others(
    place: Place,
) -> None:
    place.write("a: 0\n")
    with pytest.raises(EditConflict):
        in_a_block(place.file(), {("a",): 1}, lambda: place.file().patch({("a",): 2}))
    assert place.live.read_text() == "a: 2\n"


def test_loading_in_a_block_hides_no_conflict_of_what_was_patched_before(place: Place) -> None:
    place.write("a: 0\n")
    file = place.file()
    file.load()
    with pytest.raises(EditConflict):
        in_a_block(file, {("a",): 1}, lambda: place.file().patch({("a",): 2}), file.load)
    assert place.live.read_text() == "a: 2\n"


def test_a_save_makes_no_change_of_others_known(place: Place) -> None:
    place.write("a: 1\nb: 1\n")
    file = place.file()
    file.load()
    place.file().patch({("b",): 2})
    assert file.patch({("a",): 2})
    with pytest.raises(EditConflict):
        file.patch({("b",): 3})
    assert place.live.read_text() == "a: 2\nb: 2\n"


def test_a_value_that_was_wished_for_and_found_is_known(place: Place) -> None:
    place.write("a: 1\n")
    file = place.file()
    file.load()
    place.file().patch({("a",): 2})
    assert not file.patch({("a",): 2})
    assert file.patch({("a",): 3})
    assert place.live.read_text() == "a: 3\n"


def test_a_wish_for_what_is_known_to_be_so_is_none_and_no_conflict(place: Place) -> None:
    place.write("a: 1\n")
    file = place.file()
    file.load()
    in_a_block(file, {("a",): 1}, lambda: place.file().patch({("a",): 2}))
    assert place.live.read_text() == "a: 2\n"


# --- conflicts


def test_a_patch_below_what_became_a_value_meanwhile_is_a_conflict_with_both_values(
    place: Place,
) -> None:
    place.write("a:\n  b: 1\n")
    file = place.file()
    file.load()
    place.file().patch({("a",): 5})
    with pytest.raises(EditConflict) as caught:
        file.patch({("a", "b"): 2})
    assert caught.value.message == (
        "a.b was changed by somebody else meanwhile: here 2, on disk 5. Nothing was changed."
    )
    assert place.live.read_text() == "a: 5\n"


def test_a_patch_that_waited_for_an_edit_of_the_same_key_is_a_conflict_and_the_edit_stays(
    place: Place,
) -> None:
    place.write("a: 1\nb: 1\n")
    file = place.file()
    file.load()
    with pytest.raises(EditConflict):
        in_a_block(file, {("a",): 2}, lambda: file.edit(to("a: 7\nb: 1\n")))
    assert place.live.read_text() == "a: 7\nb: 1\n"


def test_a_patch_of_another_thread_that_meets_a_change_is_told_once_and_fails_no_later_save(
    place: Place,
) -> None:
    place.write("a: 0\nb: 0\n")
    file = place.file()
    file.load()
    of_a_thread = patched_by_a_thread(file, {("a",): 1})
    with pytest.raises(EditConflict):
        in_a_block(file, {}, of_a_thread, lambda: place.file().patch({("a",): 2}))
    assert file.patch({("b",): 1})
    assert place.live.read_text() == "a: 2\nb: 1\n"


# --- their order


@pytest.mark.parametrize("is_last", [True, False], ids=["the thread", "the block"])
def test_of_patches_of_a_block_and_of_another_thread_the_last_one_wins(
    place: Place, *, is_last: bool
) -> None:
    place.write("a: 0\n")
    file = place.file()
    of_a_thread = patched_by_a_thread(file, {("a",): 2})
    with file.suspended():
        if not is_last:
            of_a_thread()
        file.patch({("a",): 1})
        if is_last:
            of_a_thread()
    assert place.live.read_text() == ("a: 2\n" if is_last else "a: 1\n")


def test_a_patch_above_others_takes_their_place_also_where_it_was_made_before(
    place: Place,
) -> None:
    place.write("a:\n  b: 1\n")
    file = place.file()
    with file.suspended():
        assert file.patch({("a",): {}})
        assert file.patch({("a", "b", "c"): 0})
        assert file.patch({("a",): 0})
    assert place.live.read_text() == "a: 0\n"
