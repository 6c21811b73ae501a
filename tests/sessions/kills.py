"""Kills the real program at the n-th thing that it does to its two files."""

import os
import signal
import sqlite3
from importlib import import_module
from typing import Any

from amx.cli import main
from tests.config.support import watched

for _name in (  # so that a fork need not
    *("amx.commands.db", "amx.commands.session", "amx.core.sessions", "amx.core.renaming"),
    *("amx.stores.local", "amx.core.config.file", "amx.core.config.saving", "yaml"),
    *("amx.core.config.splice", "amx.core.config.publication", "amx.core.history"),
):
    import_module(_name)

KILLED = -signal.SIGKILL


def killed_at(n: int, *args: str) -> bool:
    """Run ``amx ARGS`` in a fork that dies before its n-th step; tell whether it died.

    A step is a statement to SQLite, or a call of the system that changes a file by Python.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    steps = 0

    def step(*_: object) -> None:
        nonlocal steps
        steps += 1
        if steps == n:
            os.kill(os.getpid(), signal.SIGKILL)

    real = sqlite3.connect

    def connect(*words: Any, **named: Any) -> sqlite3.Connection:  # noqa: ANN401 - passed on as it came
        connection: sqlite3.Connection = real(*words, **named)
        connection.set_trace_callback(step)
        return connection

    setattr(sqlite3, "connect", connect)  # noqa: B010 - mypy; this process ends here
    with watched(step):
        code = main(args)
    os._exit(code)
