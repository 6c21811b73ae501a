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


_REFERS = r"\b(?:references?|refers? to|refers?|points? (?:to|at)|depends? on)\b"
_FOREIGN = r"\bforeign keys?\b(?: to\b| on\b)?"
_JOINS = r"(?:join(?:s|ed)?|relate[ds]?|connect(?:s|ed)?|link(?:s|ed)?)"
_BETWEEN = r"\b(?:relationship|relation|connection|link|path|joins?) between\b"
_REQUIRED = r"\b(?:mandatory|nullable|not null|(?:is|are|be) (?:required|optional|empty|missing))\b"
_KEY = r"\bprimary keys?\b|\bkeys?(?= (?:of|for|in)\b)"

_INTENTS = (
    (
        Intent.JOIN,
        rf"\bhow\b.{{0,80}}\b{_JOINS}\b|^\s*join\b|{_BETWEEN}",
        rf"\b{_JOINS}\b|{_BETWEEN}",
    ),
    (Intent.REFERRED, r"\bforeign keys? (?:to|on)\b", _FOREIGN),
    (Intent.REFERRED, r"\breferenced by\s*\??\s*$|\breferencing\b", r"\breferenc(?:ed by|ing)\b"),
    (Intent.REFERENCES, r"\bforeign keys?\b|\breferenced by\b", rf"{_FOREIGN}|\breferenced by\b"),
    (Intent.REFERENCES, rf"\bdo(?:es)?\b.+{_REFERS}\s*\??\s*$", _REFERS),
    (Intent.REFERRED, rf"{_REFERS}(?=\s*\w)", _REFERS),
    (Intent.KEY, _KEY, _KEY),
    (Intent.UNIQUE, r"\bunique\b", r"\bunique\b"),
    (Intent.REQUIRED, _REQUIRED, _REQUIRED),
    (Intent.COLUMNS, r"\b(?:columns|fields|attributes)\b", r"\b(?:columns|fields|attributes)\b"),
    (Intent.TABLES, r"\b(?:tables|views)\b", r"\b(?:tables|views)\b"),
)
"""What a question asks for, the words that tell it, and those that tell no more than that."""

_OF_EARLIER = re.compile(
    r"\b(?:it|its|they|them|their|theirs|these|those|(?:that|this) (?:table|view|one)|the same)\b",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"^\W*(?:and|also|but|or|what about|how about)\b", re.IGNORECASE)
_OF_VALUES = re.compile(
    r"\bhow (?:many|much|often)\b|\b(?:average|sum of|number of|count of)\b"
    r"|\b(?:best|worst|top|highest|lowest|largest|smallest|latest|newest|oldest|biggest)\b",
    re.IGNORECASE,
)
_OF_COLUMNS = re.compile(r"\bhow many (?:columns|fields|tables|views|attributes)\b", re.IGNORECASE)


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
    intent, left = _intent(text)
    refers, goes_on = _OF_EARLIER.search(left), _GOES_ON.search(left)
    is_of_columns = _OF_COLUMNS.search(text) is not None
    is_of_values = _OF_VALUES.search(text) is not None and not is_of_columns
    for pattern in (_OF_EARLIER, _GOES_ON, _OF_COLUMNS, _OF_VALUES):
        left = pattern.sub(" ", left)
    return Question(
        text=text,
        intent=intent,
        terms=terms_of(left, glossary),
        refers_by=refers[0] if refers else "",
        goes_on=goes_on[0].strip() if goes_on else "",
        is_of_values=is_of_values,
        sides=_sides(text, glossary) if intent is Intent.JOIN else (),
    )


def _sides(text: str, glossary: Glossary) -> Sequence[Sequence[Term]]:
    parts = re.split(rf"\b(?:{_JOINS}|and|between|from|to|with)\b", text, flags=re.IGNORECASE)
    sides = [terms_of(_OF_EARLIER.sub(" ", part), glossary) for part in parts]
    return [side for side in sides if contents(side)]


def _intent(text: str) -> tuple[Intent, str]:
    for intent, told_by, words in _INTENTS:
        if re.search(told_by, text, re.IGNORECASE | re.DOTALL):
            return intent, re.sub(words, " ", text, flags=re.IGNORECASE)
    return Intent.SEARCH, text
