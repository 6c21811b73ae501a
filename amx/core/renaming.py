"""A profile's new name: in the configuration and in the local store, or in neither.

The configuration and the local store are two files. The store notes the renaming first; then, in
one transaction that nobody can write beside, the configuration is saved and the sessions follow.
Who finds the note of a renaming that was killed asks the configuration which of the names it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amx.core.conversations import Session
from amx.core.errors import AmxError, UsageError
from amx.core.rows import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from amx.core.ports import LocalStore, Reader, Writer

Names = tuple[str, str]
"""The old and the new name of a profile."""


class Renamer:
    """Renames profiles, and ends what was killed meanwhile.

    Args:
        local: Where their sessions are.
        reader: The same, only to be read.
        names: Tells the names of the profiles as the configuration has them now.
    """

    def __init__(
        self, local: LocalStore, reader: Reader, names: Callable[[], Collection[str]]
    ) -> None:
        self._local = local
        self._reader = reader
        self._names = names

    def rename(self, old: str, new: str, save: Callable[[], object]) -> None:
        """Rename a profile; its sessions, the active one too, follow.

        No session can be written while ``save`` changes the configuration: who has waited looks
        at the configuration again, in the transaction that writes.

        Raises:
            UsageError: sessions of an earlier profile of the new name are there.
            AmxError: as ``save``; nothing was changed.
        """
        names = (clean(old), clean(new))
        while not self._is_renamed(names, save):
            pass

    def _is_renamed(self, names: Names, save: Callable[[], object]) -> bool:
        self.settle()
        with self._local.transaction() as writer:
            _refuse_merging(writer, names[1])
            if writer.renaming():  # another process was faster
                return False
            writer.begin_renaming(*names)
        try:
            with self._local.transaction() as writer:
                if writer.renaming() != names:  # another process took it for one that was killed
                    return False
                _refuse_merging(writer, names[1])
                save()
                writer.end_renaming(is_done=True)
        except AmxError:
            self.settle()
            raise
        return True

    def settle(self) -> None:
        """End a renaming that was killed: by the configuration it happened, or it did not."""
        if self._reader.renaming() is None:
            return
        with self._local.transaction() as writer:
            if found := writer.renaming():
                known = {clean(name) for name in self._names()}
                writer.end_renaming(is_done=found[1] in known and found[0] not in known)


def _refuse_merging(writer: Writer, new: str) -> None:
    """Refuse a name that an earlier profile had whose sessions are still there."""
    for one in writer.select(Session, {"owner": new}):
        if one.status != "deleted":
            msg = f"Sessions of an earlier profile {new!r} are there, and a session never changes"
            msg += " its profile. Nothing was changed."
            hint = "amx session list --all-profiles, and take another name"
            raise UsageError(msg, hint=hint, details={"session": one.local_id})
