"""Guard 4: autosave suspended, within one process: once, nested, by threads."""

import threading
from contextlib import nullcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amx.core.config.model import REMOVED, Changes, applied
from amx.core.errors import Busy, ConfigInvalid, EditConflict, UsageError
from amx.core.locks import FileLock
from tests.config.blocks import Elsewhere, fail, in_a_block, patched_by_a_thread
from tests.config.editors import WAIT_S
from tests.config.support import Place

# --- one block


def test_what_is_patched_in_a_block_is_saved_once_when_it_ends(place: Place) -> None:
    place.write("# note\na: 0\n")
    file = place.file()
    with file.suspended():
        for n in range(9):
            assert file.patch({(f"k{n}",): n})
        assert place.live.read_text() == "# note\na: 0\n"
        assert place.backups() == []
    assert place.file().load().raw == {"a": 0, **{f"k{n}": n for n in range(9)}}
    assert place.backups() == ["# note\na: 0\n"]


def test_a_block_that_raises_saves_none_of_its_patches_and_burns_no_generation(
    place: Place,
) -> None:
    place.write("a: 0\n")
    before = place.state()
    file = place.file()
    with pytest.raises(ZeroDivisionError):
        in_a_block(file, {("a",): 1, ("b",): 2}, fail)
    assert place.state() == before
    assert file.patch({("c",): 3})
    assert place.live.read_text() == "a: 0\nc: 3\n"


def test_patches_that_lead_back_to_what_is_there_write_nothing(place: Place) -> None:
    place.write("a: 0\n")
    before = place.state()
    file = place.file()
    with file.suspended():
        assert file.patch({("a",): 1})
        assert file.patch({("a",): 0})
        assert file.patch({("b",): 1})
        assert file.patch({("b",): REMOVED})
        assert not file.patch({("a",): 0, ("b",): REMOVED})
    assert place.state() == before


def test_a_block_without_a_patch_writes_nothing(place: Place) -> None:
    place.write("a: 0\n", mode=0o640)
    before = place.state()
    with place.file().suspended():
        pass
    assert place.state() == before


def test_a_patch_of_the_wrong_type_is_refused_in_the_block_and_leaves_the_others(
    place: Place,
) -> None:
    place.write("a: 0\n")
    file = place.file()
    with file.suspended():
        file.patch({("a",): 1})
        with pytest.raises(UsageError):
            file.patch({("active_db_profile",): 5})
        with pytest.raises(UsageError):
            file.patch({("a", "below"): 5})
    assert place.live.read_text() == "a: 1\n"


def test_loading_in_a_block_tells_what_is_on_disk(place: Place) -> None:
    place.write("a: 0\n")
    file = place.file()
    with file.suspended():
        file.patch({("a",): 1})
        assert file.load().raw == {"a": 0}
    assert file.load().raw == {"a": 1}


PARTS = st.sampled_from(["a", "b", "c"])
KEYS = st.tuples(st.just("a"), PARTS)
VALUES = st.integers(0, 3) | st.just(REMOVED) | st.dictionaries(PARTS, st.integers(0, 3))


@settings(max_examples=30)
@given(
    patches=st.lists(st.tuples(st.booleans(), st.dictionaries(KEYS, VALUES)), max_size=6),
)
def test_a_block_ends_with_what_its_patches_say_one_after_the_other(
    tmp_path_factory: pytest.TempPathFactory, patches: list[tuple[bool, Changes]]
) -> None:
    place = Place(tmp_path_factory.mktemp("block"))
    place.write("a:\n  b: 1\nz: 1\n")
    file, wanted = place.file(), place.file().load().raw
    with file.suspended():
        for is_nested, changes in patches:
            try:
                wanted = applied(wanted, changes)
            except UsageError:
                with pytest.raises(UsageError):
                    file.patch(changes)
                continue
            with file.suspended() if is_nested else nullcontext():
                file.patch(changes)
    assert place.file().load().raw == wanted
    assert len(place.backups()) <= 1


# --- nesting


def test_nested_blocks_are_saved_once_when_the_outer_one_ends(place: Place) -> None:
    place.write("a: 0\n")
    file = place.file()
    with file.suspended():
        file.patch({("a",): 1})
        with file.suspended():
            file.patch({("b",): 2})
        assert place.live.read_text() == "a: 0\n"
    assert place.live.read_text() == "a: 1\nb: 2\n"
    assert place.backups() == ["a: 0\n"]


def test_an_inner_block_that_raises_takes_only_its_own_patches_with_it(place: Place) -> None:
    place.write("a: 0\nb: 0\n")
    file = place.file()
    with file.suspended():
        file.patch({("a",): 1})
        with pytest.raises(ZeroDivisionError):
            in_a_block(file, {("a",): 5, ("b",): 5}, fail)
        assert file.patch({("b",): 2})
    assert place.live.read_text() == "a: 1\nb: 2\n"


