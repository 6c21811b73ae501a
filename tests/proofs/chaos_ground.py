"""The ground of the concurrency proof: one configuration, the whole states it had, the verdict.

Every save of the proof adds one line in one place, so the final file tells all its former states
byte for byte: what was read, and what stands in a generation, is one of them or is torn.
"""

import os
import stat
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from amx.core.config import syntax
from amx.core.config.file import ConfigFile
from amx.core.config.generations import KEPT
from amx.core.config.model import same
from amx.core.errors import AmxError

LOCK_TIMEOUT_S = 60.0
"""Far more than a save waits for the others, also on a machine that is busy with other things."""

SECTION = "chaos"

_PROFILES = "".join(
    f"  shop{number}:\n    backend: postgresql\n    host: db{number}.example  # rack {number}\n"
    f"    port: {5432 + number}\n    password: keyring:amx/shop{number}\n"
    for number in range(8)
)

HEAD = f"""# This file is the team's; a comment at its head
db_profiles:
{_PROFILES}  # retired in spring
  legacy:
    backend: mysql
    port: '3306'
active_db_profile: shop1
history_store_enabled: no
ui:
  since: 2024-01-31
  zip: 010

excluded_tables:
- tmp_x
# the next one is slow
- "no"
{SECTION}:
  begun: true  # what the processes save stands below
"""

TAIL = """# behind what they save
prompt: |
  Describe: tersely.
  # not a comment
whole: yes
# the end
"""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is tried."""

    processes: int
    commands: int
    """So many of them run the real command."""
    saves: int
    kills: int
    contenders: int
    rounds: int
    command_rounds: int
    every: int
    """The editor has its turn before every so-many-th call of a save."""
    schedules: int
    crew: int
    """So many processes save in each container."""
    crew_saves: int
    container_kills: int


FULL = Size(
    processes=8,
    commands=2,
    saves=25,
    kills=80,
    contenders=6,
    rounds=40,
    command_rounds=4,
    every=1,
    schedules=20,
    crew=3,
    crew_saves=8,
    container_kills=3,
)

QUICK = Size(
    processes=4,
    commands=1,
    saves=5,
    kills=8,
    contenders=3,
    rounds=5,
    command_rounds=1,
    every=7,
    schedules=2,
    crew=2,
    crew_saves=2,
    container_kills=1,
)


class Verdict:
    """What was tried, and what went wrong."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.violations: list[str] = []

    def check(self, is_so: bool, otherwise: str) -> None:
        """Note a violation where something is not so."""
        if not is_so:
            self.violations.append(otherwise)

    def count(self, part: str, **counts: int) -> None:
        """Add up what was tried; a part that tried nothing proves nothing."""
        self.counts.update(counts)
        for name, number in counts.items():
            words = name.replace("_", " ")
            self.check(number > 0, f"{part}: no {words}: nothing was tried")


class Ledger:
    """What the processes begin and acknowledge: a line each, appended by one call."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, *words: str) -> None:
        """Append a line; when this returns, a kill of the process cannot take it back."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, (" ".join(words).replace("\n", " ") + "\n").encode())
        finally:
            os.close(descriptor)

    def names(self, word: str) -> list[str]:
        """Return the keys of which this was noted."""
        return [line.split(" ")[1] for line in self._lines() if line.startswith(f"{word} ")]

    def all(self, *words: str) -> list[str]:
        """Return the lines that say one of these first."""
        begins = tuple(f"{word} " for word in words)
        return [line for line in self._lines() if f"{line} ".startswith(begins)]

    def count(self, text: str) -> int:
        """Return how many lines hold this text."""
        return sum(text in line for line in self._lines())

    def others(self) -> list[str]:
        """Return what was neither begun nor done: refusals and bugs."""
        return [line for line in self._lines() if not line.startswith(("begun ", "done "))]

    def _lines(self) -> list[str]:
        text = self._path.read_text() if self._path.exists() else ""
        return text.split("\n")[:-1]  # what has no end was not acknowledged


