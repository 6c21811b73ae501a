"""`amx config edit`, as a user runs it: which editor, how it ends, what is said."""

import os
import signal
import stat
import time
from pathlib import Path

import pytest

from tests.config.editors import held_edit, script, started
from tests.support import Amx

LIVE = "# mine\na: 1\n"


@pytest.fixture
def config(home: Path) -> Path:
    """Give a configuration; return its path."""
    home.mkdir(mode=0o700)
    path = home / "config.yml"
    path.write_text(LIVE)
    path.chmod(0o600)
    return path


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """Give a folder for editors."""
    return tmp_path / "bench"


def kept_beside(config: Path) -> Path:
    """Return where a text is kept aside."""
    return config.with_name("config.yml.rejected")


def names(config: Path) -> list[str]:
    """Return what stands beside the configuration, the locks left out."""
    return sorted(path.name for path in config.parent.iterdir() if path.suffix != ".lock")


# --- which editor


def test_visual_comes_before_editor(amx: Amx, config: Path, bench: Path) -> None:
    visual = script(bench, 'echo "a: visual" > "$1"', "visual")
    editor = script(bench, 'echo "a: editor" > "$1"', "editor")
    done = amx("config", "edit", env={"VISUAL": str(visual), "EDITOR": str(editor)})
    assert (done.code, config.read_text()) == (0, "a: visual\n")
    done = amx("config", "edit", env={"VISUAL": "", "EDITOR": str(editor)})
    assert (done.code, config.read_text()) == (0, "a: editor\n")


def test_an_editor_may_have_words_of_its_own_and_quotes(
    amx: Amx, config: Path, bench: Path
) -> None:
    script(bench / "with blanks", 'printf "w: \'%s|%s|%s\'" "$#" "$1" "$2" > "$3"')
    command = f"'{bench}/with blanks/editor' --wait 'two words'"
    assert amx("config", "edit", env={"EDITOR": command}).code == 0
    assert config.read_text() == "w: '3|--wait|two words'"


def test_without_an_editor_and_a_terminal_it_says_so_and_does_not_hang(
    amx: Amx, config: Path
) -> None:
    for env in ({}, {"VISUAL": "", "EDITOR": ""}):
        done = amx("config", "edit", "--json", env=env)
        assert done.code == 2
        assert "No editor is named" in done.error["message"]
        assert "VISUAL=" in done.error["hint"]
    assert names(config) == ["config.yml"]


def test_an_editor_gets_the_standard_input_and_speaks_on_standard_error(
    amx: Amx, config: Path, bench: Path
) -> None:
    editor = script(bench, 'echo "hello from the editor"; echo "a: $(cat)" > "$1"')
    done = amx("config", "edit", "--json", env={"VISUAL": str(editor)}, stdin="5")
    assert done.json == {"path": str(config), "changed": True, "merged": False}
    assert done.err == "hello from the editor\n"
    assert config.read_text() == "a: 5\n"


# --- what is said


def test_a_saved_and_an_unchanged_text_are_told_apart(amx: Amx, config: Path, bench: Path) -> None:
    editor = {"VISUAL": str(script(bench, 'echo "a: 2" > "$1"'))}
    assert amx("config", "edit", env=editor).out == f"{config}: saved.\n"
    assert amx("config", "edit", env=editor).out == f"{config}: unchanged.\n"
    done = amx("config", "edit", "--json", env=editor)
    assert done.json == {"path": str(config), "changed": False, "merged": False}


def test_an_invalid_text_ends_with_5_its_place_and_the_way_on(
    amx: Amx, config: Path, bench: Path
) -> None:
    broken = {"VISUAL": str(script(bench, 'echo "b: [" >> "$1"'))}
    done = amx("config", "edit", "--json", env=broken)
    kept = kept_beside(config)
    assert (done.code, done.out, done.error["code"]) == (5, "", "config.invalid")
    assert done.error["details"] == {"line": 4, "column": 1, "kept": str(kept)}
    assert done.error["message"].startswith(f"{kept}, line 4, column 1: ")
    assert config.read_text() == LIVE
    assert (kept.read_text(), stat.S_IMODE(kept.stat().st_mode)) == (f"{LIVE}b: [\n", 0o600)
    done = amx("config", "edit", env={"VISUAL": "true"})
    assert done.code == 5
    assert f"Opened again: {kept}" in done.err
    assert "amx config edit --discard" in done.err
    mended = {"VISUAL": str(script(bench, "sed -i 's/b: .*/b: []/' \"$1\""))}
    assert amx("config", "edit", env=mended).code == 0
    assert config.read_text() == f"{LIVE}b: []\n"
    assert names(config) == ["config.yml", "config.yml.bak.1"]


