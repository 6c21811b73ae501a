"""The text of a `config edit`: a copy while the editor is open, and what is kept aside of it.

The copy stands in a private folder beside the configuration, together with the text that it began
from: whatever an editor leaves beside it (swap files, backups) goes with the folder. What was
changed and could not be saved moves to ``config.yml.rejected``, by the edit itself or, when that
was killed, by whoever comes next; only then is the folder removed.
"""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from amx.core.config import disk


class Draft(NamedTuple):
    """A text that is being edited, its length, and the one that it began from.

    Of a text that is too large for a configuration only the beginning is here.
    """

    text: bytes
    base: bytes
    size: int

    def __repr__(self) -> str:
        return f"Draft({self.size} bytes)"


class Drafts:
    """The draft of one configuration; its edit lock is held by the caller.

    Args:
        live: The real file.
    """

    def __init__(self, live: Path) -> None:
        self._live = live
        self._folder = live.with_name(f"{live.name}.edit")
        self.copy = self._folder / live.name
        self._base = self._folder / f"{live.name}.base"
        self.rejected = live.with_name(f"{live.name}.rejected")
        self._rejected_base = live.with_name(f"{live.name}.rejected.base")

    @property
    def are_left(self) -> bool:
        """Whether an edit is under way, or was killed, or could not throw away all of its text."""
        has_base_alone = self._rejected_base.exists() and not self.rejected.exists()
        return self._folder.is_dir() or has_base_alone

    def begin(self, live: bytes) -> bool:
        """Make the copy: of what was kept aside or, without that, of the live text.

        Returns:
            Whether it is what was kept aside.

        Raises:
            OSError: a system call failed.
        """
        self.recover()
        is_again = self.rejected.is_file()
        base = _read(self._rejected_base) if is_again else None
        self._folder.mkdir(mode=0o700)
        self._folder.chmod(0o700)  # a umask may have taken even the owner's bits
        disk.sync_folder(self._live.parent)
        self._write(self._base, iter([live if base is None else base[0]]))
        if is_again:
            with disk.opened(self.rejected) as descriptor:
                self._write(self.copy, disk.chunks(descriptor))
        else:
            self._write(self.copy, iter([live]))
        return is_again

    def read(self) -> Draft | None:
        """Return the draft as the editor left it; None where it removed the copy."""
        text, base = _read(self.copy), _read(self._base)
        return None if text is None or base is None else Draft(text[0], base[0], text[1])

    def rebase(self, text: bytes, base: bytes) -> None:
        """Let the draft begin from another text, whose changes it has been merged with.

        The text comes first: between the two it holds changes of its base as if they were its own,
        which nothing is lost by.
        """
        self._write(self.copy, iter([text]))
        self._write(self._base, iter([base]))

    def recover(self) -> bool:
        """Keep aside what a draft has changed, and remove its folder.

        Returns:
            Whether anything was kept aside.

        Raises:
            OSError: a system call failed; the draft is where it was.
        """
        if not self.are_left:
            return False
        disk.sync_folder(self._live.parent)
        draft = self.read()
        is_worth_it = draft is not None and draft.text != draft.base and not self._is_saved(draft)
        if is_worth_it:
            with disk.opened(self.copy) as descriptor:
                os.fsync(descriptor)  # an editor may not have done it
            self._keep(self.copy, self.rejected)
            self._keep(self._base, self._rejected_base)
            disk.sync_folder(self._live.parent)
        self._remove_folder()
        return is_worth_it

    def discard(self) -> None:
        """Forget the draft and what was kept aside."""
        self.rejected.unlink(missing_ok=True)
        self._rejected_base.unlink(missing_ok=True)
        self._remove_folder()

    def _is_saved(self, draft: Draft) -> bool:
        """Tell whether an edit was killed between its save and its end."""
        live = _read(self._live)
        return live is not None and live[0] == draft.text

    def _write(self, path: Path, pieces: Iterator[bytes]) -> None:
        new = path.with_name(f"{path.name}.new")
        new.unlink(missing_ok=True)
        owner = self._live.parent.stat()
        disk.write_new(new, pieces, (owner.st_uid, owner.st_gid))
        new.rename(path)
        disk.sync_folder(path.parent)

    def _keep(self, source: Path, target: Path) -> None:
        new = target.with_name(f"{target.name}.new")
        new.unlink(missing_ok=True)
        disk.copy(source, new)
        new.rename(target)

    def _remove_folder(self) -> None:
        """Remove the folder, and first what a killed predecessor left on the way out of it."""
        for path in (self.rejected, self._rejected_base):
            disk.remove(f"{path}.new")
        if not self.rejected.exists():
            disk.remove(self._rejected_base)
        if self._folder.is_dir():
            shutil.rmtree(self._folder)
            disk.sync_folder(self._live.parent)


def _read(path: Path) -> tuple[bytes, int] | None:
    """Return a text, or so much of it that it is known to be too large, and its size."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode) and not mode & stat.S_IRUSR:
            path.chmod(disk.PRIVATE)
        with disk.opened(path) as descriptor:
            size = os.fstat(descriptor).st_size
            return next(disk.chunks(descriptor), b""), size
    except (FileNotFoundError, NotADirectoryError, disk.NotAFile):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link to itself
            return None
        raise