class Ground:
    """A home with a configuration, and beside it what the processes tell of their work.

    Args:
        folder: Its own; made if it is not there.
        home: Where the home is seen from here, if that is another place.
    """

    def __init__(self, folder: Path, home: Path | None = None) -> None:
        self.folder = folder
        self.home = home or folder / "home"
        self.live = self.home / "config.yml"
        self.ledger = Ledger(folder / "ledger")

    def prepare(self) -> "Ground":
        """Put the configuration there."""
        self.home.mkdir(parents=True, mode=0o700)
        self.live.write_text(HEAD + TAIL)
        self.live.chmod(0o600)
        return self

    def file(self, lock_timeout_s: float = LOCK_TIMEOUT_S) -> ConfigFile:
        """Return a new view of the configuration."""
        return ConfigFile(
            self.live,
            is_explicit=False,
            warn=lambda text: self.ledger.note("warning", text),
            lock_timeout_s=lock_timeout_s,
        )

    def save(self, name: str, lock_timeout_s: float = LOCK_TIMEOUT_S) -> bool:
        """Save a key with its value, in a view that has loaded nothing."""
        return self.file(lock_timeout_s).patch({(SECTION, name): value_of(name)})

    def lines(self) -> list[str]:
        """Return what was added, in its order; nothing where the file is not whole."""
        text = self.live.read_text()
        if not (text.startswith(HEAD) and text.endswith(TAIL)):
            return []
        return text[len(HEAD) : -len(TAIL)].splitlines(keepends=True)

    def present(self) -> list[str]:
        """Return the keys that were added, in their order."""
        return [line.strip().partition(":")[0] for line in self.lines()]

    def states(self) -> list[bytes]:
        """Return every whole state that the file had, first to last."""
        lines = self.lines()
        return [whole(lines[:number]) for number in range(len(lines) + 1)]

    def leftovers(self) -> list[str]:
        """Return the names in the home that no finished save leaves."""
        own = [self.live.name, *(f"{self.live.name}.bak.{n}" for n in range(1, KEPT + 1))]
        locks = [f"{self.live.name}{end}" for end in (".lock", ".edit.lock")]
        return sorted({path.name for path in self.home.iterdir()} - {*own, *locks})

    def lost(self) -> list[str]:
        """Return what is lost at this moment, under whatever names the rest stands.

        The oldest generation may go only when the live file has become one.
        """
        states = self.states()
        if self.live.read_bytes() != states[-1]:
            return ["the live file is not whole"]
        kept = {path.read_bytes() for path in self.home.glob("config.yml.bak.*")}
        least = KEPT - (states[-1] in kept)
        former = enumerate(states[-2 : -2 - least : -1], 1)
        return [f"state {number} before the live one" for number, one in former if one not in kept]

    def settle(self, part: str, verdict: Verdict) -> list[bytes]:
        """Save once more, as anybody would; look at all that is there; return the whole states."""
        try:
            is_saved = self.save("last_1")
            verdict.check(is_saved, f"{part}: the last ordinary save changed nothing")
        except AmxError as error:
            verdict.violations.append(f"{part}: the last ordinary save: {error}")
        verdict.violations += [f"{part}: {line}" for line in self.ledger.others()]
        present, states = self.present(), self.states()
        text = f"{part}: the file is not the original with whole lines added"
        verdict.check("last_1" in present, text)
        values = {"begun": True, **{name: value_of(name) for name in present}}
        text = f"{part}: a value is not what was saved"
        verdict.check(same(self.file().load().raw, {**FOREIGN, SECTION: values}), text)
        lost = sorted(set(self.ledger.names("done")) - set(present))
        verdict.check(not lost, f"{part}: acknowledged and lost: {' '.join(lost)}")
        self.check_folder(part, verdict, states)
        return states

    def check_folder(self, part: str, verdict: Verdict, states: Sequence[bytes]) -> None:
        """Look that generations are the former states, private, and that nothing else is there."""
        backups = [self.live.with_name(f"{self.live.name}.bak.{n}") for n in range(1, KEPT + 1)]
        found = [path.read_bytes() if path.exists() else b"" for path in backups]
        text = f"{part}: the generations are not the {KEPT} states before the last"
        former = [*states[-2 : -2 - KEPT : -1], *[b""] * KEPT][:KEPT]
        verdict.check(found == former, text)
        modes = {stat.S_IMODE(path.stat().st_mode) for path in self.home.iterdir()}
        verdict.check(modes == {0o600}, f"{part}: modes {sorted(map(oct, modes))}")
        left = self.leftovers()
        verdict.check(not left, f"{part}: left behind: {' '.join(left)}")


def value_of(name: str) -> object:
    """Return what is saved under a key: `w1_7` has the seventh value, of one of four types."""
    number = int(name.rpartition("_")[2])
    texts = (f"it's row {number}: # ü", f"12:30:{number % 60:02}")
    return (number, number % 8 == 1, *texts)[number % 4]


def whole(lines: Iterable[str]) -> bytes:
    """Return the configuration with these lines added."""
    return "".join([HEAD, *lines, TAIL]).encode()


def digest_of(data: bytes) -> str:
    """Return what stands for contents in a report."""
    return sha256(data).hexdigest()


def foreign(raw: Mapping[str, object]) -> dict[str, object]:
    """Return what no save of the proof touches."""
    return {name: value for name, value in raw.items() if name != SECTION}


FOREIGN = foreign(syntax.read((HEAD + TAIL).encode(), "the original").values)
