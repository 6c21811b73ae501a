"""Which tables a question is about, best first.

A word that few tables have says more than one that many have (inverse document frequency). Each
word of the question counts once for a table, where it counts most: in the table's name, in a
column's name, in what a column refers to or in a comment. A name that is all of what was asked
beats one that only holds it among other words.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import log
from typing import NamedTuple

from amx.core.asking.documents import CatalogDocument, TableName
from amx.core.asking.spelling import Vocabulary
from amx.core.asking.terms import CONTENT, FUNCTION, Group, Term, read_groups

IN_TABLE, IN_COLUMN, TOLD_OF_TABLE, TOLD_OF_COLUMN = 3.0, 2.0, 1.2, 0.8
"""What a word counts by where it matches."""

FOCUS, COLUMN_FOCUS = 1.5, 0.6
"""What it counts that a name is wholly what was asked for: of a table, of its best column."""

ORDER = 0.3
"""What it counts that two words stand side by side in a table's name as in the question."""

SPREAD = 0.8
"""What a word counts beside the best column, in another one."""

RELEVANT = 0.6
"""A column is named in an answer where it is at least so good as the best one."""

SHOWN_COLUMNS = 3


class Match(NamedTuple):
    """A table that a question found, the columns that match beside it, and the words found."""

    score: float
    table: CatalogDocument
    columns: Sequence[CatalogDocument]
    found: frozenset[str]
    named: frozenset[str]
    """The words that the table's own name has."""


class Ranking:
    """Ranks what matches the terms of one question.

    Args:
        terms: The words of the question, as the catalog has them.
        vocabulary: The words of the catalog.
        tables: How many tables there are.
    """

    def __init__(self, terms: Sequence[Term], vocabulary: Vocabulary, tables: int) -> None:
        self._terms = terms
        self._vocabulary = vocabulary
        self._tables = tables
        self._rarities = {stem: self._rarity(stem) for term in terms for stem in term.stems}

    def ranked(self, documents: Iterable[CatalogDocument]) -> list[Match]:
        """Return the tables among these documents and the owners of columns, best first."""
        tables: dict[TableName, CatalogDocument] = {}
        columns: dict[TableName, list[CatalogDocument]] = {}
        for one in documents:
            if one.column is None:
                tables[one.owner] = one
            else:
                columns.setdefault(one.owner, []).append(one)
        found = [self._match(table, columns.get(owner, [])) for owner, table in tables.items()]
        return sorted(found, key=lambda one: (-one.score, len(one.table.names), one.table.owner))

    def _match(self, table: CatalogDocument, columns: Sequence[CatalogDocument]) -> Match:
        groups = read_groups(table.names)
        best = self._scores(groups, IN_TABLE)
        named = frozenset(best)
        best = {word: score * self._of_table(word) for word, score in best.items()}
        self._raise(best, self._scores(read_groups(table.told), TOLD_OF_TABLE))
        focus = FOCUS * self._focus(groups, named) if self._is_asked(named) else 0.0
        focus += ORDER * self._order(groups)
        rated = sorted(
            ((self._column(one, named), one) for one in columns),
            key=lambda pair: -pair[0].score,
        )
        if rated:
            self._raise(best, rated[0][0].words)
            for rating, _ in rated[1:]:
                self._raise(best, {word: SPREAD * one for word, one in rating.words.items()})
            focus += rated[0][0].focus
        found = frozenset(best)
        shown = _relevant(rated)
        return Match(sum(best.values()) + focus, table, shown, found, named)

    def _column(self, column: CatalogDocument, named: frozenset[str]) -> "_Rating":
        groups = read_groups(column.names)
        words = self._scores(groups, IN_COLUMN)
        own = frozenset(words)
        self._raise(words, self._scores(read_groups(column.told), TOLD_OF_COLUMN))
        beside = {word: worth for word, worth in words.items() if word not in named}
        focus = COLUMN_FOCUS * self._focus(groups, own) if self._is_asked(own - named) else 0.0
        return _Rating(sum(beside.values()) + (focus if beside else 0.0), words, focus)

    def _scores(self, groups: Sequence[Group], factor: float) -> dict[str, float]:
        """Return what each term that is among these words counts."""
        stems = {stem for group in groups for stem in group}
        scores: dict[str, float] = {}
        for term in self._terms:
            # What stands for a word says no more than the word itself: its stem comes first.
            most = self._rarities[next(iter(term.stems))]
            found = [
                worth * min(most, self._rarities[one])
                for one, worth in term.stems.items()
                if one in stems
            ]
            if found:
                scores[term.word] = factor * term.weight * max(found)
        return scores

    def _of_table(self, word: str) -> float:
        """Return what is left of a match in a table's name of a word that is rather a column."""
        is_column = any(term.is_of_something for term in self._terms if term.word == word)
        return IN_COLUMN / IN_TABLE if is_column else 1.0

    def _order(self, groups: Sequence[Group]) -> int:
        """Return how many neighbours in a name are neighbours in the question, in this order."""
        asked = [set(term.stems) for term in self._terms if term.weight > FUNCTION]
        return sum(
            not one.isdisjoint(first) and not two.isdisjoint(second)
            for first, second in pairwise(groups)
            for one, two in pairwise(asked)
        )

    def _focus(self, groups: Sequence[Group], words: frozenset[str]) -> float:
        """Return how much of a name was asked for, its rarer words counting more."""
        asked = {one for term in self._terms if term.word in words for one in term.stems}
        parts = [(self._specific(group), not asked.isdisjoint(group)) for group in groups]
        whole = sum(worth for worth, _ in parts)
        return sum(worth for worth, is_asked in parts if is_asked) / whole if whole else 0.0

    def _is_asked(self, words: frozenset[str]) -> bool:
        return any(term.weight == CONTENT for term in self._terms if term.word in words)

    def _rarity(self, stem: str) -> float:
        return log(1 + self._tables / (1 + self._vocabulary[stem].anywhere))

    def _specific(self, group: Group) -> float:
        named = (self._vocabulary.get(one) for one in group[:1])
        most = max((one.in_tables for one in named if one), default=0)
        return log(1 + self._tables / (1 + most))

    @staticmethod
    def _raise(best: dict[str, float], scores: Mapping[str, float]) -> None:
        for word, score in scores.items():
            best[word] = max(best.get(word, 0.0), score)


class _Rating(NamedTuple):
    score: float
    words: dict[str, float]
    focus: float


def _relevant(rated: Sequence[tuple[_Rating, CatalogDocument]]) -> list[CatalogDocument]:
    least = RELEVANT * rated[0][0].score if rated else 0.0
    return [one for rating, one in rated if rating.score >= least and rating.score > 0][
        :SHOWN_COLUMNS
    ]
