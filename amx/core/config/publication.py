"""How new contents take the place of the live file: shadow, gate, rotation, rename.

Whatever fails before the rename leaves the live file as it was; what fails before the rotation
leaves its generations as they were, too.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from amx.core.config import disk
from amx.core.config.generations import Generations
from amx.core.errors import SaveFailed, ShadowRejected
from amx.core.locks import CHECK_PLACE

Gate = Callable[[bytes], None]
"""Reads what stands in the shadow and raises `ShadowRejected` if it is not what was meant."""


class LiveChanged(Exception):
    """Somebody else has changed the live file since it was read under the lock."""


class Publication:
    """Publishes new contents of one configuration; its lock is held by the caller.

    Args:
        live: The real file.
        generations: Its backups.

    Attributes:
        durable: The words of the live file's sight when it was last made durable, with all names
            beside it; empty while that is not known.
    """

    def __init__(self, live: Path, generations: Generations) -> None:
        self.durable = ""
        self._live = live
        self._folder = str(live.parent)
        self._generations = generations
        self._shadow = generations.shadow

    def has_left(self, seen: disk.Sight | None) -> bool:
        """Tell whether a save that ended well has left the live file as it was seen here.

        All names are durable then, the newest generation holds other bytes, and nobody has
        written to the live file since, but for one who kept its size and its time.
        """
        return seen is not None and seen.words == self.durable

    def publish(self, pieces: Iterator[bytes], seen: disk.Sight | None, gate: Gate | None) -> None:
        """Replace the live file; when this returns, the new one is durable.

        Args:
            pieces: The new contents; read to their end before anything is renumbered.
            seen: What the live file was when it was read; None if it was not there.
            gate: What the new contents must pass; None where they may be anything.

        Raises:
            ShadowRejected: what was read back is not what was meant.
            OSError: a system call failed, and the live file is as it was.
            SaveFailed: the last one failed; the new contents may not be durable.
            LiveChanged: the live file is no longer the one that was seen.
        """
        is_published, is_durable, self.durable = False, self.has_left(seen), ""
        self._generations.recover()
        try:
            sight = self._cast_shadow(pieces, seen, gate)
            self._rotate(seen, is_durable=is_durable)
            os.rename(self._shadow, self._live)  # noqa: PTH104 - a save is counted in microseconds
            is_published = True
        finally:
            if not is_published:
                self._tidy()
        self._make_durable()
        self.durable = sight.words

    def _cast_shadow(
        self, pieces: Iterator[bytes], seen: disk.Sight | None, gate: Gate | None
    ) -> disk.Sight:
        written = disk.write_new(self._shadow, pieces, seen.owner if seen else self._heir())
        read, status = disk.read_whole(self._shadow)
        sight = disk.sight_of(read, status)
        if sight.digest != written:
            msg = (
                f"What was read back from {self._shadow} is not what was written to it. "
                f"{self._live} and its backups are unchanged."
            )
            raise ShadowRejected(msg, hint="Look for faults of the disk: dmesg.")
        if gate is not None:
            gate(read)
        return sight

    def _heir(self) -> tuple[int, int]:
        """Return who is to own a file that was not there: the owner of its folder."""
        folder = os.stat(self._folder)  # noqa: PTH116 - as above
        return folder.st_uid, folder.st_gid

    def _rotate(self, seen: disk.Sight | None, *, is_durable: bool) -> None:
        if not is_durable:
            self._look_again(seen, make_durable=True)
        if seen is not None:
            if not self._generations.rotate(seen, is_new=is_durable):
                raise LiveChanged
            self._look_again(seen)

    def _look_again(self, seen: disk.Sight | None, *, make_durable: bool = False) -> None:
        if disk.look(self._live, make_durable=make_durable) != seen:
            raise LiveChanged

    def _tidy(self) -> None:
        """Leave nothing behind; what cannot be removed now, the next save removes."""
        with suppress(OSError):
            self._generations.recover()

    def _make_durable(self) -> None:
        try:
            disk.sync_folder(self._folder)
        except OSError as error:
            msg = (
                f"{self._live} has its new contents, but a power failure may still undo that: "
                f"{disk.reason(error)}. Its former contents are the newest backup."
            )
            raise SaveFailed(msg, hint="amx config validate; amx config backups") from error


class NamedFailures:
    """Says of a system call that fails in its block why it failed, and that the file is unchanged.

    Args:
        live: The file.

    Raises:
        SaveFailed: one failed.
    """

    def __init__(self, live: Path) -> None:
        self._live = live

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError):
            culprit = _culprit(error, self._live)
            msg = f"{self._live} could not be saved: {disk.reason(error)}. It is unchanged."
            if culprit not in (None, self._live):
                msg = f"{msg} In the way is {culprit}."
            raise SaveFailed(msg, hint=_hint(error, culprit)) from error


def _culprit(error: OSError, live: Path) -> Path | None:
    """Return the file that stood in the way, if one did; the new name of one counts first."""
    if error.errno in _EVERYWHERE:
        return None
    names = (error.filename2, error.filename)
    paths = [Path(name) for name in names if isinstance(name, str | os.PathLike)]
    if live in paths:
        return live
    return next((path for path in paths if path != live.parent and os.path.lexists(path)), None)


def _hint(error: OSError, culprit: Path | None) -> str:
    if error.errno == errno.EACCES and culprit is not None:
        from shlex import quote

        path = quote(str(culprit))
        return f"Look at its owner and its rights: ls -ld {path}; then chmod u+rwX {path}"
    return _HINTS.get(error.errno or 0, CHECK_PLACE)


_EVERYWHERE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""No file is to blame for these."""

_HINTS = {
    errno.ENOSPC: "Make room on the disk, then try again.",
    errno.EDQUOT: "Make room in your quota, then try again.",
    errno.EFBIG: "A limit on the size of files is in force: ulimit -f.",
    errno.EROFS: "The file system is read-only; use another place: AMX_CONFIG or AMX_HOME.",
    errno.EACCES: "You may not write there: ls -la, or another AMX_HOME.",
    errno.EPERM: "The file belongs to somebody else or is immutable: ls -l, lsattr.",
    errno.EBUSY: "A file that is mounted by itself cannot be replaced: mount its folder instead.",
    errno.EIO: "Look for faults of the disk: dmesg. Your backups: amx config backups.",
}
