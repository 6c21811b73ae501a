"""The user's own editor: the only module that starts one."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TextIO

from amx.core.errors import EditorFailed, UsageError

_FALLBACKS = ("sensible-editor", "editor", "vi", "nano")

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

    The command is a shell's, as for git: it may have words of its own. Ctrl-C is the editor's
    meanwhile. What the editor says goes to standard error where standard output is no terminal.

    Raises:
        EditorFailed: it could not be started, or ended with an error.
    """
    words = ["/bin/sh", "-c", f'{command} "$@"', command, str(path)]
    output = None if sys.stdout and sys.stdout.isatty() else sys.stderr
    with _left_to_the_editor(signal.SIGINT), _left_to_the_editor(signal.SIGQUIT):
        code = _run(words, output, environ)
    if code:
        what = "could not be started" if code in _NOT_STARTED else f"ended with {code}"
        msg = f"The editor {what}: {command}. Nothing was changed."
        raise EditorFailed(msg, hint="Name another one: export VISUAL=vi")


def _run(words: list[str], output: TextIO | None, environ: Mapping[str, str]) -> int:
    with subprocess.Popen(words, stdout=output, env=dict(environ)) as editor:  # noqa: S603 - the user's own editor
        try:
            return editor.wait()
        finally:
            if editor.poll() is None:  # we are stopped: no editor stays on a text that is put away
                editor.terminate()


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
