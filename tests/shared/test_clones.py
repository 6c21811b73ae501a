"""Whatever clones and restored backups of local stores do, nothing collides and nothing is lost."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from amx.core.origins import origins_of
from amx.core.ports import SharedStore
from amx.core.profiles import profile_of
from amx.core.sending import Deadline
from amx.core.work import Run
from amx.stores.sqlite import SQLiteSharedStore
from tests.shared.clones import check_whole, clone, drained, rows_of
from tests.shared.installation import Installation


class Machines:
    """Up to three machines with one past, and one shared store."""

    def __init__(self, folder: Path, store: SharedStore) -> None:
        self.folder = folder
        self.store = store
        self.those = [Installation(folder / "0", store)]
        self.backups: dict[int, Callable[[], None]] = {}
        self.origins: set[str] = set()
        self.arrived: set[object] = set()

    def write(self, which: int) -> None:
        self.those[which].write()

    def note(self, which: int) -> None:
        self.those[which].note()

    def change(self, which: int) -> None:
        one = self.those[which]
        for run in one.local.select(Run, limit=1):
            one.change(run, proposed=run.proposed + 1 + which)

    def flush(self, which: int) -> None:
        drained(self.those[which])
        for one in self.those:
            self.origins |= set(origins_of(one.outbox))
        self.arrived |= self.shared()

    def back_up(self, which: int) -> None:
        self.write(which)
        self.backups[which] = self.those[which].backed_up()

    def restore(self, which: int) -> None:
        if which in self.backups:
            self.backups[which]()

    def clone(self, which: int) -> None:
        if len(self.those) < 3:
            self.write(which)
            place = self.folder / str(len(self.those))
            self.those.append(clone(self.those[which], place))

    def check(self) -> None:
        for which in (0, 1, 2) * 2:
            if which < len(self.those):
                self.write(which)
                self.flush(which)
        check_whole(self.store, *self.those)
        assert self.arrived <= self.shared()

    def shared(self) -> set[object]:
        return {row["id"] for row in rows_of(self.store, self.origins)}


ACTS = ("write", "note", "change", "flush", "flush", "back_up", "restore", "clone")


@example([("write", 0), ("clone", 0), ("write", 1), ("clone", 1)])  # two copies of a copy
@example([("back_up", 0), ("write", 0), ("flush", 0), ("restore", 0), ("flush", 0), ("restore", 0)])
@settings(max_examples=20)
@given(steps=st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 2)), max_size=25))
def test_whatever_clones_and_backups_do_nothing_collides_and_nothing_is_lost(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("clones")
    profile = profile_of("team", {"backend": "sqlite", "path": str(folder / "team.db")}, {})
    store = SQLiteSharedStore(profile)
    store.bootstrap(Deadline(30))
    machines = Machines(folder, store)
    for act, which in steps:
        getattr(machines, act)(which % len(machines.those))
    machines.check()
