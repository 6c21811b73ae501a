"""One look at a configuration file: its bytes, what they mean, and what the file was."""

import os
import stat
from pathlib import Path
from typing import NamedTuple

from amx.core.config import disk, syntax
from amx.core.config.kinds import faults
from amx.core.errors import ConfigError, ConfigGone, ConfigInvalid, ConfigUnreadable

MAX_BYTES = 512 * 1024
"""A larger file is refused unread: PyYAML needs 40 times a file's size in memory."""


class Raw(NamedTuple):
    """The bytes of a configuration file, and what the file was when they were read."""

    data: bytes
    sight: disk.Sight
    mode: int

    def __repr__(self) -> str:
        return f"Raw({len(self.data)} bytes)"


class Reading(NamedTuple):
    """What a configuration file was when it was read; ``raw`` is None if it was not there."""

    document: syntax.Document
    raw: Raw | None = None

    def __repr__(self) -> str:
        return f"Reading({self.raw!r})"

    @property
    def values(self) -> dict[str, object]:
        """What the file says."""
        return self.document.values

    @property
    def data(self) -> bytes:
        """Its bytes; none where it was not there."""
        return self.raw.data if self.raw else b""

    @property
    def sight(self) -> disk.Sight | None:
        """What the file was; None where it was not there."""
        return self.raw.sight if self.raw else None

    @property
    def mode(self) -> int:
        """Its permissions."""
        return self.raw.mode if self.raw else disk.PRIVATE

    @property
    def is_open_to_others(self) -> bool:
        """Whether anybody but its owner may read or write it."""
        return bool(self.mode & (stat.S_IRWXG | stat.S_IRWXO))


def read_raw(path: Path, where: str) -> Raw | None:
    """Read the bytes of a configuration file, whatever they say; None where it is not there.

    Raises:
        ConfigInvalid: it is too large to be read.
        ConfigUnreadable: it is there and cannot be read; ``where`` is its name.
    """
    try:
        data, status = disk.read_whole(path, MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        from shlex import quote

        msg = f"{where} cannot be read: {disk.reason(error)}."
        raise ConfigUnreadable(msg, hint=f"ls -la {quote(where)}") from error
    if status.st_size > MAX_BYTES:
        raise too_large(where, status.st_size)
    return Raw(data, disk.sight_of(data, status), stat.S_IMODE(status.st_mode))


def read_file(path: Path, where: str, known: Reading | None = None) -> Reading:
    """Read a configuration file strictly; its declared types are not looked at.

    Args:
        path: The file.
        where: Its name in errors.
        known: What was read of it before: the same bytes are not parsed again.

    Raises:
        ConfigInvalid: it is no configuration; with line and column, and with ``where`` as its name.
        ConfigUnreadable: it is there and cannot be read.
    """
    raw = read_raw(path, where)
    if raw is None:
        return Reading(syntax.Document({}, None))
    if known is not None and known.raw is not None and known.data == raw.data:
        return Reading(known.document, raw)
    return Reading(syntax.read(raw.data, where), raw)


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


def exposed(path: Path, mode: int) -> str:
    """Return what is said of a file of this mode that others may read or write."""
    from shlex import quote

    return (
        f"{path} can be read by others (mode {mode:04o}); "
        f"the next save makes it private, or now: chmod 600 {quote(str(path))}"
    )


def gone(path: Path, *, is_expected: bool, has_backups: bool) -> None:
    """Refuse to go on without a configuration that should be there.

    Raises:
        ConfigGone: it is expected, or the path leads over a link to what is not there.
    """
    from shlex import quote

    refuse_folder_that_is_gone(path)
    if not is_expected and not _is_link(path):
        return
    anew = f"echo '{{}}' > {quote(str(path))}"
    hint = "amx config restore --list" if has_backups else anew
    raise ConfigGone(
        f"{path} is gone. Nothing was changed.", hint=hint, details={"path": str(path)}
    )


def refuse_folder_that_is_gone(path: Path) -> None:
    """Refuse a path below a link to a folder that is not there: it is no new installation.

    Raises:
        ConfigGone: it is one; what the link names is not made.
    """
    for link in path.parents:
        if _is_link(link) and not os.path.exists(link):  # noqa: PTH110 - it raises nothing
            from shlex import quote

            msg = f"{link} is a link to a folder that is not there. Nothing was changed."
            hint = f"ls -l {quote(str(link))}; is that place mounted?"
            raise ConfigGone(msg, hint=hint, details={"path": str(path)})


def _is_link(path: Path) -> bool:
    try:
        return stat.S_ISLNK(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        from shlex import quote

        msg = f"{path} cannot be looked at: {disk.reason(error)}. Nothing was changed."
        raise ConfigUnreadable(msg, hint=f"ls -ld {quote(str(path))}") from error


def too_large(where: str, size: int) -> ConfigInvalid:
    """Refuse a file, or a text, of this many bytes."""
    msg = f"{where} has {size} bytes; more than {MAX_BYTES} are not read."
    return ConfigInvalid(msg, line=1, column=1, hint=syntax.HINT)
