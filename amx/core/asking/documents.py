"""What the search index holds: assets and the words that they are made of.

Named tuples: a question pays for their definition and for hundreds of them.
"""

from typing import NamedTuple

TableName = tuple[str, str]
"""Schema and name."""


class Target(NamedTuple):
    """The column that a foreign key points at."""

    schema: str
    table: str
    column: str


class CatalogDocument(NamedTuple):
    """One asset: a table, a view, or a column of one (``column`` is None for the former).

    ``names`` are the words of its name and ``told`` those of its comment, as `terms.written`
    has them; ``description`` is what an answer says of it.
    """

    schema: str
    table: str
    column: str | None
    kind: str
    type: str = ""
    description: str = ""
    names: str = ""
    told: str = ""
    is_key: bool = False
    is_unique: bool = False
    is_required: bool = False
    target: Target | None = None

    @property
    def owner(self) -> TableName:
        """The table or view that it is, or belongs to."""
        return self.schema, self.table

    @property
    def name(self) -> str:
        """Schema, table and column as an answer cites them."""
        return ".".join(part for part in (self.schema, self.table, self.column) if part)


class Word(NamedTuple):
    """A word of a catalog, by its stem.

    ``in_tables`` counts the tables whose name has it, ``anywhere`` those that have it in their
    names, their columns' names or their comments.
    """

    stem: str
    word: str
    in_tables: int
    anywhere: int


FORMAT = 1
"""Of what stands in the index; an index of another format is made anew."""


class IndexState(NamedTuple):
    """What an index was made from, when, and how many tables and views it has."""

    digest: str
    made_at: str
    tables: int
