"""Autosave suspended: changes made meanwhile are kept and saved once, when the last block ends.

Within a process every block has a frame of its own, so that one that raises takes nothing but its
own changes with it. Across processes the blocks of one process hold the edit lock, which the kernel
drops when it dies: background workers are refused meanwhile, naming the holder.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

from amx.core.config import disk
from amx.core.config.model import Changes
from amx.core.config.publication import NamedFailures
from amx.core.config.wishes import Values, Wish, Wishes, effective, joined
from amx.core.errors import AmxError, Busy, SavesSuspended
from amx.core.locks import FileLock, shared_lock

Save = Callable[[Wishes], object]


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
        self._held: ExitStack | None = None
        self._order = count()
        self._frames: dict[int, list[Wishes]] = {}
        self._deferred: Wishes = {}

    @property
    def is_open(self) -> bool:
        """Whether a block is open, in whatever thread."""
        return bool(self._frames)

    @property
    def is_held(self) -> bool:
        """Whether this process holds the edit lock."""
        return self._held is not None

    def pending_with(self, changes: Changes, base: Values) -> Wishes:
        """Return what waits to be saved, as far as the calling thread knows it, and these changes.

        Args:
            changes: They come last.
            base: What their maker knew.
        """
        frames = self._frames.get(threading.get_ident(), ())
        return joined(self._deferred, *frames, self._wished(changes, base))

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

    def keep(self, changes: Changes, base: Values) -> None:
        """Keep changes for the end of the calling thread's block or, without one, of the last."""
        new = self._wished(changes, base)
        frames = self._frames.get(threading.get_ident())
        if frames:
            frames[-1] = joined(frames[-1], new)
        else:
            self._deferred = joined(self._deferred, new)

    def settle(self) -> None:
        """Forget what was deferred: it has been saved, or refused for good."""
        self._deferred = {}

    @contextmanager
    def respected(self) -> Iterator[None]:
        """Let a background worker save: no other process edits until the block ends.

        Raises:
            SavesSuspended: another process edits just now.
        """
        if self.is_held:
            yield
            return
        with shared_lock(self._lock, purpose="saves in the background") as holder:
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
        with FileLock(self._lock, wait_s=0, purpose="tidies up after an edit that was killed"):
            yield

    def _wished(self, changes: Changes, base: Values) -> Wishes:
        return {key: Wish(value, base, next(self._order)) for key, value in changes.items()}

    def _enter(self, purpose: str) -> None:
        with self._mutex:
            if not self._frames:
                held = ExitStack()
                with NamedFailures(self._live):
                    disk.make_private(self._live.parent)
                    lock = FileLock(self._lock, wait_s=self._wait_s, purpose=purpose)
                    held.enter_context(lock)
                self._held = held
            self._frames.setdefault(threading.get_ident(), []).append({})

    def _leave(self, save: Save, *, is_whole: bool) -> None:
        with self._mutex:
            frames = self._frames[threading.get_ident()]
            frame = frames.pop()
            mine = frame if is_whole else {}
            if frames:
                frames[-1] = joined(frames[-1], mine)
                return
            del self._frames[threading.get_ident()]
            if self._frames:
                self._deferred = joined(self._deferred, mine)
                return
            try:
                self._save(save, mine, is_whole=is_whole)
            finally:
                held, self._held = self._held, None
                if held is not None:
                    held.close()

    def _save(self, save: Save, mine: Wishes, *, is_whole: bool) -> None:
        deferred = self._deferred
        wishes = effective(joined(deferred, mine))
        if not wishes:
            self._deferred = {}
            return
        try:
            save(wishes)
        except AmxError:
            if is_whole:
                raise
            self._deferred = deferred  # what the block raised is told; this, by the next save
