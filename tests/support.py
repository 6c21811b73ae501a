"""The words that tests share: how to call the real program, and what it answers."""

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import pexpect


class Done(NamedTuple):
    """How one real run of the program ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - a document of any shape
        """The one JSON document on standard output."""
        return json.loads(self.out)

    @property
    def error(self) -> Any:  # noqa: ANN401 - a document of any shape
        """What stands under ``error`` in the JSON document on standard error."""
        return json.loads(self.err)["error"]


Environment = Mapping[str, str | None]
"""What is added to a child's environment; ``None`` takes a variable away."""


class Amx(Protocol):
    """Runs the real program without a terminal, in the folders of the present test."""

    def __call__(
        self, *args: str, env: Environment | None = None, stdin: str | None = None
    ) -> Done:
        """Run ``amx ARGS`` to its end; without ``stdin`` its input is empty."""


def set_up(*args: str) -> None:
    """Let ``amx ARGS`` be done in a fork of this process, which has its modules loaded already.

    For what a test needs to be there; what it is about is run by `Amx`, as users run it.
    """
    from amx.cli import main

    child = os.fork()
    if child == 0:
        code = 1
        try:
            nothing = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(nothing, stream)
            code = main(args)
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, args


class AmxPty(Protocol):
    """Starts the real program on a terminal of its own."""

    def __call__(self, *args: str, env: Environment | None = None) -> "pexpect.spawn[str]":
        """Start ``amx ARGS``; it is ended with the test at the latest."""
