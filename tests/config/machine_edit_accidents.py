"""The state machine of guard 4: edits that are killed, and edits that meet a broken disk."""

import os
from collections.abc import Callable
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import rule

from amx.core.config.file import ConfigFile
from amx.core.errors import Failed
from tests.config import machine_model as model
from tests.config.machine_accidents import CALL, ERROR
from tests.config.machine_edits import STROKES, Edits, Ending, Stroke
from tests.config.machine_faults import dies_at, failing
from tests.config.machine_model import Draft, Known, Plan
from tests.config.machine_saves import WHO
from tests.config.machine_world import COUNTED, ended
from tests.config.support import watched

LATE_CALL = CALL | st.integers(40, 110)
"""An edit makes about twice the calls of a save."""


class EditAccidents(Edits):
    """What was typed is saved, left, or kept aside, wherever the edit ended."""

    @rule(stroke=STROKES, n=LATE_CALL, is_fresh=st.booleans())
    def edit_killed(self, stroke: Stroke, n: int, is_fresh: bool) -> None:
        """Die at a call of an edit."""
        file = self.file()
        if self.begin_typing(stroke, is_fresh=is_fresh):
            work = self.editor(file, stroke, is_fresh=is_fresh)
            is_dead = dies_at(n, work)
            COUNTED["kills of edits" if is_dead else "kills that came too late"] += 1
            is_through = self.after_a_fault(self.ending(Known(has_existed=True), stroke))
            assert self.has_typed() or not is_through

    @rule(who=WHO, stroke=STROKES, n=LATE_CALL, is_fresh=st.booleans(), number=ERROR)
    def edit_failing(self, who: int, stroke: Stroke, n: int, is_fresh: bool, number: int) -> None:
        """Meet a full or broken disk at some call of an edit."""
        known = self.known[who]
        if known.deferred or not self.begin_typing(stroke, is_fresh=is_fresh):
            return
        ending = self.ending(Known(has_existed=True), stroke)
        is_needed = ending.values is not None and ending.text != self.live
        with watched(failing(n, number)):
            end = ended(self.editor(self.files[who], stroke, is_fresh=is_fresh))
        is_through = self.after_a_fault(ending)
        if is_needed or end.error:
            plan = Plan(ending.error, ending.values)
            self.judge_failure(plan, end, is_through=is_through)
        known.has_existed = True
        self.load(who)

    def begin_typing(self, stroke: Stroke, *, is_fresh: bool) -> bool:
        """Decide what will be typed, over what an edit would begin with; tell if it may begin."""
        if self.holder is not None or self.live is None:
            return False
        kept = None if is_fresh else self.rejected
        left = self.left
        if not is_fresh and left is not None and left.is_changed and left.text != self.live:
            kept = left
        self.start = kept or Draft(self.live, self.live)
        if None in self.start:
            return False
        self.draft = self.start
        self.draft = Draft(self.typed(stroke), self.start.base)
        if self.draft.text is not None:
            self.bases[self.draft.text] = self.start.base or b""
        self.marker.unlink(missing_ok=True)
        return True

    @property
    def marker(self) -> Path:
        """What is there when something was typed."""
        return Path(self.temporary.name) / "typed"

    def has_typed(self) -> bool:
        """Tell whether the editor was open."""
        return self.marker.exists()

    def editor(self, file: ConfigFile, stroke: Stroke, *, is_fresh: bool) -> Callable[[], object]:
        """Return an edit that leaves the text that was decided on."""

        def change(path: Path) -> None:
            assert path.read_bytes() == self.start.text
            if self.draft.text is None:
                os.remove(path)  # noqa: PTH107 - no call that may fail here
            else:
                path.write_bytes(self.draft.text)
            self.marker.write_bytes(b"")
            if stroke.how == "raises":
                raise Failed("The editor failed. Nothing was changed.", hint="Try again.")

        return lambda: file.edit(change, is_fresh=is_fresh)

    def after_a_fault(self, ending: Ending) -> bool:
        """Compare what is left with what may be, and tell whether the edit was saved."""
        is_needed = ending.values is not None and ending.text != self.live
        is_through = self.uncertain(
            (lambda found: self.is_typed(found, ending)) if is_needed else None
        )
        left, rejected = self.drafts()
        if not is_through and ending.text != self.live:
            self.assert_not_lost(left, rejected)
        self.believe(left, rejected)
        return is_through

    def is_typed(self, found: bytes, ending: Ending) -> bool:
        """Tell the new contents of an edit."""
        if ending.text is not None:
            return found == ending.text
        self.assert_mine_kept(found)
        return model.typed(model.parsed(found)) == model.typed(ending.values)

    def assert_not_lost(self, left: Draft | None, rejected: Draft | None) -> None:
        """What was typed and not saved is somewhere; so is what the edit began with."""
        there = [one.text or b"" for one in (left, rejected) if one]
        there += [*self.generations(), *self.staged(), self.live or b""]
        text = self.draft.text if self.has_typed() else self.start.text
        if text is None or text in (self.draft.base, *there):
            return
        mark = model.comments(text)[-1]
        assert any(mark in one for one in there), f"{text!r} is lost"