def test_discard_begins_anew(amx: Amx, config: Path, bench: Path) -> None:
    broken = {"VISUAL": str(script(bench, 'echo "b: [" >> "$1"'))}
    assert amx("config", "edit", env=broken).code == 5
    done = amx("config", "edit", "--discard", env={"VISUAL": "true"})
    assert (done.code, done.out) == (0, f"{config}: unchanged.\n")
    assert names(config) == ["config.yml"]


def test_a_key_of_the_wrong_type_ends_with_5(amx: Amx, config: Path, bench: Path) -> None:
    editor = script(bench, 'echo "history_store_enabled: often" > "$1"')
    done = amx("config", "edit", "--json", env={"VISUAL": str(editor)})
    assert (done.code, done.error["details"]["line"]) == (5, 1)
    assert config.read_text() == LIVE


@pytest.mark.parametrize(
    ("command", "said"),
    [
        pytest.param("exit 3 #", "ended with 3", id="an error"),
        pytest.param("no-such-editor-here", "could not be started", id="not there"),
        pytest.param("/", "could not be started", id="a folder"),
        pytest.param("kill -9 $$ #", "ended with", id="killed"),
    ],
)
def test_an_editor_that_fails_is_told_and_changes_nothing(
    amx: Amx, config: Path, command: str, said: str
) -> None:
    done = amx("config", "edit", env={"VISUAL": command})
    assert done.code == 1
    assert f"amx: The editor {said}" in done.err
    assert "Nothing was changed." in done.err
    assert names(config) == ["config.yml"]
    assert config.read_text() == LIVE


def test_what_a_failing_editor_wrote_is_kept(amx: Amx, config: Path, bench: Path) -> None:
    editor = script(bench, 'echo "a: 2" > "$1"; exit 3')
    done = amx("config", "edit", "--json", env={"VISUAL": str(editor)})
    assert (done.code, done.error["code"]) == (1, "failed.editor")
    assert done.error["details"] == {"kept": str(kept_beside(config))}
    assert kept_beside(config).read_text() == "a: 2\n"
    assert config.read_text() == LIVE


def test_a_conflict_ends_with_3_and_hides_secrets(amx: Amx, config: Path, bench: Path) -> None:
    config.write_text("token: old\na: 1\n")
    with held_edit(bench, "--json", text="token: mine\na: 2\n") as edit:
        config.write_text("token: theirs\na: 3\n")
        done = edit.end()
    met = [
        {"key": "token", "mine": "'***'", "theirs": "'***'"},
        {"key": "a", "mine": "2", "theirs": "3"},
    ]
    assert (done.code, done.error["code"]) == (3, "refused.edit_conflict")
    kept = {"kept": str(kept_beside(config))}
    assert done.error["details"] == {**met[0], "conflicts": met, **kept}


def test_a_change_of_others_meanwhile_is_merged_and_told(
    amx: Amx, config: Path, bench: Path
) -> None:
    with held_edit(bench, text=f"{LIVE}mine: 1\n") as edit:
        assert amx("config", "set", "a", "2").code == 0
        done = edit.end()
    assert done.out == f"{config}: saved, merged with what others changed meanwhile.\n"
    assert config.read_text() == "# mine\na: 2\nmine: 1\n"


def test_an_edit_in_a_new_installation_makes_it(amx: Amx, home: Path, bench: Path) -> None:
    editor = script(bench, 'echo "a: 1" > "$1"')
    assert amx("config", "edit", env={"VISUAL": str(editor)}).code == 0
    assert (home / "config.yml").read_text() == "a: 1\n"


# --- how long it waits


def test_a_second_edit_is_refused_and_names_the_first(amx: Amx, config: Path, bench: Path) -> None:
    with held_edit(bench) as edit:
        second = {"VISUAL": "true"}
        done = amx("config", "edit", "--lock-timeout", "0", "--json", env=second)
        assert (done.code, done.error["details"]["holder"]["pid"]) == (75, str(edit.process.pid))
        assert done.error["details"]["holder"]["purpose"] == "amx config edit"
        assert edit.end().code == 0
    assert amx("config", "edit", "--lock-timeout", "0", env=second).code == 0


