"""One file of the proof of bad files: is it read or refused as promised, does it survive a save?

What it means, and which comments stand in it, is asked of PyYAML itself, not of the code on trial.
"""

import re
import shutil
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from amx.core.config import syntax
from amx.core.config.file import ConfigFile
from amx.core.config.keys import Key
from amx.core.config.model import Config
from amx.core.errors import ConfigInvalid, SaveFailed
from tests.config import oracle
from tests.config.support import Place
from tests.proofs.fuzz_oddities import Case

HINT = "amx config restore --list"

MOST_BYTES = 512 * 1024
"""A larger file must be refused unread."""

LIMIT_S = 1.0
"""So many seconds of the processor a load may take."""

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_NEW = "fuzz_added"


@dataclass(slots=True)
class Outcome:
    """What became of one file."""

    name: str
    is_read: bool = False
    seconds: float = 0.0
    saved: int = 0
    saves_refused: int = 0
    commands: int = 0
    faults: list[str] = field(default_factory=list)


def tried(case: Case, folder: Path, *, is_saved: bool) -> Outcome:
    """Load a file as a command does, and add keys to what is read.

    Whatever is raised beyond the refusals that are promised ends the process, for all to see.
    """
    place, outcome = _placed(folder, case.data), Outcome(case.name)
    config = _loaded(place.file(), case.data, outcome)
    if outcome.seconds > LIMIT_S:  # it may have been the machine: once more
        again = Outcome(case.name)
        _loaded(place.file(), case.data, again)
        outcome.seconds = min(outcome.seconds, again.seconds)
    if place.live.read_bytes() != case.data:
        outcome.faults.append("reading has changed the file")
    if config is not None:
        outcome.is_read = True
        if len(case.data) > MOST_BYTES:
            outcome.faults.append("so large a file was read")
        if _plain(config.raw) != _plain(_meant(case.data)):
            outcome.faults.append("it is read as something else than PyYAML reads")
        if is_saved:
            for key in _new_keys(config.raw, case.data):
                _save(_placed(folder, case.data), key, case.data, outcome)
    return outcome


def _placed(folder: Path, data: bytes) -> Place:
    shutil.rmtree(folder, ignore_errors=True)
    place = Place(folder)
    place.write(data)
    return place


def _loaded(file: ConfigFile, data: bytes, outcome: Outcome) -> Config | None:
    begun = time.process_time()
    try:
        return file.load()
    except ConfigInvalid as error:
        outcome.faults += faults_of(error, data)
        return None
    finally:
        # Its own seconds: loading waits for nothing, and others may be at work on this machine.
        outcome.seconds = time.process_time() - begun


def faults_of(error: ConfigInvalid, data: bytes) -> Iterator[str]:
    """Find what is wrong with a refusal: its place must be one in the file."""
    place = error.details.get("line"), error.details.get("column")
    match place:
        case int(line), int(column) if line >= 1 and column >= 1:
            # At an end without a line feed libyaml is on the next line already.
            lines = [*_BREAK.split(data.decode(errors="replace").removeprefix("\ufeff")), ""]
            if line > len(lines) or column > len(lines[line - 1]) + 1:
                yield f"line {line}, column {column} is outside of the file"
        case _:
            yield f"the place is {place}"
    is_large = len(data) > MOST_BYTES
    told = " bytes; more than " if is_large else f"line {place[0]}, column {place[1]}: "
    if told not in error.message:
        yield f"the message does not say {told!r}: {error.message}"
    if (error.exit_code, error.hint) != (5, HINT) or not error.code.startswith("config."):
        yield f"exit code {error.exit_code}, {error.code}, hint {error.hint}"


# --- saving


def _new_keys(values: Mapping[str, object], data: bytes) -> list[Key]:
    """Choose keys to be added: one at the top, one in one of the mappings below it."""
    below = list(_mappings(values, ()))
    nested = [(*below[zlib.crc32(data) % len(below)], _NEW)] if below else []
    return [(_NEW,), *nested]


def _mappings(values: Mapping[str, object], above: Key) -> Iterator[Key]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield (*above, name)
            yield from _mappings(value, (*above, name))


def _save(place: Place, key: Key, data: bytes, outcome: Outcome) -> None:
    file, value = place.file(), {"backend": "none"}
    file.load()
    before = place.state()
    try:
        file.patch({key: value})
    except SaveFailed:
        outcome.saves_refused += 1
        if place.state() != before:
            outcome.faults.append(f"a save of {key} was refused, and changed something")
        return
    outcome.saved += 1
    now = place.live.read_bytes()
    if _plain(_meant(now)) != _plain(_meant(data), key, value):
        outcome.faults.append(f"a save of {key} means something else: {now[:2000]!r}")
    rest = iter(comments(now))
    if not all(comment in rest for comment in comments(data)):
        outcome.faults.append(f"a save of {key} has lost a comment: {now[:2000]!r}")
    if place.backup(1).read_bytes() != data:
        outcome.faults.append(f"a save of {key} has not kept the former file")


def _meant(data: bytes) -> object:
    try:
        return oracle.read(data.decode())
    except yaml.composer.ComposerError:  # one anchor twice, which YAML allows and this does not
        return syntax.read(data, "file").values


def _plain(value: object, added: Key = (), new: object = None) -> object:
    """Return a value so that equality means the same types and the same order of keys, too.

    Args:
        value: What was read.
        added: A key that is to be added below it, in this place only.
        new: Its value.
    """
    if isinstance(value, dict):
        first, rest = added[:1], added[1:]
        items = [
            (name, _plain(one, *((rest, new) if (name,) == first else ())))
            for name, one in value.items()
        ]
        return [dict, *items, *([(first[0], _plain(new))] if first and not rest else [])]
    if isinstance(value, list | tuple):
        return [type(value), *(_plain(one) for one in value)]
    if isinstance(value, set):
        return [set, *sorted(value, key=repr)]
    return [type(value), repr(value)]


def comments(data: bytes) -> list[str]:
    """Return the comments of a file: what stands behind a ``#`` between two tokens."""
    text, found, end = data.decode().removeprefix("\ufeff"), [], 0
    for token in yaml.scan(text, yaml.CSafeLoader):
        found += _comments_in(text[end : token.start_mark.index])
        end = max(end, token.end_mark.index)
    return [*found, *_comments_in(text[end:])]


def _comments_in(gap: str) -> list[str]:
    return [line[line.index("#") :].rstrip() for line in _BREAK.split(gap) if "#" in line]
