"""Concurrency, part 5: an editor that takes no lock changes the file while amx saves it.

A blind race would now and then hit the one documented gap, the milliseconds of the rename, and
prove nothing. So the two processes take turns: the saving one hands over before a chosen system
call, the editor makes its whole edit (a temporary file and a rename, as vim does, or in place, as
nano does), then the save goes on. Before every call there is one such turn; then there are
turns at random, several in one save; then an editor that never stops.
"""

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from amx.core.errors import AmxError, Busy, EditConflict
from tests.config.support import watched
from tests.proofs.chaos_ground import HEAD, SECTION, TAIL, Ground, Size, Verdict, digest_of
from tests.proofs.chaos_workers import FORK, LIMIT_S, end_all, started

Call = tuple[str, tuple[str, ...]]
"""A system call by name, and its arguments that are paths, by their last part."""

Chooser = Callable[[int, Sequence[Call]], bool]
"""Tells, from the calls up to and with the next one, whether the editor's turn is before it."""

_LOOK: Call = ("open", ("config.yml",))
_SWAP: Call = ("rename", ("config.yml.shadow", "config.yml"))
_WIDEST_GAP = 3
"""The last look's close, and the rename: more calls than that are no milliseconds."""

_MOST_TURNS = 3

KINDS = ("by rename", "in place", "same key")


class Case(NamedTuple):
    """What was tried: its name, what the editor does, where in the save it had its turn."""

    name: str
    kind: str
    place: str


@dataclass(frozen=True)
class Save:
    """A save during which the editor had its turns."""

    outcome: str
    calls: Sequence[Call]
    edits: int


def editors(folder: Path, verdict: Verdict, dice: random.Random, size: Size) -> str:
    """Let an editor edit before each call of a save: nothing is lost but in the documented gap."""
    points = in_gap = schedules = 0
    for kind in KINDS:
        calls = _saved(Ground(folder / kind).prepare(), verdict, kind, lambda *_: False).calls
        gap = _gap(calls)
        text = f"editors: the gap before the rename is {[calls[n - 1] for n in gap]}"
        verdict.check(0 < len(gap) <= _WIDEST_GAP, text)
        chosen = {*range(dice.randint(1, size.every), len(calls) + 1, size.every), *gap}
        chosen |= {point - 1 for point in gap[:1]}  # the last one at which nothing may be lost
        for point in sorted(chosen):
            name = f"{kind}, before call {point} {calls[point - 1]}"
            place = "gap" if point in gap else "after" if gap and point > gap[-1] else "before"
            edits = _try_turn(Case(name, kind, place), verdict, folder, _just_at(point))
            verdict.check(edits == 1, f"editors: {name}: the editor had {edits} turns, not one")
        in_gap += len(gap)
        points += len(chosen - {*gap})
    for number in range(size.schedules):
        case = Case(f"schedule {number}", KINDS[0], "any")
        schedules += _try_turn(case, verdict, folder, _at_random(dice.random())) > 0
    _never_ending(Ground(folder / "never").prepare(), verdict)
    verdict.count("editors", edits=points, schedules=schedules)
    return (
        f"{points} turns of an editor without the lock, by rename and in place, each before a call "
        f"of a save (no blind race); {schedules} saves with up to {_MOST_TURNS} turns at random; "
        f"{in_gap} turns in the documented gap between the last look and the rename, not counted"
    )


def _try_turn(case: Case, verdict: Verdict, folder: Path, choose: Chooser) -> int:
    """Save and edit in turns and judge what came of it; return how often was edited."""
    ground = Ground(folder / case.name.replace("/", " ")).prepare()
    save = _saved(ground, verdict, case.kind, choose)
    try:
        _judge(case, verdict, ground, save)
    except (OSError, AmxError) as error:
        verdict.violations.append(f"editors: {case.name}: {error}")
    return save.edits


def _just_at(point: int) -> Chooser:
    return lambda number, _: number == point


def _gap(calls: Sequence[Call]) -> list[int]:
    """Return the numbers of the calls before which the documented gap lies."""
    if _SWAP not in calls or _LOOK not in calls:
        return []
    swap = calls.index(_SWAP)
    look = max((n for n in range(swap) if calls[n] == _LOOK), default=swap)
    return list(range(look + 2, swap + 2))


def _at_random(seed: float) -> Chooser:
    """Choose up to three calls that are not in the gap: it begins with a close after a look."""
    dice, chosen = random.Random(seed), list[int]()  # noqa: S311 - a seed, to try the same again

    def choose(number: int, calls: Sequence[Call]) -> bool:
        is_safe = calls[-1][0] not in ("close", "rename")
        likely = 0.5 if calls[-1] == _LOOK else 0.05
        if is_safe and len(chosen) < _MOST_TURNS and dice.random() < likely:
            chosen.append(number)
            return True
        return False

    return choose


