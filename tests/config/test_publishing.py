"""The steps of a save: shadow, gate, last look, rename, and what each refuses."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from amx.core.config import disk
from amx.core.config.model import REMOVED
from amx.core.errors import SaveFailed, ShadowRejected
from tests.config.support import Place, count_calls, killed_at, watched


def test_a_shadow_that_reads_back_differently_is_rejected(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write("a: 1\n")
    place.write_backups("a: 0\n")
    before = place.state()
    write = os.write

    def flip(descriptor: int, data: bytes) -> int:
        return write(descriptor, bytes(data).replace(b"2", b"3"))

    monkeypatch.setattr("os.write", flip)
    with pytest.raises(ShadowRejected) as caught:
        place.file().patch({("a",): 2})
    assert "is not what was written to it" in caught.value.message
    assert place.state() == before


def test_contents_that_mean_something_else_are_rejected(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write("a: 1\n")
    place.write_backups("a: 0\n")
    before = place.state()
    monkeypatch.setattr("amx.core.config.syntax.rewrite", lambda *_: "a: true\n")
    with pytest.raises(ShadowRejected):
        place.file().patch({("a",): 2})
    assert place.state() == before


def test_a_key_that_a_merge_brought_cannot_be_taken_away_and_nothing_is_harmed(
    place: Place,
) -> None:
    place.write("base: &b {x: 1}\none:\n  <<: *b\n  y: 2\n")
    before = place.state()
    with pytest.raises(ShadowRejected):
        place.file().patch({("one", "x"): REMOVED})
    assert place.state() == before


def test_a_shadow_is_never_written_through_a_planted_link(place: Place) -> None:
    place.write("a: 1\n")
    victim = place.folder / "victim"
    victim.write_text("precious")
    (place.folder / "config.yml.shadow").symlink_to(victim)
    assert place.file().patch({("a",): 2})
    assert victim.read_text() == "precious"
    assert place.live.read_text() == "a: 2\n"
    assert "config.yml.shadow" not in place.names()


def test_an_edit_in_the_middle_of_a_save_is_kept(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write("a: 1\nb: 1\n")
    edits = iter(["a: 1\nb: 2\n", "a: 1\nb: 3\n"])
    write_new = disk.write_new

    def edit_first(*args: object) -> bytes:
        text = next(edits, None)
        if text is not None:
            place.write(text)
        return write_new(*args)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(disk, "write_new", edit_first)
    assert place.file().patch({("a",): 2})
    assert place.live.read_text() == "a: 2\nb: 3\n"
    assert place.backups() == ["a: 1\nb: 3\n"]


def edited_at(place: Place, number: int) -> bool:
    """Save; at its n-th call edit the file, its size and time kept. Was that before its last look?

    The facts of the file do not tell of such an edit: only its bytes do.
    """
    place.write("a: 0\nb: 0\n")
    assert place.file().patch({("a",): 1})  # it ends well, and leaves what the next one trusts
    times = place.live.stat().st_atime_ns, place.live.stat().st_mtime_ns
    looks = []
    utime = os.utime

    def edit(n: int, name: str, args: tuple[object, ...]) -> None:
        if name == "open" and str(args[0]) == str(place.live):
            looks.append(n)
        if n == number:
            with place.live.open("r+") as live:
                live.write("a: 1\nb: 7\n")
            utime(place.live, ns=times)

    with watched(edit):
        assert place.file().patch({("a",): 2})
    return number <= looks[-1]


def test_an_edit_of_equal_size_and_time_at_any_call_before_the_last_look_is_kept(
    tmp_path: Path,
) -> None:
    number = 1
    while edited_at(place := Place(tmp_path / str(number)), number):
        assert place.live.read_text() == "a: 2\nb: 7\n"
        assert place.backups() == ["a: 1\nb: 7\n", "a: 0\nb: 0\n"]
        number += 1
    assert number > 15


def test_a_file_that_is_mounted_by_itself_is_refused_before_anything_is_touched(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write("a: 1\n")
    place.write_backups("a: 0\n")
    before = place.state()

    def refuse(*_: object) -> None:  # as the kernel does across mounts
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr("os.link", refuse)
    monkeypatch.setattr(disk, "is_mount_point", lambda path: path == place.live)
    with pytest.raises(SaveFailed) as caught:
        place.file().patch({("a",): 2})
    assert caught.value.message == (
        f"{place.live} could not be saved: Device or resource busy (EBUSY). It is unchanged."
    )
    assert caught.value.hint == (
        "A file that is mounted by itself cannot be replaced: mount its folder instead."
    )
    assert place.state() == before


def test_the_root_of_a_mount_is_recognised() -> None:
    assert disk.is_mount_point(Path("/proc"))
    assert not disk.is_mount_point(Path("/proc/self"))


def test_a_limit_on_file_sizes_is_a_refusal_like_any_other(place: Place) -> None:
    place.write(f"a: 1\nb: {'x' * 5000}\n")
    program = (
        "import resource; from pathlib import Path; "
        "from amx.core.config.file import ConfigFile; from amx.core.errors import SaveFailed\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        f"file = ConfigFile(Path({str(place.live)!r}), is_explicit=True, warn=print)\n"
        "try:\n    file.patch({('a',): 2})\n"
        "except SaveFailed as error:\n    print(error.message)\n"
    )
    command = [sys.executable, "-B", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == (
        f"{place.live} could not be saved: File too large (EFBIG). It is unchanged.\n"
    )
    assert place.names() == ["config.yml", "config.yml.lock"]


def test_the_directory_is_synced_after_the_rename(place: Place) -> None:
    place.write("a: 1\n")
    with watched(lambda *_: None) as called:
        place.file().patch({("a",): 2})
    after = called[len(called) - called[::-1].index("rename") :]
    assert after.index("fsync") > after.index("open")


def syncs(place: Place, value: object) -> int:
    with watched(lambda *_: None) as called:
        assert place.file().patch({("a",): value})
    return called.count("fsync")


def test_what_a_save_that_ended_well_has_synced_is_not_synced_again(place: Place) -> None:
    place.write("a: 1\n")
    first = syncs(place, 2)
    assert syncs(place, 3) == first - 2  # the names beside the live file, and its bytes
    place.live.write_text("a: 4\n")
    assert syncs(place, 5) == first
    os.utime(place.live)
    assert syncs(place, 6) == first


def test_what_a_save_that_was_killed_or_failed_has_renamed_is_synced_by_the_next(
    place: Place,
) -> None:
    place.write("a: 1\n")
    place.write_backups(*(f"a: {-number}\n" for number in range(5)))  # as many calls each time
    first = syncs(place, 2)
    total = count_calls(lambda: place.file().patch({("a",): 3}))
    assert killed_at(total - 3, lambda: place.file().patch({("a",): 4}))  # the last fsync
    assert place.live.read_text() == "a: 4\n"
    assert syncs(place, 5) == first


def test_a_directory_that_cannot_be_synced_after_the_rename_is_said_to_be_so(
    place: Place,
) -> None:
    place.write("a: 1\n")
    renamed: list[object] = []

    def fail(_: int, name: str, args: tuple[object, ...]) -> None:
        if name == "rename" and str(args[0]).endswith("shadow"):
            renamed.append(args)
        if name == "fsync" and renamed:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    with watched(fail), pytest.raises(SaveFailed) as caught:
        place.file().patch({("a",): 2})
    assert caught.value.message == (
        f"{place.live} has its new contents, but a power failure may still undo that: "
        "Input/output error (EIO). Its former contents are the newest backup."
    )
    assert place.live.read_text() == "a: 2\n"
    assert place.backups() == ["a: 1\n"]
