"""Which generation a restore takes, and what is said of each of them."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from amx.core.clock import text_of
from amx.core.config import disk
from amx.core.config.generations import Generations
from amx.core.config.keys import dotted
from amx.core.config.model import differing
from amx.core.config.publication import Publication
from amx.core.config.reading import (
    MAX_BYTES,
    exposed,
    problem_of,
    read_file,
    refuse_folder_that_is_gone,
)
from amx.core.errors import ConfigError, ConfigUnreadable, Failed, UsageError

_LIST = "amx config restore --list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What to restore: a generation by number, the newest valid one, or any file."""

    number: int | None = None
    is_latest_valid: bool = False
    path: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One backup; ``changed_keys`` is None where it or the live file cannot be understood."""

    number: int
    path: Path
    size_bytes: int
    modified_at: str
    problem: str | None
    changed_keys: Sequence[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was restored, and what is wrong with it, if anything."""

    path: Path
    number: int | None
    problem: str | None
    is_changed: bool = False


def chosen(source: Source, generations: Generations, live: Path) -> Restored:
    """Find the file to restore; nothing is changed yet.

    Raises:
        ConfigGone: the live file would stand in a folder that is gone.
        UsageError: there is no such generation or file.
        Failed: no generation is valid.
    """
    refuse_folder_that_is_gone(live)
    if source.path is not None:
        return _file(source.path)
    if source.is_latest_valid:
        return _latest_valid(generations)
    path = path_of(source.number or 0, generations)
    return Restored(path=path, number=source.number, problem=problem_of(path))


def put_in_place(publication: Publication, live: Path, descriptor: int) -> bool:
    """Publish what a descriptor holds, byte for byte; False where it is live already."""
    seen = disk.look(live)
    if seen is not None and seen.digest == disk.digest_of(disk.chunks(descriptor)):
        return False
    publication.publish(disk.chunks(descriptor), seen, None)
    return True


def path_of(number: int, generations: Generations) -> Path:
    """Return where a generation is.

    Raises:
        UsageError: there is none of this number.
    """
    if number not in generations.numbers():
        numbers = ", ".join(map(str, generations.numbers())) or "none"
        msg = f"There is no generation {number}. Generations: {numbers}. Nothing was changed."
        raise UsageError(msg, hint=_LIST)
    return generations.path(number)


def listed(live: Path, generations: Generations) -> list[Generation]:
    """Describe each generation, newest first."""
    now = values_of(live)
    return [_described(number, generations.path(number), now) for number in generations.numbers()]


def _latest_valid(generations: Generations) -> Restored:
    for number in generations.numbers():
        path = generations.path(number)
        if problem_of(path) is None:
            return Restored(path=path, number=number, problem=None)
    msg = "No generation is a valid configuration. Nothing was changed."
    raise Failed(msg, hint=_LIST)


def _file(path: Path) -> Restored:
    try:
        size = path.stat().st_size if path.is_file() else None
    except OSError as error:  # a name that is too long, a folder that is not ours to read
        msg = f"{path} cannot be looked at: {error.strerror}. Nothing was changed."
        raise UsageError(msg, hint=_LIST) from error
    if size is None or size > MAX_BYTES:
        state = "is no file" if size is None else f"is more than {MAX_BYTES} bytes"
        raise UsageError(f"{path} {state}. Nothing was changed.", hint=_LIST)
    return Restored(path=path, number=None, problem=problem_of(path))


def _described(number: int, path: Path, now: dict[str, object] | None) -> Generation:
    status, values = path.stat(), values_of(path)
    keys = None if now is None or values is None else differing(values, now)
    return Generation(
        number=number,
        path=path,
        size_bytes=status.st_size,
        modified_at=text_of(datetime.fromtimestamp(status.st_mtime, UTC)),
        problem=problem_of(path),
        changed_keys=None if keys is None else [dotted(key) for key in keys],
    )


def why_not_compared(live: Path, number: int) -> list[str]:
    """Return why a generation, or the live file, cannot be understood."""
    paths = (Generations(_real(live)).path(number), live)
    return [problem for path in paths if (problem := _why_not_read(path))]


def _why_not_read(path: Path) -> str | None:
    try:
        reading = read_file(path, str(path))
    except ConfigError as error:
        return error.message
    return None if reading.sight else f"{path} is not there."


def exposed_backups(live: Path) -> list[str]:
    """Return what is said of each generation that others may read."""
    generations = Generations(_real(live))
    try:
        paths = [generations.path(number) for number in generations.numbers()]
    except ConfigUnreadable:  # what reads them says why
        return []
    modes = [(path, stat.S_IMODE(path.stat().st_mode)) for path in paths]
    return [exposed(path, mode) for path, mode in modes if mode & (stat.S_IRWXG | stat.S_IRWXO)]


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def values_of(path: Path) -> dict[str, object] | None:
    """Return what a file says; None where it is not there or cannot be understood."""
    try:
        reading = read_file(path, str(path))
    except ConfigError:
        return None
    return reading.document.values if reading.sight else None
