"""Words for names and for values: what a column is called, and what its values look like."""

import re
from collections.abc import Sequence

from amx.core.catalog import ColumnFacts, ColumnInfo, TableInfo
from amx.core.words import Reading, phrase, plural, singular
from amx.describers.types import Sort, in_words, sort_of

KEY_WORDS = frozenset({"code", "id", "identifier", "key", "no", "number"})
"""Last words of names that stand for something else than themselves."""

_OF_ITS_TABLE = frozenset({
    "category", "code", "comment", "date", "description", "kind", "name", "notes", "remark",
    "status", "title", "total", "type",
})  # fmt: skip
"""Words that alone in a name need their table to say anything."""

_TABLE_MARKS = frozenset({"t", "tab", "table", "tb", "tbl", "v", "view", "vw"})
"""Parts of table names that only say that it is one."""

_LAYERS = frozenset({"header", "master"})
"""Last words of table names that say how a row is kept, not what it is."""

_AUDIT = frozenset({"created", "deleted", "inserted", "modified", "updated"})
_WHEN = frozenset({"at", "date", "on", "time", "timestamp"})
_UNITS = frozenset({"cm", "g", "gb", "kb", "kg", "km", "m", "mb", "mm", "ms", "usd", "eur"})
_DONE = frozenset({"built", "made", "paid", "sent", "sold", "taken"})
_CLAIMS = frozenset({"can", "has", "is", "was"})
_DATED = re.compile(r"\d{4}-\d\d-\d\d([ T][\d:.+Z-]+)?")
_MIDNIGHT = re.compile(r"[ T]00:00(:00(\.0+)?)?(\+00(:?00)?|Z)?$")
_TWO = 2


def thing(reading: Reading) -> str:
    """Return what one row of a table is called."""
    words = [word for word in reading.words if word not in _TABLE_MARKS] or list(reading.words)
    words = words[:-1] if len(words) > 1 and words[-1] in _LAYERS else words
    return phrase([*words[:-1], singular(words[-1])]) if words else "row"


def things(reading: Reading) -> str:
    """Return what the rows of a table are called."""
    words = [word for word in reading.words if word not in _TABLE_MARKS] or list(reading.words)
    return phrase([*words[:-1], plural(words[-1])]) if words else "rows"


def title(text: str) -> str:
    """Return text that begins with a capital letter."""
    return text[:1].upper() + text[1:]


def listed(names: Sequence[str], most: int = 6) -> str:
    """Return names as one would list them; beyond ``most``, how many more there are."""
    shown = [*names[:most], f"{len(names) - most} more"] if len(names) > most + 1 else [*names]
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def head(column: ColumnInfo, reading: Reading, table: TableInfo, of_table: Reading) -> str:
    """Return what a column is, by its name and its keys."""
    words = list(reading.words)
    owner = thing(of_table)
    if (column.is_primary_key or column.foreign_key) and (not words or words[-1] in KEY_WORDS):
        return f"Identifies the {phrase(words[:-1]) or owner}"
    if not words:
        return f"A column named {column.name}"
    is_generic = len(words) == 1 and words[0] in _OF_ITS_TABLE and table.kind == "table"
    told = (
        _of_an_act(words, column, owner),
        _of_a_count(words, column),
        _of_a_claim_or_unit(words, owner),
        f"{title(words[0])} of the {owner}" if is_generic else "",
    )
    return next((text for text in told if text), title(phrase(words)))


def _of_an_act(words: Sequence[str], column: ColumnInfo, owner: str) -> str:
    *act, last = words
    if len(act) != 1 or not (act[0].endswith("ed") or act[0] in _DONE):
        return ""
    what = "row" if act[0] in _AUDIT else owner
    if last in _WHEN and sort_of(column.type) in {Sort.DATE, Sort.MOMENT}:
        return f"When the {what} was {act[0]}"
    if last == "by":
        return f"Who {act[0]} the {what}"
    return f"User that {act[0]} the {what}" if last == "user" and act[0] in _AUDIT else ""


