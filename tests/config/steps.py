"""The program that `namespaces` runs inside: steps, one after the other, and how each ended.

It reads them as JSON from its input. It needs nothing but Python, so that it starts at once.
"""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

LIMIT_S = 300
"""How long anything may take on a machine that has much else to do."""

PAGE = os.sysconf("SC_PAGE_SIZE")
"""What the smallest file takes of a tmpfs."""


def _done(step: Sequence[str]) -> tuple[int, str, str]:
    if step[0] == "look":
        return 0, json.dumps(_seen(Path(step[1]))), ""
    if step[0] == "fill":
        _fill(Path(step[1]), int(step[2]))
        return 0, "", ""
    words = [sys.executable, "-m", *step] if step[0] == "amx" else step
    done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    return done.returncode, done.stdout, done.stderr


def _seen(folder: Path) -> Mapping[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.iterdir()) if path.is_file()}


def _fill(path: Path, pages: int) -> None:
    """Write until the disk is full, then give some pages back."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        while True:
            os.write(descriptor, bytes(PAGE))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        os.ftruncate(descriptor, (os.fstat(descriptor).st_size // PAGE - pages) * PAGE)
    finally:
        os.close(descriptor)


def _main() -> None:
    ended = []
    for step in json.load(sys.stdin):
        ended.append(_done(step))
        if ended[-1][0] != 0 and step[0] != "amx":
            break
    json.dump(ended, sys.stdout)


if __name__ == "__main__":
    _main()
