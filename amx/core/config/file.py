"""Guard 4: the configuration file. Loads strictly, never writes to load, saves as a patch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from amx.core.config import disk, syntax
from amx.core.config.generations import Generations
from amx.core.config.keys import Key, dotted, redacted
from amx.core.config.model import (
    REMOVED,
    Changes,
    Config,
    applied,
    faults,
    leaves,
    plain,
    same,
    value_at,
)
from amx.core.config.publication import Gate, LiveChanged, Publication, named_failures
from amx.core.config.reading import Reading, check_types, read_file
from amx.core.errors import (
    Busy,
    ConfigGone,
    ConfigInvalid,
    EditConflict,
    ShadowRejected,
    UsageError,
)
from amx.core.locks import file_lock

if TYPE_CHECKING:
    from amx.core.config.restoring import Generation, Restored, Source

Values = Mapping[str, object]

_ATTEMPTS = 5
"""How often a save begins again because an editor has changed the file meanwhile."""


class ConfigFile:
    """One configuration file, its backups and its lock.

    Args:
        path: Where it is, or a symbolic link to it.
        is_explicit: Whether the user has named it; then it must be there.
        warn: Called with what a person should know.
        lock_timeout_s: How long a save waits for another one, in seconds.
    """

    def __init__(
        self,
        path: Path,
        *,
        is_explicit: bool,
        warn: Callable[[str], None],
        lock_timeout_s: float = 5.0,
    ) -> None:
        self.path = path
        self._is_explicit = is_explicit
        self._warn = warn
        self._lock_timeout_s = lock_timeout_s
        self._live = Path(os.path.realpath(path))
        self._generations = Generations(self._live)
        self._publication = Publication(self._live, self._generations)
        self._base: Values | None = None
        self._has_existed = False

    def load(self) -> Config:
        """Read the configuration. Nothing is written.

        No file, no backups and no explicit path is a new installation: an empty configuration.

        Raises:
            ConfigInvalid: the file is not a configuration; with line and column.
            ConfigUnreadable: it cannot be read.
            ConfigGone: it is not there, and should be.
        """
        reading = self._read()
        if reading.is_open_to_others:
            from shlex import quote

            self._warn(
                f"{self.path} can be read by others (mode {reading.mode:04o}); "
                f"the next save makes it private, or now: chmod 600 {quote(str(self.path))}"
            )
        check_types(reading.document, str(self.path))
        self._remember(reading.document.values, has_existed=reading.sight is not None)
        return Config(reading.document.values)

    def lines(self) -> Mapping[Key, int]:
        """Return the line on which each value of the file stands; mappings have none.

        Raises:
            ConfigError: as `load`.
        """
        document = self._read().document
        return {key: document.position(key)[0] for key in leaves(document.values)}

    def patch(self, changes: Changes) -> bool:
        """Make the changes in the file as it is on disk now; ``REMOVED`` takes a key away.

        Changes that others made to other keys since `load` stay. The new contents are published
        as the module ``publication`` says, so that no crash harms the file; a patch that changes
        nothing writes nothing at all.

        Returns:
            Whether anything was changed.

        Raises:
            UsageError: a change is of another type than its key, or below a value.
            EditConflict: somebody else changed the same key since `load`.
            ShadowRejected: what was read back is not what was meant.
            SaveFailed: a system call failed; the file is unchanged.
            Busy: another process holds the lock.
            ConfigError: the present file cannot be used.
        """
        if self._planned(self._read(), changes) is None:
            return False
        with self._locked("saves the configuration"):
            return self._retried(lambda: self._save(changes))

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
        """
        from amx.core.config.restoring import chosen

        picked = chosen(source, self._generations)
        # Opened before the lock and before any rotation: a number is what the user has seen
        # under it, and the oldest can be restored although the rotation drops its name.
        with named_failures(self._live), disk.opened(picked.path) as descriptor:
            wanted = disk.digest_of(disk.chunks(descriptor))
            with self._locked("restores the configuration"):
                is_changed = self._retried(lambda: self._replace(descriptor, wanted))
        self._base = None
        return replace(picked, is_changed=is_changed)

    # --- reading

    def _read(self) -> Reading:
        reading = read_file(self._live, str(self.path))
        if reading.sight is None:
            self._refuse_if_gone()
        return reading

    def _remember(self, values: Values, *, has_existed: bool) -> None:
        """Keep what this process last saw: a later save compares the file on disk with it."""
        self._base, self._has_existed = values, has_existed

    def _refuse_if_gone(self) -> None:
        has_backups = bool(self._generations.numbers())
        if not (self._has_existed or has_backups or self._is_explicit or self.path.is_symlink()):
            return
        from shlex import quote

        msg = f"{self.path} is gone. Nothing was changed."
        hint = (
            "amx config restore --list" if has_backups else f"echo '{{}}' > {quote(str(self.path))}"
        )
        raise ConfigGone(msg, hint=hint, details={"path": str(self.path)})

    # --- saving

    def _save(self, changes: Changes) -> bool:
        reading = self._read()
        self._refuse_conflicts(reading, changes)
        wanted = self._planned(reading, changes)
        if wanted is None:
            return False
        data = syntax.rewrite(reading.text, changes).encode()
        self._publication.publish(iter([data]), reading.sight, self._gate(wanted))
        self._remember(wanted, has_existed=True)
        return True

    def _planned(self, reading: Reading, changes: Changes) -> dict[str, object] | None:
        """Return the values that a patch leads to; None where it changes nothing."""
        values = reading.document.values
        wanted = applied(values, changes)
        if same(wanted, values):
            return None
        old = set(faults(values))
        for fault in faults(wanted):
            if fault not in old:
                raise UsageError(f"{fault.problem}. Nothing was changed.")
        return wanted

    def _refuse_conflicts(self, reading: Reading, changes: Changes) -> None:
        if self._base is None:
            return
        for key, value in changes.items():
            mine = REMOVED if value is REMOVED else plain(value)
            base, theirs = (value_at(one, key) for one in (self._base, reading.document.values))
            if not same(base, theirs) and not same(mine, theirs):
                raise _conflict(key, mine, theirs)

    def _gate(self, wanted: dict[str, object]) -> Gate:
        def gate(data: bytes) -> None:
            try:
                is_meant = same(syntax.read(data, "the shadow").values, wanted)
            except ConfigInvalid:
                is_meant = False
            if not is_meant:
                msg = (
                    "The new contents, read again, do not mean what they should: this file has "
                    f"something (an anchor, a merge, a tag) that amx cannot write. {self.path} "
                    "and its backups are unchanged."
                )
                raise ShadowRejected(msg, hint="Change it in an editor; then amx config validate.")

        return gate

    def _replace(self, descriptor: int, wanted: bytes) -> bool:
        seen = disk.look(self._live)
        if seen is not None and seen.digest == wanted:
            return False
        self._publication.publish(disk.chunks(descriptor), seen, None)
        return True

    def _retried(self, act: Callable[[], bool]) -> bool:
        for _ in range(_ATTEMPTS):
            try:
                return act()
            except LiveChanged:
                continue
        msg = f"{self.path} is being changed by another program all the time. Nothing was changed."
        raise Busy(msg, hint="Close the editor, then try again.")

    @contextmanager
    def _locked(self, purpose: str) -> Iterator[None]:
        lock = self._live.with_name(f"{self._live.name}.lock")
        with named_failures(self._live):
            disk.make_private(self._live.parent)
            with file_lock(lock, wait_s=self._lock_timeout_s, purpose=purpose):
                yield


def _conflict(key: Key, mine: object, theirs: object) -> EditConflict:
    texts = [_shown(key, value) for value in (mine, theirs)]
    msg = (
        f"{dotted(key)} was changed by somebody else meanwhile: here {texts[0]}, "
        f"on disk {texts[1]}. Nothing was changed."
    )
    details = {"key": dotted(key), "mine": texts[0], "theirs": texts[1]}
    return EditConflict(msg, hint=f"amx config get {dotted(key)}; then try again", details=details)


def _shown(key: Key, value: object) -> str:
    return "removed" if value is REMOVED else repr(redacted(key, value))
