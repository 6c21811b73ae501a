"""Rows as the columns that a store writes, and back.

All text that enters a history passes `values_of`, so what no store can hold (NUL, lone
surrogates) is replaced here, once.
"""

import re
from typing import Any, TypeVar

from amx.core.models import Row, Values
from amx.core.tables import BY_NAME, Kind, Table

RowT = TypeVar("RowT", bound=Row)

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_UNSTORABLE = "[\0\ud800-\udfff]"


def clean(text: str) -> str:
    """Return text that every store can hold: NUL and lone surrogates are replaced.

    PostgreSQL has no NUL in text (its manual, 8.3) and UTF-8 no surrogates (RFC 3629, 3).
    """
    if text.isprintable():  # holds neither; and the pattern costs more than most commands need
        return text
    return re.sub(_UNSTORABLE, REPLACEMENT, text)


def canonical_json(value: object) -> str:
    """Return the one text of a JSON value: sorted keys, no spaces, cleaned text.

    Raises:
        TypeError: the value holds a float, whose text differs between databases.
    """
    import json

    return json.dumps(_checked(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def values_of(row: Row) -> Values:
    """Return the row as the columns of its table, in their order."""
    return {column.name: _value(row, column.name, column.kind) for column in _table(row).columns}


def row_of(kind: type[RowT], values: Values) -> RowT:
    """Return the row that `values_of` took apart; columns it does not know are ignored."""
    table = BY_NAME[kind.TABLE]
    fields: dict[str, Any] = {
        column.name: _field(values[column.name], column.kind) for column in table.columns
    }
    fields.update((name, values[name]) for name in table.local if name in values)
    return kind(**fields)


def _table(row: Row) -> Table:
    return BY_NAME[row.TABLE]


def _value(row: Row, name: str, kind: Kind) -> str | int | None:
    value = getattr(row, name)
    if kind is Kind.JSON:
        return canonical_json(value)
    return clean(value) if isinstance(value, str) else value


def _field(value: str | int | None, kind: Kind) -> object:
    if kind is not Kind.JSON or not isinstance(value, str):
        return value
    import json

    return json.loads(value)


def _checked(value: object) -> object:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): _checked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_checked(item) for item in value]
    if value is None or isinstance(value, bool | int):
        return value
    msg = f"a JSON column holds no {type(value).__name__}"
    raise TypeError(msg)
