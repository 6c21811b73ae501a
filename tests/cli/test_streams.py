"""Standard streams that are closed, full or gone: exit codes stay, nothing else is written to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import Amx


def run(words: str, redirection: str) -> tuple[int, str, str]:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m amx {words} {redirection}"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full"])
@pytest.mark.parametrize(("words", "code"), [("--version", 0), ("bogus", 2), ("db list", 0)])
def test_a_closed_stream_changes_no_exit_code(words: str, code: int, closed: str) -> None:
    found, _, told = run(words, closed)
    assert (found, "bug" in told) == (code, False)


def test_an_error_that_cannot_be_told_still_has_its_code() -> None:
    assert run("--version", ">/dev/full 2>/dev/full") == (1, "", "")


def test_nothing_is_written_into_a_file_that_took_the_place_of_a_stream(
    amx: Amx, home: Path
) -> None:
    code, _, _ = run("db add shop --backend sqlite --path shop.db", "<&- >&- 2>&-")

    assert code == 0
    assert amx("config", "validate").code == 0
    assert (home / "config.yml").read_text().startswith("db_profiles:")
