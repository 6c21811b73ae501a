"""The actions that `powerloss` records: saves, restores, edits, alone and over what others left."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from amx.core.config.file import ConfigFile
from amx.core.config.restoring import Source
from amx.core.errors import ConfigInvalid
from tests.proofs.disk_judge import COPY, LIVE, Story, data_at, go_on
from tests.proofs.disk_model import Call, Disk, State, build, damaged, disk_of, found
from tests.proofs.disk_recorder import Recorder

Act = Callable[[ConfigFile], object]

OLD = b"# note\nn: 0\nname: old\n"
OLDER = tuple(b"# older\nn: -%d\nname: older\n" % number for number in range(1, 6))
BEFORE = b"# before\nn: 0\nname: before\n"
BROKEN = b"# broken\nn: [\n"
EDITED = b"# edited\nn: 5\nname: old\n"
BESIDE = b"# note\nn: 0\nname: beside\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An action on a configuration: what was there, and what is done.

    Args:
        name: What a person calls it.
        act: Does it.
        old: The live file.
        older: The generations by their number; None is a gap.
        mode: The mode of all of these.
        has_links: Whether the file system has hard links.
        is_unsynced: Whether an editor has just written the live file and did not sync it.
        between: What another save makes of the live file meanwhile.
        draft: The text of an edit.
    """

    name: str
    act: Act
    old: bytes | None = OLD
    older: Sequence[bytes | None] = OLDER
    mode: int = 0o600
    has_links: bool = True
    is_unsynced: bool = False
    between: bytes | None = None
    draft: bytes | None = None

    def prepare(self, root: Path) -> None:
        """Put there what was before: a live file, generations, the lock of an earlier save."""
        if self.old is None and not self.older:
            return
        home = root / "home"
        home.mkdir(mode=0o700)
        names = ["config.yml", *(f"config.yml.bak.{n}" for n in range(1, len(self.older) + 1))]
        live = BEFORE if self.is_unsynced else self.old
        for name, data in zip(names, [live, *self.older], strict=True):
            if data is not None:
                (home / name).write_bytes(data)
                (home / name).chmod(self.mode)
        (home / "config.yml.lock").touch(mode=0o600)

    def story(self, new: bytes) -> Story:
        """Return what must hold, the power failing anywhere before ``new`` was acknowledged."""
        histories: dict[bytes | None, tuple[bytes, ...]] = {}
        behind = tuple(one for one in self.older if one is not None)
        for live in dict.fromkeys([self.old, self.between or self.old, new]):
            histories[live] = behind = _history(live, behind)
        torn = {BEFORE, *damaged(self.old or b"")} - {self.old} if self.is_unsynced else set()
        histories |= {live: (live, *histories[self.old][1:]) for live in torn}
        return Story(
            histories=histories,
            torn=frozenset(torn),
            acknowledged=new,
            broken=frozenset({BROKEN}),
            drafts=frozenset() if self.draft is None else frozenset({self.draft}),
            is_kept=None if self.draft is None else new == self.old,
        )


@dataclass(frozen=True, slots=True)
class Recording:
    """The calls of an action, the disk before it, and what must hold wherever the power fails.

    Recordings of one ``kind`` differ in where the action before was cut off.
    """

    kind: str
    name: str
    before: Disk
    calls: Sequence[Call]
    story: Story
    has_links: bool = True


def _save(file: ConfigFile) -> object:
    return file.patch({("n",): 1})


def _restore(number: int) -> Act:
    return lambda file: file.restore(Source(number=number))


def _edit(text: bytes, *, is_beside: bool = False) -> Act:
    def edit(file: ConfigFile) -> object:
        def change(path: Path) -> None:
            overwrite(path, text)
            if is_beside:
                other = ConfigFile(file.path, is_explicit=False, warn=lambda _: None)
                other.patch({("name",): "beside"})

        with suppress(ConfigInvalid):
            return file.edit(change)
        return None

    return edit


