"""The state machine of guard 4: loads and saves, and other programs."""

from collections.abc import Callable
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from amx.core.config import syntax
from amx.core.errors import ConfigInvalid, EditConflict, SaveFailed, SavesSuspended, UsageError
from tests.config import machine_model as model
from tests.config.machine_model import Changes, Known, Plan, Values, Wishes
from tests.config.machine_texts import CHANGES, DOCUMENTS, GARBAGE, Raw
from tests.config.machine_world import COUNTED, End, World, ended

WHO = st.integers(0, 2)


class Saves(World):
    """Patches by several processes, and what other programs do to the file meanwhile."""

    @initialize(count=st.integers(0, 5), is_there=st.booleans())
    def begin(self, count: int, is_there: bool) -> None:
        """Begin with some generations: to make five of them takes many steps."""
        if is_there or count:
            self.write(self.pen.text({"u": "1"}, is_commented=True), 0o600, is_in_place=True)
        older = [self.pen.text({"u": str(-number)}, is_commented=True) for number in range(count)]
        self.place.write_backups(*(text.decode() for text in older))
        self.histories = {tuple(older)}

    # --- other programs

    @rule(
        document=DOCUMENTS,
        is_commented=st.booleans(),
        is_in_place=st.booleans(),
        mode=st.sampled_from([0o600, 0o644]),
    )
    def another_program_writes(
        self, document: Raw, is_commented: bool, is_in_place: bool, mode: int
    ) -> None:
        """An editor saves, in one of the two ways of editors."""
        COUNTED["written by another program"] += 1
        self.write(
            self.pen.text(document, is_commented=is_commented), mode, is_in_place=is_in_place
        )

    @rule(harm=st.sampled_from([*GARBAGE, None]), is_in_place=st.booleans())
    def another_program_does_harm(self, harm: bytes | None, is_in_place: bool) -> None:
        """Garbage may not be read any more; nobody begins anew where there are backups."""
        if harm is not None:
            COUNTED["garbage"] += 1
            self.write(harm, 0o600, is_in_place=is_in_place)
        elif self.live is not None:
            COUNTED["removed by another program"] += 1
            self.place.live.unlink()
            self.live = None

    def mend(self) -> None:
        """Let another program write a valid file where none is: for rules that need one."""
        if self.live is None or not self.is_valid(self.live):
            self.write(self.pen.text({"u": "1"}, is_commented=True), 0o600, is_in_place=False)

    def write(self, text: bytes, mode: int, *, is_in_place: bool) -> None:
        """Write as an editor does: into the same inode, or a new one."""
        if is_in_place and self.live is not None:
            self.write_in_place(text)
            return
        new = Path(self.temporary.name) / "by an editor"
        new.write_bytes(text)
        new.chmod(mode)
        new.rename(self.place.live)
        self.live, self.mode = text, mode

    def write_in_place(self, text: bytes) -> None:
        """Write into the inode. After a kill it may be that of a generation, too."""
        if self.is_linked():
            self.histories |= {
                (text, *one[1:]) for one in self.histories if one and one[0] == self.live
            }
        with self.place.live.open("r+b") as file:
            file.truncate()
            file.write(text)
        self.live = text

    # --- ordinary work

    @rule(who=WHO)
    def load(self, who: int) -> None:
        """Read strictly; write nothing."""
        COUNTED["loads"] += 1
        known, before = self.known[who], self.state()
        expected = self.understood(known)
        if isinstance(expected, dict) and model.wrong(expected):
            expected = ConfigInvalid
        self.place.warnings.clear()
        end = ended(self.files[who].load)
        assert self.state() == before
        if isinstance(expected, type):
            assert end.kind is expected
            return
        assert end.error is None
        assert repr(end.result.raw) == repr(expected)  # type: ignore[attr-defined]  # a Config
        assert bool(self.place.warnings) == (self.mode != 0o600 and self.live is not None)
        known.base, known.has_existed = expected, self.live is not None

    @rule(who=WHO, changes=CHANGES)
    def patch(self, who: int, changes: Changes) -> None:
        """Set and unset; in a block of its own it waits for the end."""
        known, file = self.known[who], self.files[who]
        if known.frames:
            waiting = model.joined(known.deferred, *known.frames)
            if self.postpone(known, waiting, changes, lambda: file.patch(changes)):
                known.frames[-1] = model.joined(known.frames[-1], known.wished(changes))
        else:
            self.save(known, changes, lambda: file.patch(changes))

    @rule(who=WHO, pick=st.integers(0, 9))
    def patch_what_is_there(self, who: int, pick: int) -> None:
        """A save that changes nothing writes nothing."""
        values = self.understood(self.known[who])
        if isinstance(values, dict) and values and not self.known[who].deferred:
            keys = [*model.leaves(values)] or [(name,) for name in values]
            key = keys[pick % len(keys)]
            COUNTED["saves of what is there"] += 1
            self.patch(who, {key: model.at(values, key)})

    def save(self, known: Known, changes: Changes, work: Callable[[], object]) -> None:
        """Save, and compare what came of it."""
        before, wishes = self.state(), self.wishes(known, changes)
        plan = self.plan(known, wishes)
        self.compare(known, plan, wishes, ended(work), before)

    def wishes(self, known: Known, changes: Changes) -> Wishes:
        """Return what a patch without a block wants: it takes along what was deferred."""
        values = self.understood(known)
        if isinstance(values, dict) and known.base is None:
            known.base, known.has_existed = values, self.live is not None
        return model.joined(known.deferred, known.wished(changes))

    def compare(self, known: Known, plan: Plan, wishes: Wishes, end: End, before: object) -> None:
        """Compare how a save ended with what it should have come to."""
        assert end.kind is plan.error, f"{end} instead of {plan}"
        COUNTED[f"saves: {plan.error.__name__ if plan.error else bool(plan.values)}"] += 1
        changes = model.changes_of(wishes)
        if plan.values is None:
            assert not end.result
            assert self.state() == before, "it wrote although nothing was to be changed"
        else:
            assert end.result is not False
            self.accept(plan.values, changes)
        self.remember(known, plan, changes)

    def remember(self, known: Known, plan: Plan, changes: Changes) -> None:
        """Note what a process knows after a save that ended as it was planned."""
        if plan.error in (None, EditConflict, UsageError):
            known.deferred = {}
        if plan.error is None and (plan.values is not None or known.has_existed):
            known.learn(changes, model.parsed(self.live or b"{}"))

    def plan(self, known: Known, wishes: Wishes, *, is_at_end: bool = False) -> Plan:
        """Return what a save must come to, and note what it does before it decides."""
        values = self.understood(known)
        if isinstance(values, type):
            return Plan(values)
        if any(model.met(one.base, values, {key: one.value}) for key, one in wishes.items()):
            return Plan(EditConflict)
        plan = self.decided(values, model.changes_of(wishes))
        if plan.values is None:
            return plan
        if self.holder is None and not is_at_end:
            self.tidied()
        if known.is_background and self.holder not in (None, known):
            return Plan(SavesSuspended)
        return self.written(plan, model.changes_of(wishes))

    def written(self, plan: Plan, changes: Changes, text: bytes | None = None) -> Plan:
        """Return a refusal where ruamel cannot write these changes with the comments."""
        try:
            if plan.values is not None:
                syntax.rewrite((text or self.live or b"").decode(), changes)
        except SaveFailed:
            COUNTED["refused because of comments"] += 1
            return Plan(SaveFailed)
        return plan

    def decided(self, values: Values, changes: Changes) -> Plan:
        """Return what changes lead to, whoever makes them."""
        try:
            wanted = model.applied(values, changes)
        except model.BelowAValue:
            return Plan(UsageError)
        if model.typed(wanted) == model.typed(values):
            return Plan()
        is_wrong = model.wrong(wanted) - model.wrong(values)
        return Plan(UsageError) if is_wrong else Plan(values=wanted)

    def postpone(
        self, known: Known, waiting: Wishes, changes: Changes, work: Callable[[], object]
    ) -> bool:
        """Patch while autosave is suspended; tell whether that has to wait. Nothing is written."""
        COUNTED["saves that wait"] += 1
        values, before = self.understood(known), self.state()
        if isinstance(values, type):
            plan = Plan(values)
        else:
            if known.base is None:
                known.base, known.has_existed = values, self.live is not None
            plan = self.decided_over(values, model.changes_of(waiting), changes)
        end = ended(work)
        assert end.kind is plan.error, f"{end} instead of {plan}"
        assert self.state() == before
        assert plan.error or end.result == (plan.values is not None)
        return plan.values is not None

    def decided_over(self, values: Values, waiting: Changes, changes: Changes) -> Plan:
        """Return what changes lead to over others that wait."""
        try:
            return self.decided(model.applied(values, waiting), changes)
        except model.BelowAValue:
            return Plan(UsageError)
