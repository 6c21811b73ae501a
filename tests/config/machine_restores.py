"""The state machine of guard 4: restores, and autosave that is suspended."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from amx.core.config.file import ConfigFile
from amx.core.config.restoring import Restored, Source
from amx.core.errors import AmxError, Busy, Failed, SavesSuspended, UsageError
from tests.config import machine_model as model
from tests.config.machine_accidents import CALL, ERROR, Accidents
from tests.config.machine_faults import dies_at, failing
from tests.config.machine_model import Changes, Known, Plan, Wishes
from tests.config.machine_saves import WHO
from tests.config.machine_texts import CHANGES, DOCUMENTS, EFFECTIVE, GARBAGE, Raw
from tests.config.machine_world import COUNTED, End, ended, read
from tests.config.support import watched

NUMBER = st.integers(1, 6)


class Stopped(Exception):
    """What ends a block before its end."""


class Restores(Accidents):
    """Restores from everywhere, by everyone, killed and failed."""

    @rule(who=WHO, number=NUMBER)
    def restore(self, who: int, number: int) -> None:
        """Put a generation back by its number."""
        found = self.numbered(number)
        self.put_back(who, Source(number=number), UsageError if found is None else found)

    @rule(who=WHO)
    def restore_the_latest_valid_one(self, who: int) -> None:
        """Put the newest generation back that may be loaded."""
        found = next((one for one in self.generations() if self.is_valid(one)), None)
        self.put_back(who, Source(is_latest_valid=True), Failed if found is None else found)

    @rule(who=WHO, document=DOCUMENTS | st.sampled_from([*GARBAGE, None]))
    def restore_from_a_file(self, who: int, document: Raw | bytes | None) -> None:
        """Put any file in place, valid or not."""
        self.elsewhere.unlink(missing_ok=True)
        if document is not None:
            is_text = isinstance(document, bytes)
            text = document if is_text else self.pen.text(document, is_commented=True)  # type: ignore[arg-type]  # no bytes here
            self.elsewhere.write_bytes(text)  # type: ignore[arg-type]  # bytes, either way
        data = read(self.elsewhere)
        self.put_back(who, Source(path=self.elsewhere), UsageError if data is None else data)

    def numbered(self, number: int) -> bytes | None:
        """Return the generation that now has this number."""
        found = self.generations()
        return found[number - 1] if number <= len(found) else None

    def put_back(self, who: int, source: Source, wanted: bytes | type[AmxError]) -> None:
        """Restore, and compare what came of it."""
        known, file, before = self.known[who], self.files[who], self.state()
        if isinstance(wanted, bytes) and self.holder is None:
            self.tidied()
        if isinstance(wanted, bytes) and known.is_background and self.holder not in (None, known):
            wanted = SavesSuspended
        end = ended(lambda: file.restore(source))
        COUNTED[f"restores: {wanted.__name__ if isinstance(wanted, type) else 'done'}"] += 1
        if isinstance(wanted, type):
            assert end.kind is wanted
            assert self.state() == before
            return
        assert isinstance(end.result, Restored), end
        assert (end.result.problem is None) == self.is_valid(wanted)
        assert end.result.is_changed == (wanted != self.live)
        known.base = None
        if wanted == self.live:
            assert self.state() == before
        else:
            self.published(wanted)
            self.is_dirty = False

    @rule(number=NUMBER, n=CALL)
    def restore_killed(self, number: int, n: int) -> None:
        """Die at a call of a restore."""
        file, wanted = self.file(), self.numbered(number)
        if wanted is not None:
            is_dead = dies_at(n, lambda: file.restore(Source(number=number)))
            COUNTED["kills of restores" if is_dead else "kills that came too late"] += 1
            is_through = self.uncertain(wanted.__eq__)
            assert is_dead or is_through or wanted == self.live
            self.drafts_after_a_fault()

    @rule(who=WHO, number=NUMBER, n=CALL, error=ERROR)
    def restore_failing(self, who: int, number: int, n: int, error: int) -> None:
        """Meet a full or broken disk at some call of a restore."""
        known, file, wanted = self.known[who], self.files[who], self.numbered(number)
        if wanted is None or (known.is_background and self.holder is not None):
            return
        is_needed = wanted != self.live
        with watched(failing(n, error)):
            end = ended(lambda: file.restore(Source(number=number)))
        is_through = self.uncertain(wanted.__eq__)
        self.judge_failure(Plan(values={} if is_needed else None), end, is_through=is_through)
        self.drafts_after_a_fault()
        known.base = known.base if end.error else None


class Blocks(Restores):
    """Autosave suspended, in blocks that stay open while others do what they do."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[AbstractContextManager[None]] = []

    def teardown(self) -> None:
        """End what is open, so that nothing of it is left to the garbage collector."""
        for block in reversed(self.open):
            with suppress(AmxError):
                _leave(block, Stopped())
        super().teardown()

    @rule(who=WHO)
    def open_block(self, who: int) -> None:
        """Suspend autosave; one process at a time may."""
        block = self.files[who].suspended()
        end = ended(block.__enter__)
        COUNTED["blocks"] += 1
        if self.holder not in (None, self.known[who]):
            assert end.kind is Busy
            return
        assert end.error is None
        self.open.append(block)
        self.known[who].frames.append({})

    @precondition(lambda self: self.open)
    @rule(is_stopped=st.booleans())
    def close_block(self, is_stopped: bool) -> None:
        """End the innermost block: what was patched in it is saved, or goes with what it raised."""
        known, block, before = self.holder, self.open.pop(), self.state()
        assert known is not None
        COUNTED["blocks that raised" if is_stopped else "blocks that ended well"] += 1
        plan, wishes = self.leave(known, is_whole=not is_stopped)
        end = ended(lambda: _leave(block, Stopped() if is_stopped else None))
        if plan is not None:
            self.compare(known, plan, wishes, end, before)
        else:
            assert end.error is None
            assert self.state() == before

    def leave(self, known: Known, *, is_whole: bool) -> tuple[Plan | None, Wishes]:
        """Return what the end of a block must come to; None where nothing is to be saved yet."""
        frame = known.frames.pop()
        mine = frame if is_whole else {}
        if known.frames:
            known.frames[-1] = model.joined(known.frames[-1], mine)
            return None, {}
        wishes = model.effective(model.joined(known.deferred, mine))
        if not wishes:
            known.deferred = {}
            return None, {}
        plan = self.plan(known, wishes, is_at_end=True)
        return (plan, wishes) if is_whole or plan.error is None else (None, {})

    @precondition(lambda self: self.open)
    @rule(changes=CHANGES)
    def patch_by_another_thread(self, changes: Changes) -> None:
        """A thread without a block of its own patches: that is saved whatever the block does."""
        known = self.holder
        assert known is not None
        file = self.files[self.known.index(known)]
        work = _in_a_thread(lambda: file.patch(changes))
        if self.postpone(known, known.deferred, changes, work):
            known.deferred = model.joined(known.deferred, known.wished(changes))

    @rule(changes=EFFECTIVE, n=CALL, is_nested=st.booleans())
    def block_killed(self, changes: Changes, n: int, is_nested: bool) -> None:
        """Die at a call of a block: its lock dies with the process."""
        self.mend()
        known, file = Known(), self.file()
        file.load()
        plan = Plan(Busy) if self.holder else self.planned_apart(known, changes)
        self.fall(plan, changes, n, lambda: _block(file, changes, is_nested=is_nested))


def _leave(block: AbstractContextManager[None], error: Stopped | None) -> None:
    """Leave a block; what was raised in it goes its way."""
    assert not block.__exit__(type(error) if error else None, error, None)


def _block(file: ConfigFile, changes: Changes, *, is_nested: bool) -> None:
    with file.suspended():
        if not is_nested:
            file.patch(changes)
            return
        with file.suspended():
            file.patch(changes)


def _in_a_thread(work: Callable[[], object]) -> Callable[[], object]:
    """Return the same work, done by another thread."""

    def done() -> object:
        ends: list[End] = []
        thread = threading.Thread(target=lambda: ends.append(ended(work)))
        thread.start()
        thread.join()
        if ends[0].error is not None:
            raise ends[0].error
        return ends[0].result

    return done
