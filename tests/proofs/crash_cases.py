"""What is killed or failed: commands over a folder, and what they make of it."""

import os
import re
import shlex
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from tests.proofs.crash_tracing import Command

ROOT = Path(__file__).parents[2]
LIVE = "config.yml"
REJECTED = f"{LIVE}.rejected"
BACKUPS = tuple(f"{LIVE}.bak.{number}" for number in range(1, 6))

_EDITOR = """#!/bin/sh
cat "$EDITED_TEXT" > "$1" && : > "$EDITED_MARK"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A command over a folder: ``live`` becomes ``new``; ``backups`` are newest first.

    ``origin`` holds the folder and is copied for each run. ``edited`` is what a user writes in an
    editor, ``owed`` what one has written before: neither may be lost. ``code`` is how it ends
    when it is not harmed.
    """

    name: str
    words: tuple[str, ...]
    origin: Path
    live: bytes | None
    new: bytes
    backups: tuple[bytes, ...]
    edited: bytes | None = None
    owed: bytes | None = None
    code: int = 0
    has_leftovers: bool = False

    def command(self, place: Path) -> Command:
        """Copy the folder to a new place and return the command to run there."""
        place.mkdir(mode=0o700)
        if (self.origin / "home").exists():
            copy_tree(self.origin / "home", place / "home")
        passed = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        environ = {
            **passed,
            "HOME": str(place),
            "AMX_HOME": str(place / "home"),
            "AMX_LOCAL_DB": str(place / "local.db"),
            "PYTHONPATH": str(ROOT),
            "PYTHONPYCACHEPREFIX": str(place.parent / "compiled"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "VISUAL": shlex.join(["sh", str(self.origin / "editor")]),
            "EDITED_TEXT": str(self.origin / "text"),
            "EDITED_MARK": str(place / "edited"),
        }
        words = [sys.executable, "-m", "amx", *self.words]
        return Command(words, environ, place / "home", has_children=self.edited is not None)

    def history(self, live: bytes | None) -> tuple[bytes, ...]:
        """Return the generations that there must be once the live file is this."""
        before = () if live == self.live or self.live is None else (self.live,)
        return (*before, *self.backups)[: len(BACKUPS)]

    def over_leftovers(self, place: Path, origin: Path) -> "Scenario":
        """Copy what a killed run has left and return a `config set` over it."""
        origin.mkdir()
        if (place / "home").exists():
            copy_tree(place / "home", origin / "home")
        path = origin / "home" / LIVE
        live = path.read_bytes() if path.exists() else None
        return Scenario(
            name=f"set over leftovers of {self.name}",
            words=("config", "set", "n", "2"),
            origin=origin,
            live=live,
            new=with_number(live, 2),
            backups=self.history(live),
            owed=self.edited if (place / "edited").exists() else self.owed,
            has_leftovers=True,
        )


def scenarios(root: Path) -> list[Scenario]:
    """Make the orderly folders under ``root`` and return the commands over them."""
    older = tuple(text_of(-number) for number in range(1, 6))
    changed = text_of(1)
    base = Scenario(
        name="set",
        words=("config", "set", "n", "1"),
        origin=root / "set",
        live=text_of(0),
        new=changed,
        backups=older,
    )
    edit = replace(base, name="edit", words=("config", "edit"), edited=changed)
    found = [
        base,
        replace(base, name="restore", words=("config", "restore", "5"), new=older[4]),
        edit,
        replace(edit, name="edit again", owed=b"n: [\n"),
        replace(edit, name="invalid edit", edited=b"n: ]\n", new=text_of(0), code=5),
        replace(base, name="few backups", backups=older[:2]),
        replace(base, name="first save", live=None, backups=(), new=with_number(None, 1)),
    ]
    found = [replace(one, origin=root / one.name.replace(" ", "-")) for one in found]
    for one in found:
        _make(one)
    return found


def _make(scenario: Scenario) -> None:
    scenario.origin.mkdir(mode=0o700)
    (scenario.origin / "editor").write_text(_EDITOR)
    (scenario.origin / "text").write_bytes(scenario.edited or b"")
    files = dict(zip(BACKUPS, scenario.backups, strict=False))
    if scenario.live is not None:
        files[LIVE] = scenario.live
    if scenario.owed is not None:
        files |= {REJECTED: scenario.owed, f"{REJECTED}.base": text_of(0)}
    home = scenario.origin / "home"
    if files:
        home.mkdir(mode=0o700)
    for name, data in files.items():
        (home / name).write_bytes(data)
        (home / name).chmod(0o600)


def text_of(n: int) -> bytes:
    """Return a configuration that differs from its like in one number."""
    head = "# the team's databases\ndb_profiles:\n  sales: {backend: sqlite, path: /tmp/s.db}\n"
    return f"{head}# a number\nn: {n}\nname: 'ä'\n".encode()


def with_number(data: bytes | None, n: int) -> bytes:
    """Return what `config set n` makes of a configuration."""
    text = b"n: %d" % n
    return text + b"\n" if data is None else re.sub(rb"^n: -?\d+", text, data, flags=re.MULTILINE)


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder with its modes, times and hard links."""
    copies: dict[int, Path] = {}
    target.mkdir(parents=True)
    for path in sorted(source.rglob("*")):
        other, inode = target / path.relative_to(source), path.lstat().st_ino
        if path.is_dir():
            other.mkdir()
            other.chmod(path.stat().st_mode & 0o7777)
        elif inode in copies:
            other.hardlink_to(copies[inode])
        else:
            shutil.copy2(path, other)
            copies[inode] = other
    target.chmod(source.stat().st_mode & 0o7777)
