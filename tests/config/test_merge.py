"""Reconcile: changes of two sides since both knew the same configuration."""

import json
import time
from collections.abc import Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from amx.core.config.file import ConfigFile
from amx.core.config.keys import Key
from amx.core.config.merge import between, conflict, conflicts, merged_text
from amx.core.config.model import REMOVED, Changes, applied, same, value_at
from amx.core.config.syntax import read
from amx.core.errors import EditConflict
from tests.config.support import Place

Values = dict[str, object]

PARTS = st.sampled_from(["a", "b", "c", "d"])
SCALARS = st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from([1.0, "1", "no"])
ATOMS = SCALARS | st.lists(SCALARS, max_size=2)
CONFIGURATIONS = st.recursive(
    st.dictionaries(PARTS, ATOMS, max_size=4),
    lambda inner: st.dictionaries(PARTS, ATOMS | inner, max_size=4),
    max_leaves=8,
)
FLAT = st.dictionaries(PARTS, ATOMS, max_size=4)


def lies_within(one: Key, two: Key) -> bool:
    """Tell whether one of two keys is, or lies below, the other."""
    length = min(len(one), len(two))
    return one[:length] == two[:length]


def apart_from(some: Changes, others: Changes) -> Changes:
    """Return those of the others that lie neither above nor below nor upon any of some."""
    return {
        key: value
        for key, value in others.items()
        if not any(lies_within(key, one) for one in some)
    }


# --- by keys


@given(CONFIGURATIONS, CONFIGURATIONS)
def test_the_changes_between_two_configurations_lead_from_one_to_the_other(
    base: Values, new: Values
) -> None:
    assert same(applied(base, between(base, new)), new)


@given(CONFIGURATIONS, CONFIGURATIONS, CONFIGURATIONS)
def test_disjoint_changes_are_merged_to_both_whoever_comes_first(
    base: Values, mine: Values, theirs: Values
) -> None:
    my = between(base, mine)
    theirs = applied(base, apart_from(my, between(base, theirs)))
    their = between(base, theirs)
    assume(not any(lies_within(one, two) for one in my for two in their))
    assert conflicts(base, theirs, my) == conflicts(base, mine, their) == []
    merged = applied(theirs, my)
    assert same(merged, applied(mine, their))
    for key, value in [*my.items(), *their.items()]:
        assert same(value_at(merged, key), value)


@given(FLAT, FLAT, FLAT)
def test_there_is_a_conflict_if_and_only_if_both_changed_a_key_to_different_values(
    base: Values, mine: Values, theirs: Values
) -> None:
    def differs(one: Values, two: Values, name: str) -> bool:
        return not same(one.get(name, REMOVED), two.get(name, REMOVED))

    met = {
        (name,)
        for name in {*base, *mine, *theirs}
        if differs(base, mine, name) and differs(base, theirs, name) and differs(mine, theirs, name)
    }
    assert set(conflicts(base, theirs, between(base, mine))) == met
    assert set(conflicts(base, mine, between(base, theirs))) == met


@given(CONFIGURATIONS, CONFIGURATIONS)
def test_the_same_change_on_both_sides_is_no_conflict(base: Values, new: Values) -> None:
    assert conflicts(base, new, between(base, new)) == []


@given(CONFIGURATIONS, CONFIGURATIONS)
def test_what_only_one_side_changed_is_no_conflict(base: Values, new: Values) -> None:
    assert conflicts(base, base, between(base, new)) == []
    assert conflicts(base, new, {}) == []


