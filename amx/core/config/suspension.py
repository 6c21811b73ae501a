"""Autosave suspended: changes made meanwhile are kept and saved once, when the last block ends.

Within a process every block has a frame of its own, so that one that raises takes nothing but its
own changes with it. Across processes the blocks of one process hold the edit lock, which the kernel
drops when it dies: background workers are refused meanwhile, naming the holder.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from amx.core.config import disk
from amx.core.config.keys import Key
from amx.core.config.model import Changes
from amx.core.config.publication import named_failures
from amx.core.errors import Busy, SavesSuspended
from amx.core.locks import file_lock, shared_lock

Save = Callable[[Changes], object]
"""Saves changes, and what `Suspension.pending_with` adds to them."""


class Suspension:
    """What is open on one configuration in this process, and what waits for its end.

    Args:
        live: The real file; the edit lock stands beside it.
        wait_s: How long another process that edits is waited for, in seconds.
        mutex: What the threads that save one after another hold.
    """

    def __init__(self, live: Path, *, wait_s: float, mutex: threading.RLock) -> None:
        self._live = live
        self._lock = live.with_name(f"{live.name}.edit.lock")
        self._wait_s = wait_s
        self._mutex = mutex
        self._desk = threading.Lock()
        self._held = ExitStack()
        self._frames: dict[int, list[dict[Key, object]]] = {}
        self._deferred: dict[Key, object] = {}

    @property
    def is_open(self) -> bool:
        """Whether a block is open, in whatever thread."""
        return bool(self._frames)

    def pending_with(self, changes: Changes) -> Changes:
        """Return what waits to be saved, as far as the calling thread knows it, and these."""
        merged = dict(self._deferred)
        for frame in (*self._frames.get(threading.get_ident(), ()), changes):
            _add(merged, frame)
        return merged

    @contextmanager
    def block(self, purpose: str, save: Save) -> Iterator[None]:
        """Suspend autosave for the length of the block; see `ConfigFile.suspended`."""
        self._enter(purpose)
        is_whole = False
        try:
            yield
            is_whole = True
        finally:
            self._leave(save, is_whole=is_whole)

    def keep(self, changes: Changes) -> None:
        """Keep changes for the end of the calling thread's block or, without one, of the last."""
        frames = self._frames.get(threading.get_ident())
        _add(frames[-1] if frames else self._deferred, changes)

    def settle(self) -> None:
        """Forget what was deferred: it has been saved."""
        self._deferred.clear()

    @contextmanager
    def respected(self) -> Iterator[None]:
        """Let a background worker save: no other process edits until the block ends.

        Raises:
            SavesSuspended: another process edits just now.
        """
        if self.is_open:
            yield
            return
        with shared_lock(self._lock) as holder:
            if holder is not None:
                msg = (
                    f"The configuration is being edited ({holder.words}); a background worker "
                    "does not save meanwhile. Nothing was changed."
                )
                raise SavesSuspended(
                    msg,
                    hint="Try again when the edit is over.",
                    details={"path": str(self._lock), "holder": holder._asdict()},
                )
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let one thread of this process edit at a time: they have the edit lock in common.

        Raises:
            Busy: another thread, or this one, is editing.
        """
        if not self._desk.acquire(timeout=self._wait_s):
            msg = "This process is editing the configuration already. Nothing was changed."
            raise Busy(msg, hint="Try again when the edit is over.")
        try:
            yield
        finally:
            self._desk.release()

    @contextmanager
    def unless_edited(self) -> Iterator[None]:
        """Hold the edit lock for a moment.

        Raises:
            Busy: somebody edits just now.
            OSError: the lock file cannot be opened.
        """
        with file_lock(self._lock, wait_s=0, purpose="tidies up after an edit that was killed"):
            yield

    def _enter(self, purpose: str) -> None:
        with self._mutex:
            if not self._frames:
                lock = file_lock(self._lock, wait_s=self._wait_s, purpose=purpose)
                with named_failures(self._live):
                    disk.make_private(self._live.parent)
                    self._held.enter_context(lock)
            self._frames.setdefault(threading.get_ident(), []).append({})

    def _leave(self, save: Save, *, is_whole: bool) -> None:
        with self._mutex:
            frames = self._frames[threading.get_ident()]
            frame = frames.pop()
            mine = frame if is_whole else {}
            if frames:
                _add(frames[-1], mine)
                return
            del self._frames[threading.get_ident()]
            if self._frames:
                _add(self._deferred, mine)
                return
            with self._held:
                if mine or self._deferred:
                    save(mine)


def _add(into: dict[Key, object], changes: Changes) -> None:
    """Add changes behind those that are there: the order decides where one lies below another."""
    for key, value in changes.items():
        into.pop(key, None)
        into[key] = value
