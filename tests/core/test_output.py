"""What reaches a terminal, a pipe and a script."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amx.core.errors import UnknownProfile
from amx.core.pace import Pace
from amx.output import Grid, Output, as_json
from amx.visible import copy_field, visible

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


def test_progress_is_shown_on_terminals_only_and_what_comes_next_stands_below_it() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    for err in (terminal, pipe):
        output = Output({}, stdout=io.StringIO(), stderr=err)
        output.progress(1, 2, "orders\x1b")
        output.progress(2, 2, "orders\x1b")
        output.note("Done.")
        output.note("Really.")
    lines = terminal.getvalue().split("\r\x1b[2K")
    assert lines[1] == "[##########..........] 1/2 orders\\x1b"
    assert lines[2].startswith("[####################] 2/2 orders\\x1b, ")
    assert lines[2].endswith(" s left\nDone.\nReally.\n")
    assert pipe.getvalue() == "Done.\nReally.\n"


def test_a_result_stands_below_the_progress() -> None:
    both = Terminal()
    output = Output({}, stdout=both, stderr=both)
    output.progress(1, 1, "rows sent")
    output.verbatim("1\n")
    assert both.getvalue().endswith("rows sent\n1\n")


def test_the_pace_is_what_was_done_since_the_first_look() -> None:
    times = iter([10.0, 12.0, 12.0])
    pace = Pace(lambda: next(times))
    assert pace.words(1000, 9000, "rows sent") == "[##..................] 1000/9000 rows sent"
    assert (
        pace.words(5000, 9000, "rows") == "[###########.........] 5000/9000 rows, 2,000/s, 2 s left"
    )
    assert Pace(lambda: 1.0).words(0, 0, "rows") == "[....................] 0/0 rows"
