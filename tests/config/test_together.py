"""Guard 4: an edit, and what others made of the file meanwhile."""

import threading

import pytest

from amx.core.config.merge import merged_text
from amx.core.config.model import REMOVED
from amx.core.config.restoring import Source
from amx.core.errors import Busy, ConfigInvalid
from tests.config.blocks import patched_by_a_thread
from tests.config.drafting import LOCKS, MERGED, SAVED, kept, refused, to
from tests.config.editors import WAIT_S
from tests.config.support import Place

TEXT = "# top\na: 1  # of a\nb: 1  # of b\nc: 1  # of c\n"


def test_a_change_of_another_key_is_merged_with_the_comments_of_both(place: Place) -> None:
    place.write(TEXT)
    mine = TEXT.replace("a: 1  # of a", "a: 2  # mine")
    theirs = TEXT.replace("c: 1  # of c", "# new, of theirs\nc: 3  # theirs")
    assert place.file().edit(to(mine, lambda: place.write(theirs))) == MERGED
    assert place.live.read_text() == (
        "# top\na: 2  # mine\nb: 1  # of b\n# new, of theirs\nc: 3  # theirs\n"
    )
    assert place.backups()[0] == theirs
    assert place.names() == ["config.yml", "config.yml.bak.1", *LOCKS]


def test_where_lines_meet_the_keys_are_merged_and_what_the_editor_wrote_stays(
    place: Place,
) -> None:
    place.write("a: {x: 1, y: 1}\nb: 1\n")

    def by_others() -> None:
        place.file().patch({("a", "y"): 2, ("b",): REMOVED, ("d",): 1})

    assert place.file().edit(to("# mine\na: {x: 2, y: 1}\nb: 1\n", by_others)) == MERGED
    assert place.live.read_text() == "# mine\na: {x: 2, y: 2}\nd: 1\n"


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "merged"),
    [
        pytest.param(
            "a:\n  b: 1\n\n# end\n",
            "a:\n  b: 1\nn:\n  m: 1\n\n# end\n",
            "a:\n  b: 1\n\n  c: 1\n# end\n",
            {"a": {"b": 1, "c": 1}, "n": {"m": 1}},
            id="their line would come below my key",
        ),
        pytest.param(
            "a: 1\nb: 1\n",
            "c: 1\na: 1\nb: 1\n",
            "a: 1\nb: 1\nc: 1\n",
            {"a": 1, "b": 1, "c": 1},
            id="one key would stand there twice",
        ),
    ],
)
def test_lines_are_not_merged_where_that_would_mean_something_else(
    place: Place, base: str, mine: str, theirs: str, merged: dict[str, object]
) -> None:
    assert merged_text(base, mine, theirs) is not None
    place.write(base)
    place.file().edit(to(mine, lambda: place.write(theirs)))
    assert place.file().load().raw == merged


def test_every_save_of_others_during_an_edit_is_in_the_end(place: Place) -> None:
    place.write(TEXT)

    def by_others() -> None:
        for n in range(7):
            assert place.file().patch({(f"k{n}",): n})

    assert place.file().edit(to(f"{TEXT}mine: 1\n", by_others)) == MERGED
    wanted = {"a": 1, "b": 1, "c": 1, "mine": 1, **{f"k{n}": n for n in range(7)}}
    assert place.file().load().raw == wanted


def test_the_same_change_of_others_is_no_conflict_and_writes_nothing_more(place: Place) -> None:
    place.write("a: 1\n")
    assert not place.file().edit(to("a: 2\n", lambda: place.write("a: 2\n"))).is_changed
    assert place.live.read_text() == "a: 2\n"
    assert place.names() == ["config.yml", *LOCKS]


def test_a_restore_during_an_edit_is_merged_with_it(place: Place) -> None:
    place.write("a: 1\nb: 1\nc: 1\n")
    place.file().patch({("c",): 2})

    def restore() -> None:
        assert place.file().restore(Source(number=1)).is_changed

    assert place.file().edit(to("a: 5\nb: 1\nc: 2\n", restore)) == MERGED
    assert place.live.read_text() == "a: 5\nb: 1\nc: 1\n"


def test_their_change_of_a_comment_is_merged_also_where_amx_could_not_write_the_text(
    place: Place,
) -> None:
    rest = "b: [1, # one\n  2]\n"
    place.write(f"a: 1  # x\n{rest}")
    theirs = f"a: 1  # y\n{rest}"
    assert place.file().edit(to(f"a: 2  # x\n{rest}", lambda: place.write(theirs))).is_changed
    assert place.live.read_text() == f"a: 2  # x\n{rest}"


def test_a_kept_text_is_merged_with_what_others_saved_before_the_next_edit(place: Place) -> None:
    place.write("a: 1\nb: 1\nc: 1\n")
    refused(place.file(), to("a: [\nb: 1\nc: 1\n"), ConfigInvalid)
    place.file().patch({("c",): 2})
    assert place.file().edit(to("a: [1]\nb: 1\nc: 1\n")) == MERGED
    assert place.live.read_text() == "a: [1]\nb: 1\nc: 2\n"


def test_a_new_installation_that_others_began_meanwhile_is_merged(place: Place) -> None:
    def by_others() -> None:
        place.file().patch({("b",): 1})

    assert place.file().edit(to("# mine\na: 1\n", by_others)) == MERGED
    assert place.live.read_text() == "# mine\na: 1\nb: 1\n"


# --- within one process


def test_a_patch_of_another_thread_during_an_edit_is_saved_after_it(place: Place) -> None:
    place.write("a: 1\n")
    file = place.file()
    patch = patched_by_a_thread(file, {("b",): 1})
    assert file.edit(to("a: 2\n", patch)) == SAVED
    assert place.live.read_text() == "a: 2\nb: 1\n"


def test_a_patch_of_another_thread_is_saved_although_the_edit_is_refused(place: Place) -> None:
    place.write("a: 1\n")
    file = place.file()
    refused(file, to("a: [\n", patched_by_a_thread(file, {("b",): 1})), ConfigInvalid)
    assert place.live.read_text() == "a: 1\nb: 1\n"
    assert kept(place).read_text() == "a: [\n"


def test_a_second_edit_in_one_process_is_refused_and_the_first_goes_on(place: Place) -> None:
    place.write("a: 1\n")
    file = place.file(lock_timeout_s=0)
    raised: list[BaseException] = []

    def second() -> None:
        with pytest.raises(Busy) as caught:
            file.edit(to("a: 3\n"))
        raised.append(caught.value)

    thread = threading.Thread(target=second)
    assert file.edit(to("a: 2\n", thread.start, lambda: thread.join(WAIT_S))) == SAVED
    assert place.live.read_text() == "a: 2\n"
    assert len(raised) == 1
