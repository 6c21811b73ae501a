"""Mounts that nobody else sees: commands run in a mount namespace of their own, for real.

What is mounted there goes with its last process. Where the kernel refuses namespaces, the tests
that need them are skipped, with its reason.

Source: mount_namespaces(7), user_namespaces(7).
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, NamedTuple

import pytest

from tests.config.steps import LIMIT_S
from tests.support import Done

Step = Sequence[str]

_STEPS = Path(__file__).with_name("steps.py")

_MOUNTS = (["--mount"], ["--user", "--map-root-user", "--mount"])
"""How root, and how an ordinary user, has mounts of its own."""

_APART = ["--pid", "--fork", "--kill-child", "--uts"]
"""What makes a container of it: processes and a hostname of its own."""

_NAMED = ["sh", "-c", 'hostname "$1" && shift && exec "$@"', "sh"]

_PROBE = "mount -t tmpfs none /mnt && hostname amx-probe"


class Streams(NamedTuple):
    """What a program in a container hears and says."""

    heard: IO[str]
    said: IO[str]


def inside(*steps: Step) -> list[Done]:
    """Do the steps in a mount namespace of their own and return how each of them ended.

    ``amx …`` runs the program, ``look FOLDER`` tells what is in a folder, ``fill FILE PAGES`` takes
    all of a disk but so many pages, anything else is a command of the system, which must succeed.
    """
    command = ["unshare", *_way(), sys.executable, str(_STEPS)]
    done = subprocess.run(
        command,
        input=json.dumps(steps),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ended = [Done(*one) for one in json.loads(done.stdout)]
    assert len(ended) == len(steps), (steps[len(ended) - 1], ended[-1])
    return ended


@contextmanager
def container(name: str, *command: str) -> Iterator[Streams]:
    """Run a command in namespaces of its own, this its hostname; it ends with its input."""
    process = subprocess.Popen(
        ["unshare", *_way(), *_APART, *_NAMED, name, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    with process:
        yield Streams(process.stdin, process.stdout)


@cache
def _way() -> list[str]:
    """Return the words that make namespaces here; where the kernel refuses, skip and say why."""
    reasons = []
    for way in _MOUNTS:
        probe = ["unshare", *way, *_APART, "sh", "-c", _PROBE]
        try:
            done = subprocess.run(probe, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            reasons = [str(error)]
            break
        if done.returncode == 0:
            return way
        reasons.append(done.stderr.strip())
    pytest.skip(f"no namespaces here: {'; '.join(reasons)}")
