"""Which names a text may use: those of the facts that its writer was given.

A name is what stands in backticks, what looks like an identifier (`unit_price`, `UnitPrice`,
`main.Track`), a word beside “table” or “column”, and a word that another table of the catalog is
called. Prose of ordinary words is nobody's name. Where in doubt a text is refused: the local
answer is there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amx.core.words import split, stem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from amx.core.asking.documents import CatalogDocument
    from amx.core.phrasing import Draft

_NAME = r"[\w$#]+(?:\.[\w$#]+)*"
_EXACT = re.compile(r"(`+)(.+?)(?:\1(?!`)|\Z)", re.DOTALL)
_BESIDE = re.compile(
    rf"({_NAME})[ ](?=(?:tables?|columns?|views?)\b)"
    rf"|\b(?:tables?|columns?)[ ](?:named[ ]|called[ ])?({_NAME})"
    rf"|[*\"“”]({_NAME})[*\"“”]",
    re.IGNORECASE,
)
_SHAPED = re.compile(r"\w_\w|\w\.\w|[a-zß-öø-ÿ\d][A-ZÀ-ÖØ-Þ]|[$#]")
_ABBREVIATION = re.compile(r"(?:\w\.)+\w|[\d.,]+")

_ORDINARY = frozenset(
    re.findall(
        r"\w+",
        """
        a about all also an and another any appear appears are as associated at be because below
        both but by called can catalog contain contained containing contains correct
        corresponding count data database date describe described describes different do does
        each either every exact exist exists few first following for foreign found four from
        further given had has have having hold holding holds identifier if in include included
        includes index instead is it its itself join junction keep keeps key keyed keys kind
        known last like link linked linking links lists local lookup main many master match
        matches matching may mentioned more most name named names need neither new next no nor
        not of on one only or other our over own parent part per point pointing points primary
        provide provides question record records refer referenced references refers related
        relevant relevance represent represents right same second see seem seems separate seven
        several show shown shows single six so some source specific store stored stores such
        suitable target text than that the their them then there these they third this those
        three through to together too two type types under unique use used uses using value
        values very via was well were what when where which while whole whose will with within
        without would you your postgresql sqlite mysql mariadb
        """,
    )
)
"""Words that stand beside “table” without being its name."""

_OF_SQL = frozenset(("null", "not", "primary", "foreign", "key", "unique"))


class Vocabulary:
    """The names and the words that a text about a draft may use.

    Args:
        draft: What its writer was given.
        known: Returns the assets of the catalog that have a name, whatever its case.
    """

    def __init__(self, draft: Draft, known: Callable[[str], Sequence[CatalogDocument]]) -> None:
        self._known = known
        told = [fact.description for fact in draft.facts if fact.description in draft.answer]
        self._given = " ".join([*told, draft.answer]).casefold()
        self._names = {name.casefold() for fact in draft.facts for name in _names_of(fact)}
        names = [name for fact in draft.facts for name in _names_of(fact)]
        self._stems = {one for text in [*names, *told] for one in _stems(text)}
        asked = [draft.question, draft.answer]
        self._asked = self._stems | {one for text in asked for one in _stems(text)}
        self._judged: dict[tuple[str, str], bool] = {}

    def stranger(self, text: str) -> str | None:
        """Return the first name in a text that is none of the facts', if there is one."""
        return next((name for how, name in _named(text) if self._is_strange(how, name)), None)

    def _is_strange(self, how: str, name: str) -> bool:
        found = self._judged.get((how, name))
        if found is None:
            found = self._judged[how, name] = not self._may_be_used(how, name)
        return found

    def _may_be_used(self, how: str, name: str) -> bool:
        folded = name.casefold()
        if folded in self._names or _ABBREVIATION.fullmatch(name) or self._is_told_of(name):
            return True
        if how == "exact":
            parts = re.findall(_NAME, name)
            return bool(parts) and all(self._may_be_used("part", part) for part in parts)
        if how == "part":
            return folded in _OF_SQL
        return self._is_prose(how, name)

    def _is_prose(self, how: str, name: str) -> bool:
        if name.casefold() in _ORDINARY:
            return how == "plain" or not self._tables(name)
        if _SHAPED.search(name.strip("_")):
            return False
        if how == "beside":
            return self._stems.issuperset(_stems(name)) and not self._tables(name)
        return self._asked.issuperset(_stems(name)) or name not in self._tables(name)

    def _is_told_of(self, name: str) -> bool:
        """Tell whether a description speaks of it, and the catalog has it."""
        pattern = rf"(?<![\w.]){re.escape(name.casefold())}(?!\w)"
        is_told = bool(re.search(pattern, self._given))
        return is_told and bool(self._known(name.rpartition(".")[2]))

    def _tables(self, name: str) -> set[str]:
        return {one.table for one in self._known(name) if one.column is None}


def _stems(text: str) -> set[str]:
    return {stem(word) for word in split(text)}


def settled(text: str) -> int:
    """Return how much of a text that goes on can be judged: whole words, no open backticks."""
    opened = None
    for match in re.finditer("`+", text):
        if opened is None:
            opened = match
        elif len(match[0]) == len(opened[0]):
            opened = None
    end = len(text) if opened is None else opened.start()
    return max(0, *(text.rfind(space, 0, end) for space in " \n\t"))


def _named(text: str) -> Iterator[tuple[str, str]]:
    """Yield what may be a name, and how it stands there."""
    for match in _EXACT.finditer(text):
        yield "exact", match[2].strip()
    rest = _EXACT.sub(" ` ", text)
    for match in _BESIDE.finditer(rest):
        yield "beside", match[1] or match[2] or match[3]
    for match in re.finditer(_NAME, rest):
        yield "plain", match[0]


def _names_of(fact: CatalogDocument) -> Iterator[str]:
    yield from _ends_of(fact.schema, fact.table)
    if fact.column is not None:
        yield from _ends_of(fact.schema, fact.table, fact.column)
    if fact.target:
        yield from _ends_of(*fact.target)
        yield from _ends_of(*fact.target[:2])
    yield from (fact.type, *re.findall(_NAME, fact.type))


def _ends_of(*parts: str) -> Iterator[str]:
    """Yield a name with and without what it may be qualified with."""
    for start in range(len(parts)):
        yield ".".join(parts[start:])
