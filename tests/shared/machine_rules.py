"""What the state machine of the outbox may do, in any order."""

from collections.abc import Iterator, Sequence
from itertools import chain, repeat

from hypothesis import strategies as st
from hypothesis.stateful import rule

from amx.core.attribution import Attribution
from amx.core.errors import Busy
from amx.core.locks import FileLock
from amx.core.models import Row, Values
from tests.shared.machine_faults import Deed, Pipe, Played, calm, death, dies, outage, time_out
from tests.shared.machine_world import COUNTED, KINDS, PEOPLE, World, put_all

DEEDS = (
    "calm",
    "outage",
    "time-out",
    "write",
    "change",
    "change",
    "flush",
    "race",
    "drop",
    "retry",
)

NUMBERS = st.integers(0, 30)
POISONED = st.sampled_from((False, False, False, True))
SIZES = st.integers(1, 8)
PLOTS = st.lists(st.sampled_from(DEEDS), min_size=1, max_size=3)
NEWS = st.lists(NUMBERS, min_size=1, max_size=5)
"""Rows that are changed, and as many that are new."""
CHANGEABLE = ("runs", "sessions", "results", "turns")


class OutboxMachine(World):
    """Writers, flushers, faults, kills, backups and a DBA."""

    # --- writers

    @rule(kind=st.sampled_from(sorted(KINDS)), pick=NUMBERS, is_poison=POISONED)
    def write_a_row(self, kind: str, pick: int, *, is_poison: bool) -> None:
        """Write a row, and its parent with it."""
        self.write(self.new_rows(kind, pick, self.text(is_poison=is_poison)))

    @rule(size=SIZES)
    def write_many(self, size: int) -> None:
        """Write runs in one transaction."""
        self.write([row for _ in range(size) for row in self.new_rows("runs", 0, self.text())])

    @rule(picks=st.lists(NUMBERS, min_size=1, max_size=4), is_poison=POISONED)
    def change_rows(self, picks: list[int], *, is_poison: bool = False) -> None:
        """Change rows, if there are any."""
        for pick in picks if (keys := self.keys(*CHANGEABLE)) else ():
            text = self.text(is_poison=is_poison)
            self.write([self.changed_row(keys[pick % len(keys)], text)])
            COUNTED["changes"] += 1

    @rule(pick=NUMBERS, is_told=st.booleans())
    def kill_a_writer(self, pick: int, *, is_told: bool) -> None:
        """Kill a writer in its transaction, or just after it has acknowledged its rows."""
        wanted: list[Row] = self.new_rows("runs", 0, self.text())
        if keys := self.keys(*CHANGEABLE):
            wanted.append(self.changed_row(keys[pick % len(keys)], self.text()))
        pipe = Pipe()

        def work() -> None:
            with self.home_again("home").local.transaction() as writer:
                written = put_all(writer, wanted)
                if not is_told:
                    death()
            pipe.tell(written)
            death()

        self.home.local.close()
        assert dies(work)
        heard = pipe.heard()
        assert bool(heard) is is_told
        self.believe(heard)
        COUNTED["killed writers"] += 1

    # --- flushers

    @rule(news=NEWS, before=PLOTS, after=PLOTS, size=SIZES, is_out=POISONED)
    def flush(
        self, news: list[int], before: list[str], after: list[str], size: int, *, is_out: bool
    ) -> None:
        """Replay while things happen before a batch is sent, or before its answer is heard."""
        self._bring(news)
        self.batches_of(size)
        plot = Played(self.home.store, self._deeds(before), self._deeds(after), is_out)
        report = self.home.replay(plot)
        COUNTED["flushes"] += 1
        COUNTED["quarantined"] += report.quarantined
        COUNTED["outages"] += bool(report.problem)
        is_calm = not is_out and {*before, *after} == {"calm"}
        if is_calm:
            assert (report.pending, report.problem) == (0, None) or self.is_refusing

    @rule(news=NEWS, limit=SIZES, size=SIZES)
    def flush_some(self, news: list[int], limit: int, size: int) -> None:
        """Replay with a limit."""
        self._bring(news)
        pending = self.home.outbox.counts().pending
        self.batches_of(size)
        report = self.home.replay(limit=limit)
        assert report.delivered <= limit
        if not self.is_refusing and not self.model.is_restored:
            assert report.delivered == min(limit, pending)
        COUNTED["limited flushes"] += 1

    @rule(news=NEWS, calls=st.integers(0, 2), size=SIZES, is_sent=st.booleans())
    def kill_a_flusher(self, news: list[int], calls: int, size: int, *, is_sent: bool) -> None:
        """Kill a flusher before it sends a batch, or between commit and confirm."""
        self._bring(news)
        self.batches_of(size)
        deaths: Iterator[Deed] = chain(repeat(calm, calls), [death])

        def work() -> None:
            home = self.home_again("home")
            before, after = (iter(()), deaths) if is_sent else (deaths, iter(()))
            home.replay(Played(home.store, before, after))

        self.home.local.close()
        COUNTED["killed flushers"] += dies(work)

    @rule(news=NEWS)
    def meet_another_flusher(self, news: list[int]) -> None:
        """A second flusher of this installation is busy, where anything is queued."""
        self._bring(news)
        is_queued = bool(self.home.outbox.counts().pending)
        with FileLock(self.home.lock_path, wait_s=0, purpose="machine"):
            try:
                self.home.replay()
            except Busy:
                assert is_queued
            else:
                assert not is_queued

    # --- operators

    @rule(who=st.sampled_from(PEOPLE), is_shared=st.booleans())
    def change_the_situation(self, who: Attribution, *, is_shared: bool) -> None:
        """Another account, host or version goes on from now on, in shared mode or not."""
        COUNTED["switches"] += self.situation.is_shared is is_shared
        self.situation.who, self.situation.is_shared = who, not is_shared

    @rule(deed=st.sampled_from(("refuse", "retry", "drop", "drop quarantined")))
    def manage_the_queue(self, deed: str) -> None:
        """Let the DBA refuse poison, or not any more; retry; drop."""
        if deed == "refuse":
            self.is_refusing = not self.is_refusing
            self.side.refuse(is_refusing=self.is_refusing)
        elif deed == "retry":
            self.retry()
        else:
            self.drop(is_quarantined_only=deed == "drop quarantined")

    @rule(is_coming_back=st.booleans())
    def back_up(self, *, is_coming_back: bool) -> None:
        """Copy the whole file of the local store; or put the copy back, if there is one."""
        if is_coming_back and self.restore:
            self.restore()
            self.model.restore(self.sight())
            COUNTED["restored backups"] += 1
        else:
            self.restore = self.home.backed_up()
            self.model.save()

    @rule(is_whole=st.booleans())
    def enter_again(self, *, is_whole: bool) -> None:
        """Enter what the shared store lacks, or whatever differs."""
        sight = self.sight()
        lacking = {
            key
            for key, row in sight.local.items()
            if (sight.shared.get(key) != row if is_whole else key not in sight.shared)
        }
        if is_whole:
            self.verifier().repair()
            self.model.ahead.clear()
        else:
            self.verifier().enter_missing()
        self.model.now.owed |= lacking
        self.model.now.entered |= lacking
        COUNTED["entered again"] += bool(lacking)

    def _bring(self, news: list[int]) -> None:
        """Write new rows and change others."""
        self.write_many(len(news))
        self.change_rows(news, is_poison=news[0] % 3 == 0)

    def retry(self) -> None:
        """Make what is quarantined pending again."""
        quarantined = self.home.outbox.counts().quarantined
        assert self.home.outbox.reopen(None) == quarantined
        COUNTED["retries"] += bool(quarantined)

    # --- what happens beside a replay

    def _deeds(self, names: Sequence[str]) -> Iterator[Deed]:
        deeds: dict[str, Deed] = {
            "calm": calm,
            "outage": outage,
            "time-out": time_out,
            "write": lambda _: self.write(self.new_rows("runs", 0, self.text())),
            "change": self._change_sent,
            "flush": self._flush_beside,
            "race": self._overtake,
            "drop": lambda _: self.drop(is_quarantined_only=False),
            "retry": lambda _: self.retry(),
        }
        return (_counted(name, deeds[name]) for name in names)

    def _change_sent(self, values: Sequence[Values]) -> None:
        """Change a row that is on its way."""
        sent = {str(row["id"]) for row in values}
        if keys := [key for key in self.keys(*CHANGEABLE) if key[1] in sent]:
            self.write([self.changed_row(keys[0], self.text())])

    def _overtake(self, values: Sequence[Values]) -> None:
        """Change a row that is on its way, and send it by another flusher that hears no answer."""
        self._change_sent(values)
        self._flush_beside(values, outage)

    def _flush_beside(self, _values: Sequence[Values], fate: Deed = calm) -> None:
        """Replay all by a second flusher, which the lock does not keep away."""
        twin = self.home_again("twin")
        twin.replay(Played(twin.store, iter(()), repeat(fate)))
        twin.local.close()
        twin.store.close()


def _counted(name: str, deed: Deed) -> Deed:
    def do(values: Sequence[Values]) -> None:
        COUNTED[f"{name} beside a batch"] += 1
        deed(values)

    return do
