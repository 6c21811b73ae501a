"""What reaches a terminal, a pipe and a script."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amx.core.errors import UnknownProfile
from amx.output import Grid, Output, as_json, copy_field, visible

STEERING = [chr(code) for code in (*range(32), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"]
STEERING += ["\u202e", "\u2066", "\u200f", "\u2028"]


class Terminal(io.StringIO):
    """Looks like a terminal."""

    def isatty(self) -> bool:
        return True


def printed(human: str | Grid, *, stdout: io.StringIO | None = None) -> str:
    out = stdout or io.StringIO()
    Output({"COLUMNS": "60"}, stdout=out, stderr=io.StringIO()).result(None, human)
    return out.getvalue()


@pytest.mark.parametrize("mark", STEERING, ids=lambda mark: f"U+{ord(mark):04X}")
def test_no_control_character_reaches_a_terminal(mark: str) -> None:
    text = f"a{mark}b"
    grid = Grid(("TEXT",), [(text,)])
    drawn = printed(grid, stdout=Terminal())
    for shown in (visible(text), printed(text), printed(grid), drawn, as_json([text])):
        assert text not in shown


def test_an_escape_sequence_is_shown_not_sent() -> None:
    assert visible("\x1b[31mred\x07") == "\\x1b[31mred\\x07"


def test_line_breaks_and_tabs_of_a_text_stay() -> None:
    assert visible("a\tb\nc") == "a\tb\nc"


def test_fields_are_escaped_as_copy_does() -> None:
    assert copy_field("a\tb\nc\\d\re") == "a\\tb\\nc\\\\d\\re"


@given(st.lists(st.text(), min_size=1))
def test_a_piped_row_is_one_line_with_as_many_fields(fields: list[str]) -> None:
    line = printed(Grid(["h"] * len(fields), [fields]))
    assert line.count("\n") == 1
    assert line.count("\t") == len(fields) - 1


def test_a_piped_grid_has_no_headers_and_full_values() -> None:
    rows = [(1, "x" * 500, None, True)]
    assert printed(Grid(("A", "B", "C", "D"), rows)) == f"1\t{'x' * 500}\t\tyes\n"


def test_a_terminal_gets_a_drawn_table() -> None:
    drawn = printed(Grid(("ID", "NAME"), [(1, "[bold]x[/bold]")]), stdout=Terminal())
    assert "ID" in drawn
    assert "[bold]x[/bold]" in drawn


def test_json_is_one_document_and_nothing_else() -> None:
    out = io.StringIO()
    output = Output({}, stdout=out, stderr=io.StringIO())
    output.is_json = True
    output.result({"a": ["ü", None, "\x1b"]}, "for people")
    assert json.loads(out.getvalue()) == {"a": ["ü", None, "\x1b"]}
    assert "\x1b" not in out.getvalue()
    assert "ü" in out.getvalue()


def test_an_error_says_what_helps() -> None:
    err = io.StringIO()
    Output({}, stdout=io.StringIO(), stderr=err).error(UnknownProfile("x", ["b", "a"]))
    assert err.getvalue() == "amx: There is no profile 'x'. Profiles: a, b.\n  try: amx db list\n"


def test_an_error_for_a_script_is_one_object() -> None:
    err = io.StringIO()
    output = Output({}, stdout=io.StringIO(), stderr=err)
    output.is_json = True
    output.error(UnknownProfile("x", []))
    assert json.loads(err.getvalue()) == {
        "error": {
            "code": "usage.unknown_profile",
            "message": "There is no profile 'x'. Profiles: none yet.",
            "hint": "amx db add NAME --backend postgresql|sqlite …",
            "details": {"name": "x", "profiles": []},
        }
    }


def test_progress_is_shown_on_terminals_only() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    for err in (terminal, pipe):
        Output({}, stdout=io.StringIO(), stderr=err).progress(1, 2, "orders\x1b")
    assert terminal.getvalue() == "\r\x1b[2K1/2 orders\\x1b"
    assert pipe.getvalue() == ""
