"""How tables hang together: what refers to what, and by which keys one comes from here to there."""

from collections.abc import Iterable, Sequence

from amx.core.asking.documents import CatalogDocument, TableName

Links = Sequence[CatalogDocument]
"""Columns that refer to another one."""


def target_of(link: CatalogDocument) -> TableName:
    """Return the table that a column refers to."""
    return (link.target.schema, link.target.table) if link.target else link.owner


def referring(links: Links, table: TableName) -> list[CatalogDocument]:
    """Return the columns that refer to a table."""
    return [one for one in links if target_of(one) == table]


def referred(links: Links, table: TableName) -> list[CatalogDocument]:
    """Return the columns of a table that refer to another one."""
    return [one for one in links if one.owner == table]


def neighbours(links: Links, table: TableName) -> set[TableName]:
    """Return the tables that refer to this one or that it refers to."""
    around = {one.owner for one in referring(links, table)}
    return (around | {target_of(one) for one in referred(links, table)}) - {table}


def path(links: Links, start: TableName, end: TableName) -> list[CatalogDocument]:
    """Return the keys of the shortest way from one table to another; none where there is no way.

    Of several keys between two tables on it all are given.
    """
    came_from = {start: start}
    around: dict[TableName, set[TableName]] = {}
    for link in links:
        around.setdefault(link.owner, set()).add(target_of(link))
        around.setdefault(target_of(link), set()).add(link.owner)
    edge = [start]
    while edge and end not in came_from:
        here = edge.pop(0)
        new = sorted(around.get(here, set()) - came_from.keys())
        came_from.update(dict.fromkeys(new, here))
        edge += new
    if end not in came_from:
        return []
    steps, here = [], end
    while here != start:
        steps.append((came_from[here], here))
        here = came_from[here]
    return [link for step in reversed(steps) for link in _between(links, step)]


def _between(links: Links, pair: Iterable[TableName]) -> list[CatalogDocument]:
    return [one for one in links if {one.owner, target_of(one)} == set(pair)]
