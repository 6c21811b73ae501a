"""Names and questions as terms: words by their stems, with everything that they may stand for."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from unicodedata import combining, normalize

from amx.core.glossary import BUILT_IN, Glossary
from amx.core.words import readings_of, singular, split, stem

AS_ASKED, AS_READ, AS_EQUAL, AS_PART = 1.0, 0.95, 0.8, 0.6
"""What a match is worth: of the word itself, of what an abbreviation stands for, of a synonym, of
one word of several that something stands for."""

CONTENT, ABOUT_CATALOGS, FUNCTION = 1.0, 0.4, 0.1
"""How much a kind of word says of what is asked for."""

Group = tuple[str, ...]
"""The stems of one part of a name: its own, and those of what it may stand for."""


class Term(NamedTuple):
    """A word of a question: by which stems it is looked for, and what each is worth."""

    word: str
    stems: Mapping[str, float]
    weight: float = CONTENT
    is_of_something: bool = False
    """It stands before ``of``: of ``price of tracks`` the price is rather a column."""


def folded(text: str) -> str:
    """Return text in lower case and without accents: ``Straße`` and ``réglé`` as one types them."""
    plain = text.casefold()
    if plain.isascii():
        return plain
    return "".join(one for one in normalize("NFKD", plain) if not combining(one))


def root(word: str) -> str:
    """Return the stem by which a word is found."""
    return stem(folded(word))


def groups_of(name: str, glossary: Glossary = BUILT_IN) -> tuple[Group, ...]:
    """Return the parts of a name as groups of stems."""
    return tuple(_group(token, glossary) for token in split(name, glossary))


def _group(token: str, glossary: Glossary) -> Group:
    words = [word for reading in readings_of(token, glossary) for word in reading.split()]
    return tuple(dict.fromkeys(map(root, (token, *words))))


def written(groups: Iterable[Group]) -> str:
    """Return groups as one text; `read_groups` reads it."""
    return " ".join("/".join(group) for group in groups)


def read_groups(text: str) -> list[Group]:
    """Return the groups of a text that `written` wrote."""
    return [tuple(part.split("/")) for part in text.split(" ") if part]


def told_of(text: str, glossary: Glossary = BUILT_IN) -> tuple[Group, ...]:
    """Return the words of a sentence that say something, each once."""
    tokens = (token for token in split(text, glossary) if folded(token) not in FUNCTION_WORDS)
    return tuple(dict.fromkeys(_group(token, glossary) for token in tokens))


def terms_of(text: str, glossary: Glossary = BUILT_IN) -> list[Term]:
    """Return the words of a question, each once, in their order."""
    found: dict[str, Term] = {}
    words = re.findall(r"\w+", re.sub(r"['’]s\b", "", text))
    of = next((place for place, word in enumerate(words) if folded(word) == "of"), 0)
    for place, word in enumerate(words):
        parts = split(word, glossary)
        for part in parts:
            term = found.get(root(part)) or _term(word if len(parts) == 1 else part, part, glossary)
            found[root(part)] = term._replace(is_of_something=place < of)
    _add_phrases(found, glossary)
    return list(found.values())


def _add_phrases(terms: dict[str, Term], glossary: Glossary) -> None:
    """Let several words that have synonyms together be found by those."""
    asked = f" {' '.join(terms)} "
    for phrase, equals in glossary.synonyms.items():
        roots = [root(word) for word in phrase.split()]
        if len(roots) > 1 and f" {' '.join(roots)} " in asked:
            stems = dict.fromkeys((root(w) for one in equals for w in one.split()), AS_EQUAL)
            for one in roots:
                terms[one] = terms[one]._replace(stems={**stems, **terms[one].stems})


def _term(shown: str, part: str, glossary: Glossary) -> Term:
    own = root(part)
    stems = {own: AS_ASKED}
    words = [part, *readings_of(part, glossary)]
    for reading in words[1:]:
        _add(stems, reading, AS_READ)
    for word in words:
        for key in (word, singular(word)):
            for equal in glossary.synonyms.get(key, ()):
                _add(stems, equal, AS_EQUAL)
    return Term(shown, stems, _weight(part))


def _add(stems: dict[str, float], reading: str, worth: float) -> None:
    words = reading.split()
    for word in words:
        stems.setdefault(root(word), worth if len(words) == 1 else AS_PART)


def _weight(word: str) -> float:
    if folded(word) in FUNCTION_WORDS:
        return FUNCTION
    return ABOUT_CATALOGS if root(word) in CATALOG_WORDS else CONTENT


def contents(terms: Sequence[Term]) -> list[Term]:
    """Return the terms that say what is asked for."""
    return [term for term in terms if term.weight == CONTENT]


FUNCTION_WORDS = frozenset(
    (
        "a about all also an and any are as at be been but by can could did do does each for from get "
        "give had has have her his how i if in into is it its may me my not of on one or our please s "
        "same say should some tell than that the their them then there these they this those to us was "
        "we were what when where which who whom whose why will with would you your"
    ).split()
)
"""Words that say nothing about what is asked for."""

CATALOG_WORDS = frozenset(
    root(word)
    for word in (
        "column contain database field find hold keep kept know list look place record row save schema "
        "see show store stored table use view"
    ).split()
)
"""Words of questions about catalogs; where a name has them they count a little."""
