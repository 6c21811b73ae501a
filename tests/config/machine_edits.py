"""The state machine of guard 4: edits in an editor, while others save, and what is kept aside."""

import os
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import rule

from amx.core.errors import (
    AmxError,
    Busy,
    ConfigGone,
    ConfigInvalid,
    EditConflict,
    EditorFailed,
    Failed,
)
from tests.config import machine_model as model
from tests.config.machine_model import Changes, Draft, Known, Plan, Values, Wishes
from tests.config.machine_restores import Blocks
from tests.config.machine_saves import WHO
from tests.config.machine_texts import CHANGES, DOCUMENTS, GARBAGE, Raw
from tests.config.machine_world import COUNTED, End, ended, read


class Stroke(NamedTuple):
    """What an editor does: one of these."""

    how: str
    document: Raw | bytes = b""


STROKES = st.one_of(
    st.sampled_from(["longer", "nothing", "back", "raises", "removes"]).map(Stroke),
    st.builds(Stroke, st.just("writes"), DOCUMENTS),
    st.builds(Stroke, st.just("writes garbage"), st.sampled_from(GARBAGE)),
)


class Meanwhile(NamedTuple):
    """What happens while the editor is open."""

    who: int
    changes: Changes
    document: Raw | None
    is_in_place: bool


MEANWHILE = st.none() | st.builds(Meanwhile, WHO, CHANGES, st.none() | DOCUMENTS, st.booleans())


class Ending(NamedTuple):
    """How an edit must end: with an error, or with new values; the text that would be kept."""

    error: type[AmxError] | None = None
    values: Values | None = None
    text: bytes | None = None
    """The new contents, where they are known to the byte."""
    is_merged: bool = False


