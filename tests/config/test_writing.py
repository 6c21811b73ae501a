"""A change in the text of a configuration: comments, order and meaning stay."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amx.core.config.keys import dotted, key_of
from amx.core.config.model import REMOVED, Changes, applied, differing, same
from amx.core.config.syntax import read, rewrite
from amx.core.errors import SaveFailed, UsageError

ORIGINAL = Path(__file__).with_name("original.yml").read_text()

WORDS = st.sampled_from(
    ["no", "on", "010", "1e3", "12:30:45", "2024-01-31", "~", "", "=", "<<", "0x1f", ".inf", "1_0"]
)
TEXTS = WORDS | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=True) | TEXTS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
PARTS = st.sampled_from(["a", "b.c", "no"]) | TEXTS.filter(bool)


def values_of(text: str) -> dict[str, object]:
    return read(text.encode(), "file").values if text else {}


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


@settings(max_examples=100)
@given(st.dictionaries(st.tuples(PARTS) | st.tuples(PARTS, PARTS), VALUES, max_size=3))
def test_whatever_is_written_is_read_as_what_was_meant(changes: Changes) -> None:
    try:
        wanted = applied({}, changes)
    except UsageError:
        return
    text = rewrite("", changes)
    assert same(values_of(text), wanted), text
    assert not differing(values_of(text), wanted)


KEYS = sorted(
    [
        *[("db_profiles", "shop"), ("db_profiles", "legacy.mysql"), ("db_profiles", "warehouse")],
        *[("db_profiles", "shop", "host"), ("db_profiles", "shop", "sslmode")],
        *[("llm_profiles", "default", "model"), ("ui",), ("ui", "zip"), ("excluded_tables",)],
        *[("history_store_enabled",), ("prompt",), ("active_db_profile",), ("db_profiles",)],
        *[("new",), ("ui", "new"), ("db_profiles", "new", "host"), ("history_store_database",)],
    ]
)


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(KEYS), SCALARS | st.just(REMOVED), max_size=4))
def test_a_change_of_a_real_file_keeps_every_comment_line_and_all_other_values(
    changes: Changes,
) -> None:
    try:
        wanted = applied(values_of(ORIGINAL), changes)
    except UsageError:
        return
    text = rewrite(ORIGINAL, changes)
    assert same(values_of(text), wanted), text
    inside = {"# the next one is slow", "# not a comment", "# retired in spring"}
    comments = [line for line in lines(ORIGINAL) if line.startswith("#") and line not in inside]
    assert [line for line in lines(text) if line in comments] == comments


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        ("a: 010\nb: no  # c\n", {("n",): "no"}, "a: 010\nb: no  # c\nn: 'no'\n"),
        ("a: 1  # x\n# y\nb: 2\n", {("a",): REMOVED}, "# y\nb: 2\n"),
        ("a: 1\nb:\n  c: 1\n# z\n", {("b", "c"): REMOVED}, "a: 1\nb: {}\n# z\n"),
        ("b:\n  c: 1\n# z\nd: 1\n", {("b", "e"): 2}, "b:\n  c: 1\n  e: 2\n# z\nd: 1\n"),
        ("a:\n    b: 1\n", {("a", "c"): 2}, "a:\n    b: 1\n    c: 2\n"),
        ("a:\n  - 1\n", {("c",): [2]}, "a:\n  - 1\nc:\n  - 2\n"),
        ("a: 'x'\n", {("a",): 5}, "a: 5\n"),
        ("a: |\n  x\n# z\nb: 1\n", {("a",): "y"}, "a: y\n# z\nb: 1\n"),
        ("{}\n", {("a", "b"): True}, "a:\n  b: true\n"),
        ("a: {b: 1}  # e\n", {("a", "c"): None}, "a: {b: 1, c: null}  # e\n"),
        ("---\na: 1\n", {("a",): 1.0}, "---\na: 1.0\n"),
        ("\ufeffa: 1\r\nb: 2\r\n", {("b",): 3}, "\ufeffa: 1\r\nb: 3\r\n"),
        ("a: &x {k: 1}\nb: *x\n", {("b", "k"): 2}, "a: {k: 1}\nb: {k: 2}\n"),
        ("a: &x {k: 1}\nb: *x\n", {("a", "k"): 2}, "a: {k: 2}\nb: {k: 1}\n"),
        ("a: 1\n# only\n", {("a",): REMOVED}, "# only\n{}\n"),
        ("# x\n\n--- # y\n# z\na: 1\n", {("b",): 2}, "# x\n\n--- # y\n# z\na: 1\nb: 2\n"),
        (
            "%YAML 1.1\n---\na: 010\n... # z\n# end\n",
            {("a",): 1},
            "%YAML 1.1\n---\na: 1\n... # z\n# end\n",
        ),
        ("a: !!str 5\n# z\n", {("b",): 2}, "a: !!str 5\nb: 2\n# z\n"),
        ("a: &a {x: 1}\nb:\n  <<: *a\n", {("c",): 2}, "a: &a {x: 1}\nb:\n  <<: *a\nc: 2\n"),
        ("a: &a {x: 1}\nb:\n  <<: *a\n", {("b", "x"): 2}, "a: &a {x: 1}\nb:\n  <<: *a\n  x: 2\n"),
        ("a:\n  <<: []\n", {("c",): 2}, "a:\n  <<: []\nc: 2\n"),
        ("a:\n  !!merge x: []\n", {("c",): 2}, "a:\n  !!merge x: []\nc: 2\n"),
        ("a: [1, # x\n  2]\nb: 3 # y\n", {("a",): 4}, "a: 4\nb: 3 # y\n"),
        (
            "a: {b: 1, # x\n  c: 2 # y\n  }\n",
            {("a", "d"): 3},
            "a: {b: 1, # x\n  c: 2, d: 3 # y\n  }\n",
        ),
        ("a: {b: 1, # x\n  c: 2}\n", {("a", "c"): REMOVED}, "a: {b: 1, # x\n  }\n"),
        ("{a: 1}\n# x\n", {("new",): 1}, "{a: 1, new: 1}\n# x\n"),
        ("a: {b: 1}\n", {("a", "b"): "${B}"}, "a: {b: '${B}'}\n"),
        ("a: 1\n", {("b",): "${B}"}, "a: 1\nb: ${B}\n"),
        ("a: |+\n  x\n\nb: 1\n", {("c",): 2}, "a: |+\n  x\n\nb: 1\nc: 2\n"),
        ("a:\n  b: |+\n    x\n\nc: 1\n", {("a", "d"): 2}, "a:\n  b: |+\n    x\n\n  d: 2\nc: 1\n"),
        ("a: 1\r\nb: 2\nc: 3\n", {("a",): REMOVED}, "b: 2\nc: 3\n"),
        ("a:\n  b: 1\r\nc: 3\n", {("a", "d"): 2}, "a:\n  b: 1\r\n  d: 2\r\nc: 3\n"),
        ("a: 1\rb: 2\r", {("a",): 3, ("b",): REMOVED}, "a: 3\r"),
        ("a: &x [1]\nb: *x  # y\n", {("b",): 2}, "a: &x [1]\nb: 2  # y\n"),
        ("a:  # x\nb: 1\n", {("a", "c", "d"): "no"}, "a:  # x\n  c:\n    d: 'no'\nb: 1\n"),
        ("a: 1", {("b",): {}}, "a: 1\nb: {}"),
        ("\ufeff\ufeffa: 1\n", {("b",): 2}, "\ufeffa: 1\nb: 2\n"),
    ],
)
def test_a_change_touches_nothing_else(before: str, changes: Changes, after: str) -> None:
    text = rewrite(before, changes)
    assert text == after
    assert same(values_of(text), applied(values_of(before), changes))


@pytest.mark.parametrize("brackets", ["[1, # x\n  2]", "{b: 1, # x\n  c: 2}", "[ # x\n  ]"])
def test_a_change_that_would_lose_a_comment_is_refused(brackets: str) -> None:
    with pytest.raises(SaveFailed) as caught:
        rewrite(f"a: {brackets}\nb:\n- 1\n", {("b",): [2]})
    assert caught.value.message == (
        "The file cannot be rewritten with its comments. Nothing was changed."
    )


@pytest.mark.parametrize(
    ("change", "is_imported"),
    [("{('ui', 'theme'): 'light', ('ui', 'new'): [1]}", True), ("{('ui', 'theme'): 'x'}", False)],
)
def test_ruamel_is_imported_only_where_lines_cannot_be_edited(
    change: str,
    is_imported: bool,
) -> None:
    code = (
        "import sys; from amx.core.config.syntax import rewrite; "
        f"rewrite(sys.stdin.read(), {change}); print('ruamel.yaml' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=ORIGINAL, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{is_imported}\n"


def test_many_changes_of_a_large_file_do_not_take_forever() -> None:
    text = "".join(f"k{number}: {'x' * 90}\n" for number in range(1000))
    changes: Changes = {(f"k{number}",): number for number in range(0, 1000, 10)}
    assert same(values_of(rewrite(text, changes)), applied(values_of(text), changes))


def test_an_anchor_that_stands_twice_is_no_matter_for_a_warning() -> None:
    text = "a: &a [1]\nb: *a\nc: &a [2]\nd: *a\n"
    assert rewrite(text, {("e",): 1}) == f"{text}e: 1\n"


def test_a_line_of_a_thousand_colons_is_rewritten_at_once() -> None:
    text = f"a: '{'x:# ' * 12_000}'\n"
    assert rewrite(text, {("b",): 1}) == f"{text}b: 1\n"


@pytest.mark.parametrize(
    ("one", "two"),
    [(1, True), (1, 1.0), (0.0, -0.0), ("1", 1), (None, False), ([1], [True]), ({"a": 1}, {})],
)
def test_values_of_different_types_are_not_the_same(one: object, two: object) -> None:
    assert not same(one, two)
    assert same(one, one)


def test_nan_is_the_same_as_itself() -> None:
    assert same({"a": [math.nan]}, {"a": [float("nan")]})


@given(st.lists(TEXTS.filter(bool), min_size=1, max_size=4))
def test_a_key_written_with_dots_is_read_back(parts: list[str]) -> None:
    assert key_of(dotted(tuple(parts))) == tuple(parts)


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", 'a."b', '""', 'a.""', 'a"b"'])
def test_a_key_with_an_empty_part_or_an_open_quote_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        key_of(text)


def test_nothing_is_set_below_a_value() -> None:
    with pytest.raises(UsageError) as caught:
        applied({"a": {"b": 1}}, {("a", "b", "c"): 2})
    assert caught.value.message == ("a.b is a value and has no keys below it. Nothing was changed.")
