"""Places and names that cannot be: refused as wrong words, never taken for the default."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import Amx

READERS = {
    "AMX_HOME": ("db", "list"),
    "AMX_CONFIG": ("db", "list"),
    "AMX_LOCAL_DB": ("history", "list"),
}


@pytest.mark.parametrize("variable", READERS)
def test_the_home_of_nobody_is_wrong_words(amx: Amx, variable: str) -> None:
    done = amx(*READERS[variable], env={variable: "~nobody-of-this-name/x"})
    message = "There is no folder that ~nobody-of-this-name/x could stand in. Nothing was changed."
    assert done == (2, "", f"amx: {message}\n  try: export {variable}=/a/path\n")


@pytest.mark.parametrize("variable", ["AMX_CONFIG", "AMX_LOCAL_DB"])
def test_the_root_folder_is_no_file(amx: Amx, variable: str) -> None:
    done = amx(*READERS[variable], env={variable: "/"})
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"amx: {variable} names /, which is no file. Nothing was changed.")


def test_a_relative_home_needs_a_folder_that_is_there(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    words = f"mkdir {gone} && cd {gone} && rmdir {gone} && {sys.executable} -m amx db list"
    done = subprocess.run(
        ["bash", "-c", words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "AMX_HOME": "x", "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("amx: There is no folder that x could stand in.")


def test_a_name_that_is_too_long_for_a_file_is_no_bug(amx: Amx) -> None:
    long = f"/{'x' * 5000}"
    assert amx("config", "backups", "--json", env={"AMX_CONFIG": long}).json == {"backups": []}
    assert amx("db", "list", env={"AMX_CONFIG": long}).code == 5


def test_a_pipe_in_place_of_the_local_store_is_not_waited_for(amx: Amx, home: Path) -> None:
    home.mkdir(mode=0o700)
    os.mkfifo(home / "local.db")
    done = amx("history", "list")
    assert (done.code, done.out) == (1, "")
    assert "it is not a regular file. Nothing was changed." in done.err


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--profile", ""),
        ("ask", "which table?", "--session", ""),
        ("db", "list", "--config", ""),
        ("db", "test", ""),
        ("export", ""),
        ("ask", ""),
        ("ask", " "),
    ],
)
def test_an_empty_word_is_never_taken_for_the_active_one(amx: Amx, words: tuple[str, ...]) -> None:
    assert amx("db", "add", "shop", "--backend", "sqlite", "--path", "shop.db").code == 0
    done = amx(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("amx: ")


def test_a_way_out_can_be_pasted_whatever_the_place_is_called(amx: Amx, tmp_path: Path) -> None:
    place = tmp_path / "it's here; $HOME"
    done = amx("db", "list", "--json", env={"AMX_CONFIG": str(place)})
    assert (done.code, done.error["code"]) == (5, "config.gone")
    subprocess.run(["bash", "-c", done.error["hint"]], check=True)
    assert place.read_text() == "{}\n"
    assert amx("db", "list", "--json", env={"AMX_CONFIG": str(place)}).code == 0
