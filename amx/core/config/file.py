"""Guard 4: the configuration file. Loads strictly, never writes to load, saves as a patch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from amx.core.config import disk
from amx.core.config.generations import Generations
from amx.core.config.keys import Key
from amx.core.config.model import Changes, Config, applied, leaves, planned
from amx.core.config.reading import Raw, Reading, check_types, exposed, gone, read_file, read_raw
from amx.core.errors import EditConflict, UsageError

if TYPE_CHECKING:
    from amx.core.config.editing import Edited
    from amx.core.config.publication import Publication
    from amx.core.config.restoring import Generation, Restored, Source
    from amx.core.config.saving import Saver
    from amx.core.config.suspension import Suspension
    from amx.core.config.wishes import Wanted, Wishes

Values = Mapping[str, object]


class ConfigFile:
    """One configuration file, its backups and its locks. Threads may share one.

    Args:
        path: Where it is, or a symbolic link to it.
        is_explicit: Whether the user has named it; then it must be there.
        warn: Called with what a person should know.
        lock_timeout_s: Seconds that a save waits for another one, and an edit for another edit.
        is_background: Whether saves of this process are refused while somebody edits.
    """

    def __init__(
        self,
        path: Path,
        *,
        is_explicit: bool,
        warn: Callable[[str], None],
        lock_timeout_s: float = 5.0,
        is_background: bool = False,
    ) -> None:
        self.path = path
        self._is_explicit = is_explicit
        self._warn = warn
        self._lock_timeout_s = lock_timeout_s
        self._is_background = is_background
        self._live = Path(os.path.realpath(path))
        self._generations = Generations(self._live)
        self._turn = RLock()
        self._base: Values | None = None
        self._has_existed = False
        self._last: Reading | None = None

    def load(self) -> Config:
        """Read the configuration; a new installation's is empty. Nothing is written.

        Raises:
            ConfigInvalid: the file is not a configuration; with line and column.
            ConfigUnreadable: it cannot be read.
            ConfigGone: it is not there, and should be.
        """
        reading = self._read()
        if reading.is_open_to_others:
            self._warn(exposed(self.path, reading.mode))
        check_types(reading.document, str(self.path))
        self._remember(reading.values, has_existed=reading.raw is not None)
        return Config(deepcopy(reading.values))  # what a caller does to it is its own

    def lines(self) -> Mapping[Key, int]:
        """Return the line on which each value of the file stands; mappings have none.

        Raises:
            ConfigError: as `load`.
        """
        document = self._read().document
        return {key: document.position(key)[0] for key in leaves(document.values)}

    def patch(self, changes: Changes) -> bool:
        """Make the changes in the file as it is on disk now; ``REMOVED`` takes a key away.

        What others changed since `load` stays, and no crash harms the file. A patch that changes
        nothing writes nothing at all. While autosave is `suspended` in this process the changes
        are kept, and saved when the suspension ends.

        Returns:
            Whether anything was, or is to be, changed.

        Raises:
            UsageError: a change is of another type than its key, or below a value.
            EditConflict: somebody else changed the same key since `load`.
            ShadowRejected: what was read back is not what was meant.
            SaveFailed: a system call failed; the file is unchanged.
            Busy: another process holds the lock.
            SavesSuspended: this is a background worker and somebody edits the file.
            ConfigError: the present file cannot be used.
        """
        with self._turn:
            base, reading = self._known()
            if not self._suspension.is_open:
                return self._save(self._suspension.pending_with(changes, base), reading)
            from amx.core.config.wishes import changes_of

            before = applied(reading.values, changes_of(self._suspension.pending_with({}, base)))
            if planned(before, changes) is None:
                return False
            self._suspension.keep(changes, base)
            return True

    @contextmanager
    def suspended(self, purpose: str = "edits the configuration") -> Iterator[None]:
        """Suspend autosave for the length of the block.

        What is patched meanwhile, in whatever thread, is kept and saved once, when the last block
        of this process ends: a patch of the block itself only if the block ends well, with all of
        its patches, or none if it raises; a patch of a thread that has no block of its own in any
        case. Blocks may be nested; an inner one that raises takes only its own patches with it.
        Background workers of other processes are refused until then, and other saves go on:
        they are merged. The suspension dies with the process.

        Raises:
            Busy: another process edits the configuration.
            AmxError: at the end, as `patch`; the block's own patches are dropped, and those of
                other threads, unless the same may succeed later: then they go with the next save.
        """
        with self._suspension.block(purpose, self._save):
            yield

    def edit(self, change: Callable[[Path], None], *, is_fresh: bool = False) -> Edited:
        """Let a copy of the text be changed, by an editor, and save it.

        Autosave is suspended meanwhile. What others save is merged; a text that is invalid, that
        meets a change of the same key, or that cannot be saved, is kept aside and is what the next
        edit begins with.

        Args:
            change: Changes the file at the path it is given, or raises.
            is_fresh: Whether a text that was kept aside is thrown away.

        Raises:
            ConfigInvalid: the text is no configuration; with line and column.
            EditConflict: somebody else changed the same key meanwhile.
            AmxError: as `patch`, and what ``change`` raises; the text is kept aside.
        """
        from amx.core.config.editing import Editing

        self._raw()  # what cannot be edited leaves no trace
        with self._suspension.alone(), self.suspended("amx config edit"):
            editing = Editing(self._live, self._saver, self._raw)
            edited = editing.run(change, self._warn, is_fresh=is_fresh)
            if editing.values is not None:
                self._learn(editing.changes, editing.values)
        return edited

    def backups(self) -> Sequence[Generation]:
        """Return the generations, newest first, whatever the live file holds."""
        from amx.core.config.restoring import listed

        return listed(self._live, self._generations)

    def compared(self, number: int) -> tuple[Values | None, Values | None]:
        """Return what a generation and the live file say; None for what cannot be understood.

        Raises:
            UsageError: there is no such generation.
        """
        from amx.core.config.restoring import path_of, values_of

        return values_of(path_of(number, self._generations)), values_of(self._live)

    def restore(self, source: Source) -> Restored:
        """Put a generation, or another file, in place of the live file, byte for byte.

        What was live before, valid or not, becomes the newest generation.

        Raises:
            UsageError: there is no such generation or file.
            SaveFailed: a system call failed; the live file is unchanged.
            Busy: another process holds the lock.
            SavesSuspended: this is a background worker and somebody edits the file.
        """
        from amx.core.config.publication import NamedFailures
        from amx.core.config.restoring import chosen, put_in_place

        picked = chosen(source, self._generations, self.path)
        # Opened before the lock and before any rotation: a number is what the user has seen
        # under it, and the oldest can be restored although the rotation drops its name.
        with NamedFailures(self._live), disk.opened(picked.path) as descriptor, self._turn:
            is_changed = self._saver.save(
                "amx config restore",
                lambda publication: put_in_place(publication, self._live, descriptor),
            )
            self._base = None
        return replace(picked, is_changed=is_changed)

    # --- reading

    def _read(self) -> Reading:
        """Read the file; bytes that were understood before are not parsed again."""
        reading = self._last = read_file(self._live, str(self.path), self._last)
        if reading.raw is None:
            self._refuse_if_gone()
        return reading

    def _raw(self) -> Raw | None:
        raw = read_raw(self._live, str(self.path))
        if raw is None:
            self._refuse_if_gone()
        self._has_existed = self._has_existed or raw is not None
        return raw

    def _remember(self, values: Values, *, has_existed: bool) -> None:
        """Keep what this process knows: a save compares the file on disk with it."""
        self._base, self._has_existed = values, has_existed

    def _known(self) -> tuple[Values, Reading]:
        """Return what this process knows, and what the file says now."""
        reading = self._read()
        if self._base is None:
            self._remember(reading.values, has_existed=reading.raw is not None)
        return self._base or {}, reading

    def _learn(self, changes: Changes | None, values: Values) -> None:
        """Add own changes to what this process knows; or, where that cannot be done, ``values``."""
        try:  # what others changed, this process has not seen
            has_base = changes is not None and self._base is not None
            known = applied(self._base or {}, changes or {}) if has_base else values
        except UsageError:  # below a value that somebody has made a mapping since
            known = values
        self._remember(known, has_existed=True)

    def _refuse_if_gone(self) -> None:
        has_backups = bool(self._generations.numbers())
        is_expected = self._has_existed or has_backups or self._is_explicit
        gone(self.path, is_expected=is_expected, has_backups=has_backups)

    # --- saving

    @cached_property
    def _suspension(self) -> Suspension:
        from amx.core.config.suspension import Suspension

        return Suspension(self._live, wait_s=self._lock_timeout_s, mutex=self._turn)

    @cached_property
    def _saver(self) -> Saver:
        from amx.core.config.saving import Saver

        return Saver(
            self._live,
            self._generations,
            self._suspension,
            lock_timeout_s=self._lock_timeout_s,
            is_background=self._is_background,
        )

    def _save(self, wishes: Wishes, seen: Reading | None = None) -> bool:
        """Save wishes, and forget what other threads deferred: it is among them."""
        from amx.core.config.wishes import changes_of, wanted_of

        try:
            seen = seen or self._known()[1]
            wanted = wanted_of(wishes, seen.values)
            is_changed = wanted is not None and self._saver.save(
                "saves the configuration",
                lambda publication: self._publish(publication, wishes, seen, wanted),
            )
        except (EditConflict, UsageError):
            self._suspension.settle()  # it would be refused again, with every later save
            raise
        self._suspension.settle()
        if is_changed or self._has_existed:
            self._learn(changes_of(wishes), wanted or seen.values)
        return is_changed

    def _publish(
        self, publication: Publication, wishes: Wishes, seen: Reading, wanted: Wanted
    ) -> bool:
        from amx.core.config import syntax
        from amx.core.config.wishes import changes_of, wanted_of

        reading = seen if publication.has_left(seen.sight) else self._read()
        if reading.document is not seen.document:
            wanted = wanted_of(wishes, reading.values)
        if wanted is None:
            return False
        data = syntax.rewrite(reading.data.decode(), changes_of(wishes)).encode()
        publication.publish(iter([data]), reading.sight, self._saver.gate(wanted))
        return True
