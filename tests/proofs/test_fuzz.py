"""The proof of bad files in its reduced form, and that its checks can fail."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from amx.core.errors import ConfigInvalid
from tests.proofs.fuzz import LIMIT_BYTES, Tally
from tests.proofs.fuzz_children import Batch, Ended, run
from tests.proofs.fuzz_oddities import Case
from tests.proofs.fuzz_trial import LIMIT_S, Outcome, comments, faults_of, tried
from tests.proofs.running import reduced

CASES = [Case("one", b"a: 1\n"), Case("two", b"[\n"), Case("three", b"a: 2\n")]


def test_bad_files_are_read_or_refused_without_a_violation(tmp_path: Path) -> None:
    done = reduced("fuzz", tmp_path)

    summary = re.fullmatch(
        r"fuzz: (\d+) files \((\d+) read, (\d+) refused\), (\d+) saves \((\d+) more refused\), "
        r"(\d+) commands, slowest (\d+) ms, peak (\d+) MB, 0 violations",
        done.stdout.splitlines()[-1],
    )
    assert summary, done.stdout + done.stderr
    assert (done.returncode, done.stderr) == (0, "")
    assert all(int(number) > 0 for number in summary.groups())
    assert int(summary[1]) > 4000


def _die_of_an_error() -> None:
    raise RecursionError("too deep")


def _die_of_a_signal() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_of_an_alarm() -> None:
    signal.raise_signal(signal.SIGALRM)


@pytest.mark.parametrize(
    ("die", "fault"),
    [
        (_die_of_an_error, "the process ended with 1: RecursionError: too deep"),
        (_die_of_a_signal, "the process was ended by SIGKILL"),
        (_die_of_an_alarm, "no end after 30 s"),
    ],
)
def test_what_ends_a_child_is_told_and_the_rest_is_tried(
    tmp_path: Path, die: Callable[[], None], fault: str
) -> None:
    def attempt(case: Case, folder: Path) -> Outcome:
        if case.name == "two":
            die()
        return tried(case, folder, is_saved=False)

    ended = list(run([Batch("few", CASES, attempt)], tmp_path, 2))

    faults = {one.name: one.faults for part in ended for one in part.outcomes}
    assert faults == {"one": [], "two": [f"{fault} | b'[\\n', 2 bytes"], "three": []}


def test_a_file_that_is_read_and_saved_has_no_fault(tmp_path: Path) -> None:
    outcome = tried(Case("x", b"a: {b: 1}  # c\n"), tmp_path / "amx", is_saved=True)

    assert (outcome.is_read, outcome.saved, outcome.faults) == (True, 2, [])


def test_a_refusal_at_a_place_outside_of_the_file_is_a_fault() -> None:
    def told(line: int, column: int, message: str = "f, line {}, column {}: x.") -> list[str]:
        words = message.format(line, column)
        error = ConfigInvalid(words, line=line, column=column, hint="amx config restore --list")
        return list(faults_of(error, b"a: 1\nb\n"))

    assert told(2, 2) == []
    assert told(5, 1) == ["line 5, column 1 is outside of the file"]
    assert told(2, 3) == ["line 2, column 3 is outside of the file"]
    assert told(0, 1) == ["the place is (0, 1)"]
    fault = "the message does not say 'line 1, column 1: ': no place"
    assert told(1, 1, "no place") == [fault]


def test_comments_are_told_from_what_looks_like_one() -> None:
    text = "# 1\na: 'x # no' # 2\nb: |\n  # no\nc: [x, # 3\n  y#no]\n#\n"
    assert comments(text.encode()) == ["# 1", "# 2", "# 3", "#"]


def test_too_slow_too_large_and_nothing_at_all_are_no_proof() -> None:
    good = [
        Outcome("a", is_read=True, saved=1),
        Outcome("b"),
        Outcome("c", commands=1),
    ]
    slow = [Outcome("d", seconds=LIMIT_S * 1.1)]

    assert _tally(Ended("few", good, 1, None)).is_good
    assert not Tally().is_good
    assert not any(
        _tally(Ended("few", good[:n] + good[n + 1 :], 1, None)).is_good for n in range(3)
    )
    assert _tally(Ended("few", good + slow, 1, None)).violations == ["d: 1.1 s"]
    assert _tally(Ended("few", good, LIMIT_BYTES + 1, None)).violations == [
        "a to c: 200 MB of memory"
    ]


def _tally(ended: Ended) -> Tally:
    tally = Tally()
    tally.add(ended)
    return tally
