"""A real shell for commands that amx prints, and what a refusal must leave as it was."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support import Done


def pasted(text: str, env: Mapping[str, str] | None = None) -> int:
    """Let a shell run what was printed, as a user would who pastes it; return its exit code."""
    return shell(text, env).code


def shell(text: str, env: Mapping[str, str] | None = None) -> Done:
    """Let ``sh`` run a text in which ``amx`` is the real program."""
    done = subprocess.run(
        ["/bin/sh", "-c", f'amx() {{ "{sys.executable}" -m amx "$@"; }}\n{text}'],
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def words_of(text: str) -> list[list[str]]:
    """Return the words with which a shell calls ``amx``, call by call."""
    done = subprocess.run(
        ["/bin/sh", "-c", f"amx() {{ printf '%s\\0' \"$@\"; echo; }}\n{text}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split("\0")[:-1] for line in done.stdout.splitlines()]


@contextmanager
def untouched(home: Path) -> Iterator[None]:
    """Require that not a byte of home changes in the block, but for SQLite's own bookkeeping."""
    before = _bytes(home)
    yield
    after = _bytes(home)
    assert {name for name in {**before, **after} if before.get(name) != after.get(name)} == set()


def _bytes(home: Path) -> Mapping[str, bytes]:
    files = (path for path in home.rglob("*") if path.is_file() and path.suffix != ".db-shm")
    found = {str(path.relative_to(home)): path.read_bytes() for path in files}
    return {name: content for name, content in found.items() if content}  # a WAL may be empty
