"""What a question asks for, beside the words in it: keys, columns, how tables join.

And whether it goes on from an earlier one.
"""

import re
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from amx.core.asking.terms import Term, contents, terms_of
from amx.core.glossary import BUILT_IN, Glossary


class Intent(Enum):
    """What is to be said of the tables that a question is about."""

    SEARCH = "where something stands"
    COLUMNS = "which columns there are"
    TABLES = "which tables there are"
    KEY = "the primary key"
    UNIQUE = "what is unique"
    REQUIRED = "what may be missing"
    REFERENCES = "what it refers to"
    REFERRED = "what refers to it"
    JOIN = "how tables join"


class _Clue(NamedTuple):
    """What tells something of a question: a pattern, tried where one of its words is there.

    Compiling a pattern takes a millisecond, which most questions need not wait for.
    """

    words: frozenset[str]
    pattern: str

    def search(self, text: str, words: set[str]) -> re.Match[str] | None:
        """Return the first match."""
        return None if self.words.isdisjoint(words) else re.search(self.pattern, text, _FLAGS)

    def without(self, text: str, words: set[str]) -> str:
        """Return the text without what matches."""
        return (
            text if self.words.isdisjoint(words) else re.sub(self.pattern, " ", text, flags=_FLAGS)
        )


_FLAGS = re.IGNORECASE | re.DOTALL


def _clue(words: str, pattern: str = "") -> _Clue:
    return _Clue(frozenset(words.split()), pattern or rf"\b(?:{words.replace(' ', '|')})\b")


_REFERS = _clue(
    "reference references refer refers point points depend depends",
    r"\b(?:references?|refers?(?: to)?|points? (?:to|at)|depends? on)\b",
)
_JOIN_WORDS = (
    "join joins joined relate related relates connect connected connects link linked links"
)
_JOINS = f"(?:{_JOIN_WORDS.replace(' ', '|')})"
_BETWEEN = r"\b(?:relationship|relation|connection|link|path|joins?) between\b"
_REQUIRED = r"\b(?:mandatory|nullable|not null|(?:is|are|be) (?:required|optional|empty|missing))\b"
_OF_FOREIGN_KEYS = _clue(
    "foreign referenced", r"\bforeign keys?\b(?: to\b| on\b)?|\breferenced by\b"
)
_OF_REFERRING = _clue(
    "referencing referenced foreign",
    r"\bforeign keys? (?:to|on)\b|\breferenced by\s*\??\s*$|\breferencing\b",
)

_INTENTS = (
    (
        Intent.JOIN,
        _clue(
            f"{_JOIN_WORDS} between",
            rf"\bhow\b.{{0,80}}\b{_JOINS}\b|^\s*join\b|{_BETWEEN}",
        ),
        _clue(f"{_JOIN_WORDS} between", rf"\b{_JOINS}\b|{_BETWEEN}"),
    ),
    (
        Intent.REFERRED,
        _OF_REFERRING,
        _clue("foreign referenced referencing", _OF_FOREIGN_KEYS.pattern + r"|\breferencing\b"),
    ),
    (Intent.REFERENCES, _OF_FOREIGN_KEYS, _OF_FOREIGN_KEYS),
    (Intent.REFERENCES, _clue("do does", rf"\bdo(?:es)?\b.+{_REFERS.pattern}\s*\??\s*$"), _REFERS),
    (Intent.REFERRED, _REFERS._replace(pattern=rf"{_REFERS.pattern}(?=\s*\w)"), _REFERS),
    *(
        (intent, clue, clue)
        for intent, clue in (
            (Intent.KEY, _clue("key keys", r"\bprimary keys?\b|\bkeys?(?= (?:of|for|in)\b)")),
            (Intent.UNIQUE, _clue("unique")),
            (
                Intent.REQUIRED,
                _clue("mandatory nullable null required optional empty missing", _REQUIRED),
            ),
            (Intent.COLUMNS, _clue("columns fields attributes")),
            (Intent.TABLES, _clue("tables views")),
        )
    ),
)
"""What a question asks for, what tells it, and the words that tell no more than that."""

_OF_EARLIER = _clue(
    "it its they them their theirs these those table view one same",
    r"\b(?:its?|they|them|theirs?|these|those|(?:that|this) (?:table|view|one)|the same)\b",
)
_GOES_ON = _clue("and also but or about", r"^\W*(?:and|also|but|or|what about|how about)\b")
_SUPERLATIVES = "best worst top highest lowest largest smallest latest newest oldest biggest"
_OF_VALUES = _clue(
    f"many much often average number count sum {_SUPERLATIVES}",
    rf"\bhow (?:many|much|often)\b|\b(?:{_SUPERLATIVES.replace(' ', '|')}|average)\b"
    r"|\b(?:number|count|sum)(?= of\b)",
)
_OF_COLUMNS = _clue("many", r"\bhow many (?=(?:columns|fields|tables|views|attributes)\b)")


MOST_CHARACTERS = 2000
"""Of a question; what goes beyond is not heeded, and the answer says so."""


class Question(NamedTuple):
    """A question as it is understood before the catalog is looked at.

    ``refers_by`` is the word that points at an earlier turn (``their``), ``goes_on`` the one that
    takes an earlier question up (``what about``); both are empty in a question of its own.
    """

    text: str
    intent: Intent
    terms: Sequence[Term]
    refers_by: str = ""
    goes_on: str = ""
    is_of_values: bool = False
    sides: Sequence[Sequence[Term]] = ()
    """What is asked to be joined, word by word."""

    @property
    def is_bare(self) -> bool:
        """Whether no word says what it is about."""
        return not contents(self.terms)


def understood(text: str, glossary: Glossary = BUILT_IN) -> Question:
    """Return what a question asks for."""
    text = text[:MOST_CHARACTERS]
    words = {word.lower() for word in re.findall(r"\w+", text)}
    is_of_columns = _OF_COLUMNS.search(text, words) is not None
    intent, left = _intent(text, words)
    refers, goes_on = _OF_EARLIER.search(left, words), _GOES_ON.search(left, words)
    is_of_values = not is_of_columns and _OF_VALUES.search(text, words) is not None
    for clue in (_OF_EARLIER, _GOES_ON, _OF_COLUMNS, _OF_VALUES):
        left = clue.without(left, words)
    return Question(
        text=text,
        intent=intent,
        terms=terms_of(left, glossary),
        refers_by=refers[0] if refers else "",
        goes_on=goes_on[0].strip() if goes_on else "",
        is_of_values=is_of_values,
        sides=_sides(text, words, glossary) if intent is Intent.JOIN else (),
    )


def _sides(text: str, words: set[str], glossary: Glossary) -> Sequence[Sequence[Term]]:
    left = _OF_EARLIER.without(text, words)
    parts = re.split(rf"\b(?:{_JOINS}|and|between|from|to|with)\b", left, flags=_FLAGS)
    sides = [terms_of(part, glossary) for part in parts]
    return [side for side in sides if contents(side)]


def _intent(text: str, words: set[str]) -> tuple[Intent, str]:
    for intent, clue, told_by in _INTENTS:
        if clue.search(text, words):
            return intent, told_by.without(text, words)
    return Intent.SEARCH, text
