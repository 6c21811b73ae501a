"""The commands that must work whatever the live file holds, on odd files, for the proof of them."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from amx.cli import main
from amx.core.errors import ConfigInvalid
from tests.config.support import Place
from tests.proofs.fuzz_oddities import Case
from tests.proofs.fuzz_trial import HINT, Outcome
from tests.support import Done

GARBAGE = "good: [\n"
GOOD = "# kept\ndb_profiles: {a: {backend: sqlite, path: a.db}}\nactive_db_profile: a\n"

_LOOKS = (
    *(("path",), ("validate",), ("validate", "--json"), ("backups",), ("backups", "--json")),
    *(("diff",), ("diff", "2"), ("diff", "2", "--json"), ("restore", "--list")),
)

_LONGEST_S = 60
"""After so many seconds at one command the child is ended by its alarm."""

_CONTROL = re.compile("[^\n\t\x20-\x7e\xa0-\U0010ffff]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]")

_PLACE = r"line \d+, column \d+: | bytes; more than "

Amx = Callable[..., Done]


def called(case: Case, folder: Path) -> Outcome:
    """Call the commands on one file in this process, as the program would."""
    os.environ.update(_environment(folder))
    return _driven(case, folder, _within)


def started(case: Case, folder: Path) -> Outcome:
    """Run the commands on one file, each in a new process."""
    return _driven(case, folder, lambda *words: _program(folder, words))


def _driven(case: Case, folder: Path, amx: Amx) -> Outcome:
    shutil.rmtree(folder / "config", ignore_errors=True)
    place = Place(folder / "config")
    place.write(case.data)
    place.write_backups(GARBAGE, GOOD)
    drive = _Drive(place, case, amx)
    drive.look()
    drive.restore()
    return drive.outcome


class _Drive:
    """One file on which command after command is called."""

    def __init__(self, place: Place, case: Case, amx: Amx) -> None:
        self._place = place
        self._data = case.data
        self._amx = amx
        self.outcome = Outcome(case.name)

    def look(self) -> None:
        """Call what changes nothing."""
        before = self._place.state()
        is_valid = self._is_valid()
        self.outcome.is_read = is_valid
        for words in _LOOKS:
            done = self._call(*words, code=5 * (words[0] == "validate" and not is_valid))
            if done.code == 5:
                self.outcome.faults += _refusal_faults(done, is_json="--json" in words)
        if self._place.state() != before:
            self._fault("looking at it has changed something")

    def restore(self) -> None:
        """Call what restores, and what undoes that."""
        for words, live in (
            (("restore", "--latest-valid"), GOOD.encode()),
            (("restore", "1"), self._data),
            (("restore", "1"), GOOD.encode()),
            (("restore", "1", "--json"), self._data),
            (("restore", "5"), GARBAGE.encode()),
            (("restore-config", "1"), self._data),
        ):
            before = self._place.live.read_bytes()
            self._call(*words, code=0)
            if self._place.live.read_bytes() != live:
                self._fault(f"{words} did not restore byte for byte")
            if self._place.backup(1).read_bytes() != before:
                self._fault(f"{words} did not keep what was live")

    def _is_valid(self) -> bool:
        try:
            self._place.file().load()
        except ConfigInvalid:
            return False
        return True

    def _call(self, *words: str, code: int) -> Done:
        signal.alarm(_LONGEST_S)
        named = words if words[0] == "restore-config" else ("config", *words)
        done = self._amx("--config", str(self._place.live), *named)
        self.outcome.commands += 1
        if done.code != code:
            self._fault(f"{words} ended with {done.code}: {done.err[:300]!r}")
        if "Traceback" in done.err or "Warning" in done.err:
            self._fault(f"{words} said {done.err[-300:]!r}")
        if found := _CONTROL.search(done.out + done.err):
            self._fault(f"{words} printed {found[0]!r}")
        return done

    def _fault(self, text: str) -> None:
        self.outcome.faults.append(text)


def _refusal_faults(done: Done, *, is_json: bool) -> Iterator[str]:
    if is_json:
        error = json.loads(done.err)["error"]
        numbers = [error["details"].get(name) for name in ("line", "column")]
        if not all(isinstance(one, int) and one >= 1 for one in numbers) or error["hint"] != HINT:
            yield f"the refusal says {error}"
    elif HINT not in done.err or not re.search(_PLACE, done.err):
        yield f"the refusal says {done.err!r}"


def _environment(folder: Path) -> Mapping[str, str]:
    return {"HOME": str(folder), "AMX_HOME": str(folder / "home"), "PYTHONWARNINGS": "error"}


def _within(*words: str) -> Done:
    """Call the program in this process, and read what it has added to what this one printed."""
    ends = [os.lseek(descriptor, 0, os.SEEK_END) for descriptor in (1, 2)]
    code = main(words)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    texts = [_since(descriptor, end) for descriptor, end in zip((1, 2), ends, strict=True)]
    return Done(code, *texts)


def _since(descriptor: int, position: int) -> str:
    with Path(f"/proc/self/fd/{descriptor}").open("rb") as file:
        file.seek(position)
        return file.read().decode()


def _program(folder: Path, words: Sequence[str]) -> Done:
    environ = {**os.environ, **_environment(folder)}
    command = [sys.executable, "-m", "amx", *words]
    done = subprocess.run(command, env=environ, capture_output=True, check=False)
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())
