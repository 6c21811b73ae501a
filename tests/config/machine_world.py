"""The folder that the state machine of guard 4 works in, and what it must look like at any time."""

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from hypothesis.stateful import RuleBasedStateMachine, invariant

from amx.core.config.file import ConfigFile
from amx.core.errors import AmxError, ConfigGone, ConfigInvalid
from tests.config import machine_model as model
from tests.config.machine_model import Changes, Draft, History, Key, Known, Values
from tests.config.machine_texts import GARBAGE, Pen, is_whole, may_go
from tests.config.support import Place

COUNTED: Counter[str] = Counter()
"""What the machine has tried, over all its examples."""

ALWAYS = {"config.yml", "config.yml.lock", "config.yml.edit.lock"}

LEFTOVERS = {
    *("config.yml.shadow", "config.yml.bak.copy"),
    *(f"config.yml.bak.{number}.next" for number in range(1, 6)),
}
"""What may lie about after a kill, or a failed call, until the next save that changes something."""

UNTIDY = {f"config.yml.rejected{end}" for end in (".base", ".new", ".base.new")}
"""The same, until the next save that may tidy up after a killed edit."""


class End(NamedTuple):
    """How a call of amx ended."""

    result: object
    error: AmxError | None

    @property
    def kind(self) -> type[AmxError] | None:
        """The type of the error."""
        return type(self.error) if self.error else None


def ended(work: Callable[[], object]) -> End:
    """Do some work of amx and return how it ended."""
    try:
        return End(work(), None)
    except AmxError as error:
        return End(None, error)


