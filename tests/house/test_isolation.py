"""The suite cannot touch the real home, and its helpers do what they say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import REAL_HOME
from tests.support import Amx, AmxPty


def test_a_test_has_a_home_and_a_folder_of_its_own(home: Path, tmp_path: Path) -> None:
    folders = {name: os.environ[name] for name in os.environ if name.startswith("XDG_")}

    assert Path.home() == tmp_path / "home"
    assert home == tmp_path / "home" / ".amx"
    assert Path.cwd() == tmp_path / "work"
    assert len(folders) == 5
    assert all(Path(folder).is_relative_to(tmp_path) for folder in folders.values())
    assert not home.exists()


def test_nothing_of_the_callers_environment_reaches_a_test() -> None:
    seen = sorted(name for name in os.environ if name.startswith(("AMX_", "PG", "GITHUB_")))

    assert seen == ["AMX_HOME"]
    assert "CI" not in os.environ


@given(st.integers())
def test_a_property_test_has_its_own_home_too(number: int) -> None:
    assert Path.home() != REAL_HOME
    assert isinstance(number, int)


def test_the_program_uses_the_home_of_the_test(amx: Amx, home: Path) -> None:
    done = amx("config", "path")

    assert done == (0, f"{home / 'config.yml'}\n", "")


def test_an_environment_may_be_added_to_and_taken_from(amx: Amx, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"

    added = amx("config", "path", env={"AMX_HOME": str(elsewhere)})
    taken = amx("config", "path", env={"AMX_HOME": None})

    assert added.out == f"{elsewhere / 'config.yml'}\n"
    assert taken.out == f"{tmp_path / 'home' / '.amx' / 'config.yml'}\n"


def test_the_program_can_be_run_on_a_terminal(amx_pty: AmxPty, home: Path) -> None:
    child = amx_pty("config", "path")

    assert child.read() == f"{home / 'config.yml'}\r\n"


_DOES_NOT = """
def test_does_not() -> None:
    pass
"""
_TOUCHES_THE_REAL_HOME = """
from pathlib import Path
from tests.conftest import REAL_HOME

def test_touches() -> None:
    (REAL_HOME / ".amx").mkdir()
"""


@pytest.mark.parametrize(("body", "code"), [(_DOES_NOT, 0), (_TOUCHES_THE_REAL_HOME, 1)])
def test_a_suite_that_touches_the_real_home_fails(body: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "test_inner.py").write_text(body)
    options = ["-p", "no:cacheprovider", "-p", "tests.conftest", f"--rootdir={tmp_path}"]

    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "test_inner.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == code, done.stdout
    assert ("the suite touched the real home" in done.stdout) == (code == 1)
    assert done.stderr == ""
