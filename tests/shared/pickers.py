"""What the tests of the picker share: its keys, a home with a row queued, the end of a child."""

from collections.abc import Callable

import pexpect

HS = "history-store"

TITLE = "Escape leaves"

DOWN = "\x1b[B"

WAYS_OUT = {"Escape": "\x1b", "Ctrl-C": "\x03", "Ctrl-D": "\x04"}

NOES = {"Enter": "\r", "n": "n", "nonsense and Enter": "x\r", **WAYS_OUT}

Snapshot = Callable[[], tuple[object, ...]]


def ended(child: "pexpect.spawn[str]") -> tuple[str, int | None]:
    """Wait for the end; return what was shown since the last question, and the exit code."""
    child.expect(pexpect.EOF)
    child.close()
    return child.before or "", child.exitstatus
