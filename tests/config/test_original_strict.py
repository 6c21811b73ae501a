"""A save touches the lines of its change and no other, however the file is written.

Here blanks count, too: a file that a team keeps in git shows one changed line for one changed key.
"""

from difflib import unified_diff

import pytest

from amx.core.config.model import REMOVED, Changes, applied, same
from amx.core.config.syntax import read, rewrite
from amx.core.errors import SaveFailed
from tests.config.test_original import PROFILES, TEXT, comments_of, values_of

ANCHOR = "warehouse"
"""The profile from which two others take what they have in common."""

CASES: dict[str, tuple[str, Changes, str]] = {
    "comments before the document": (
        "# head\n---\na: 1\n",
        {("a",): 2},
        "# head\n---\na: 2\n",
    ),
    "comments after the document": (
        "a: 1\n...\n# tail\n",
        {("a",): 2},
        "a: 2\n...\n# tail\n",
    ),
    "the comment of the next profile": (
        "p:\n  # 1\n  a:\n    h: 1\n\n  # 2\n  b:\n    h: 2\n",
        {("p", "a"): REMOVED},
        "p:\n  # 1\n\n  # 2\n  b:\n    h: 2\n",
    ),
    "a comment under brackets": (
        "a: {x: 1}\n# 16\nb: 1\nc: 2\n",
        {("b",): REMOVED},
        "a: {x: 1}\n# 16\nc: 2\n",
    ),
    "a comment under an empty value": (
        "a:\n# 16\nb: 1\nc: 2\n",
        {("b",): REMOVED},
        "a:\n# 16\nc: 2\n",
    ),
    "a comment under an alias": (
        "l: &l\n- 1\na: 1\ns: *l\n# about t\nt: 1\n",
        {("t",): REMOVED},
        "l: &l\n- 1\na: 1\ns: *l\n# about t\n",
    ),
    "an alias": (
        "l: &l\n- 1\n# about a\na: 1\ns: *l\n# about t\nt: 1\n",
        {("s",): REMOVED},
        "l: &l\n- 1\n# about a\na: 1\n# about t\nt: 1\n",
    ),
    "a key behind an alias": (
        "l: &l\n- 1\n# about a\na: 1\ns: *l\n# end\n",
        {("t",): 1},
        "l: &l\n- 1\n# about a\na: 1\ns: *l\nt: 1\n# end\n",
    ),
    "a comment behind an anchor": (
        "p: &p  # why\n  a: 1\nq: 1\n",
        {("q",): 2},
        "p: &p  # why\n  a: 1\nq: 2\n",
    ),
    "a set": (
        "s: !!set {a, b}\nq: 1\n",
        {("q",): 2},
        "s: !!set {a, b}\nq: 2\n",
    ),
    "an indented text in lines": (
        "p:\n    a: |2\n        x\n    b: 1\nq:\n  z: 1\n",
        {("q", "z"): 2},
        "p:\n    a: |2\n        x\n    b: 1\nq:\n  z: 2\n",
    ),
    "a tab at the end of a line": (
        "a: 1\nb: 2\t\n",
        {("a",): 2},
        "a: 2\nb: 2\t\n",
    ),
    "comments in brackets": (
        "a: {x: 1,  # one\n    y: 2}\nb: 1\n",
        {("b",): 2},
        "a: {x: 1,  # one\n    y: 2}\nb: 2\n",
    ),
    "escapes": (
        'a: "\\u0026"\nb: 1\n',
        {("b",): 2},
        'a: "\\u0026"\nb: 2\n',
    ),
    "mixed line ends": (
        "a: 1\r\nb: 2\nc: 3\n",
        {("a",): 2},
        "a: 2\r\nb: 2\nc: 3\n",
    ),
    "mixed indentation": (
        "a:\n  b: 1\nc:\n      d: 1\n",
        {("a", "b"): 2},
        "a:\n  b: 2\nc:\n      d: 1\n",
    ),
    "text over several lines": (
        "a: one\n  two\n\n  three\nb: 1\n",
        {("b",): 2},
        "a: one\n  two\n\n  three\nb: 2\n",
    ),
}


def differing_lines(before: str, after: str) -> list[str]:
    lines = list(unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
    return [one for one in lines if not one.startswith("@@")]


@pytest.mark.parametrize("case", CASES)
def test_a_change_touches_only_its_own_line(case: str) -> None:
    before, changes, after = CASES[case]
    assert rewrite(before, changes) == after


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({("ui", "theme"): "light"}, ["-  theme: dark", "+  theme: light"]),
        (
            {("llm_profiles", "local", "model"): "x"},
            ["-        model: qwen2.5:14b", "+        model: x"],
        ),
        (
            {("db_profiles", "finance.eu", "port"): "6433"},
            [
                "-      port: '6432'                # pgbouncer; text is what the old tool wrote",
                "+      port: '6433'                # pgbouncer; text is what the old tool wrote",
            ],
        ),
        ({("glossary", "new"): False}, ["+  new: false"]),
        (
            {("db_profiles", "attic"): {"backend": "sqlite", "path": "/a.db"}},
            ["+  attic:", "+    backend: sqlite", "+    path: /a.db"],
        ),
        ({("delivery_budget_s",): REMOVED}, ["-delivery_budget_s: 2.5"]),
    ],
)
def test_the_first_save_of_the_original_file_touches_only_its_own_lines(
    changes: Changes, lines: list[str]
) -> None:
    assert differing_lines(TEXT, rewrite(TEXT, changes)) == lines


@pytest.mark.parametrize("name", [name for name in PROFILES if name != ANCHOR])
def test_every_profile_can_be_removed_and_no_comment_of_its_neighbours_goes(name: str) -> None:
    changes: Changes = {("db_profiles", name): REMOVED}
    after = rewrite(TEXT, changes)
    assert same(read(after.encode(), "file").values, applied(values_of(TEXT), changes))
    titles = [one for one in comments_of(TEXT) if one.strip("# ").partition(".")[0].isdigit()]
    assert len(titles) > 15
    assert [one for one in titles if one not in comments_of(after)] == []
    assert not [line for line in differing_lines(TEXT, after) if line.startswith("+")]


def test_a_profile_with_an_anchor_is_not_removed_at_the_cost_of_comments() -> None:
    with pytest.raises(SaveFailed):
        rewrite(TEXT, {("db_profiles", ANCHOR): REMOVED})