class World(RuleBasedStateMachine):
    """What is on disk, as the model has it, and the comparison of the two."""

    def __init__(self) -> None:
        super().__init__()
        self.temporary = tempfile.TemporaryDirectory(prefix="amx-machine-")
        self.place = Place(Path(self.temporary.name) / "amx")
        self.place.folder.mkdir(mode=0o700)
        self.elsewhere = Path(self.temporary.name) / "elsewhere.yml"
        self.pen = Pen()
        self.garbage = set(GARBAGE)
        self.known = [Known(), Known(), Known(is_background=True)]
        self.files = [self.file(is_background=one.is_background) for one in self.known]
        self.live: bytes | None = None
        self.mode = 0o600
        self.histories: set[History] = {()}
        self.is_dirty = False
        self.is_untidy = False
        self.left: Draft | None = None
        self.rejected: Draft | None = None
        self.bases: dict[bytes, bytes] = {}

    def teardown(self) -> None:
        """Remove the folder."""
        self.temporary.cleanup()

    def file(self, *, is_background: bool = False) -> ConfigFile:
        """Return a view of the file, as a process has it; it waits for nobody."""
        return ConfigFile(
            self.place.live,
            is_explicit=False,
            warn=self.place.warnings.append,
            lock_timeout_s=0,
            is_background=is_background,
        )

    # --- what is on disk

    def name(self, end: str) -> Path:
        """Return the path beside the live file that ends so."""
        return self.place.live.with_name(f"config.yml{end}")

    def generations(self) -> History:
        """Return the generations that have their names."""
        found = [read(self.place.backup(number)) for number in range(1, 6)]
        there = [data for data in found if data is not None]
        assert found[: len(there)] == there, "a gap between the generations"
        return tuple(there)

    def staged(self) -> History:
        """Return the generations that have another name just now."""
        found = (read(self.name(f".bak.{number}.next")) for number in range(1, 6))
        return tuple(data for data in found if data is not None)

    def drafts(self) -> tuple[Draft | None, Draft | None]:
        """Return what is left of a killed edit, and what is kept aside."""
        folder = self.name(".edit")
        left = Draft(read(folder / "config.yml"), read(folder / "config.yml.base"))
        kept = Draft(read(self.name(".rejected")), read(self.name(".rejected.base")))
        return left if folder.is_dir() else None, kept if kept.text is not None else None

    def state(self) -> Mapping[str, object]:
        """Return all of the folder that nothing but a save that changes something may touch."""
        return {
            path.name: (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
            for path in self.place.folder.iterdir()
            if path.is_file() and not path.name.endswith(".lock") and ".rejected" not in path.name
        }

    def is_linked(self) -> bool:
        """Tell whether the live file has a second name, that of a generation to come."""
        return self.live is not None and self.place.live.stat().st_nlink > 1

    # --- what it means

    def meaning(self, data: bytes) -> Values | None:
        """Return what a text says; None for garbage."""
        return None if data in self.garbage else model.parsed(data)

    def is_valid(self, data: bytes) -> bool:
        """Tell whether a text may be loaded."""
        values = self.meaning(data)
        return values is not None and not model.wrong(values)

    def understood(self, known: Known) -> Values | type[AmxError]:
        """Return what the live file says to whoever reads it, or the refusal."""
        if self.live is None:
            is_gone = known.has_existed or self.generations()
            return ConfigGone if is_gone else {}
        values = self.meaning(self.live)
        return ConfigInvalid if values is None else values

    @property
    def holder(self) -> Known | None:
        """Who has suspended autosave."""
        return next((one for one in self.known if one.frames), None)

    # --- what becomes of it

    def published(self, new: bytes) -> None:
        """Note that the live file was replaced."""
        self.histories = {model.rotated(self.live, one) for one in self.histories}
        self.live, self.mode = new, 0o600

    def tidied(self) -> None:
        """Note that what a killed edit has left was kept aside, if it is worth it."""
        if self.left is not None and self.left.is_changed and self.left.text != self.live:
            self.rejected = self.left
        self.left = None
        self.is_untidy = False

    def uncertain(self, is_new: Callable[[bytes], bool] | None) -> bool:
        """Note how something ended that was killed, or failed; tell whether it got through.

        Args:
            is_new: Tells the contents that it wanted to publish; None if it wanted nothing.
        """
        self.is_dirty = self.is_untidy = True
        found = read(self.place.live)
        if found is not None and found != self.live and is_new is not None and is_new(found):
            self.published(found)
            return True
        assert found == self.live, "neither the old file nor the new one"
        if is_new is not None:
            self.histories |= {model.rotated(self.live, one) for one in self.histories}
        return False

    def assert_comments_kept(
        self, old: bytes, new: bytes, changes: Mapping[Key, object], gone: set[bytes] | None = None
    ) -> None:
        """Every comment that does not stand in, or behind, what was changed is still there."""
        may = may_go(old, changes) | (gone or set())
        lost = {*model.comments(old)} - {*model.comments(new)} - may
        assert not lost, f"lost comments {lost}: {old!r} became {new!r} by {changes}"
        assert is_whole(new), f"a comment stands there twice: {new!r}"

    def accept(self, values: Values, changes: Changes) -> None:
        """Check what a save has made of the live file, and believe it from now on."""
        new = self.place.live.read_bytes()
        assert repr(model.parsed(new)) == repr(values), f"{self.live!r} became {new!r}"
        if self.live:
            self.assert_comments_kept(self.live, new, changes)
        self.published(new)
        self.is_dirty = False

    # --- the comparison

    @invariant()
    def the_live_file_is_as_the_model_says(self) -> None:
        """It is there, or not, with these bytes and this mode."""
        assert read(self.place.live) == self.live
        if self.live is not None:
            assert self.place.live.stat().st_mode & 0o777 == self.mode

    @invariant()
    def the_generations_are_as_the_model_says(self) -> None:
        """After a kill: as before or rotated, each under one of its two names."""
        found, staged = self.generations(), self.staged()
        if not staged:
            assert found in self.histories, f"{found} is not in {self.histories}"
            self.histories = {found}
            return
        assert any({*one} <= {*found, *staged} for one in self.histories), "one is lost"
        assert {*found, *staged} <= {one for history in self.histories for one in history}

    @invariant()
    def nothing_else_is_left_behind(self) -> None:
        """No name but the known ones, all of them private."""
        allowed = ALWAYS | {f"config.yml.bak.{number}" for number in range(1, 6)}
        allowed |= {"config.yml.rejected", "config.yml.rejected.base"} if self.rejected else set()
        allowed |= {"config.yml.edit"} if self.left is not None else set()
        allowed |= LEFTOVERS if self.is_dirty else set()
        allowed |= UNTIDY if self.is_untidy else set()
        strange = {*self.place.names()} - allowed
        assert not strange, f"left behind: {strange}"
        for path in self.place.folder.iterdir():
            mode = 0o700 if path.is_dir() else 0o600
            assert path == self.place.live or path.stat().st_mode & 0o777 == mode, path

    @invariant()
    def what_was_typed_and_not_saved_is_kept(self) -> None:
        """What a killed edit has left, and what is kept aside, with what it began from."""
        left, rejected = self.drafts()
        assert left == self.left
        kept, base = (rejected or Draft(None, None)), (left or Draft(None, None)).base
        expected = self.rejected or Draft(None, None)
        assert kept.text == expected.text
        is_on_its_way = base == expected.base and base is not None
        assert kept.base == expected.base or is_on_its_way, "kept aside with a wrong base"


def read(path: Path) -> bytes | None:
    """Return what a file holds; None where there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
