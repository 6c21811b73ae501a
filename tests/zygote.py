"""Runs the real program in processes of their own that need not start Python anew.

A server, begun once per suite, has the program's modules loaded; for each run it forks a process,
which gets the caller's folder, environment and streams. It opens nothing of its own, has one
thread, and what a run leaves behind dies with its process. Whatever depends on the start of an
interpreter is run by `subprocess` instead.
"""

import importlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[1]

_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "TZ")
"""What an interpreter heeds when it starts."""

_LONGEST = 1 << 20


class Zygote:
    """The server; ended by `close`, and with this process at the latest."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._begun_with = dict(os.environ)
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.zygote", str(theirs.fileno())],
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )

    def run(
        self, args: Sequence[str], environ: Mapping[str, str], stdin: str, timeout_s: float
    ) -> tuple[int, str, str] | None:
        """Run ``amx ARGS`` in the present folder; return its code and what it has printed.

        None where it must be run by itself: it needs an interpreter of its own, or another thread
        has a run under way.

        Raises:
            TimeoutError: it did not end in time; there are no more runs.
        """
        if not self._fits(environ) or not self._turn.acquire(blocking=False):
            return None
        try:
            with _file() as given, _file() as out, _file() as err:
                given.write(stdin.encode())
                given.seek(0)
                os.umask(umask := os.umask(0))
                order = json.dumps([[*args], dict(environ), _present_folder(), umask]).encode()
                self._ours.settimeout(timeout_s)
                streams = [given.fileno(), out.fileno(), err.fileno()]
                socket.send_fds(self._ours, [order], streams)
                code = int(self._ours.recv(16))
                return code, _text(out), _text(err)
        finally:
            self._turn.release()

    def _fits(self, environ: Mapping[str, str]) -> bool:
        names = {name for name in (*environ, *self._begun_with) if name.startswith(_AT_START)}
        return all(environ.get(name) == self._begun_with.get(name) for name in names)

    def close(self) -> None:
        """End it."""
        self._ours.close()
        self._process.wait()


def _present_folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - not resolved
    except FileNotFoundError:
        return ""


def _file() -> IO[bytes]:
    return tempfile.TemporaryFile()


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="surrogateescape").replace("\r\n", "\n")


# --- the server


def _serve(theirs: socket.socket) -> None:
    for module in _LOADED:
        importlib.import_module(module)
    while True:
        order, streams, _, _ = socket.recv_fds(theirs, _LONGEST, 3)
        if not order:
            return
        child = os.fork()
        if child == 0:
            theirs.close()
            args, environ, folder, umask = json.loads(order)
            _become(args, environ, folder, umask, streams)
        for stream in streams:
            os.close(stream)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        theirs.send(str(code).encode())


def _become(
    args: list[str], environ: dict[str, str], folder: str, umask: int, streams: list[int]
) -> None:
    """Be ``amx ARGS``, to the end of this process."""
    from amx.cli import run

    code = 70
    try:
        if folder:
            os.chdir(folder)
        os.umask(umask)
        os.environ.clear()
        os.environ.update(environ)
        sys.argv = ["amx", *args]
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        sys.stdin = open(0, encoding=sys.stdin.encoding, errors=sys.stdin.errors)  # noqa: SIM115 - a number
        sys.stdout = open(1, "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors)  # noqa: SIM115 - a number
        sys.stderr = open(2, "w", 1, encoding=sys.stderr.encoding, errors="backslashreplace")  # noqa: SIM115 - a number
        run()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(code)


_LOADED = (
    *("amx.cli", "amx.commands.db", "amx.commands.session", "amx.commands.config"),
    *("amx.commands.history_store", "amx.commands.history", "amx.core.sharing"),
    *("amx.core.outbox", "amx.core.enabling", "amx.core.delivery", "amx.closing"),
    *("amx.stores.outbox", "amx.stores.sqlite", "amx.stores.local", "amx.core.sessions"),
    *("amx.core.config.file", "amx.core.config.saving", "amx.core.config.splice", "yaml", "json"),
    *("amx.commands.ask", "amx.core.answers", "amx.describers.openai"),
)

if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as _theirs:
        _serve(_theirs)
