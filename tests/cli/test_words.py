"""The command line itself: words, global options, exit codes, output."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from amx import __version__
from tests.support import Amx

GROUPS = ("db", "session", "history", "history-store", "config")


def test_version_is_printed(amx: Amx) -> None:
    assert amx("--version") == (0, f"amx {__version__}\n", "")


def test_version_for_a_script(amx: Amx) -> None:
    assert amx("--version", "--json").json == {"version": __version__}


def test_bare_amx_shows_its_commands(amx: Amx) -> None:
    done = amx()
    assert (done.code, done.err) == (0, "")
    for name in (*GROUPS, "run", "ask", "export", "restore-config", "demo"):
        assert f"\n  {name} " in done.out


@pytest.mark.parametrize("words", [["bogus"], ["--bogus"], ["db", "bogus"], ["run", "--bogus"]])
def test_wrong_words_are_2_with_the_help_that_helps(amx: Amx, words: list[str]) -> None:
    done = amx(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("amx: ")
    assert "--help" in done.err
    assert "Nothing was changed." in done.err


def test_wrong_words_for_a_script_are_one_json_object(amx: Amx) -> None:
    done = amx("session", "resume", "--json")
    assert (done.code, done.out) == (2, "")
    assert done.error["code"] == "usage.words"


@pytest.mark.parametrize("word", ["sess", "SESSION", "history-stor", "versio"])
def test_no_abbreviation_is_ever_executed(amx: Amx, word: str) -> None:
    assert amx(word).code == 2


@pytest.mark.parametrize("option", ["--vers", "--js"])
def test_no_abbreviated_option_is_ever_taken(amx: Amx, option: str) -> None:
    assert amx(option).code == 2


def commands() -> list[list[str]]:
    listed = subprocess.run(
        [sys.executable, "-c", LIST], capture_output=True, text=True, check=True
    ).stdout
    return [line.split() for line in listed.splitlines()]


LIST = """
from amx.cli import _command
def walk(command, words):
    print(*words)
    for name, child in getattr(command, "commands", {}).items():
        walk(child, [*words, name])
walk(_command(), ["amx"])
"""


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_has_help_with_an_example(amx: Amx, words: list[str]) -> None:
    done = amx(*words[1:], "--help")
    assert (done.code, done.err) == (0, "")
    if words[-1] not in GROUPS:
        assert "Example: amx" in done.out


@pytest.mark.parametrize("place", [0, 1, 2])
def test_global_options_are_taken_anywhere(amx: Amx, place: int) -> None:
    words = ["db", "list"]
    words.insert(place, "--json")
    assert amx(*words).json == {"active": None, "profiles": []}


def test_a_profile_for_one_command(amx: Amx) -> None:
    for name in ("one", "two"):
        amx("db", "add", name, "--backend", "sqlite", "--path", f"{name}.db")
    assert amx("db", "list", "--json").json["active"] == "one"
    assert amx("db", "list", "--profile", "two", "--json").json["active"] == "two"
    assert amx("db", "list", "--json", env={"AMX_PROFILE": "two"}).json["active"] == "two"
    assert amx("db", "list", "--json").json["active"] == "one"


def test_an_unknown_profile_is_named_with_the_list_of_names(amx: Amx) -> None:
    amx("db", "add", "shop", "--backend", "sqlite", "--path", "shop.db")
    done = amx("run", "--profile", "sho")
    assert done == (2, "", "amx: There is no profile 'sho'. Profiles: shop.\n  try: amx db list\n")


def test_without_a_profile_a_command_says_how_to_add_one(amx: Amx, home: Path) -> None:
    done = amx("run")
    assert (done.code, done.out) == (2, "")
    assert "amx db add" in done.err
    assert not (home / "config.yml").exists()


def test_the_home_is_made_for_its_owner_only(amx: Amx, home: Path) -> None:
    amx("db", "add", "shop", "--backend", "sqlite", "--path", "shop.db")
    assert home.stat().st_mode & 0o777 == 0o700


def test_nothing_is_written_by_commands_that_only_read(amx: Amx, home: Path) -> None:
    for words in (["db", "list"], ["config", "path"], ["config", "show"], ["history", "list"]):
        assert amx(*words).code == 0
    assert not home.exists()


@pytest.mark.parametrize("words", ["db", "run", "ask", "session", "history-store", "config"])
def test_what_only_the_root_can_do_is_offered_by_the_root_alone(amx: Amx, words: str) -> None:
    assert "--install-completion" in amx("--help").out
    assert "--install-completion" not in amx(words, "--help").out


def test_a_closed_pipe_ends_a_command_quietly() -> None:
    words = f"{sys.executable} -m amx --help | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in {"0", "1", "141"}  # 1 is Typer's own, where output is unbuffered
    assert done.stderr == ""


def test_a_reader_that_goes_away_is_141_as_a_shell_says() -> None:
    words = f"{sys.executable} -u -m amx --version | (exec 0<&-; sleep 1); echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("141", "")


def test_a_full_device_is_told_and_not_ignored() -> None:
    words = f"{sys.executable} -m amx --version > /dev/full"
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "could not be written" in done.stderr


def test_a_bug_is_70_with_a_report_and_no_traceback(home: Path) -> None:
    done = subprocess.run([sys.executable, "-c", BUG], capture_output=True, text=True, check=False)
    assert done.returncode == 70
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr
    [report] = home.glob("crash-*.txt")
    assert str(report) in done.stderr
    assert report.stat().st_mode & 0o777 == 0o600
    assert "ZeroDivisionError" in report.read_text()
    assert "hunter2" not in report.read_text()


BUG = """
import sys
from amx import cli
def bug(runtime, *, has_failed):
    raise ZeroDivisionError("postgresql://ada:hunter2@db1/x")
cli._finished = bug
sys.exit(cli.main(["--version"]))
"""


def test_debug_shows_the_traceback(amx: Amx) -> None:
    done = amx("run", "--debug")
    assert done.code == 2
    assert "Traceback" in done.err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_command_with_its_code(number: signal.Signals, code: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WAIT], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert err.startswith("amx: Stopped by ")


WAIT = """
import signal, sys
from amx import cli
def wait(argv, runtime):
    signal.signal(signal.SIGTERM, cli._terminate)
    print("ready", flush=True)
    signal.pause()
cli._invoke = wait
sys.exit(cli.main([]))
"""


def test_json_is_one_document_without_colour(amx: Amx) -> None:
    done = amx("db", "list", "--json", env={"FORCE_COLOR": "1"})
    assert json.loads(done.out) == {"active": None, "profiles": []}


def test_an_empty_variable_counts_as_unset(amx: Amx) -> None:
    assert amx("db", "list", "--json", env={"AMX_PROFILE": "", "AMX_CONFIG": ""}).code == 0


def test_amx_runs_from_a_folder_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    words = f"mkdir {gone} && cd {gone} && rmdir {gone} && {sys.executable} -m amx db list --json"
    done = subprocess.run(
        ["bash", "-c", words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