@pytest.mark.parametrize(
    ("base", "theirs", "changes"),
    [
        pytest.param({"a": [1]}, {"a": [1, 2]}, {("a",): [0, 1]}, id="a list is an atom"),
        pytest.param({"a": 1}, {"a": True}, {("a",): 1.0}, id="types are part of a value"),
        pytest.param({"a": 1}, {}, {("a",): 2}, id="removed there, changed here"),
        pytest.param({"a": 1}, {"a": 2}, {("a",): REMOVED}, id="changed there, removed here"),
        pytest.param({}, {"a": 1}, {("a",): 2}, id="added on both sides"),
        pytest.param({"a": {"b": 1}}, {"a": 5}, {("a", "b"): 2}, id="it became a value there"),
        pytest.param({"a": {}}, {"a": 5}, {("a", "b"): 2}, id="no room for a key below a value"),
        pytest.param({"a": {"b": 1}}, {"a": {"b": 2}}, {("a",): 5}, id="it becomes a value here"),
        pytest.param(
            {"a": {"b": 1}}, {"a": {"b": 1, "c": 1}}, {("a",): REMOVED}, id="more came below it"
        ),
        pytest.param({"a": {"b": 1}}, {}, {("a", "b"): 2}, id="all above it is gone"),
    ],
)
def test_a_change_that_meets_another_one_is_a_conflict(
    base: Values, theirs: Values, changes: Changes
) -> None:
    assert conflicts(base, theirs, changes) == list(changes)


@pytest.mark.parametrize(
    ("base", "theirs", "changes"),
    [
        pytest.param({"a": {"b": 1}}, {"a": {"b": 1, "c": 1}}, {("a", "b"): 2}, id="a sister"),
        pytest.param({"a": 1}, {"a": 2}, {("a",): 2}, id="the same value"),
        pytest.param({"a": 1}, {}, {("a",): REMOVED}, id="both removed it"),
        pytest.param({"a": {"b": 1}}, {"b": 1, "a": {"b": 1}}, {("a", "b"): 2}, id="another key"),
        pytest.param({}, {"a": {}}, {("a", "b"): 2}, id="a mapping came above it"),
    ],
)
def test_a_change_that_meets_no_other_one_is_none(
    base: Values, theirs: Values, changes: Changes
) -> None:
    assert conflicts(base, theirs, changes) == []


def test_a_conflict_tells_every_key_with_both_values_and_no_secret() -> None:
    base: Values = {"a": 1, "token": "t0", "c": 1, "db_profiles": {"p": {"password": "s0"}}}
    theirs: Values = {"a": 2, "token": "t1", "c": 1, "db_profiles": {"p": {"password": "s1"}}}
    changes: Changes = {("a",): 3, ("token",): "t2", ("c",): 4, ("db_profiles", "p"): REMOVED}
    with pytest.raises(EditConflict) as caught:
        raise conflict(conflicts(base, theirs, changes), theirs, changes)
    met = [
        {"key": "a", "mine": "3", "theirs": "2"},
        {"key": "token", "mine": "'***'", "theirs": "'***'"},
        {"key": "db_profiles.p", "mine": "removed", "theirs": "{'password': '***'}"},
    ]
    assert caught.value.details == {**met[0], "conflicts": met}
    assert caught.value.message == (
        "a was changed by somebody else meanwhile: here 3, on disk 2; "
        "token was changed by somebody else meanwhile: here '***', on disk '***'; "
        "db_profiles.p was changed by somebody else meanwhile: "
        "here removed, on disk {'password': '***'}. Nothing was changed."
    )


# --- by lines

LINES = st.sampled_from(["a: 1\n", "b: 1\n", "# c\n", "d:\n", "  e: 1\n", "\n"])
TEXTS = st.lists(LINES, max_size=8).map("".join)


@given(TEXTS, TEXTS, TEXTS)
def test_the_sides_of_a_merged_text_can_be_exchanged(base: str, one: str, two: str) -> None:
    assert merged_text(base, one, two) == merged_text(base, two, one)


@given(TEXTS, TEXTS)
def test_a_text_that_only_one_side_changed_or_both_alike_is_that_text(base: str, new: str) -> None:
    assert merged_text(base, new, base) == new
    assert merged_text(base, new, new) == new


