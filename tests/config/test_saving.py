"""Guard 4, sentence by sentence: what a save promises."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from amx.core.config.model import REMOVED, Changes
from amx.core.errors import (
    Busy,
    ConfigGone,
    ConfigInvalid,
    EditConflict,
    UsageError,
)
from amx.core.locks import FileLock
from tests.config.support import Place, watched


def test_the_first_save_creates_a_private_home_and_file(place: Place) -> None:
    assert place.file().patch({("active_db_profile",): "shop"})
    assert place.live.read_text() == "active_db_profile: shop\n"
    assert stat.S_IMODE(place.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(place.live.stat().st_mode) == 0o600
    assert place.names() == ["config.yml", "config.yml.lock"]


def test_an_explicit_file_that_is_not_there_is_not_made(place: Place) -> None:
    with pytest.raises(ConfigGone):
        place.file(is_explicit=True).patch({("a",): 1})
    assert not place.folder.exists()


def test_a_save_keeps_the_former_contents_as_the_newest_generation(place: Place) -> None:
    place.write("# note\nz: 1\na: 2\n")
    for n in range(7):
        assert place.file().patch({("a",): n})
    assert place.live.read_text() == "# note\nz: 1\na: 6\n"
    assert place.backups() == [f"# note\nz: 1\na: {n}\n" for n in (5, 4, 3, 2, 1)]
    assert {path.stat().st_mode & 0o777 for path in place.folder.iterdir()} == {0o600}


def test_a_save_that_changes_nothing_writes_nothing_at_all(place: Place) -> None:
    place.write("a: 1\n", mode=0o640)
    with watched(lambda *_: None) as called:
        assert not place.file().patch({("a",): 1, ("b", "c"): REMOVED})
    assert set(called) <= {"open", "close"}
    assert place.names() == ["config.yml"]
    assert stat.S_IMODE(place.live.stat().st_mode) == 0o640


def test_taking_away_what_is_not_there_makes_no_home(place: Place) -> None:
    assert not place.file().patch({("a",): REMOVED})
    assert not place.folder.exists()


def test_true_and_one_are_not_the_same_value(place: Place) -> None:
    place.write("a: 1\n")
    assert place.file().patch({("a",): True})
    assert place.live.read_text() == "a: true\n"


def test_a_save_makes_a_file_private_that_others_could_read(place: Place) -> None:
    place.write("a: 1\n", mode=0o644)
    place.write_backups("a: 0\n")
    place.backup(1).chmod(0o644)
    place.file().patch({("a",): 2})
    assert {path.stat().st_mode & 0o777 for path in place.folder.iterdir()} == {0o600}


def test_a_symbolic_link_stays_one_and_backups_stand_beside_the_real_file(
    tmp_path: Path,
) -> None:
    real, linked = Place(tmp_path / "dotfiles", "amx.yml"), Place(tmp_path / "amx")
    real.write("a: 1\n")
    linked.folder.mkdir()
    linked.live.symlink_to(real.live)
    assert linked.file().patch({("a",): 2})
    assert linked.live.is_symlink()
    assert real.live.read_text() == "a: 2\n"
    assert linked.names() == ["config.yml"]
    assert real.names() == ["amx.yml", "amx.yml.bak.1", "amx.yml.lock"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_the_owner_of_the_file_survives(place: Place) -> None:
    place.write("a: 1\n")
    os.chown(place.live, 1234, 1235)
    place.file().patch({("a",): 2})
    for path in (place.live, place.backup(1)):
        assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1235)


def test_a_change_by_another_process_to_another_key_is_kept(place: Place) -> None:
    place.write("a: 1\nb: 1\n")
    mine = place.file()
    mine.load()
    place.file().patch({("b",): 2})
    assert mine.patch({("a",): 2})
    assert place.live.read_text() == "a: 2\nb: 2\n"


def test_a_change_by_another_process_to_the_same_key_is_refused_with_both_values(
    place: Place,
) -> None:
    place.write("a: 1\npassword: old\n")
    mine = place.file()
    mine.load()
    place.file().patch({("a",): 2, ("password",): "theirs"})
    cases: list[tuple[Changes, str]] = [
        ({("a",): 3}, "a was changed by somebody else meanwhile: here 3, on disk 2."),
        ({("a",): REMOVED}, "a was changed by somebody else meanwhile: here removed, on disk 2."),
        (
            {("password",): "mine"},
            "password was changed by somebody else meanwhile: here '***', on disk '***'.",
        ),
    ]
    for changes, shown in cases:
        with pytest.raises(EditConflict) as caught:
            mine.patch(changes)
        assert caught.value.message == f"{shown} Nothing was changed."
    assert not mine.patch({("a",): 2})
    assert place.live.read_text() == "a: 2\npassword: theirs\n"


def test_a_file_that_was_deleted_since_it_was_loaded_is_not_made_again(place: Place) -> None:
    place.write("a: 1\n")
    mine = place.file()
    mine.load()
    place.live.unlink()
    with pytest.raises(ConfigGone):
        mine.patch({("a",): 2})
    assert place.names() == []


def test_a_broken_file_is_not_saved_over(place: Place) -> None:
    place.write("a: [1\n")
    with pytest.raises(ConfigInvalid):
        place.file().patch({("a",): 2})
    assert place.live.read_text() == "a: [1\n"
    assert place.names() == ["config.yml"]


def test_a_key_of_the_wrong_type_is_never_saved_but_can_be_mended(place: Place) -> None:
    place.write("share_questions: 'yes'\nhistory_store_enabled: 'on'\n")
    with pytest.raises(UsageError) as caught:
        place.file().patch({("active_db_profile",): 1})
    assert caught.value.message == "active_db_profile must be text. Nothing was changed."
    assert place.file().patch({("share_questions",): True})
    assert place.live.read_text() == "share_questions: true\nhistory_store_enabled: 'on'\n"


def test_a_save_waits_for_the_lock_and_then_says_who_holds_it(place: Place) -> None:
    place.write("a: 1\n")
    lock = place.folder / "config.yml.lock"
    with FileLock(lock, wait_s=0, purpose="tests"), pytest.raises(Busy) as caught:
        place.file(lock_timeout_s=0.05).patch({("a",): 2})
    host = os.uname().nodename
    assert f"(process {os.getpid()} on {host}: tests, since 20" in caught.value.message
    assert place.live.read_text() == "a: 1\n"


def test_a_lock_file_that_a_killed_process_left_holds_up_nobody(place: Place) -> None:
    place.write("a: 1\n")
    (place.folder / "config.yml.lock").write_text("1 saves the configuration\n")
    assert place.file(lock_timeout_s=0).patch({("a",): 2})


def test_four_processes_with_ten_changes_each_lose_none(place: Place) -> None:
    place.write("# note\nkeep: me\n")
    program = (
        "import sys; from pathlib import Path; from amx.core.config.file import ConfigFile\n"
        "for n in range(10):\n"
        "    file = ConfigFile(Path(sys.argv[1]), is_explicit=True, warn=print, "
        "lock_timeout_s=30)\n"
        "    assert file.patch({(f'p{sys.argv[2]}', f'k{n}'): n})\n"
    )
    command = [sys.executable, "-c", program, str(place.live)]
    children = [subprocess.Popen([*command, str(number)]) for number in range(4)]
    assert [child.wait(60) for child in children] == [0, 0, 0, 0]
    wanted = {f"p{number}": {f"k{n}": n for n in range(10)} for number in range(4)}
    assert place.file().load().raw == {"keep": "me", **wanted}
    assert place.live.read_text().startswith("# note\nkeep: me\n")
    assert len(place.backups()) == 5
