"""What must hold after a killed or failed command, and after the next save."""

import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from amx.core.config.file import ConfigFile
from amx.core.errors import AmxError
from tests.proofs.crash_cases import BACKUPS, LIVE, REJECTED, Scenario, with_number
from tests.proofs.crash_tracing import Call, Ended, Fault

FINISHED = {LIVE, *BACKUPS, f"{LIVE}.lock", f"{LIVE}.edit.lock"}
"""What may lie in the folder when all commands have ended."""

_SHADOW = f"{LIVE}.shadow"
_CODES = {1, 5, 75}
_UNCHANGED = re.compile("unchanged|Nothing was changed")
_KEPT = re.compile(r"config\.yml\.(rejected|edit)\b(?!\.lock)")
"""Where the text of an edit is that could not be saved; a disk that stays full leaves it there."""

_NEXT = 99


class State(NamedTuple):
    """A folder: the contents of its files and the modes of all that is in it."""

    files: Mapping[str, bytes]
    modes: Mapping[str, int]

    @property
    def live(self) -> bytes | None:
        """The configuration itself."""
        return self.files.get(LIVE)

    @property
    def backups(self) -> tuple[bytes, ...]:
        """The generations, newest first."""
        return tuple(self.files[name] for name in BACKUPS if name in self.files)


class Case(NamedTuple):
    """One call of one command, and what is done to it."""

    scenario: Scenario
    fault: Fault
    call: Call
    plan: tuple[Call, ...]

    def __str__(self) -> str:
        return f"{self.scenario.name}: {self.fault} at {self.call}"


def state_of(folder: Path) -> State:
    """Read a folder whole; one that is not there is empty."""
    paths = [folder, *folder.rglob("*")] if folder.exists() else []
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    files = {name: path.read_bytes() for name, path in names.items() if path.is_file()}
    return State(files, {name: stat.S_IMODE(path.stat().st_mode) for name, path in names.items()})


def missed(case: Case, ended: Ended) -> Iterator[str]:
    """Tell whether the fault did not hit the very call that was meant."""
    wanted = (case.call.name, case.call.paths, case.call.ordinal)
    hits = [one for one in ended.calls if one.is_injected] if case.fault.error else ended.calls[-1:]
    if wanted not in [(one.name, one.paths, one.ordinal) for one in hits[:1]]:
        yield f"the fault hit {[*map(str, hits[:1])]}"
    if case.fault.error is None and not ended.is_killed:
        yield f"it was not killed: {ended.code}"


def harm(case: Case, ended: Ended, place: Path) -> Iterator[str]:
    """Tell what does not hold when the command has just ended."""
    scenario, state = case.scenario, state_of(place / "home")
    if state.live not in (scenario.live, scenario.new):
        yield f"live is neither old nor new: {state.live!r}"
    known = {*scenario.backups, *([] if scenario.live is None else [scenario.live])}
    if not known.issuperset(state.backups):
        yield f"a generation never existed: {[*state.backups]}"
    must = scenario.history(state.live)
    is_oldest_due = state.live == scenario.live and len(must) == len(BACKUPS)
    for lost in {*(must[:-1] if is_oldest_due else must)} - {*state.backups}:
        yield f"a generation was lost: {lost!r}"
    yield from _wide(state)
    if case.fault.error:
        yield from _untold(case, ended, state)
        if was_edited(place) and state.live == scenario.live and not _KEPT.search(ended.err):
            yield f"it is not said where the user's text is ({ended.code}): {ended.err}"


def was_edited(place: Path) -> bool:
    """Tell whether the editor had written the user's text."""
    return (place / "edited").exists()


def _wide(state: State) -> Iterator[str]:
    for name, mode in state.modes.items():
        if mode != (0o600 if name in state.files else 0o700):
            yield f"{name} has mode {mode:04o}"


def _untold(case: Case, ended: Ended, state: State) -> Iterator[str]:
    """Tell what a failed command did not say, or said wrongly."""
    scenario = case.scenario
    if ended.code not in {scenario.code, *_CODES} or "Traceback" in ended.err:
        yield f"it ended with {ended.code}: {ended.err}"
    is_new = ended.code == 0 or "has its new contents" in ended.err
    if state.live != (scenario.new if is_new else scenario.live):
        yield f"live is not what was said ({ended.code}): {ended.err}"
    if ended.code == scenario.code:
        return
    if f"({case.fault.error})" not in ended.err:
        yield f"the error is not named ({ended.code}): {ended.err}"
    if ended.code == 1 and not is_new and not _UNCHANGED.search(ended.err):
        yield f"it is not said what is unchanged: {ended.err}"
    if _SHADOW in case.call.paths and not case.call.name.startswith(("rename", "unlink")):
        yield from _burnt(scenario, state)


def _burnt(scenario: Scenario, state: State) -> Iterator[str]:
    """Tell what a save has left, or moved, that failed before its rotation."""
    if scenario.has_leftovers:
        return
    if state.backups != scenario.backups:
        yield f"a failed save has moved the generations: {[*state.backups]}"
    if strange := {name for name in {*state.files} - FINISHED if not _KEPT.match(name)}:
        yield f"a failed save has left {sorted(strange)}"


def next_save(case: Case, place: Path) -> Iterator[str]:
    """Save once more and tell what does not hold then."""
    folder, scenario = place / "home", case.scenario
    live = state_of(folder).live
    try:
        ConfigFile(folder / LIVE, is_explicit=False, warn=lambda _: None).patch({("n",): _NEXT})
    except (AmxError, OSError) as error:
        yield f"the next save failed: {error!r}"
        return
    state = state_of(folder)
    if state.live != with_number(live, _NEXT):
        yield f"the next save wrote {state.live!r}"
    must = (*([] if live is None else [live]), *scenario.history(live))[: len(BACKUPS)]
    if case.call.is_mutation and state.backups != must:
        yield f"after the next save the generations are {[*state.backups]}, not {[*must]}"
    # One that could not be read may be kept twice: it cannot be told from the others then.
    for lost in {*must[: len(BACKUPS) - 1]} - {*state.backups}:
        yield f"after the next save a generation was lost: {lost!r}"
    yield from _wide(state)
    yield from _unfound(case, place, state)


def _unfound(case: Case, place: Path, state: State) -> Iterator[str]:
    """Tell what was left behind, and whether a user's text was lost."""
    text = case.scenario.edited if was_edited(place) else case.scenario.owed
    kept = {REJECTED, f"{REJECTED}.base"} if text is not None else set()
    if strange := {*state.modes} - FINISHED - kept - {"."}:
        yield f"left behind: {sorted(strange)}"
    if text is not None and text not in (*state.backups, state.files.get(REJECTED)):
        yield "the user's text was lost"