def test_an_edit_waits_for_the_one_before(config: Path, bench: Path) -> None:
    with held_edit(bench, text=f"{LIVE}b: 1\n") as first:
        editor = script(bench / "second", 'echo "c: 1" >> "$1"')
        words = ["config", "edit", "--lock-timeout", "1h"]
        second = started(words, {"VISUAL": str(editor)})
        assert first.end().code == 0
        second.communicate(timeout=60)
    assert second.returncode == 0
    assert config.read_text() == f"{LIVE}b: 1\nc: 1\n"


@pytest.mark.parametrize("words", ["soon", "-1", "1y", "1 2"])
def test_a_lock_timeout_that_is_no_length_of_time_is_refused(
    amx: Amx, config: Path, words: str
) -> None:
    for args in (("set", "a", "2"), ("edit",)):
        done = amx("config", *args, f"--lock-timeout={words}", env={"VISUAL": "true"})
        assert done.code == 2
    assert config.read_text() == LIVE


def test_a_save_waits_for_the_lock_as_long_as_was_said(amx: Amx, config: Path, bench: Path) -> None:
    with held_edit(bench):
        begun = time.monotonic()
        for words, least in (("0", 0), ("0.5s", 0.5)):
            done = amx("config", "edit", "--lock-timeout", words, env={"VISUAL": "true"})
            assert done.code == 75
            assert time.monotonic() - begun >= least


# --- signals


@pytest.mark.parametrize("before", ["", "X=1 "], ids=["itself", "through a shell"])
def test_sigterm_ends_the_editor_and_keeps_the_text(config: Path, bench: Path, before: str) -> None:
    command = {"VISUAL": f"{before}{bench}/editor"}
    with held_edit(bench, "--json", env=command, text="a: 2\n") as edit:
        done = edit.stopped_by(signal.SIGTERM)
        assert edit.has_lost_its_editor()
    kept = kept_beside(config)
    assert (done.code, done.error["details"]) == (143, {"kept": str(kept)})
    assert kept.read_text() == "a: 2\n"
    assert config.read_text() == LIVE
    assert names(config) == ["config.yml", kept.name, f"{kept.name}.base"]


@pytest.mark.parametrize("options", [(), ("--background",)], ids=["of a person", "of a worker"])
def test_after_sigkill_the_next_save_keeps_the_text_and_the_next_edit_opens_it(
    amx: Amx, config: Path, bench: Path, options: tuple[str, ...]
) -> None:
    with held_edit(bench, text=f"{LIVE}b: [\n") as edit:
        edit.stopped_by(signal.SIGKILL)
        assert amx("config", "set", "c", "1", *options).code == 0
        assert kept_beside(config).read_text() == f"{LIVE}b: [\n"
        assert "config.yml.edit" not in names(config)
    mended = {"VISUAL": str(script(bench, "sed -i 's/b: .*/b: 1/' \"$1\"", "mend"))}
    assert amx("config", "edit", env=mended).code == 0
    assert config.read_text() == f"{LIVE}b: 1\nc: 1\n"
    assert names(config) == ["config.yml", "config.yml.bak.1", "config.yml.bak.2"]


def test_after_sigkill_before_any_change_the_next_save_leaves_nothing(
    amx: Amx, config: Path, bench: Path
) -> None:
    with held_edit(bench) as edit:
        edit.stopped_by(signal.SIGKILL)
        assert "config.yml.edit" in names(config)
        assert amx("config", "set", "c", "1").code == 0
    assert names(config) == ["config.yml", "config.yml.bak.1"]


def test_the_editor_of_a_killed_edit_holds_up_nobody(amx: Amx, config: Path, bench: Path) -> None:
    with held_edit(bench) as edit:
        edit.stopped_by(signal.SIGKILL)
        assert amx("config", "set", "c", "1", "--background", "--lock-timeout", "0").code == 0
        done = amx("config", "edit", "--lock-timeout", "0", env={"VISUAL": "true"})
        assert done.code == 0
    assert os.path.lexists(config)
