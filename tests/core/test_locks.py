"""Locks that die with their process."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from amx.core.errors import Busy, LocalStoreFailed
from amx.core.locks import FileLock, NumberLocks, is_held, shared_lock

HOLD = """
import sys
from pathlib import Path
from amx.core.locks import NumberLocks, FileLock
path = Path(sys.argv[1])
if len(sys.argv) > 2:
    locks = NumberLocks(path)
    locks.hold(int(sys.argv[2]))
    print("held", flush=True)
    sys.stdin.read()
else:
    with FileLock(path, wait_s=0, purpose="a test"):
        print("held", flush=True)
        sys.stdin.read()
"""


def holder(path: Path, *words: str) -> "subprocess.Popen[str]":
    """Start a process that holds a lock until it is killed or its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_locked_file_names_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    process = holder(path)
    with pytest.raises(Busy) as caught, FileLock(path, wait_s=0.05, purpose="x"):
        pass
    end(process)
    told = caught.value.details["holder"]
    assert isinstance(told, dict)
    assert caught.value.message == (
        f"lock is locked by another process (process {process.pid} on {os.uname().nodename}: "
        f"a test, since {told['since']}). Nothing was changed."
    )
    assert abs(datetime.fromisoformat(told["since"]) - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_lock_dies_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    process = holder(path)
    assert is_held(path)
    end(process)
    assert not is_held(path)
    with FileLock(path, wait_s=0, purpose="mine"):
        assert path.read_text().startswith(f"{os.getpid()}\t{os.uname().nodename}\tmine\t")


def test_a_lock_ends_with_its_block(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock", wait_s=0, purpose="x"):
        assert is_held(tmp_path / "lock")
    assert not is_held(tmp_path / "lock")


def test_a_lock_file_that_was_never_made_is_not_held(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "none")


def test_a_shared_lock_keeps_out_exclusive_ones_and_only_those(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with shared_lock(path, purpose="x") as first, shared_lock(path, purpose="y") as second:
        assert (first, second) == (None, None)
        with pytest.raises(Busy), FileLock(path, wait_s=0, purpose="x"):
            pass
    with FileLock(path, wait_s=0, purpose="x"):
        pass


def test_a_shared_lock_that_cannot_be_had_names_the_exclusive_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    process = holder(path)
    with shared_lock(path, purpose="x") as told:
        assert told is not None
        assert told[:3] == (str(process.pid), os.uname().nodename, "a test")
    end(process)
    with shared_lock(path, purpose="x") as told:
        assert told is None


@pytest.mark.skipif(os.getuid() != 0, reason="only root makes files in another's home")
def test_a_lock_file_that_root_made_belongs_to_the_owner_of_its_folder(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 1235)
    with FileLock(tmp_path / "lock", wait_s=0, purpose="x"):
        made = (tmp_path / "lock").stat()
    assert (made.st_uid, made.st_gid) == (1234, 1235)


def test_a_lock_file_is_only_its_owners(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock", wait_s=0, purpose="x"):
        assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600


def test_a_lock_follows_no_symlink(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with (
        pytest.raises(OSError, match="symbolic"),
        FileLock(tmp_path / "lock", wait_s=0, purpose="x"),
    ):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_a_number_is_held_for_as_long_as_its_process_lives(tmp_path: Path) -> None:
    path = tmp_path / "numbers"
    process = holder(path, "7")
    locks = NumberLocks(path)
    assert (locks.is_held(7), locks.is_held(8)) == (True, False)
    end(process)
    assert not locks.is_held(7)


def test_looking_at_a_number_takes_it_from_nobody(tmp_path: Path) -> None:
    locks = NumberLocks(tmp_path / "numbers")
    locks.hold(7)
    assert locks.is_held(7)
    process = holder(tmp_path / "numbers", "8")
    assert (locks.is_held(7), locks.is_held(8)) == (True, True)
    end(process)
    locks.release(7)
    assert not locks.is_held(7)


def test_a_lock_file_that_cannot_be_opened_is_our_error(tmp_path: Path) -> None:
    with pytest.raises(LocalStoreFailed, match="cannot be opened"):
        NumberLocks(tmp_path / "no" / "folder")
