"""What a declared type says in plain words."""

import re
from enum import Enum


class Sort(Enum):
    """What kind of values a column holds, as its declared type tells."""

    WHOLE = "a whole number"
    DECIMAL = "a decimal number"
    TEXT = "text"
    DATE = "a date"
    MOMENT = "a date and time"
    TIME = "a time of day"
    SPAN = "a span of time"
    BOOLEAN = "true or false"
    UUID = "a UUID"
    JSON = "a JSON document"
    XML = "an XML document"
    BINARY = "binary data"
    LIST = "a list"
    OTHER = ""


_SORTS = (
    (r"\[\]|^array|^_", Sort.LIST),
    (r"json|hstore", Sort.JSON),
    (r"xml", Sort.XML),
    (r"bytea|blob|binary|image", Sort.BINARY),
    (r"uuid|uniqueidentifier", Sort.UUID),
    (r"bool|^bit$", Sort.BOOLEAN),
    (r"interval", Sort.SPAN),
    (r"timestamp|datetime", Sort.MOMENT),
    (r"^date", Sort.DATE),
    (r"^time", Sort.TIME),
    (r"^(big|small|medium|tiny|unsigned big )?(int|serial)|^int\d", Sort.WHOLE),
    (r"numeric|decimal|money|real|double|float|number", Sort.DECIMAL),
    (r"char|text|clob|citext|^name$|^string", Sort.TEXT),
)

_NO_FRACTION = re.compile(r"^(numeric|decimal|number)\s*\(\s*\d+\s*(,\s*0\s*)?\)")


def sort_of(declared: str) -> Sort:
    """Return what a type of PostgreSQL or SQLite holds; OTHER where it cannot be told."""
    low = declared.strip().lower()
    if _NO_FRACTION.match(low):
        return Sort.WHOLE
    return next((sort for pattern, sort in _SORTS if re.search(pattern, low)), Sort.OTHER)


def in_words(declared: str) -> str:
    """Return a type in plain words; one that is not known is named as it is declared."""
    return sort_of(declared).value or (f"of type {declared}" if declared.strip() else "")
