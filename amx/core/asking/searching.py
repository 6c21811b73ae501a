"""The index of one identity, as the answer to one question looks at it."""

from collections.abc import Callable, Sequence
from functools import cached_property

from amx.core.asking.documents import CatalogDocument, TableName
from amx.core.asking.ranking import Match, Ranking
from amx.core.asking.spelling import Vocabulary
from amx.core.asking.terms import ABOUT_CATALOGS, Term, contents
from amx.core.catalog_ports import CatalogIndex

MOST_HITS = 1000
"""How many assets a search may bring; the best of them where there are more."""


class Shelf:
    """What is known of one catalog.

    Args:
        index: Where it stands.
        identity: Whose catalog it is.
    """

    def __init__(self, index: CatalogIndex, identity: str) -> None:
        self._index = index
        self._identity = identity
        self._searched: dict[tuple[str, ...], Sequence[CatalogDocument]] = {}

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The words of the catalog by their stems."""
        return self._index.vocabulary(self._identity)

    @cached_property
    def size(self) -> int:
        """How many tables and views there are."""
        state = self._index.state(self._identity)
        return state.tables if state else 0

    @cached_property
    def links(self) -> Sequence[CatalogDocument]:
        """The columns that refer to another one."""
        return self._index.links(self._identity)

    @property
    def tables(self) -> Sequence[CatalogDocument]:
        """All tables and views."""
        return self._index.tables(self._identity)

    def of(self, *tables: TableName) -> Sequence[CatalogDocument]:
        """Return tables, each followed by its columns."""
        return self._index.of(self._identity, tables)

    def matches(
        self, terms: Sequence[Term], among: Callable[[TableName], bool] | None = None
    ) -> list[Match]:
        """Return the tables that terms find, best first.

        Args:
            terms: Words that the catalog has.
            among: Which tables may be found; all by default.
        """
        sought = contents(terms) or [one for one in terms if one.weight == ABOUT_CATALOGS]
        stems = [stem for term in sought for stem in term.stems]
        kept = [one for one in self._found(stems) if among is None or among(one.owner)]
        return Ranking(terms, self.vocabulary, self.size).ranked(kept)

    def _found(self, stems: Sequence[str]) -> Sequence[CatalogDocument]:
        """Search once for what is ranked among several tables in turn."""
        key = tuple(stems)
        if key not in self._searched:
            self._searched[key] = self._index.search(self._identity, stems, MOST_HITS)
        return self._searched[key]
