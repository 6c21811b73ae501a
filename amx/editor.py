"""The user's own editor: the only module that starts one."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TextIO

from amx.core.errors import EditorFailed, UsageError

_FALLBACKS = ("sensible-editor", "editor", "vi", "nano")

_SHELL = frozenset("|&;<>()$`*?[#~=%!{}\\\n")

_GRACE_S = 2.0

_NOT_STARTED = (126, 127)
"""What a shell answers for a command that it could not start. Source: POSIX, 2.8.2."""


def editor_of(environ: Mapping[str, str], *, has_terminal: bool) -> str:
    """Return the command of the editor: ``VISUAL``, ``EDITOR`` or, on a terminal, a usual one.

    Raises:
        UsageError: there is none.
    """
    named = environ.get("VISUAL") or environ.get("EDITOR")
    if named:
        return named
    found = (shutil.which(name, path=environ.get("PATH")) for name in _FALLBACKS)
    usual = next(filter(None, found), None) if has_terminal else None
    if usual is None:
        msg = "No editor is named, and there is no terminal for a usual one. Nothing was changed."
        raise UsageError(msg, hint="VISUAL=vi amx config edit; or amx config set KEY VALUE")
    return usual


def open_editor(command: str, path: Path, environ: Mapping[str, str]) -> None:
    """Start the editor on a file and wait for its end.

    The command may have words of its own; one with signs of a shell goes through it, as for git.
    Ctrl-C is the editor's meanwhile. What it says goes to standard error where standard output is
    no terminal.

    Raises:
        EditorFailed: it could not be started, or ended with an error.
    """
    output = None if sys.stdout and sys.stdout.isatty() else sys.stderr
    with _left_to_the_editor(signal.SIGINT), _left_to_the_editor(signal.SIGQUIT):
        code = _run(_words(command, path), output, environ)
    if code:
        what = "could not be started" if code in _NOT_STARTED else f"ended with {code}"
        msg = f"The editor {what}: {command}. Nothing was changed."
        raise EditorFailed(msg, hint="Name another one: export VISUAL=vi")


def _words(command: str, path: Path) -> list[str]:
    """Return what to start. A shell is only waited for: it outlives the signals of the keyboard."""
    if not _SHELL.intersection(command):
        with suppress(ValueError):  # a quote that is not closed: the shell says it best
            return [*shlex.split(command), str(path)]
    return ["/bin/sh", "-c", f'trap : INT QUIT; {command} "$@"', command, str(path)]


def _run(words: list[str], output: TextIO | None, environ: Mapping[str, str]) -> int:
    with _put_off(signal.SIGTERM) as let_come:
        try:
            editor = subprocess.Popen(words, stdout=output, env=dict(environ))  # noqa: S603 - the user's own editor
        except OSError:
            return _NOT_STARTED[0]
        try:
            let_come()
            code = editor.wait()
        finally:
            if editor.poll() is None:  # we are stopped: no editor stays on a text that is put away
                _end(editor)
    return code if code >= 0 else 128 - code


@contextmanager
def _put_off(number: signal.Signals) -> Iterator[Callable[[], None]]:
    """Put a signal off until it is let come, at the end of the block at the latest.

    One that came while the editor is being started would find no editor to end, and leave it.
    """
    before, came = signal.getsignal(number), []
    signal.signal(number, lambda *_: came.append(number))

    def let_come() -> None:
        signal.signal(number, before)
        while came:
            os.kill(os.getpid(), came.pop())

    try:
        yield let_come
    finally:
        let_come()


def _end(editor: "subprocess.Popen[bytes]") -> None:
    """Ask the editor to end, and the shell that may stand before it; neither holds us up."""
    children = Path(f"/proc/{editor.pid}/task/{editor.pid}/children")
    with suppress(OSError):
        for child in children.read_text().split():
            os.kill(int(child), signal.SIGTERM)
    editor.terminate()
    with suppress(subprocess.TimeoutExpired):
        editor.wait(_GRACE_S)


@contextmanager
def _left_to_the_editor(number: signal.Signals) -> Iterator[None]:
    """Let a signal of the keyboard end the editor only: a handler is not inherited, ignoring is."""

    def nothing(_signal: int, _frame: FrameType | None) -> None:
        """Do nothing."""

    before = signal.signal(number, nothing)
    try:
        yield
    finally:
        signal.signal(number, before)