def overwrite(path: Path, text: bytes) -> None:
    """Write a file in place and do not sync it, as many an editor does."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.write(descriptor, text)
    os.close(descriptor)


CASES = (
    Case(name="save", act=_save),
    Case(name="first save", act=_save, old=None, older=()),
    Case(name="second save", act=_save, older=()),
    Case(name="save with two generations", act=_save, older=OLDER[:2]),
    Case(name="save with a gap", act=_save, older=(*OLDER[:2], None, *OLDER[2:4])),
    Case(name="save to and fro", act=_save, older=[OLDER[0], OLD] * 2),
    Case(name="save of what is kept already", act=_save, older=[OLD, *OLDER[:4]]),
    Case(name="save of what others may read", act=_save, older=OLDER[:2], mode=0o644),
    Case(name="save of what an editor wrote just now", act=_save, is_unsynced=True),
    Case(name="save without hard links", act=_save, has_links=False),
    Case(name="restore 1", act=_restore(1)),
    Case(name="restore 5", act=_restore(5)),
    Case(name="restore over a broken file", act=_restore(2), old=BROKEN),
    Case(name="restore of a lost file", act=_restore(2), old=None),
    Case(name="edit", act=_edit(EDITED), draft=EDITED),
    Case(name="first edit", act=_edit(EDITED), draft=EDITED, old=None, older=()),
    Case(
        name="edit beside a save", act=_edit(EDITED, is_beside=True), draft=EDITED, between=BESIDE
    ),
    Case(name="edit that is refused", act=_edit(BROKEN), draft=BROKEN),
    Case(
        name="edit that is refused, without hard links",
        act=_edit(BROKEN),
        draft=BROKEN,
        has_links=False,
    ),
)


def record(case: Case, folder: Path) -> Recording:
    """Do an action on real files in an empty folder, and record it."""
    case.prepare(folder)
    disk = disk_of(found(folder))
    before = disk.copy()
    recorder = Recorder(folder, disk, has_links=case.has_links)
    file = ConfigFile(folder / LIVE, is_explicit=False, warn=lambda _: None)
    with recorder.recording():
        if case.is_unsynced and case.old is not None:
            overwrite(folder / LIVE, case.old)
        case.act(file)
    story = case.story((folder / LIVE).read_bytes())
    return Recording(case.name, case.name, before, recorder.calls, story, has_links=case.has_links)


def after_power_loss(first: Recording, state: State, folder: Path) -> Recording:
    """Record the save that follows on a state that a power failure has left."""
    live = data_at(state, LIVE)
    story = replace(first.story, histories={live: first.story.histories[live]})
    name = f"{first.name}, power loss, save"
    return _followed(replace(first, kind=name, before=disk_of(state), story=story), name, folder)


def after_kill(first: Recording, count: int, folder: Path) -> Recording:
    """Record the save that follows on an action that was killed after ``count`` calls.

    What was not synced then is pending still: the power may fail in the second action and take
    back what the second has seen of the first.
    """
    disk = first.before.copy()
    seen = [data_at(disk.present(), LIVE)]
    for call in first.calls[:count]:
        disk.apply(call.effects)
        seen.append(data_at(disk.present(), LIVE))
    histories = {live: first.story.histories[live] for live in dict.fromkeys(seen)}
    extra = frozenset(live for live in histories if live is not None and len(histories) > 1)
    story = replace(first.story, histories=histories, extra=extra)
    begun = replace(first, kind=f"{first.name}, killed, save", before=disk, story=story)
    return _followed(begun, f"{first.name}, killed after call {count}, save", folder)


def _followed(begun: Recording, name: str, folder: Path) -> Recording:
    """Record the save that goes on from where a disk is."""
    state, disk, story = begun.before.present(), begun.before.copy(), begun.story
    build(state, folder)
    recorder = Recorder(folder, disk, has_links=begun.has_links)
    with recorder.recording():
        new = go_on(folder, 2)
    behind, draft = story.histories[data_at(state, LIVE)], data_at(state, COPY)
    story = replace(
        story,
        histories={**story.histories, new: _history(new, behind)},
        acknowledged=new,
        drafts=story.drafts if draft is None else story.drafts | {draft},
        is_kept=None,
    )
    return replace(begun, name=name, calls=recorder.calls, story=story)


def _history(live: bytes | None, behind: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the live file and what is behind it; what was kept already is not kept twice."""
    if live is None or live == next(iter(behind), None):
        return tuple(behind)
    return (live, *behind)
