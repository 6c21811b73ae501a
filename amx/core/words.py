"""What a database name says: its words, its abbreviations, their plurals and stems.

The describer and the search read names alike, so both read them here.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from amx.core.glossary import BUILT_IN, KEYED, PEOPLE, PERSONAL, SECRET, SHOWN_AS, Glossary

_HUMP = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])|(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])")
_ACRONYM = re.compile(r"(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATORS = re.compile(r"[\W_]+")

_TAILS = (
    "number", "quantity", "amount", "count", "price", "total", "date", "time", "name", "code",
    "type", "qty", "amt", "nbr", "num", "key", "cd", "dt", "id", "nm", "no",
)  # fmt: skip

_UNCOUNTED = frozenset({
    "data", "equipment", "history", "information", "inventory", "master", "media", "metadata",
    "news", "series", "software", "staff", "stock", "statistics",
})  # fmt: skip
_SHORTEST_PLURAL = 4
_SHORTEST_STEM = 3
_ABOUT_VALUES = frozenset({"count", "flag", "sequence", "status", "type"})
_NEVER_FIRST = frozenset({"no"})
_WORDS_BY_THEMSELVES = frozenset({"cat", "cd", "disc", "no", "pos"})
_IRREGULAR = {"person": "people", "child": "children", "man": "men", "woman": "women"}
_REGULAR_AGAIN = {plural: singular for singular, plural in _IRREGULAR.items()}
_ENDS_IN_S = frozenset({
    "address", "alias", "bus", "business", "class", "gas", "lens", "news", "process",
    "series", "status",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A name read as words.

    ``expansions`` are the abbreviations that the glossary knows; ``undecided`` those with
    several readings between which nothing beside them decides: they stay as they are.
    """

    tokens: tuple[str, ...]
    words: tuple[str, ...]
    expansions: Mapping[str, str] = field(default_factory=dict)
    undecided: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def phrase(self) -> str:
        """The words as one would write them."""
        return phrase(self.words)


def split(name: str, glossary: Glossary = BUILT_IN) -> tuple[str, ...]:
    """Return the parts of a snake_case, CamelCase or ALLCAPS name, in lower case.

    A part such as ``custno`` is taken apart where both halves are known words.
    """
    parts = (piece for part in _SEPARATORS.split(name) for piece in _humps(part))
    return tuple(half.lower() for part in parts for half in _halves(part, glossary))


def read(name: str, beside: Iterable[str] = (), glossary: Glossary = BUILT_IN) -> Reading:
    """Read a name as words; ``beside`` are words around it that may decide a reading."""
    tokens, plain = split(name, glossary), glossary.plain
    expansions: dict[str, str] = {}
    undecided: dict[str, tuple[str, ...]] = {}
    near = {singular(plain.get(token, token)) for token in tokens}
    around = near | {singular(plain.get(token, token)) for token in beside}
    for place, token in enumerate(tokens):
        is_alone = len(tokens) == 1
        readings = _readings(token, glossary, is_first=place == 0, is_alone=is_alone)
        decided = _decide(readings, glossary.any_of.get(token, {}), near, around)
        if decided is not None:
            expansions[token] = decided
        elif readings:
            undecided[token] = readings
    words = tuple(word for token in tokens for word in expansions.get(token, token).split())
    return Reading(tokens=tokens, words=words, expansions=expansions, undecided=undecided)


def phrase(words: Iterable[str]) -> str:
    """Return words as one would write them: acronyms in capitals, spaces between."""
    return " ".join(SHOWN_AS.get(word, word) for word in words)


def singular(word: str) -> str:
    """Return the singular of an English noun; a word that is none already stays."""
    if word in _REGULAR_AGAIN:
        return _REGULAR_AGAIN[word]
    if word in _ENDS_IN_S or len(word) < _SHORTEST_PLURAL or not word.endswith("s"):
        return word
    if word.endswith("ies") and word not in {"dies", "lies", "movies", "ties"}:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zzes", "statuses", "aliases", "buses")):
        return word[:-2]
    return word if word.endswith(("ss", "us", "is")) else word[:-1]


def plural(word: str) -> str:
    """Return the plural of an English noun; a plural, or a noun without one, stays."""
    if word in _UNCOUNTED or not word.isalpha() or singular(word) != word:
        return word
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "z", "sh", "ch")) else "s")


def stem(word: str) -> str:
    """Return what the forms of a word share: ``prices``, ``priced`` and ``pricing`` agree."""
    found = singular(word.lower())
    for ending in ("ing", "ed"):
        if (
            found.endswith(ending)
            and len(found) - len(ending) >= _SHORTEST_STEM
            and _has_vowel(found, ending)
        ):
            found = found.removesuffix(ending)
            found = found[:-1] if found[-1:] == found[-2:-1] and found[-1:] not in "lsz" else found
            break
    return found[:-1] if found.endswith("e") and len(found) > _SHORTEST_STEM else found


def readings_of(token: str, glossary: Glossary = BUILT_IN) -> tuple[str, ...]:
    """Return everything that a part of a name may stand for; nothing where it is a word."""
    if token in glossary.plain:
        return (glossary.plain[token],)
    return tuple(glossary.any_of.get(token, ()))


def is_private(column: str, table: str = "") -> bool:
    """Tell whether a name says that its values are secret or personal.

    Also for free text, which may hold either. Values of such a column are never shown.
    """
    words = _all_words(column)
    if words & _ABOUT_VALUES:
        return False
    is_key = "key" in words and words & KEYED
    if words & SECRET or is_key or (words & PERSONAL and "id" not in words):
        return True
    about = words | _all_words(table)
    return "name" in words and bool(about & PEOPLE or words & {"first", "last", "full", "middle"})


def _humps(part: str) -> list[str]:
    return [piece for hump in _HUMP.split(part) for piece in _ACRONYM.split(hump) if piece]


def _halves(part: str, glossary: Glossary) -> tuple[str, ...]:
    low = part.lower()
    if low in glossary.plain or low in glossary.words:
        return (part,)
    for tail in _TAILS:
        head = low.removesuffix(tail)
        if head != low and len(head) >= (4 if tail == "id" else 3) and glossary.knows(head):
            return (head, tail)
    return (part,)


def _readings(token: str, glossary: Glossary, *, is_first: bool, is_alone: bool) -> tuple[str, ...]:
    if token not in glossary.of_team and (
        (is_alone and token in _WORDS_BY_THEMSELVES) or (is_first and token in _NEVER_FIRST)
    ):
        return ()
    return readings_of(token, glossary)


def _decide(
    readings: tuple[str, ...],
    speakers: Mapping[str, frozenset[str]],
    near: set[str],
    around: set[str],
) -> str | None:
    """Return the one reading that words beside it speak for: its own name's words first."""
    if len(readings) <= 1:
        return readings[0] if readings else None
    for words in ({word for word in readings if word in around}, near, around):
        found = [word for word in readings if word in words or speakers[word] & words]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _all_words(name: str) -> set[str]:
    tokens = split(name)
    plain = (
        word for token in tokens for one in readings_of(token) or (token,) for word in one.split()
    )
    return {*tokens, *map(singular, plain)}


def _has_vowel(word: str, ending: str) -> bool:
    return any(letter in "aeiouy" for letter in word.removesuffix(ending))
