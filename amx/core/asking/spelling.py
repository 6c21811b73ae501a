"""What a word that no catalog has was meant to be: joined, begun, or misspelt.

Only words that nothing matches as they stand are read in another way, and the answer says so.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from amx.core.asking.documents import Word
from amx.core.asking.terms import CONTENT, Term, folded, root
from amx.core.words import singular

Vocabulary = Mapping[str, Word]
"""The words of a catalog by their stems."""

SHORTEST_PREFIX, SHORTEST_MISSPELT, SHORTEST_TWICE_MISSPELT, SHORTEST_HALF = 3, 4, 8, 3
SHORTEST_ACRONYM, LONGEST_ACRONYM = 3, 5
MOST_READINGS = 3
AS_JOINED, AS_BEGUN, AS_MISSPELT = 0.9, 0.7, 0.7


class Resolved(NamedTuple):
    """The terms of a question as a catalog has them.

    ``read_as`` gives the words that were read in another way, ``unknown`` those that nothing
    matches.
    """

    terms: Sequence[Term]
    read_as: Mapping[str, Sequence[str]]
    unknown: Sequence[str]


def resolved(terms: Sequence[Term], vocabulary: Vocabulary) -> Resolved:
    """Read each term as the catalog's own words have it."""
    found: list[Term] = []
    read_as: dict[str, Sequence[str]] = {}
    unknown: list[str] = []
    joined = _together(terms, vocabulary)
    for place, term in enumerate(terms):
        stems = {one: worth for one, worth in term.stems.items() if one in vocabulary}
        stems = {**stems, **joined.get(place, {})}
        if stems:
            found.append(term._replace(stems=stems))
        elif term.weight == CONTENT:
            read = _read_in_another_way(term.word, vocabulary)
            found += read
            if read:
                spelled = (vocabulary[stem].word for one in read for stem in one.stems)
                read_as[term.word] = list(dict.fromkeys(spelled))
            else:
                unknown.append(term.word)
    return Resolved(found, read_as, unknown)


def _together(terms: Sequence[Term], vocabulary: Vocabulary) -> dict[int, dict[str, float]]:
    """Return, by place, the one word that a catalog makes of several.

    That is two in one, as in ``timesheet``, or their first letters, as in ``uom``.
    """
    found: dict[int, dict[str, float]] = {}
    for first in range(len(terms)):
        for behind in range(first + 2, min(len(terms), first + LONGEST_ACRONYM) + 1):
            part = terms[first:behind]
            is_pair = len(part) < SHORTEST_ACRONYM
            one = "".join(term.word if is_pair else term.word[:1] for term in part)
            ends = (part[0].weight, part[-1].weight)
            if root(one) in vocabulary and (CONTENT in ends if is_pair else set(ends) == {CONTENT}):
                for place in range(first, behind):
                    found.setdefault(place, {})[root(one)] = AS_JOINED
    return found


def _read_in_another_way(word: str, vocabulary: Vocabulary) -> list[Term]:
    """Return one term, or two where two words stand in one; none where nothing is near."""
    own = folded(word)
    if not own.isalpha():
        return []
    begun = [one for one in vocabulary if one.startswith(root(word))]
    if len(own) >= SHORTEST_PREFIX and begun:
        return [Term(word, dict.fromkeys(_most_used(begun, vocabulary), AS_BEGUN))]
    if halves := _halves(own, vocabulary):
        return [Term(vocabulary[half].word, {half: AS_JOINED}) for half in halves]
    misspelt = dict.fromkeys(_misspelt(own, vocabulary), AS_MISSPELT)
    return [Term(word, misspelt)] if misspelt else []


def _most_used(stems: Sequence[str], vocabulary: Vocabulary) -> list[str]:
    return sorted(stems, key=lambda one: (-vocabulary[one].anywhere, one))[:MOST_READINGS]


def _halves(word: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    for place in range(SHORTEST_HALF, len(word) - SHORTEST_HALF + 1):
        halves = (root(word[:place]), root(word[place:]))
        if all(half in vocabulary for half in halves):
            return halves
    return ()


def _misspelt(word: str, vocabulary: Vocabulary) -> list[str]:
    """Return the nearest words, by how many letters differ: one, or two in a long word."""
    if len(word) < SHORTEST_MISSPELT:
        return []
    most = 2 if len(word) >= SHORTEST_TWICE_MISSPELT else 1
    forms = {word, singular(word)}
    distances: dict[int, list[str]] = {}
    for one in vocabulary.values():
        theirs = folded(one.word)
        if len(theirs) < SHORTEST_MISSPELT:
            continue
        for mine in forms:
            if abs(len(mine) - len(theirs)) <= most:
                distances.setdefault(distance(mine, theirs, most), []).append(one.stem)
    nearest = min((found for found in distances if found <= most), default=None)
    return (
        [] if nearest is None else _most_used(list(dict.fromkeys(distances[nearest])), vocabulary)
    )


def distance(one: str, two: str, most: int) -> int:
    """Return how many letters must be put in, taken out, changed or swapped with the next.

    More than ``most`` is told as ``most + 1``. Source: optimal string alignment.
    """
    before: list[int] = []
    last = list(range(len(two) + 1))
    for row, letter in enumerate(one, 1):
        line = [row]
        for column, other in enumerate(two, 1):
            cost = min(last[column] + 1, line[-1] + 1, last[column - 1] + (letter != other))
            is_swap = row > 1 and column > 1 and letter == two[column - 2] and one[row - 2] == other
            line.append(min(cost, before[column - 2] + 1) if is_swap else cost)
        if min(line) > most:
            return most + 1
        before, last = last, line
    return min(last[-1], most + 1)
