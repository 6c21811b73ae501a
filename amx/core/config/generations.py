"""The backups: ``config.yml.bak.1`` (newest) to ``.bak.5``, and how they are renumbered.

Rotation gives every generation a second, durable name (``.bak.2.next`` is what is to become
``.bak.2``) before the first is renumbered, so that power may fail at any point and any subset of
the renames may reach the disk: nothing but the oldest is lost. `Generations.recover` ends what a
killed predecessor began.
"""

import stat
from pathlib import Path
from shlex import quote

from amx.core.config import disk
from amx.core.errors import ConfigUnreadable

KEPT = 5


class Generations:
    """The generations of one configuration.

    Args:
        live: The real file; they stand beside it.
    """

    def __init__(self, live: Path) -> None:
        self._live = live

    def path(self, number: int) -> Path:
        """Return where a generation is kept."""
        return self._live.with_name(f"{self._live.name}.bak.{number}")

    def numbers(self) -> list[int]:
        """Return which generations there are, newest first.

        Raises:
            ConfigUnreadable: their folder may not be looked at.
        """
        return [number for number in range(1, KEPT + 1) if _is_file(self.path(number))]

    def rotate(self, sight: disk.Sight) -> bool:
        """Make the live file's bytes the newest generation; drop the oldest if there are six.

        Where the newest generation has these bytes already, as after a publication that failed,
        nothing is done: failing again and again burns no generation.

        Returns:
            False where the live file is no longer the one that was seen; nothing was renumbered.
        """
        if self._digest(self.path(1)) == sight.digest:
            return True
        self._stage_older()
        if disk.copy(self._live, self._copy) != sight.digest:
            return False
        self._copy.rename(self._staged(1))
        disk.sync_folder(self._live.parent)
        self._renumber()
        return True

    def recover(self) -> None:
        """Remove what a predecessor left, or finish its renumbering if that had begun."""
        self._copy.unlink(missing_ok=True)
        staged = self._all_staged()
        if not staged:
            return
        if self._has_begun(staged):
            self._renumber()
        for number in staged:
            self._staged(number).unlink(missing_ok=True)
        disk.sync_folder(self._live.parent)

    @property
    def _copy(self) -> Path:
        """A copy of the live file that may be torn; it becomes `_staged` when it is synced."""
        return self._live.with_name(f"{self._live.name}.bak.copy")

    def _staged(self, number: int) -> Path:
        return self._live.with_name(f"{self._live.name}.bak.{number}.next")

    def _all_staged(self) -> list[int]:
        return [number for number in range(1, KEPT + 1) if self._staged(number).exists()]

    def _stage_older(self) -> None:
        """Stage the generations up to the first gap: nothing behind it has to move."""
        for number in range(1, KEPT):
            if not self.path(number).exists():
                break
            disk.duplicate(self.path(number), self._staged(number + 1))

    def _renumber(self) -> None:
        for number in reversed(self._all_staged()):
            self._staged(number).rename(self.path(number))

    def _has_begun(self, staged: list[int]) -> bool:
        """Tell whether a rename may have reached the disk, from what lies there.

        Every staged name was durable before the first rename, so there are three signs: a staged
        generation that is no longer at its old number; one that is at its old and its new number
        both; or, with nothing renumbered, a live file that has been replaced already.
        """
        old = {number: self._digest(self.path(number)) for number in range(1, KEPT + 1)}
        if any(self._digest(self._staged(n)) != old[n - 1] for n in staged if n > 1):
            return True
        gap = next(number for number in range(1, KEPT + 2) if number not in staged)
        if gap == 1:
            return False
        if gap <= KEPT and old[gap] is not None and old[gap] == old[gap - 1]:
            return True
        is_complete = gap > KEPT or old[gap - 1] is None
        return is_complete and self._digest(self._staged(1)) != self._digest(self._live)

    def _digest(self, path: Path) -> bytes | None:
        try:
            sight = disk.look(path)
        except OSError:
            return None
        return sight.digest if sight else None


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except PermissionError as error:
        msg = f"{path.parent} cannot be looked at: {disk.reason(error)}. Nothing was changed."
        raise ConfigUnreadable(msg, hint=f"ls -la {quote(str(path.parent))}") from error
    except OSError:  # it is not there, or could not be: a name that is too long, no folder
        return False
