"""The state machine of guard 4: saves that are killed, that fail, that are disturbed."""

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import rule

from amx.core.config import syntax
from amx.core.errors import ConfigUnreadable, EditConflict, SaveFailed, SavesSuspended
from tests.config import machine_model as model
from tests.config.machine_faults import ERRORS, dies_at, failing, meddling
from tests.config.machine_model import Changes, Draft, Known, Plan
from tests.config.machine_saves import WHO, Saves
from tests.config.machine_texts import DOCUMENTS, EFFECTIVE, Raw
from tests.config.machine_world import COUNTED, End, ended
from tests.config.support import watched

CALL = st.integers(1, 60)
"""At which call something happens. A save makes about 40."""

ERROR = st.sampled_from(ERRORS)


class Accidents(Saves):
    """Saves with a fault at the n-th call."""

    @rule(changes=EFFECTIVE, n=CALL)
    def patch_killed(self, changes: Changes, n: int) -> None:
        """A process of its own loads, saves and dies at some call."""
        self.mend()
        known, file = Known(), self.file()
        file.load()
        plan = self.planned_apart(known, changes)
        self.fall(plan, changes, n, lambda: file.patch(changes))

    def planned_apart(self, known: Known, changes: Changes) -> Plan:
        """Plan without believing that what a killed edit has left is tidied up."""
        values = self.understood(known)
        if isinstance(values, type):
            return Plan(values)
        return self.written(self.decided(values, changes), changes)

    def fall(self, plan: Plan, changes: Changes, n: int, work: Callable[[], object]) -> None:
        """Die at a call of a save; what is left is the old or the new."""
        is_new, old, before = self.newness(plan, changes), self.live, self.state()
        is_dead = dies_at(n, work)
        COUNTED["kills of saves" if is_dead else "kills that came too late"] += 1
        is_through = self.uncertain(is_new)
        assert is_dead or is_through == (plan.values is not None)
        assert plan.values is not None or self.state() == before
        if is_through and old and plan.values:
            self.assert_comments_kept(old, self.live or b"", changes)
        self.drafts_after_a_fault()

    def newness(self, plan: Plan, changes: Changes) -> Callable[[bytes], bool] | None:
        """Return what tells the new contents of a save, byte for byte."""
        if plan.values is None:
            return None
        new = syntax.rewrite((self.live or b"").decode(), changes).encode()
        assert repr(model.parsed(new)) == repr(plan.values)
        return lambda found: found == new

    def drafts_after_a_fault(self) -> None:
        """What a killed edit had left is there still, or is kept aside, or between the two."""
        left, rejected = self.drafts()
        before = [one for one in (self.rejected, self.left) if one and one.is_changed]
        if before:
            found = {one.text for one in (left, rejected) if one}
            saved = (self.live, *self.generations(), *self.staged())
            assert before[-1].text in {*found, *saved}, "an edited text is lost"
        self.believe(left, rejected)

    def believe(self, left: Draft | None, rejected: Draft | None) -> None:
        """Believe what is found of drafts, but for the text that each one began from."""
        self.left, self.rejected = left, rejected
        if left is not None and left.text is not None and left.base is not None:
            self.bases[left.text] = left.base
        if rejected is not None and rejected.text is not None:
            known = self.bases.get(rejected.text)
            base = rejected.base if known is None or rejected.base == self.live else known
            self.rejected = Draft(rejected.text, base)
            if base is not None:
                self.bases[rejected.text] = base

    @rule(who=WHO, changes=EFFECTIVE, n=CALL, number=ERROR)
    def patch_failing(self, who: int, changes: Changes, n: int, number: int) -> None:
        """A long-lived process meets a full or broken disk at some call."""
        known, file = self.known[who], self.files[who]
        if not self.is_at_rest(who):
            return
        plan = self.plan_of_a_failure(known, changes)
        self.fail(plan, changes, n, number, lambda: file.patch(changes))
        self.load(who)

    def is_at_rest(self, who: int) -> bool:
        """Make a process load, and tell whether it has and nothing of it waits."""
        self.mend()
        self.load(who)
        return not self.known[who].frames and not self.known[who].deferred

    def plan_of_a_failure(self, known: Known, changes: Changes) -> Plan:
        """Plan a save that may fail before it decides."""
        plan = self.planned_apart(known, changes)
        is_refused = known.is_background and self.holder not in (None, known)
        return Plan(SavesSuspended) if plan.values is not None and is_refused else plan

    def fail(
        self, plan: Plan, changes: Changes, n: int, number: int, work: Callable[[], object]
    ) -> None:
        """Let a call of a save fail; what is left is the old or, if that is said, the new."""
        is_new = self.newness(plan, changes)
        with watched(failing(n, number)):
            end = ended(work)
        self.judge_failure(plan, end, is_through=self.uncertain(is_new))
        self.drafts_after_a_fault()

    def judge_failure(self, plan: Plan, end: End, *, is_through: bool) -> None:
        """Compare what a save said with what it did."""
        COUNTED["calls that failed" if end.error else "calls that failed unnoticed"] += 1
        if end.error is None:
            assert plan.error is None
            assert is_through == (plan.values is not None)
        elif end.kind is not plan.error:
            assert isinstance(end.error, SaveFailed | ConfigUnreadable), f"{end} instead of {plan}"
            assert is_through == ("has its new contents" in end.error.message), end

    @rule(changes=EFFECTIVE, n=st.integers(1, 14), document=DOCUMENTS, is_in_place=st.booleans())
    def patch_disturbed(self, changes: Changes, n: int, document: Raw, is_in_place: bool) -> None:
        """An editor writes while a save is under way, up to the last look at the file."""
        self.mend()
        if self.live is None or (self.left and not self.holder):
            return
        file, old, histories = self.file(), self.live, set(self.histories)
        text = self.pen.text(document, is_commented=True)
        file.load()
        with watched(meddling(n, lambda: self.write(text, 0o600, is_in_place=is_in_place))):
            end = ended(lambda: file.patch(changes))
        COUNTED["disturbed" if self.live == text else "disturbed too late"] += 1
        if self.live == text:
            self.histories |= {model.rotated(old, one) for one in histories}
            self.histories |= {model.rotated(text, one) for one in histories if is_in_place}
        self.compare_disturbed(old, changes, end)

    def compare_disturbed(self, old: bytes, changes: Changes, end: End) -> None:
        """The change is made in what the editor wrote, or refused; neither of the two is lost."""
        base, now = model.parsed(old), model.parsed(self.live or b"")
        first, second = self.decided(base, changes), self.decided(now, changes)
        if model.met(base, now, changes):
            second = Plan(EditConflict)
        if end.error is None and end.result:
            assert second.values is not None
            self.accept(second.values, changes)
        else:
            refused = self.written(first, changes, old), self.written(second, changes)
            plans = (first, self.decided(now, changes), second, *refused)
            ends = [one.error for one in plans if one.values is None]
            assert end.kind in ends, f"{end} instead of {plans}: {old!r}, {self.live!r}, {changes}"
