"""What PostgreSQL's system catalogs say of a schema: three queries, however many tables it has."""

from collections.abc import Sequence
from typing import Any

from amx.core.catalog import ColumnInfo, ForeignKey, TableInfo

Rows = Sequence[tuple[Any, ...]]

_KINDS = {"v": "view", "m": "materialized view", "f": "foreign table"}

TABLES = """
SELECT c.relname, c.relkind, obj_description(c.oid, 'pg_class'),
       a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a
  ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE n.nspname = %s
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND NOT c.relispartition
ORDER BY c.relname COLLATE "C", a.attnum
"""

# An index over more columns than its keys (INCLUDE) has further entries in indkey.
KEYS = """
SELECT c.relname, a.attname, i.indisprimary, i.indnkeyatts = 1
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
WHERE n.nspname = %s
  AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
  AND k.place <= i.indnkeyatts
"""

# A key of or to a partitioned table is repeated for each partition, with a parent.
FOREIGN_KEYS = """
SELECT c.relname, a.attname, fn.nspname, f.relname, fa.attname
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class f ON f.oid = k.confrelid
JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS p(here, there)
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.here
JOIN pg_catalog.pg_attribute fa ON fa.attrelid = f.oid AND fa.attnum = p.there
WHERE n.nspname = %s AND k.contype = 'f' AND k.conparentid = 0
ORDER BY cardinality(k.conkey), k.conname
"""

_DIGEST = """(SELECT encode(sha256(convert_to(
    string_agg(r::text, E'\\n' ORDER BY r::text), getdatabaseencoding())), 'hex') FROM ({}) AS r)"""

FINGERPRINT = f"SELECT {', '.join(_DIGEST.format(query) for query in (TABLES, KEYS, FOREIGN_KEYS))}"
"""Digests of what the three queries return, made by the server in one round trip."""


def tables_of(schema: str, rows: Rows, keys: Rows, foreign: Rows) -> Sequence[TableInfo]:
    """Put together what `TABLES`, `KEYS` and `FOREIGN_KEYS` returned."""
    known = _Keys(keys, foreign)
    columns: dict[str, list[ColumnInfo]] = {}
    heads: dict[str, tuple[str, str | None]] = {}
    for table, kind, comment, name, type_, is_required, default, about in rows:
        heads[table] = (_KINDS.get(kind, "table"), comment)
        of_table = columns.setdefault(table, [])
        if name is None:
            continue
        of_table.append(
            ColumnInfo(
                name=name,
                type=type_,
                is_nullable=not is_required,
                is_primary_key=(table, name) in known.primary,
                is_unique=(table, name) in known.unique,
                comment=about,
                default=default,
                foreign_key=known.foreign.get((table, name)),
            )
        )
    return [
        TableInfo(
            schema=schema, name=name, kind=kind, comment=comment, columns=tuple(columns[name])
        )
        for name, (kind, comment) in heads.items()
    ]


class _Keys:
    """The keys of a schema, by table and column."""

    def __init__(self, keys: Rows, foreign: Rows) -> None:
        self.primary = {(table, name) for table, name, is_primary, _ in keys if is_primary}
        self.unique = {
            (table, name) for table, name, is_primary, is_own in keys if is_own and not is_primary
        }
        self.foreign: dict[tuple[str, str], ForeignKey] = {}
        for table, name, *there in foreign:
            target = ForeignKey(schema=there[0], table=there[1], column=there[2])
            self.foreign.setdefault((table, name), target)
