"""The one path of every save: lock, reconcile, shadow gate, rotate, publish."""

import marshal
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from amx.core.config import disk, syntax
from amx.core.config.drafts import Drafts
from amx.core.config.generations import Generations
from amx.core.config.model import same
from amx.core.config.publication import Gate, LiveChanged, NamedFailures, Publication
from amx.core.config.suspension import Suspension
from amx.core.errors import Busy, ConfigInvalid, ShadowRejected
from amx.core.locks import FileLock

_NOBODY = nullcontext()

_ATTEMPTS = 5
"""How often a save begins again because an editor has changed the file meanwhile."""


class Saver:
    """Saves one configuration, one save at a time over all processes.

    Args:
        live: The real file.
        generations: Its backups.
        suspension: What holds saves back.
        lock_timeout_s: How long a save waits for another one, in seconds.
        is_background: Whether saves of this process give way to an edit.
    """

    def __init__(
        self,
        live: Path,
        generations: Generations,
        suspension: Suspension,
        *,
        lock_timeout_s: float,
        is_background: bool,
    ) -> None:
        self._live = live
        self._folder = live.parent
        self._lock = live.with_name(f"{live.name}.lock")
        self._publication = Publication(live, generations)
        self._suspension = suspension
        self._lock_timeout_s = lock_timeout_s
        self._is_background = is_background
        self.drafts = Drafts(live)

    def save(self, purpose: str, act: Callable[[Publication], bool]) -> bool:
        """Hold the lock and act; act again where somebody else changed the file meanwhile.

        Raises:
            Busy: another process holds the lock, or the file never comes to rest.
            SavesSuspended: this is a background worker and somebody edits.
            SaveFailed: a system call failed; the live file is unchanged.
        """
        with NamedFailures(self._live):
            disk.make_private(self._folder)
            with FileLock(self._lock, wait_s=self._lock_timeout_s, purpose=purpose) as lock:
                self._settle(lock.note)
                self._tidy_after_a_killed_edit()
                with self._suspension.respected() if self._is_background else _NOBODY:
                    is_changed = self._tried(act)
                with suppress(OSError):  # the save has succeeded; the next one settles
                    lock.leave(self._publication.durable)
                return is_changed

    def _tried(self, act: Callable[[Publication], bool]) -> bool:
        for _ in range(_ATTEMPTS):
            try:
                return act(self._publication)
            except LiveChanged:
                continue
        msg = f"{self._live} is being changed by another program all the time. Nothing was changed."
        raise Busy(msg, hint="Close the editor, then try again.")

    def gate(self, wanted: dict[str, object]) -> Gate:
        """Return the gate that lets only these values pass, types included."""

        def gate(data: bytes) -> None:
            try:
                is_meant = _are_same(syntax.read(data, "the shadow").values, wanted)
            except ConfigInvalid:
                is_meant = False
            if not is_meant:
                msg = (
                    "The new contents, read again, do not mean what they should: this file has "
                    f"something (an anchor, a merge, a tag) that amx cannot write. {self._live} "
                    "and its backups are unchanged."
                )
                raise ShadowRejected(msg, hint="amx config edit")

        return gate

    def _settle(self, note: str) -> None:
        """Make the names durable on which this save builds, where its predecessor has not.

        One that was killed just before its end has renamed, and synced nothing: were some of its
        renames lost with some of ours, generations would be. One that ended well has left in the
        lock file what the live file was then; a power failure leaves only what is durable.
        """
        words = disk.words_of(self._live)
        self._publication.durable = note if words and note.startswith(words) else ""
        if self._publication.durable:
            return
        disk.sync_folder(self._folder)
        if words is None:
            disk.make_name_durable(self._folder)

    def _tidy_after_a_killed_edit(self) -> None:
        if not self.drafts.are_left or self._suspension.is_held:
            return
        with suppress(Busy, OSError), self._suspension.unless_edited():
            self.drafts.recover()


def _are_same(values: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Do what `same` does; for values in one order, as usual, in a third of the time.

    This form of them tells types apart, and ``0.0`` from ``-0.0``; dates it does not know.
    """
    with suppress(ValueError):
        if marshal.dumps(values, 2) == marshal.dumps(wanted, 2):
            return True
    return same(values, wanted)