def _of_a_count(words: Sequence[str], column: ColumnInfo) -> str:
    if len(words) == 1 or sort_of(column.type) is not Sort.WHOLE:
        return ""
    if words[-1] == "count":
        return f"Number of {phrase([*words[:-2], plural(words[-2])])}"
    if words[0] in {"count", "number"}:
        return f"Number of {phrase([*words[1:-1], plural(words[-1])])}"
    return ""


def _of_a_claim_or_unit(words: Sequence[str], owner: str) -> str:
    if len(words) > 1 and words[0] in _CLAIMS:
        return f"Whether the {owner} {phrase(words)}"
    if len(words) > 1 and words[-1] in _UNITS:
        return f"{title(phrase(words[:-1]))} in {phrase(words[-1:])}"
    return ""


def values(column: ColumnInfo, facts: ColumnFacts | None, table: TableInfo) -> list[str]:
    """Return what is known of a column's values, in parts of one sentence."""
    is_key = column.is_primary_key or column.foreign_key is not None
    kind = "" if is_key else in_words(column.type)
    unique = ["unique"] if column.is_unique else []
    if facts is None:
        required = [] if column.is_nullable or column.is_primary_key else ["required"]
        return [part for part in (kind, *unique, *required) if part]
    if facts.rows == 0:
        return [part for part in (kind, *unique, "no rows yet") if part]
    if facts.nulls == facts.rows:
        return [part for part in (kind, "without a value in any row") if part]
    seen = _seen(column, facts)
    if kind and seen.startswith("from "):
        kind, seen = f"{kind} {seen}", ""
    parts = [kind, *unique, seen, _missing(column, facts, table)]
    return [part for part in parts if part]


def counted(number: int, noun: str) -> str:
    """Return a count with its noun, in the singular or the plural."""
    *before, last = noun.split()
    return " ".join([f"{number:,}", *before, last if number == 1 else plural(last)])


def ends(column: ColumnInfo, facts: ColumnFacts) -> str:
    """Return the range of a column's values, where it says something."""
    low, high = facts.minimum, facts.maximum
    if low is None or high is None or low == high:
        return ""
    is_dated = bool(_DATED.fullmatch(low) and _DATED.fullmatch(high))
    if sort_of(column.type) in {Sort.TEXT, Sort.OTHER} and not is_dated:
        return ""
    if _MIDNIGHT.search(low) and _MIDNIGHT.search(high):
        low, high = _MIDNIGHT.sub("", low), _MIDNIGHT.sub("", high)
    return f"from {low} to {high}"


def _seen(column: ColumnInfo, facts: ColumnFacts) -> str:
    present = facts.rows - facts.nulls
    if column.is_primary_key and not column.foreign_key:
        return ends(column, facts)
    if facts.distinct == 1 and present > 1:
        same = _shown(column, facts.minimum)
        return f"always {same}" if same else "the same value in every row"
    is_open = not column.foreign_key
    found = (_either(column, facts) or ends(column, facts)) if is_open else ""
    if found or (is_open and sort_of(column.type) is Sort.BOOLEAN):
        return found
    if facts.distinct == present and present > 1:
        return "" if column.is_unique else "all values distinct"
    return counted(facts.distinct, "distinct value")


def _either(column: ColumnInfo, facts: ColumnFacts) -> str:
    if facts.distinct != _TWO or facts.minimum is None or facts.maximum is None:
        return ""
    return f"either {_shown(column, facts.minimum)} or {_shown(column, facts.maximum)}"


def _shown(column: ColumnInfo, value: str | None) -> str:
    if value is None:
        return ""
    is_text = sort_of(column.type) in {Sort.TEXT, Sort.OTHER}
    return f"“{value}”" if is_text else _MIDNIGHT.sub("", value)


def _missing(column: ColumnInfo, facts: ColumnFacts, table: TableInfo) -> str:
    if column.is_primary_key:
        return ""
    if facts.nulls:
        return f"missing in {facts.nulls:,} of {counted(facts.rows, 'row')}"
    # What a view may hold is not declared; its columns all count as nullable.
    is_free = column.is_nullable and not table.kind.endswith("view")
    return "nullable but never missing" if is_free else "never missing"
