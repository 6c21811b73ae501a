"""The backups: ``config.yml.bak.1`` (newest) to ``.bak.5``, and how they are renumbered.

Rotation gives every generation a second, durable name (``.bak.2.next`` is what is to become
``.bak.2``) before the first is renumbered, so that power may fail at any point and any subset of
the renames may reach the disk: nothing but the oldest is lost. `Generations.recover` ends what a
killed predecessor began.
"""

import errno
import os
import stat
from collections.abc import Collection
from pathlib import Path
from shlex import quote

from amx.core.config import disk
from amx.core.errors import ConfigUnreadable

KEPT = 5
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}
"""What is answered for a file that is not there, or could not be."""

_NUMBERS = range(1, KEPT + 1)


class Generations:
    """The generations of one configuration.

    Args:
        live: The real file; they stand beside it.
    """

    def __init__(self, live: Path) -> None:
        self._live = str(live)
        self._folder = str(live.parent)
        self._kept = {number: f"{live}.bak.{number}" for number in _NUMBERS}
        self._staged = {number: f"{path}.next" for number, path in self._kept.items()}
        self._names = {number: f"{live.name}.bak.{number}.next" for number in _NUMBERS}
        self._copy = f"{live}.bak.copy"
        """A copy of the live file that may be torn; it is staged when it is synced."""
        self.shadow = f"{live}.shadow"
        """What is to become the live file, and may be torn."""
        self._torn = {os.path.basename(path): path for path in (self.shadow, self._copy)}  # noqa: PTH119 - as above

    def path(self, number: int) -> Path:
        """Return where a generation is kept."""
        return Path(f"{self._live}.bak.{number}")

    def numbers(self) -> list[int]:
        """Return which generations there are, newest first.

        Raises:
            ConfigUnreadable: their folder may not be looked at.
        """
        return [number for number in _NUMBERS if _is_file(self.path(number))]

    def rotate(self, sight: disk.Sight, *, is_new: bool = False) -> bool:
        """Make the live file's bytes the newest generation; drop the oldest if there are six.

        Where the newest generation has these bytes already, as after a publication that failed,
        nothing is done: failing again and again burns no generation.

        Args:
            sight: What the live file is; its bytes have been synced.
            is_new: Whether a save that ended well has left it, and so the newest generation has
                other bytes. After a power failure that may be told of what was undone since: a
                generation of its size and time is looked at all the same.

        Returns:
            False where the live file is no longer the one that was seen; nothing was renumbered.
        """
        there = self._there()
        if 1 in there and (not is_new or sight.is_like(there[1])) and self._is_newest(sight):
            return True
        if not self._stage_live(sight):
            return False
        staged = [1, *self._stage_older(there)]
        disk.sync_folder(self._folder)
        inodes = {(status.st_dev, status.st_ino) for status in there.values()}
        self._renumber(staged, is_one_twice=len({*inodes, sight.inode}) <= len(there))
        return True

    def recover(self) -> None:
        """Remove what a predecessor left, or finish its renumbering if that had begun."""
        names = set(os.listdir(self._folder))  # noqa: PTH208 - a save is counted in microseconds
        for name, path in self._torn.items():
            if name in names:
                os.unlink(path)  # noqa: PTH108 - as above
        staged = [number for number in _NUMBERS if self._names[number] in names]
        if not staged:
            return
        if self._has_begun(staged):
            self._renumber(staged, is_one_twice=True)
        for number in staged:
            disk.remove(self._staged[number])
        disk.sync_folder(self._folder)

    def _there(self) -> dict[int, os.stat_result]:
        """Return the generations that have a name, and make each of them private."""
        there: dict[int, os.stat_result] = {}
        for number, path in self._kept.items():
            try:
                status = os.lstat(path)
            except FileNotFoundError:
                continue
            mode = status.st_mode
            if stat.S_ISREG(mode) and stat.S_IMODE(mode) != disk.PRIVATE:
                os.chmod(path, disk.PRIVATE)  # noqa: PTH101 - a save is counted in microseconds
            there[number] = status
        return there

    def _stage_live(self, sight: disk.Sight) -> bool:
        """Give the live file's bytes a second name, or a synced copy where it can have none.

        A file that others may read is copied: its mode stays as it is until it is replaced.
        """
        status = os.stat(self._live)  # noqa: PTH116 - a save is counted in microseconds
        if not sight.is_of(status):
            return False
        is_private = stat.S_IMODE(status.st_mode) == disk.PRIVATE
        if is_private and disk.link(self._live, self._staged[1]):
            return sight.is_of(os.stat(self._staged[1]))  # noqa: PTH116 - as above
        if disk.is_mount_point(Path(self._live)):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        return self._stage_copy(self._live, 1) == sight.digest

    def _stage_copy(self, source: str, number: int) -> bytes:
        """Stage a copy under a name that tells that it is whole; return its digest."""
        digest = disk.copy(source, self._copy)
        os.rename(self._copy, self._staged[number])  # noqa: PTH104 - as above
        return digest

    def _stage_older(self, there: Collection[int]) -> list[int]:
        """Stage the generations up to the first gap: nothing behind it has to move."""
        staged = []
        for number in range(1, KEPT):
            if number not in there:
                break
            if not disk.link(self._kept[number], self._staged[number + 1]):
                self._stage_copy(self._kept[number], number + 1)
            staged.append(number + 1)
        return staged

    def _renumber(self, staged: list[int], *, is_one_twice: bool) -> None:
        """Give the staged names their numbers; one that has its number already is only removed."""
        for number in reversed(staged):
            os.rename(self._staged[number], self._kept[number])  # noqa: PTH104 - as above
            if is_one_twice:  # a rename between two names of one file does nothing
                disk.remove(self._staged[number])

    def _has_begun(self, staged: list[int]) -> bool:
        """Tell whether a rename may have reached the disk, from what lies there.

        Every staged name was durable before the first rename, so there are three signs: a staged
        generation that is no longer at its old number; one that is at its old and its new number
        both; or, with nothing renumbered, a live file that has been replaced already.
        """
        if any(not _same(self._staged[n], self._kept[n - 1]) for n in staged if n > 1):
            return True
        gap = next(number for number in range(1, KEPT + 2) if number not in staged)
        if gap == 1:
            return False
        has_older = os.path.lexists(self._kept[gap - 1])
        if gap <= KEPT and has_older and _same(self._kept[gap], self._kept[gap - 1]):
            return True
        is_complete = gap > KEPT or not has_older
        return is_complete and not _same(self._staged[1], self._live)

    def _is_newest(self, sight: disk.Sight) -> bool:
        """Tell whether the newest generation has these bytes; one that is not ours to read has not.

        Raises:
            OSError: it cannot be told.
        """
        try:
            return _digest(self._kept[1]) == sight.digest
        except PermissionError:
            return False


def _same(one: str, two: str) -> bool:
    """Tell whether two names have the same bytes; two that are not there have.

    Raises:
        OSError: it cannot be told. To take that for a difference would lose a generation.
    """
    statuses = [_status(one), _status(two)]
    if statuses[0] and statuses[1] and os.path.samestat(statuses[0], statuses[1]):
        return True
    return _digest(one) == _digest(two)


def _status(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except FileNotFoundError:
        return None


def _digest(path: str) -> bytes | None:
    try:
        sight = disk.look(path)
    except disk.NotAFile:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None
        raise
    return sight.digest if sight else None


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError as error:
        if error.errno in _ABSENT:
            return False
        msg = f"{path.parent} cannot be looked at: {disk.reason(error)}. Nothing was changed."
        raise ConfigUnreadable(msg, hint=f"ls -la {quote(str(path.parent))}") from error
