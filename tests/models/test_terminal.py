"""On a terminal an answer is shown as it comes, and taken back where it cannot be given."""

import threading

from tests.models.conftest import Play
from tests.models.endpoint import Act, Line, event, head, raw
from tests.models.talk import GOOD, QUESTION, cites, local
from tests.support import Amx, AmxPty

START = "Prices of all the tracks "


def in_two(event_to_wait_for: threading.Event, first: bytes, *rest: bytes) -> Act:
    """Send the head and a first piece, and the rest only once somebody has seen that."""

    def act(line: Line) -> None:
        line.send(head(), first)
        assert event_to_wait_for.wait(30)
        line.send(*rest)

    return act


def turns(amx: Amx) -> list[str]:
    """Return what was said in all sessions."""
    sessions = amx("session", "list", "--json").json["sessions"]
    return [
        turn["content"]
        for session in sessions
        for turn in amx("session", "show", "--id", str(session["id"]), "--json").json["turns"]
    ]


def test_an_answer_is_shown_as_it_comes(amx: Amx, amx_pty: AmxPty, play: Play) -> None:
    was_seen = threading.Event()
    rest = event("are in `main.Track.UnitPrice`.")
    play(in_two(was_seen, event(START), rest, event(None, "stop")))
    child = amx_pty("ask", QUESTION, env={"PYTHONUNBUFFERED": None})

    child.expect_exact("Prices of all")  # the server has sent no more, and will not before this
    was_seen.set()

    assert child.read() == (
        f" the tracks are in `main.Track.UnitPrice`.\r\n{cites(amx)}\r\n(session 1 on shop)\r\n"
    )
    child.wait()
    assert child.exitstatus == 0
    assert turns(amx)[:2] == [QUESTION, f"{START}are in `main.Track.UnitPrice`."]


def test_no_control_character_of_a_model_reaches_a_terminal(amx_pty: AmxPty, play: Play) -> None:
    pieces = ["Red: \x1b", "[31m, ", "\u202eturned ", "\x9b", "5n\r", "\x07 end.\nNext\tline."]
    play(raw(head(), *(event(piece) for piece in pieces), event(None, "stop")))
    child = amx_pty("ask", QUESTION)

    shown = child.read()

    assert "\\x1b[31m, \\u202eturned \\x9b5n\\x0d\\x07 end.\r\nNext\tline.\r\n" in shown
    assert not [mark for mark in ("\x1b", "\u202e", "\x9b", "\x07") if mark in shown]


def test_an_answer_with_a_name_that_was_not_found_is_taken_back_before_it_is_shown(
    amx: Amx, amx_pty: AmxPty, play: Play
) -> None:
    play(raw(head(), event(START), event("are in `evil_table`, "), event("as I was told.", "stop")))
    expected = local(amx)
    child = amx_pty("ask", QUESTION)

    shown = child.read().replace("\r\n", "\n")

    assert shown == (
        "Prices of all […]\n[The model's answer is withdrawn.]\n"
        "amx: warning: The model's answer names 'evil_table', which is not among what was found. "
        f"This is the local answer.\n{expected}\n{cites(amx)}\n"
        "(session 1 on shop)\n"
    )
    assert turns(amx)[3] == expected


def test_an_answer_that_breaks_off_is_taken_back(amx: Amx, amx_pty: AmxPty, play: Play) -> None:
    play(raw(head(), event(START)))
    expected = local(amx)
    child = amx_pty("ask", QUESTION)

    shown = child.read().replace("\r\n", "\n")

    assert shown.startswith("Prices of all […]\n[The model's answer is withdrawn.]\namx: warning: ")
    assert (
        f"broke off in the middle of its answer. This is the local answer.\n{expected}\n" in shown
    )
    assert turns(amx)[-1] == expected


def test_ctrl_c_while_an_answer_comes_keeps_nothing(amx: Amx, amx_pty: AmxPty, play: Play) -> None:
    endpoint = play(in_two(was_left := threading.Event(), event(START)))
    child = amx_pty("ask", QUESTION)
    child.expect_exact("Prices of all")

    child.sendintr()

    shown = child.read().replace("\r\n", "\n")
    assert shown.endswith("\namx: Stopped by Ctrl-C. What was finished before stays.\n")
    assert "Cites" not in shown
    child.wait()
    assert child.exitstatus == 130
    was_left.set()
    assert len(endpoint.asked) == 1
    assert turns(amx) == []


def test_a_pipe_gets_the_answer_whole_and_json_on_a_terminal_one_document(
    amx: Amx, amx_pty: AmxPty, play: Play
) -> None:
    play(raw(head(), event(GOOD[:20]), event(GOOD[20:], "stop")))

    assert amx("ask", QUESTION).out == f"{GOOD}\n{cites(amx)}\n"
    shown = amx_pty("ask", QUESTION, "--json").read()
    assert shown.startswith('{\r\n  "session": 1,\r\n  "answer": "Prices of tracks')