def _saved(ground: Ground, verdict: Verdict, kind: str, choose: Chooser) -> Save:
    """Save in one process and edit in another, which take turns as chosen."""
    ours, theirs = FORK.Pipe()
    turn, hand = FORK.Pipe()
    workers = [
        started(_editor, ground, kind, turn, hand),
        started(_saver, ground, kind, choose, (hand, turn), theirs),
    ]
    theirs.close()
    turn.close()
    hand.close()
    save: object = None
    with suppress(EOFError):  # it has died, of which its end tells
        save = ours.recv() if ours.poll(LIMIT_S) else None
    end_all("editors", workers, verdict)
    return save if isinstance(save, Save) else Save("it never ended", (), 0)


def _saver(
    ground: Ground,
    kind: str,
    choose: Chooser,
    pair: "tuple[Connection[object, object], Connection[object, object]]",
    report: "Connection[object, object]",
) -> None:
    hand, inherited = pair
    inherited.close()  # so that the end of either is seen by the other
    calls: list[Call] = []
    edits: list[int] = []

    def act(number: int, name: str, args: tuple[object, ...]) -> None:
        calls.append((name, tuple(Path(one).name for one in args if isinstance(one, str | Path))))
        if choose(number, calls):
            edits.append(number)
            hand.send("your turn")
            hand.recv()

    file = ground.file()
    if kind == "same key":
        file.load()
    with watched(act):
        try:
            outcome = f"saved {file.patch({(SECTION, _key(kind)): 'amx'})}"
        except AmxError as error:
            outcome = error.code
    hand.send(None)
    report.send(Save(outcome, calls, len(edits)))


def _key(kind: str) -> str:
    return "begun" if kind == "same key" else "saved"


def _editor(
    ground: Ground,
    kind: str,
    turn: "Connection[object, object]",
    inherited: "Connection[object, object]",
) -> None:
    inherited.close()
    number = 0
    while turn.recv() is not None:
        number += 1
        text = _edited(ground.live.read_text(), kind, number)
        if kind == "in place":
            ground.live.write_text(text)
        else:
            copy = ground.home / "4913~"
            copy.write_text(text)
            copy.chmod(0o600)
            copy.rename(ground.live)
        (ground.folder / f"edit.{number}").write_text(text)
        turn.send("yours")


def _edited(text: str, kind: str, number: int) -> str:
    """Add a comment at the head and a key, or change the key that amx changes, too."""
    if kind == "same key":
        return text.replace("begun: true", f"begun: {number}").replace("begun: amx", "begun: 1")
    return f"# edit {number}\n" + text.replace(TAIL, f"  edit_{number}: {number}\n{TAIL}")


def _judge(case: Case, verdict: Verdict, ground: Ground, save: Save) -> None:
    """Look whether both changes are there, or the one that should be, and nothing else."""
    part, kind, place = f"editors: {case.name}", case.kind, case.place
    left = ground.leftovers()
    verdict.check(not left, f"{part}: left behind: {' '.join(left)}")
    live = ground.live.read_text()
    verdict.check(live.endswith(TAIL) and HEAD.partition("\n")[0] in live, f"{part}: not whole")
    ground.file().load()
    if kind == "same key":
        _judge_clash(part, verdict, live, save, place)
        return
    verdict.check(save.outcome == "saved True", f"{part}: {save.outcome}")
    verdict.check(live.count("  saved: amx\n") == 1, f"{part}: the save is not there")
    if place == "gap":
        return
    for number in range(1, save.edits + 1):
        found = (live.count(f"  edit_{number}: {number}\n"), live.count(f"# edit {number}\n"))
        verdict.check(found == (1, 1), f"{part}: of edit {number} there is {found}")
    if place == "before":
        backup = ground.live.with_name("config.yml.bak.1").read_text()
        edit = (ground.folder / "edit.1").read_text()
        verdict.check(backup == edit, f"{part}: generation 1 is not what the editor left")


def _judge_clash(part: str, verdict: Verdict, live: str, save: Save, place: str) -> None:
    outcome, value = {
        "before": (EditConflict.code, "1"),
        "gap": ("saved True", "amx"),
        "after": ("saved True", "1"),
    }[place]
    verdict.check(save.outcome == outcome, f"{part}: {save.outcome}, not {outcome}")
    verdict.check(f"begun: {value} " in live, f"{part}: the key is not {value}")


def _never_ending(ground: Ground, verdict: Verdict) -> None:
    """Edit before every look: the save gives up and leaves the editor's last text."""
    save = _saved(ground, verdict, KINDS[0], lambda _, calls: calls[-1] == _LOOK)
    part = "editors: an editor that never stops"
    verdict.check(save.outcome == Busy.code, f"{part}: {save.outcome}, not {Busy.code}")
    last = (ground.folder / f"edit.{save.edits}").read_bytes()
    is_last = digest_of(ground.live.read_bytes()) == digest_of(last)
    verdict.check(is_last, f"{part}: the file is not what it left")
    left = ground.leftovers()
    verdict.check(not left, f"{part}: left behind: {' '.join(left)}")
