"""What the core asks of a profile's own database, of what describes it and of its search index.

As in ``ports.py``, values are imported for the checker only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amx.core.asking.documents import CatalogDocument, IndexState, TableName, Word
    from amx.core.catalog import ColumnFacts, Proposal, TableInfo


class Catalog(Protocol):
    """Reads a profile's own database. Never writes.

    Every method raises:
        DatabaseUnreachable: it cannot be reached.
        DatabaseRefused: it refused the login or the statement.
    """

    def server_identity(self) -> str | None:
        """Return what the server says it is, where it says so."""

    def fingerprint(self) -> str:
        """Return a text that differs whenever `tables` would return something else; cheaply."""

    def tables(self) -> Sequence[TableInfo]:
        """Return the tables and views of the profile's schema, by name."""

    def facts(self, table: TableInfo) -> Mapping[str, ColumnFacts]:
        """Return facts by column name; a column whose values cannot be compared is left out."""

    def close(self) -> None:
        """Let go of the connection."""


class Describer(Protocol):
    """Proposes descriptions."""

    @property
    def provenance(self) -> str:
        """What its descriptions rest on: ``evidence`` or ``model:<name>``."""

    def describe(self, table: TableInfo, facts: Mapping[str, ColumnFacts]) -> Sequence[Proposal]:
        """Propose one description for the table and one for each of its columns."""


class CatalogIndex(Protocol):
    """Full-text search over the catalogs of profiles, one index per identity."""

    def state(self, identity: str) -> IndexState | None:
        """Return what the index of this identity was made from, and when; None without one."""

    def refresh(
        self,
        identity: str,
        digest: str,
        documents: Iterable[CatalogDocument],
        vocabulary: Iterable[Word],
    ) -> bool:
        """Replace the index of this identity; tell whether it was not of this digest already.

        Each table stands before its columns. Several at once are harmless: the first writes.
        """

    def vocabulary(self, identity: str) -> Mapping[str, Word]:
        """Return the words of this catalog by their stems."""

    def tables(self, identity: str) -> Sequence[CatalogDocument]:
        """Return the tables and views."""

    def links(self, identity: str) -> Sequence[CatalogDocument]:
        """Return the columns that refer to another one."""

    def of(self, identity: str, tables: Sequence[TableName]) -> Sequence[CatalogDocument]:
        """Return these tables, each followed by its columns, as far as the index has them."""

    def search(self, identity: str, stems: Sequence[str], limit: int) -> Sequence[CatalogDocument]:
        """Return the assets that have any of these stems, with the tables that they belong to.

        Of more than ``limit`` assets the best are returned, with their tables.
        """

    def named(self, identity: str, name: str) -> Sequence[CatalogDocument]:
        """Return the assets with this name, whatever the case of its letters."""
