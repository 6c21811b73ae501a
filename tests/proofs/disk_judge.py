"""What guard 4 promises about a disk whose power failed, held against one state of it."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from amx.core.config.file import ConfigFile
from amx.core.config.generations import KEPT
from amx.core.config.restoring import Source
from amx.core.errors import AmxError, ConfigError
from tests.proofs.disk_model import State, build

LIVE = "home/config.yml"
BACKUPS = tuple(f"{LIVE}.bak.{number}" for number in range(1, KEPT + 1))
COPY = f"{LIVE}.edit/config.yml"
LOCKS = (f"{LIVE}.lock", f"{LIVE}.edit.lock")
REJECTED = f"{LIVE}.rejected"
MARK = 99
"""What the next ordinary save sets ``n`` to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What may be found after the power failed in an action, and what must be kept then.

    Args:
        histories: By the live file that may be found (None: none): that file and all generations
            behind it, newest first, as they must be after the next save.
        acknowledged: The live file that must be there once the action has returned.
        broken: Contents that were no configuration from the start.
        torn: What may be left of what an editor had not synced; it may be the live file, but it is
            no generation before the next save.
        extra: Contents that existed whole but were never acknowledged: they may stand among the
            generations, too.
        drafts: The texts of an edit: they may be kept aside.
        is_kept: Whether one must be kept aside, and nothing may be, once the action has returned;
            None where either will do.
    """

    histories: Mapping[bytes | None, tuple[bytes, ...]]
    acknowledged: bytes
    broken: frozenset[bytes] = frozenset()
    torn: frozenset[bytes] = frozenset()
    extra: frozenset[bytes] = frozenset()
    drafts: frozenset[bytes] = frozenset()
    is_kept: bool | None = None

    @property
    def key(self) -> object:
        """What makes two stories one."""
        return (frozenset(self.histories.items()), self.torn, self.extra, self.drafts, self.is_kept)

    @property
    def whole(self) -> set[bytes]:
        """All contents that ever existed whole."""
        known = {one for history in self.histories.values() for one in history} | self.extra
        return known - self.torn


@dataclass(slots=True)
class Judge:
    """Judges states, each once, by doing the next save on real files of them.

    Args:
        folder: An empty folder to work in.
    """

    folder: Path
    judged: dict[tuple[State, object, bool], str | None] = field(default_factory=dict)

    def complaint(self, state: State, story: Story, *, is_acknowledged: bool) -> str | None:
        """Return what is wrong with a state; None if nothing is."""
        if is_acknowledged and (live := data_at(state, LIVE)) != story.acknowledged:
            return f"the action was acknowledged, and config.yml holds {live!r}"
        if is_acknowledged and story.is_kept and data_at(state, REJECTED) is None:
            return "the edit was refused, and its text is gone"
        is_ended = is_acknowledged and story.is_kept is False
        key = (state, story.key, is_ended)
        if key not in self.judged:
            self.judged[key] = self._judged(state, story, is_ended=is_ended)
        return self.judged[key]

    def _judged(self, state: State, story: Story, *, is_ended: bool) -> str | None:
        if (live := data_at(state, LIVE)) not in story.histories:
            return f"config.yml is neither the old nor the new file: {live!r}"
        generations = {entry.data for entry in state if entry.path in BACKUPS}
        if torn := generations - story.whole:
            return f"a generation was never whole: {torn}"
        if (aside := data_at(state, REJECTED)) not in (None, *story.drafts):
            return f"what was kept aside is torn: {aside!r}"
        root = self.folder / "root"
        root.mkdir()
        try:
            build(state, root)
            return _complaint_after_next_save(root, live, story) or _complaint_about_draft(
                root, aside, is_ended=is_ended
            )
        finally:
            shutil.rmtree(root)


def data_at(state: State, path: str) -> bytes | None:
    """Return what a file holds; None if it is not there."""
    return next((entry.data for entry in state if entry.path == path), None)


def go_on(root: Path, number: int = MARK) -> bytes:
    """Do what a user does next: an ordinary save, or a restore where there is nothing to change.

    Returns:
        What the live file holds then.
    """
    file = ConfigFile(root / LIVE, is_explicit=False, warn=lambda _: None)
    try:
        file.load()
    except ConfigError:
        file.restore(Source(is_latest_valid=True))
    else:
        file.patch({("n",): number})
    return (root / LIVE).read_bytes()


def _complaint_after_next_save(root: Path, live: bytes | None, story: Story) -> str | None:
    file = ConfigFile(root / LIVE, is_explicit=False, warn=lambda _: None)
    is_gone = live is None and bool(story.histories[None])
    try:
        before = file.load().raw
    except ConfigError as error:
        if not is_gone and live not in story.broken | story.torn:
            return f"config.yml cannot be loaded: {error.message}"
        before = None
    try:
        after = go_on(root)
        now = file.load().raw
    except AmxError as error:
        return f"the next save fails: {error.message}"
    if before is not None and now != {**before, "n": MARK}:
        return f"the next save makes {after!r} of {live!r}"
    if before is None and after not in story.histories[live]:
        return f"the next restore brings {after!r}"
    return _complaint_about(root, story.histories[live], story)


def _complaint_about(root: Path, history: Sequence[bytes], story: Story) -> str | None:
    names = {f"home/{path.name}": path for path in (root / "home").iterdir()}
    aside = (REJECTED, f"{REJECTED}.base") if story.drafts else ()
    if rest := names.keys() - {LIVE, *BACKUPS, *LOCKS, *aside}:
        return f"left behind after the next save: {', '.join(sorted(rest))}"
    if wide := [name for name, path in names.items() if path.stat().st_mode & 0o7777 != 0o600]:
        return f"not private after the next save: {', '.join(sorted(wide))}"
    kept = [names[path].read_bytes() for path in BACKUPS if path in names]
    return _loss(kept, history, story.extra)


def _loss(kept: Sequence[bytes], history: Sequence[bytes], extra: frozenset[bytes]) -> str | None:
    """Tell what is wrong with the generations that were kept.

    They are the history from its newest on; only where five are kept are the oldest dropped.
    """
    place = 0
    for one in kept:
        if place < len(history) and one == history[place]:
            place += 1
        elif one not in extra:
            return f"generations lost, invented or in disorder: {kept} kept of {history}"
    if place < len(history) and (place == 0 or len(kept) < KEPT):
        return f"generations lost: {kept} kept of {history}"
    return None


def _complaint_about_draft(root: Path, aside: bytes | None, *, is_ended: bool) -> str | None:
    """What was kept aside stays until the next edit; of an edit that was saved nothing is kept."""
    path = root / REJECTED
    kept = path.read_bytes() if path.exists() else None
    if aside is not None and kept != aside:
        return f"what was kept aside was lost by the next save: {kept!r}"
    if is_ended and kept is not None:
        return f"an edit was saved, and kept aside is then: {kept!r}"
    return None