@pytest.mark.parametrize(
    ("mine", "theirs", "merged"),
    [
        pytest.param("A\nb\nc\nd\n", "a\nb\nC\nd\n", "A\nb\nC\nd\n", id="two lines"),
        pytest.param("b\nc\nd\n", "a\nb\nc\n", "b\nc\n", id="first and last removed"),
        pytest.param("a\n# x\nb\nc\nd\n", "a\nb\nc\n# y\nd\n", "a\n# x\nb\nc\n# y\nd\n", id="new"),
        pytest.param("x\na\nb\nc\nd\n", "a\nb\nc\nd\ny\n", "x\na\nb\nc\nd\ny\n", id="at both ends"),
        pytest.param("A\nb\nc\nd\n", "X\nb\nc\nd\n", None, id="the same line"),
        pytest.param("a\nx\nb\nc\nd\n", "a\ny\nb\nc\nd\n", None, id="the same place"),
        pytest.param("d\n", "a\nB\nc\nd\n", None, id="a line within what is removed"),
        pytest.param("A\nb\nc\nd\n", "A\nb\nc\nD\n", "A\nb\nc\nD\n", id="one alike, one alone"),
    ],
)
def test_texts_are_merged_line_by_line_or_not_at_all(
    mine: str, theirs: str, merged: str | None
) -> None:
    assert merged_text("a\nb\nc\nd\n", mine, theirs) == merged


def test_texts_that_repeat_one_line_thousands_of_times_are_compared_within_a_second() -> None:
    base = "".join(["a: 1\nx:\n", *["- a\n"] * 1980, "b: 1\n"])
    begun = time.process_time()
    merged_text(base, base.replace("a: 1", "a: 2"), base.replace("b: 1", "b: 2"))
    assert time.process_time() - begun < 1


# --- both together: an edit and another process


def text_of(values: Values, comments: Sequence[str]) -> str:
    """Write a configuration with a comment above every key, as people do."""
    marks = iter([*comments, *["# …"] * 40])
    lines: list[str] = []
    for name, value in values.items():
        lines.append(next(marks))
        below = value if isinstance(value, dict) and value else None
        lines.append(f"{name}: {'' if below else json.dumps(value)}".rstrip())
        lines += [
            f"  {key}: {json.dumps(item)}  {next(marks)}" for key, item in (below or {}).items()
        ]
    return "\n".join([*lines, "# end", ""])


NAMES = st.sampled_from(["shop", "sales", "old"])
PROFILES = st.dictionaries(
    NAMES, st.dictionaries(PARTS, SCALARS, min_size=1, max_size=3), min_size=1, max_size=3
)
WORDS = st.lists(st.sampled_from(["# one", "# two", "# three"]), max_size=6)


@settings(max_examples=40)
@given(base=PROFILES, data=st.data())
def test_an_edit_beside_another_change_keeps_both_or_tells_a_conflict(
    tmp_path_factory: pytest.TempPathFactory, base: dict[str, Values], data: st.DataObject
) -> None:
    mine, theirs = data.draw(values_near(base)), data.draw(values_near(base))
    texts = [text_of(dict(one), data.draw(WORDS)) for one in (base, mine, theirs)]
    place = Place(tmp_path_factory.mktemp("merge"))
    place.write(texts[0])
    changes = between(base, mine)
    edit_beside(place.file(), place, *texts[1:], met=conflicts(base, theirs, changes))
    live = read(place.live.read_bytes(), "live").values
    if conflicts(base, theirs, changes):
        assert place.live.read_text() == texts[2]
    else:
        assert same(live, applied(theirs, changes))


def values_near(base: dict[str, Values]) -> st.SearchStrategy[dict[str, Values]]:
    """Return configurations with the same profiles, a few of their keys set or removed."""
    places: list[Key] = [(name, part) for name in base for part in "abcd"]
    keys = st.sampled_from(places)
    changes = st.dictionaries(keys, SCALARS | st.just(REMOVED), max_size=3)
    kept = changes.map(lambda some: applied(base, some))
    return kept.filter(lambda some: all(some.values()))  # type: ignore[return-value]  # two levels stay two


def edit_beside(
    file: ConfigFile, place: Place, mine: str, theirs: str, *, met: Sequence[Key]
) -> None:
    """Edit to one text while another stands there already; a conflict must be told."""

    def change(copy: object) -> None:
        place.live.with_name("config.yml.edit").joinpath("config.yml").write_text(mine)
        place.write(theirs)

    if not met:
        file.edit(change)
        return
    with pytest.raises(EditConflict):
        file.edit(change)