def test_an_outer_block_that_raises_takes_the_patches_of_inner_ones_with_it(place: Place) -> None:
    place.write("a: 0\n")
    file = place.file()
    with pytest.raises(ZeroDivisionError):
        in_a_block(file, {("b",): 1}, lambda: in_a_block(file, {("a",): 1}), fail)
    assert place.live.read_text() == "a: 0\n"
    assert not file.patch({("a",): 0})


# --- threads


def test_a_patch_of_a_thread_without_a_block_is_saved_with_the_block(place: Place) -> None:
    place.write("a: 0\n")
    file = place.file()
    with file.suspended():
        patched_by_a_thread(file, {("t",): 1})()
        file.patch({("a",): 1})
        assert place.live.read_text() == "a: 0\n"
    assert place.live.read_text() == "a: 1\nt: 1\n"
    assert place.backups() == ["a: 0\n"]


def test_a_patch_of_a_thread_without_a_block_is_saved_although_the_block_raises(
    place: Place,
) -> None:
    place.write("a: 0\n")
    file = place.file()
    with pytest.raises(ZeroDivisionError):
        in_a_block(file, {("a",): 1}, patched_by_a_thread(file, {("t",): 1}), fail)
    assert place.live.read_text() == "a: 0\nt: 1\n"


def test_the_last_of_two_blocks_saves_both(place: Place) -> None:
    place.write("a: 0\n")
    file = place.file()
    other = Elsewhere(file, {("t",): 1})
    with file.suspended():
        file.patch({("a",): 1})
    assert place.live.read_text() == "a: 0\n"
    other.leave()
    assert not other.raised
    assert place.file().load().raw == {"a": 1, "t": 1}
    assert place.backups() == ["a: 0\n"]


@pytest.mark.parametrize("is_first", [True, False], ids=["first to end", "last to end"])
def test_of_two_blocks_the_one_that_raises_takes_nothing_of_the_other_with_it(
    place: Place, *, is_first: bool
) -> None:
    place.write("a: 0\n")
    file = place.file()
    other = Elsewhere(file, {("t",): 1})
    with file.suspended():
        file.patch({("a",): 1})
        if is_first:
            other.leave(ValueError("no"))
    if not is_first:
        other.leave(ValueError("no"))
    assert [str(error) for error in other.raised] == ["no"]
    assert place.live.read_text() == "a: 1\n"


def test_many_threads_with_and_without_blocks_lose_no_patch(place: Place) -> None:
    place.write("a: 0\n")
    file = place.file()

    def work(number: int) -> None:
        for n in range(5):
            if number % 2:
                file.patch({(f"p{number}", f"k{n}"): n})
                continue
            with file.suspended():
                file.patch({(f"p{number}", f"k{n}"): n})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    wanted = {f"p{number}": {f"k{n}": n for n in range(5)} for number in range(6)}
    assert place.file().load().raw == {"a": 0, **wanted}


# --- the save at the end


def test_the_error_of_a_block_is_not_hidden_by_that_of_the_save_of_others(place: Place) -> None:
    place.write("a: 0\n")
    file = place.file()
    file.load()
    of_a_thread = patched_by_a_thread(file, {("a",): 1})
    with pytest.raises(ZeroDivisionError):
        in_a_block(file, {}, of_a_thread, lambda: place.file().patch({("a",): 2}), fail)
    assert place.live.read_text() == "a: 2\n"


def test_a_conflict_at_the_end_is_told_and_drops_the_patches_of_the_block(place: Place) -> None:
    place.write("a: 0\nb: 0\n")
    file = place.file()
    file.load()
    with pytest.raises(EditConflict) as caught:
        in_a_block(file, {("a",): 1}, lambda: place.file().patch({("a",): 2}))
    assert "a was changed by somebody else meanwhile: here 1, on disk 2." in caught.value.message
    assert file.patch({("b",): 1})
    assert place.live.read_text() == "a: 2\nb: 1\n"


def test_a_lock_that_is_held_at_the_end_is_told_and_only_deferred_patches_wait_for_the_next(
    place: Place,
) -> None:
    place.write("a: 0\n")
    file = place.file(lock_timeout_s=0.05)
    lock = place.folder / "config.yml.lock"
    with FileLock(lock, wait_s=0, purpose="tests"), pytest.raises(Busy):
        in_a_block(file, {("a",): 1}, patched_by_a_thread(file, {("t",): 1}))
    assert place.live.read_text() == "a: 0\n"
    assert file.patch({("c",): 1})
    assert place.live.read_text() == "a: 0\nt: 1\nc: 1\n"


def test_a_file_that_broke_meanwhile_is_told_at_the_end_and_is_not_saved_over(
    place: Place,
) -> None:
    place.write("a: 0\n")
    file = place.file()
    with pytest.raises(ConfigInvalid):
        in_a_block(file, {("a",): 1}, lambda: place.write("a: [\n"))
    assert place.live.read_text() == "a: [\n"
