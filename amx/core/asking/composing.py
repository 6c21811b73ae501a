"""From a question to the grounds of its answer: what is asked of which tables, and what is said."""

from collections.abc import Sequence
from functools import cached_property

from amx.core.asking import keys, wording
from amx.core.asking.documents import CatalogDocument, TableName
from amx.core.asking.earlier import Earlier
from amx.core.asking.grounds import Grounds
from amx.core.asking.questions import Intent, Question, understood
from amx.core.asking.ranking import Match
from amx.core.asking.searching import Shelf
from amx.core.asking.spelling import Resolved, resolved
from amx.core.asking.terms import Term, contents
from amx.core.glossary import Glossary

FURTHER = 0.4
"""A further table is named where it is at least so good as the best one."""


class Composer:
    """Composes the answer to one question.

    Args:
        shelf: What is known of the catalog.
        profile: The profile's name, for what is said.
        question: The question.
        earlier: What the earlier turns of its session are about.
        glossary: What abbreviations stand for.
    """

    def __init__(
        self, shelf: Shelf, profile: str, question: str, earlier: Earlier, glossary: Glossary
    ) -> None:
        self._shelf = shelf
        self._profile = profile
        self._glossary = glossary
        self._earlier = earlier
        self._question = understood(question, glossary)
        self._remarks: list[str] = []
        self._taken_up: list[CatalogDocument] = []

    def grounds(self) -> Grounds:
        """Return what can be said, and what cannot."""
        self._take_up_question()
        text, cited = self._said()
        if self._question.is_of_values and cited:
            places = wording.enumerated(_names_of_tables(cited[:1]))
            self._remarks.append(
                f"I know the catalog and not the data: counts and values are to be had from {places}."
            )
        known = self._resolved
        return Grounds(
            text=text,
            cited=cited,
            remarks=[*self._readings(), *self._remarks],
            read_as=known.read_as,
            unknown=known.unknown,
            earlier=self._taken_up,
        )

    @cached_property
    def _resolved(self) -> Resolved:
        return resolved(self._question.terms, self._shelf.vocabulary)

    @property
    def _terms(self) -> Sequence[Term]:
        return self._resolved.terms

    def _readings(self) -> list[str]:
        return [
            f"I read {word!r} as {wording.enumerated(repr(one) for one in words)}."
            for word, words in self._resolved.read_as.items()
        ]

    # --- earlier turns

    def _take_up_question(self) -> None:
        """Let ``what about invoices?`` ask of invoices what was asked before."""
        question, earlier = self._question, self._earlier
        if not question.goes_on or not earlier.tables or question.is_bare:
            return
        if not self._names_a_table(self._terms):
            return
        before = understood(earlier.question, self._glossary)
        named = self._named_by(earlier.tables[0], before)
        carried = [one for one in contents(before.terms) if one.word not in named]
        intent = before.intent if question.intent is Intent.SEARCH else question.intent
        if not carried and intent is Intent.SEARCH:
            return
        own = {one.word for one in question.terms}
        terms = [*question.terms, *(one for one in carried if one.word not in own)]
        self._question = question._replace(intent=intent, terms=terms, refers_by="")
        del self._resolved
        asked = " ".join(f"“{earlier.question.strip()}”".split())
        self._remarks.append(f"Taken up from before: {asked}")
        self._taken_up = self._tables_of(earlier.tables[:1])

    def _named_by(self, table: TableName, question: Question) -> set[str]:
        """Return the words of an earlier question that named its table."""
        terms = resolved(question.terms, self._shelf.vocabulary).terms
        found = self._shelf.matches(terms, among=lambda owner: owner == table)
        return set(found[0].named) if found else set()

    def _names_a_table(self, terms: Sequence[Term]) -> bool:
        matches = self._shelf.matches(terms)
        wanted = {term.word for term in contents(terms)}
        return bool(wanted) and bool(matches) and wanted <= matches[0].named

    @property
    def _goes_on(self) -> bool:
        """Whether the question is about what earlier turns were about."""
        question = self._question
        asks_of_it = question.intent not in {Intent.SEARCH, Intent.TABLES}
        is_about_them = bool(question.refers_by) or (question.is_bare and asks_of_it)
        return bool(self._earlier.tables) and (is_about_them or bool(question.goes_on))

    @property
    def _asks_for_all(self) -> bool:
        return self._question.intent is Intent.TABLES

    def _tables_of(self, tables: Sequence[TableName]) -> list[CatalogDocument]:
        return [one for one in self._shelf.of(*tables) if one.column is None]

    # --- what is said

    def _said(self) -> tuple[str, Sequence[CatalogDocument]]:
        known = self._resolved
        if self._goes_on and not self._taken_up:
            return self._gone_on()
        if self._question.is_bare:
            return self._of_nothing()
        if not contents(known.terms):
            words = wording.enumerated(known.unknown)
            self._say_that_nothing_came_before()
            return f"I do not know: nothing in the catalog of {self._profile} matches {words}.", ()
        self._say_that_nothing_came_before()
        return self._of(self._shelf.matches(known.terms))

    def _say_that_nothing_came_before(self) -> None:
        word = self._question.refers_by
        if word and not self._earlier.tables:
            self._remarks.append(f"No earlier turn of this session tells what {word!r} refers to.")

    def _of_nothing(self) -> tuple[str, Sequence[CatalogDocument]]:
        matches = self._shelf.matches(self._terms)
        if matches and matches[0].named:
            return self._of(matches)
        tables = self._shelf.tables if self._asks_for_all else ()
        if tables:
            return wording.tables_listed(tables), tables[: wording.SHOWN_NAMES]
        if word := self._question.refers_by:
            return f"I do not know: no earlier turn of this session tells what {word!r} is.", ()
        return (
            "I do not know: the question names nothing that the catalog of "
            f"{self._profile} could be searched for."
        ), ()

    def _gone_on(self) -> tuple[str, Sequence[CatalogDocument]]:
        """Answer about the table of the last answer: from it, else from those beside it."""
        subjects = self._tables_of(self._earlier.tables)
        if not subjects:
            self._remarks.append("What this session was about is no longer in the catalog.")
            return self._of(self._shelf.matches(self._terms))
        subject = subjects[0]
        self._taken_up = subjects[:1]
        self._remarks.append(f"Taken up from before: {subject.name}.")
        if not contents(self._terms):
            if self._question.intent is Intent.JOIN and len(subjects) > 1:
                return self._joined(subject, subjects[1])
            match = Match(0.0, subject, (), frozenset(), frozenset())
            return self._of([match]) if not self._resolved.unknown else self._unknown()
        if self._question.intent is Intent.JOIN:
            matches = self._others(subject.owner)
            return self._joined(subject, matches[0].table) if matches else self._unknown()
        return self._beside(subject)

    def _beside(self, subject: CatalogDocument) -> tuple[str, Sequence[CatalogDocument]]:
        own = self._shelf.matches(self._terms, among=lambda owner: owner == subject.owner)
        if own and self._covers(own[0]):
            return self._of([own[0], *self._others(subject.owner)])
        near = keys.neighbours(self._shelf.links, subject.owner)
        around = self._shelf.matches(self._terms, among=lambda owner: owner in near)
        if around and self._covers(around[0]):
            there = around[0].table
            links = keys.path(self._shelf.links, subject.owner, there.owner)
            told = "; ".join(wording.link_line(one).strip() for one in links)
            self._remarks.append(f"{there.name} hangs together with {subject.name}: {told}.")
            text, cited = self._of(around[:1])
            return text, [*cited, *(one for one in links if one not in cited)]
        words = wording.enumerated(term.word for term in contents(self._terms))
        self._remarks.append(f"Nothing in or beside {subject.name} matches {words}.")
        return self._of(self._shelf.matches(self._terms))

    def _covers(self, match: Match) -> bool:
        return any(term.word in match.found for term in contents(self._terms))

    def _others(self, table: TableName) -> list[Match]:
        return self._shelf.matches(self._terms, among=lambda owner: owner != table)

    def _unknown(self) -> tuple[str, Sequence[CatalogDocument]]:
        words = wording.enumerated(self._resolved.unknown or ["that"])
        return f"I do not know: nothing in the catalog of {self._profile} matches {words}.", ()

    def _of(self, matches: Sequence[Match]) -> tuple[str, Sequence[CatalogDocument]]:
        if not matches:
            return self._unknown()
        first = matches[0]
        if len(self._question.sides) > 1:
            ends = [self._end(side) for side in self._question.sides]
            tables = [one for one in ends if one is not None]
            if len(tables) > 1:
                return self._joined(tables[0], tables[-1])
        special = self._special(first)
        if special is not None:
            return special
        return self._searched(matches)

    def _searched(self, matches: Sequence[Match]) -> tuple[str, Sequence[CatalogDocument]]:
        best = matches[0].score
        shown = [one for one in matches if one.score >= FURTHER * best][: wording.SHOWN_TABLES]
        found = frozenset().union(*(one.found for one in shown))
        missing = [one.word for one in contents(self._terms) if one.word not in found]
        missing += self._resolved.unknown
        if missing:
            self._remarks.append(f"Nothing that I name here matches {wording.enumerated(missing)}.")
        cited = [document for one in shown for document in (one.table, *one.columns)]
        return wording.searched(shown), cited

    def _joined(
        self, one: CatalogDocument, two: CatalogDocument
    ) -> tuple[str, Sequence[CatalogDocument]]:
        links = keys.path(self._shelf.links, one.owner, two.owner)
        if not links:
            text = f"I know of no keys that lead from {one.name} to {two.name}."
            return text, (one, two)
        head = f"{one.name} and {two.name} join by:"
        return wording.links_listed(head, links), [one, two, *links]

    def _end(self, side: Sequence[Term]) -> CatalogDocument | None:
        """Return the table that one side of a join names."""
        terms = resolved(side, self._shelf.vocabulary).terms
        matches = self._shelf.matches(terms) if contents(terms) else []
        return next((one.table for one in matches if one.named), None)

    def _special(self, match: Match) -> tuple[str, Sequence[CatalogDocument]] | None:
        """Answer what is asked about a table as a whole; None where columns are searched for."""
        table, intent = match.table, self._question.intent
        asked = {term.word for term in contents(self._terms)}
        if intent in {Intent.SEARCH, Intent.TABLES, Intent.JOIN} or asked - match.named:
            return None
        _, *columns = self._shelf.of(table.owner)
        if self._resolved.unknown:
            words = wording.enumerated(self._resolved.unknown)
            self._remarks.append(f"Nothing that I name here matches {words}.")
        if intent is Intent.REFERRED:
            found = keys.referring(self._shelf.links, table.owner)
            head = (
                f"{table.name} is referred to by:" if found else f"Nothing refers to {table.name}."
            )
            return wording.links_listed(head, found), [table, *found]
        if intent is Intent.REFERENCES:
            found = keys.referred(self._shelf.links, table.owner)
            head = f"{table.name} refers to:" if found else f"{table.name} refers to nothing."
            return wording.links_listed(head, found), [table, *found]
        return self._about_columns(table, columns)

    def _about_columns(
        self, table: CatalogDocument, columns: Sequence[CatalogDocument]
    ) -> tuple[str, Sequence[CatalogDocument]]:
        intent = self._question.intent
        if intent is Intent.KEY:
            found = [one for one in columns if one.is_key]
            return wording.keys_listed(table, found), [table, *found]
        if intent is Intent.UNIQUE:
            found = [one for one in columns if one.is_key or one.is_unique]
            return wording.unique_listed(table, columns), [table, *found]
        if intent is Intent.REQUIRED:
            must = [one for one in columns if one.is_required]
            may = [one for one in columns if not one.is_required]
            return wording.required_listed(table, must, may), [table, *columns]
        return wording.columns_listed(table, columns), [table, *columns[: wording.SHOWN_NAMES]]


def _names_of_tables(documents: Sequence[CatalogDocument]) -> list[str]:
    return list(dict.fromkeys(".".join(filter(None, one.owner)) for one in documents))
