"""One look at a configuration file: its bytes, what they mean, and what the file was."""

import os
import stat
from pathlib import Path
from typing import NamedTuple

from amx.core.config import disk, syntax
from amx.core.config.model import faults
from amx.core.errors import ConfigError, ConfigInvalid, ConfigUnreadable

MAX_BYTES = 512 * 1024
"""A larger file is refused unread: PyYAML needs 40 times a file's size in memory."""


class Reading(NamedTuple):
    """What a configuration file was when it was read; ``sight`` is None if it was not there."""

    document: syntax.Document
    text: str = ""
    sight: disk.Sight | None = None
    mode: int = disk.PRIVATE

    @property
    def is_open_to_others(self) -> bool:
        """Whether anybody but its owner may read or write it."""
        return bool(self.mode & (stat.S_IRWXG | stat.S_IRWXO))


def read_file(path: Path, where: str) -> Reading:
    """Read a configuration file strictly; its declared types are not looked at.

    Raises:
        ConfigInvalid: it is no configuration; with line and column, and with ``where`` as its name.
        ConfigUnreadable: it is there and cannot be read.
    """
    try:
        with disk.opened(path) as descriptor:
            status = os.fstat(descriptor)
            if status.st_size > MAX_BYTES:
                raise _too_large(where, status.st_size)
            sight, data = disk.seen(descriptor)
    except FileNotFoundError:
        return Reading(syntax.Document({}, None))
    except OSError as error:
        from shlex import quote

        msg = f"{where} cannot be read: {disk.reason(error)}."
        raise ConfigUnreadable(msg, hint=f"ls -la {quote(where)}") from error
    document = syntax.read(data, where)
    return Reading(document, data.decode(), sight, stat.S_IMODE(status.st_mode))


def check_types(document: syntax.Document, where: str) -> None:
    """Refuse a document in which a declared key has a value of another type.

    Raises:
        ConfigInvalid: with line and column.
    """
    for fault in faults(document.values):
        line, column = document.position(fault.key)
        msg = f"{where}, line {line}, column {column}: {fault.problem}."
        raise ConfigInvalid(msg, line=line, column=column, hint=syntax.HINT)


def problem_of(path: Path) -> str | None:
    """Return why a file cannot serve as a configuration; None where it can."""
    try:
        reading = read_file(path, str(path))
        check_types(reading.document, str(path))
    except ConfigError as error:
        return error.message
    return None if reading.sight else f"{path} is not there."


def _too_large(where: str, size: int) -> ConfigInvalid:
    msg = f"{where} has {size} bytes; more than {MAX_BYTES} are not read."
    return ConfigInvalid(msg, line=1, column=1, hint=syntax.HINT)