class Edits(Blocks):
    """Edits by several processes. Fields say what the one that is open began from."""

    def __init__(self) -> None:
        super().__init__()
        self.draft = Draft(None, None)

    @rule(who=WHO, stroke=STROKES, meanwhile=MEANWHILE, is_fresh=st.booleans())
    def edit(self, who: int, stroke: Stroke, meanwhile: Meanwhile | None, is_fresh: bool) -> None:
        """Edit; save, merge, or keep aside."""
        known, file, before = self.known[who], self.files[who], self.state()
        refusal = self.begun(known, is_fresh=is_fresh)
        if refusal is not None:
            end = ended(lambda: file.edit(_never, is_fresh=is_fresh))
            COUNTED[f"edits: {refusal.__name__}"] += 1
            assert end.kind is refusal
            assert self.state() == before
            return
        self.place.warnings.clear()
        is_again = self.rejected is not None
        end = ended(
            lambda: file.edit(lambda path: self.play(path, stroke, meanwhile), is_fresh=is_fresh)
        )
        assert is_again == any("Opened again" in one for one in self.place.warnings)
        ending = self.ending(known, stroke)
        if ending.is_merged and end.error and "the two cannot be merged" in end.error.message:
            COUNTED["merges refused because of comments"] += 1
            ending = Ending(EditConflict)
        COUNTED[f"edits: {ending.error.__name__ if ending.error else 'saved'}"] += 1
        self.close(known, ending, end)

    def begun(self, known: Known, *, is_fresh: bool) -> type[AmxError] | None:
        """Note what an edit does before the editor is opened, or return why it does nothing."""
        if self.live is None and (known.has_existed or self.generations()):
            return ConfigGone
        known.has_existed = known.has_existed or self.live is not None
        if self.holder not in (None, known):
            return Busy
        if is_fresh:
            self.left = self.rejected = None
        self.tidied()
        live = self.live or b""
        self.draft = Draft(live, live)
        if self.rejected is not None:
            base = self.rejected.base
            self.draft = Draft(self.rejected.text, live if base is None else base)
        known.frames.append({})
        return None

    def play(self, path: Path, stroke: Stroke, meanwhile: Meanwhile | None) -> None:
        """Be the editor."""
        assert path.read_bytes() == self.draft.text
        if meanwhile is not None:
            if meanwhile.document is None:
                self.patch(meanwhile.who, meanwhile.changes)
            else:
                text = self.pen.text(meanwhile.document, is_commented=True)
                self.write(text, 0o600, is_in_place=meanwhile.is_in_place)
        self.draft = Draft(self.typed(stroke), self.draft.base)
        if self.draft.text is None:
            os.remove(path)  # noqa: PTH107 - no call that may fail here
        else:
            path.write_bytes(self.draft.text)
            self.bases[self.draft.text] = self.draft.base or b""
        if stroke.how == "raises":
            raise Failed("The editor failed. Nothing was changed.", hint="Try again.")

    def typed(self, stroke: Stroke) -> bytes | None:
        """Return the text that an editor leaves."""
        text = self.draft.text or b""
        if stroke.how in ("longer", "raises"):
            longer = self.pen.longer(text) or text
            is_empty = model.COMMENT.sub(b"", text).strip() == b""
            if text in self.garbage and not is_empty:
                self.garbage.add(longer)
            return longer
        if stroke.how == "writes garbage":
            assert isinstance(stroke.document, bytes)
            garbage = stroke.document + f"{self.pen.comment()}\n".encode()
            self.garbage.add(garbage)
            return garbage
        if stroke.how == "writes":
            assert not isinstance(stroke.document, bytes)
            return self.pen.text(stroke.document, is_commented=True)
        return {"nothing": text, "back": self.draft.base}.get(stroke.how)

    # --- how it must end

    def ending(self, known: Known, stroke: Stroke) -> Ending:
        """Return how an edit must end, after the editor was closed."""
        text, base = self.draft
        if stroke.how == "raises":
            return Ending(Failed)
        if text is None or text == base:
            return Ending(EditorFailed) if text is None else Ending()
        if not self.is_valid(text):
            return Ending(ConfigInvalid)
        if self.live is None and (known.has_existed or self.generations()):
            return Ending(ConfigGone)
        is_alone = (self.live or b"") == base
        return Ending(values=model.parsed(text), text=text) if is_alone else self.merged(text, base)

    def merged(self, text: bytes, base: bytes | None) -> Ending:
        """Return how an edit must end over a file that others have changed."""
        old, theirs = self.said(base or b"", is_new=True), self.said_live()
        if theirs is None:
            return Ending(ConfigInvalid)
        if old is None:
            return Ending(EditConflict)
        changes = model.between(old, model.parsed(text))
        if model.met(old, theirs, changes):
            return Ending(EditConflict)
        try:
            wanted = model.applied(theirs, changes)
        except model.BelowAValue:
            return Ending(EditConflict)
        if model.wrong(wanted):
            return Ending(ConfigInvalid, is_merged=True)
        return Ending(values=wanted, is_merged=True)

    def said(self, data: bytes, *, is_new: bool) -> Values | None:
        """Return what a text says: one of no bytes may be that of a new installation."""
        return self.meaning(data) if data or not is_new else {}

    def said_live(self) -> Values | None:
        """Return what the live file says to an edit."""
        return self.said(self.live or b"", is_new=self.live is None)

    # --- what comes of it

    def close(self, known: Known, ending: Ending, end: End) -> None:
        """Compare how an edit ended with how it must, and its block with it."""
        if ending.error is None:
            self.saved(known, ending, end)
            return
        self.kept_aside()
        plan, wishes = self.leave(known, is_whole=False)
        expected = plan.error if plan and plan.error else ending.error
        assert end.kind is expected, f"{end} instead of {ending}"
        self.after_leaving(known, plan, wishes)

    def saved(self, known: Known, ending: Ending, end: End) -> None:
        """Note an edit that was saved, and compare the file with it."""
        is_double = bool(known.frames[-1] or known.deferred) and len(known.frames) == 1
        new = self.newest(is_double=is_double)
        if ending.values is not None and new != self.live:
            assert new is not None
            if ending.text is not None:
                assert new == ending.text
            assert model.typed(model.parsed(new)) == model.typed(ending.values)
            self.assert_mine_kept(new)
            self.published(new)
            self.is_dirty = False
        if ending.values is not None:
            known.learn(self.typed_changes(), ending.values)
        self.left = self.rejected = None
        plan, wishes = self.leave(known, is_whole=True)
        expected = plan.error if plan else None
        assert end.kind is expected, f"{end} instead of {plan}"
        self.after_leaving(known, plan, wishes)

    def typed_changes(self) -> Changes | None:
        """Return what was changed by typing; None where that cannot be said."""
        old = self.said(self.draft.base or b"", is_new=True)
        return None if old is None else model.between(old, model.parsed(self.draft.text or b""))

    def newest(self, *, is_double: bool) -> bytes | None:
        """Return what an edit has saved, also where its block has saved something after it."""
        live = read(self.place.live)
        if is_double and live != self.live and self.generations()[:1] not in {(), (self.live,)}:
            newest = self.generations()[0]
            if newest not in {one for history in self.histories for one in history}:
                return newest
        return live

    def after_leaving(self, known: Known, plan: Plan | None, wishes: Wishes) -> None:
        """Compare what the end of an edit's block has saved."""
        if plan is not None and plan.values is not None:
            self.accept(plan.values, model.changes_of(wishes))
        if plan is not None:
            self.remember(known, plan, model.changes_of(wishes))

    def assert_mine_kept(self, new: bytes) -> None:
        """What was typed is there, but for what others have changed meanwhile."""
        text, base = self.draft
        old, now = self.said(base or b"", is_new=True), self.said_live()
        changes = model.between(old, now) if old is not None and now is not None else {}
        gone = {*model.comments(base or b"")} - {*model.comments(self.live or b"")}
        self.assert_comments_kept(text or b"", new, changes, gone)

    def kept_aside(self) -> None:
        """A text that could not be saved is kept, as it is or with what others have changed."""
        if not self.draft.is_changed:
            self.left = None
            return
        self.left = self.draft
        before = self.rejected
        self.tidied()
        found = self.drafts()[1]
        if found == self.rejected or self.rejected is before or found is None:
            return
        self.assert_rebased(found)
        self.rejected = found
        self.bases[found.text or b""] = found.base or b""

    def assert_rebased(self, found: Draft) -> None:
        """What is kept begins from the live file now: nothing of either side is lost."""
        assert found.base == (self.live or b"")
        if found.text == self.draft.text:
            return
        mine = model.parsed(self.draft.text or b"")
        old, theirs = self.said(self.draft.base or b"", is_new=True), self.said_live()
        assert old is not None
        assert theirs is not None
        changes = model.between(old, theirs)
        met = model.met(old, mine, changes)
        apart = {key: value for key, value in changes.items() if key not in met}
        wanted = model.applied(mine, apart)
        assert model.typed(model.parsed(found.text or b"")) == model.typed(wanted)


def _never(_: Path) -> None:
    raise AssertionError("the editor was opened")
