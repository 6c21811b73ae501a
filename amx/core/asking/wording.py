"""An answer in words, without a model: what is said of tables, columns and keys."""

from collections.abc import Iterable, Sequence

from amx.core.asking.documents import CatalogDocument
from amx.core.asking.ranking import Match

SHOWN_TABLES = 3
"""How many tables an answer names."""

SHOWN_NAMES = 40
"""How many names a list of tables or columns gives before it only counts the rest."""


def searched(matches: Sequence[Match]) -> str:
    """Say what was found: the best table with its columns, and what else there is."""
    first, *others = matches
    lines = [table_line(first.table, first.columns), *map(column_line, first.columns)]
    if others:
        lines.append("See also:")
        lines += [f"  {table_line(one.table, one.columns)}" for one in others]
    return "\n".join(lines)


def table_line(table: CatalogDocument, columns: Sequence[CatalogDocument] = ()) -> str:
    """Say what a table is and, in brackets, which of its columns are meant."""
    text = f"{table.name}: {table.description}" if table.description else table.name
    names = ", ".join(str(one.column) for one in columns)
    return f"{text} (columns: {names})" if names else text


def column_line(column: CatalogDocument) -> str:
    """Say what a column is."""
    text = f"{column.column} {column.type}".strip()
    return f"  {text}: {column.description}" if column.description else f"  {text}"


def columns_listed(table: CatalogDocument, columns: Sequence[CatalogDocument]) -> str:
    """List the columns of a table."""
    if not columns:
        return f"{table.name} has no columns that could be read."
    head = f"{table.name} has {len(columns)} columns:"
    return "\n".join([head, *map(column_line, columns[:SHOWN_NAMES]), *_rest(columns)])


def tables_listed(tables: Sequence[CatalogDocument]) -> str:
    """List the tables and views of a catalog."""
    names = [f"  {one.name}" + ("" if one.kind == "table" else f" ({one.kind})") for one in tables]
    head = f"There are {len(tables)} tables and views:"
    return "\n".join([head, *names[:SHOWN_NAMES], *_rest(tables)])


def _rest(assets: Sequence[object]) -> list[str]:
    more = len(assets) - SHOWN_NAMES
    return [f"  … and {more} more"] if more > 0 else []


def link_line(link: CatalogDocument) -> str:
    """Say what a column refers to."""
    target = link.target
    if target is None:
        return f"  {link.name}"
    there = ".".join(part for part in target if part)
    return f"  {link.name} → {there}"


def links_listed(head: str, links: Iterable[CatalogDocument]) -> str:
    """List columns with what they refer to."""
    return "\n".join([head, *map(link_line, links)])


def keys_listed(table: CatalogDocument, columns: Sequence[CatalogDocument]) -> str:
    """Say what the primary key of a table is."""
    if not columns:
        return f"{table.name} has no primary key in the catalog."
    return "\n".join([f"The primary key of {table.name}:", *map(column_line, columns)])


def unique_listed(table: CatalogDocument, columns: Sequence[CatalogDocument]) -> str:
    """Say which columns of a table are declared unique, its primary key among them."""
    keys = [one for one in columns if one.is_key]
    alone = [one for one in columns if one.is_unique]
    lines = []
    if keys:
        together = " together" if len(keys) > 1 else ""
        names = ", ".join(one.name for one in keys)
        lines.append(f"  {names}{together}: the primary key")
    lines += [f"  {one.name}: declared unique" for one in alone]
    if not lines:
        return f"The catalog declares nothing of {table.name} to be unique."
    return "\n".join([f"Unique in {table.name}:", *lines])


def required_listed(
    table: CatalogDocument, required: Sequence[CatalogDocument], free: Sequence[CatalogDocument]
) -> str:
    """Say which columns of a table must have a value."""
    must = ", ".join(str(one.column) for one in required) or "none"
    may = ", ".join(str(one.column) for one in free) or "none"
    return f"In {table.name} these must have a value: {must}.\n  These may be empty: {may}."


def enumerated(words: Iterable[str]) -> str:
    """Return words as one lists them: ``a, b and c``."""
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last
