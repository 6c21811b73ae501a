"""The shape of a shared schema, as facts that can be compared. Pure decisions.

A shape says of each table which facts hold: ``("column", "title")`` is ``text not null``, say.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

Item: TypeAlias = tuple[str, str]
"""A kind of thing and its name, which is empty where the table has only one."""

Facts: TypeAlias = Mapping[Item, str]

Shape: TypeAlias = Mapping[str, Facts]

TABLE: Item = ("table", "")

OF_A_COLUMN = ("default", "comment")
"""What goes with its column: of a column that is missing it is not told as well."""


class Difference(NamedTuple):
    """One fact that is missing, differs or is extra in the live schema."""

    table: str
    kind: str
    name: str
    state: str
    expected: str | None
    found: str | None

    @property
    def document(self) -> Mapping[str, object]:
        """The difference as scripts read it."""
        return self._asdict()

    @property
    def cells(self) -> tuple[str, ...]:
        """The difference as people read it."""
        what = f"{self.kind} {self.name}".rstrip()
        return self.table, what, self.state, self.expected or "-", self.found or "-"


def differences(expected: Shape, live: Shape) -> list[Difference]:
    """Return what tells a live schema from the one that is expected, table by table.

    Tables that are not ours are none of our business. Of a table that is missing that is all
    that is told.
    """
    found = []
    for table, facts in expected.items():
        there = live.get(table)
        if there is None:
            found.append(Difference(table, *TABLE, "missing", facts.get(TABLE), None))
        else:
            found += _of_table(table, facts, there)
    return found


def _of_table(table: str, expected: Facts, live: Facts) -> Iterator[Difference]:
    for item in dict.fromkeys([*expected, *live]):
        wanted, there = expected.get(item), live.get(item)
        if wanted != there and not _is_told_with_its_column(item, expected, live):
            yield Difference(table, *item, _state(wanted, there), wanted, there)


def _state(wanted: str | None, there: str | None) -> str:
    if there is None:
        return "missing"
    return "extra" if wanted is None else "differs"


def _is_told_with_its_column(item: Item, expected: Facts, live: Facts) -> bool:
    kind, name = item
    column = ("column", name)
    return kind in OF_A_COLUMN and (column in expected) != (column in live)
