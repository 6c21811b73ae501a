"""The team's own abbreviations and synonyms, in a file that anybody may extend.

A file that cannot be understood is told of and not used; it never stops an answer or a run.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from amx.core.config.model import Config
from amx.core.digest import sha256
from amx.core.errors import ConfigError
from amx.core.glossary import BUILT_IN, SYNONYMS, Glossary, equals

FILE = "glossary.yml"
"""Its name, in the home, where no other is named."""

MAX_BYTES = 512 * 1024

SYNONYMS_KEY = "synonyms"

_NO_GROUPS = "it needs a list of lists of two or more words that mean the same"
_NO_WORDS = "it needs letters or digits, and the words that they stand for or a list of those"

Entry = tuple[int, str, object]
"""Line, key, and value: text, or lists and mappings of it."""


class TeamGlossary:
    """What is known of abbreviations: built in, and from a file where there is one.

    Args:
        path: The file.
        is_named: Whether it was asked for: then it is a warning that it is not there.
    """

    def __init__(self, path: Path, *, is_named: bool = False) -> None:
        self._path = path
        self._is_named = is_named

    @property
    def glossary(self) -> Glossary:
        """What abbreviations stand for."""
        return self._read.glossary

    @property
    def warnings(self) -> Sequence[str]:
        """What is wrong with the file, if anything."""
        return self._read.warnings

    @cached_property
    def digest(self) -> str:
        """A text that differs whenever the file's contents do."""
        return sha256(self._data or b"").hexdigest() if self._data is not None else ""

    @cached_property
    def _data(self) -> bytes | None:
        try:
            with self._path.open("rb") as file:
                return file.read(MAX_BYTES + 1)
        except OSError:
            return None

    @cached_property
    def _read(self) -> "_Read":
        if self._data is None:
            return _Read(BUILT_IN, self._missing())
        if len(self._data) > MAX_BYTES:
            return _Read(
                BUILT_IN, [f"{self._path} is not used: it is larger than {MAX_BYTES} bytes."]
            )
        from amx.core.config.syntax import texts

        try:
            entries = texts(self._data, str(self._path))
        except ConfigError as error:
            return _Read(BUILT_IN, [f"The glossary is not used: {error.message}"])
        return _read(entries, str(self._path))

    def _missing(self) -> list[str]:
        if self._path.exists():
            return [f"The glossary {self._path} cannot be read; it is not used."]
        return [f"There is no glossary {self._path}."] if self._is_named else []


def glossary_for(config: Config, profile: str, beside: Path, home: Path) -> TeamGlossary:
    """Return the glossary of a profile: its own file, else the one of all, else the home's.

    Args:
        config: The configuration, which may name a file.
        profile: The profile's name.
        beside: The configuration's folder, in which a relative name is looked for.
        home: The folder of this installation.
    """
    named = config.glossary_of(profile)
    path = beside / Path(named).expanduser() if named else home / FILE
    return TeamGlossary(path, is_named=bool(named))


class _Read(NamedTuple):
    glossary: Glossary
    warnings: Sequence[str]


def _read(entries: Sequence[Entry], where: str) -> _Read:
    """Return the built-in glossary with a file's entries over it; faulty ones are told of."""
    readings: dict[str, list[str]] = {}
    groups: list[tuple[str, ...]] = []
    warnings: list[str] = []
    for line, key, value in entries:
        if key == SYNONYMS_KEY:
            found = [_texts(one) for one in value] if isinstance(value, list) else []
            groups += [tuple(group) for group in found if len(group) > 1]
            problem = "" if found and all(len(group) > 1 for group in found) else _NO_GROUPS
        else:
            readings[key.strip().lower()] = words = _texts(value)
            problem = "" if words and key.strip().isalnum() else _NO_WORDS
        if problem:
            warnings.append(f"{where}, line {line}: {key!r} is not used: {problem}.")
            readings.pop(key.strip().lower(), None)
    return _Read(_with(readings, groups), warnings)


def _texts(value: object) -> list[str]:
    """Return the words of a value, which is a text or a list of them; none where it is neither."""
    given = value if isinstance(value, list) else [value]
    texts = [one for one in given if isinstance(one, str) and one.strip()]
    return [" ".join(one.lower().split()) for one in texts] if len(texts) == len(given) else []


def _with(readings: Mapping[str, Sequence[str]], groups: Sequence[tuple[str, ...]]) -> Glossary:
    one = {key: words[0] for key, words in readings.items() if len(words) == 1}
    many = {
        key: dict.fromkeys(words, frozenset[str]())
        for key, words in readings.items()
        if len(words) > 1
    }
    kept = {key: words for key, words in BUILT_IN.any_of.items() if key not in one}
    plain = {key: word for key, word in BUILT_IN.plain.items() if key not in many}
    return Glossary(
        plain={**plain, **one},
        any_of={**kept, **many},
        synonyms=equals((*SYNONYMS, *groups)),
        words=BUILT_IN.words
        | {part for words in readings.values() for part in " ".join(words).split()},
        of_team=frozenset(readings),
    )
