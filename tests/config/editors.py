"""Editors for the tests of `amx config edit`, one that is held open, and a process that edits."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support import Done, Environment

WAIT_S = 60
"""Nothing takes so long; a test that waits longer for an event fails."""

_HELD = """\
#!/bin/sh
echo "$$ $1" > {folder}/opened
read -r code < {folder}/go || code=99
exit "$code"
"""


def script(folder: Path, body: str, name: str = "editor") -> Path:
    """Make a shell script that serves as an editor; ``$1`` is the text."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o700)
    return path


class Held(NamedTuple):
    """A real `amx config edit` whose editor is open until it is let go."""

    process: "subprocess.Popen[str]"
    end_of_editor: int
    copy: Path
    go: int

    def end(self, code: int = 0) -> Done:
        """Let the editor end with this code, and wait for the end of amx."""
        os.write(self.go, f"{code}\n".encode())
        return self.ended()

    def ended(self) -> Done:
        """Wait for the end of amx."""
        out, err = self.process.communicate(timeout=WAIT_S)
        return Done(self.process.returncode, out, err)

    def stopped_by(self, number: signal.Signals) -> Done:
        """Send a signal to amx, not to its editor, and wait for the end of amx.

        Standard error is the editor's, too: after SIGKILL it is open as long as that is.
        """
        self.process.send_signal(number)
        self.process.wait(WAIT_S)
        if number == signal.SIGKILL:
            return Done(self.process.returncode, "", "")
        return self.ended()

    def has_lost_its_editor(self) -> bool:
        """Wait for the end of the editor; tell whether it came."""
        return bool(select.select([self.end_of_editor], [], [], WAIT_S)[0])


@contextmanager
def held_edit(
    folder: Path,
    *args: str,
    env: Environment | None = None,
    text: str | bytes | None = None,
) -> Iterator[Held]:
    """Start `amx config edit` and wait until its editor is open; change the text if one is given.

    Args:
        folder: Where the editor stands; it must not be there yet.
        *args: More words for amx.
        env: More of the environment.
        text: What the editor writes into the copy.
    """
    folder.mkdir()
    editor = folder / "editor"
    editor.write_text(_HELD.format(folder=folder))
    editor.chmod(0o700)
    with fifo(folder / "opened") as opened, fifo(folder / "go") as go:
        process = started(["config", "edit", *args], {"VISUAL": str(editor), **(env or {})})
        try:
            pid, _, name = heard(opened, process).rstrip("\n").partition(" ")
            copy = Path(name)
            if text is not None:
                copy.write_bytes(text.encode() if isinstance(text, str) else text)
            with end_of(int(pid)) as end:
                yield Held(process, end, copy, go)
        finally:
            process.kill()
            os.write(go, b"0\n" * 9)  # an orphan of an editor ends, too
            process.communicate()


def started(args: Sequence[str], env: Environment) -> "subprocess.Popen[str]":
    """Start the real program without a terminal."""
    merged = {**os.environ, **env}
    return subprocess.Popen(
        [sys.executable, "-m", "amx", *args],
        env={name: value for name, value in merged.items() if value is not None},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def fifo(path: Path) -> Iterator[int]:
    """Make a named pipe and hold both its ends: nobody who opens it has to wait."""
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def end_of(pid: int) -> Iterator[int]:
    """Give what can be read from when a process has ended. Source: pidfd_open(2)."""
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def heard(descriptor: int, process: "subprocess.Popen[str]") -> str:
    """Wait for a line in a named pipe; fail when the process ends before."""
    with end_of(process.pid) as end:
        ready, _, _ = select.select([descriptor, end], [], [], WAIT_S)
    if descriptor not in ready:
        raise AssertionError(process.communicate(timeout=WAIT_S))
    return os.read(descriptor, 4096).decode()


_SUSPENDED = """\
import sys
from pathlib import Path
from amx.core.config.file import ConfigFile
file = ConfigFile(Path(sys.argv[1]), is_explicit=False, warn=print)
with file.suspended("reconciles profiles"):
    file.patch({("from_the_block",): 1})
    print("open", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def suspended_elsewhere(live: Path) -> Iterator["subprocess.Popen[str]"]:
    """Have another process in a block of `suspended` until its input ends, or the test's block."""
    with subprocess.Popen(
        [sys.executable, "-c", _SUSPENDED, str(live)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n"
            yield process
        finally:
            process.kill()
