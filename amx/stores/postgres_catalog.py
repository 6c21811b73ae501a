"""What is asked of ``pg_catalog``, which shows a schema to whoever may connect.

``information_schema`` would hide what belongs to others.
"""

_FROM_OURS = """
    pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
        AND n.nspname = %s AND c.relname = ANY(%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"""

_TABLES = f"""
    SELECT c.relname::TEXT, fact.* FROM {_FROM_OURS}
    CROSS JOIN LATERAL (VALUES
        ('table', '',
            c.relkind::TEXT || CASE c.relpersistence WHEN 'u' THEN ' unlogged' ELSE '' END),
        ('comment', '', obj_description(c.oid, 'pg_class')),
        ('row security', '', CASE WHEN c.relrowsecurity THEN 'on' END)
    ) AS fact (kind, name, value)
    WHERE fact.value IS NOT NULL"""

_COLUMNS = f"""
    SELECT c.relname::TEXT, fact.* FROM {_FROM_OURS}
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_collation l ON l.oid = a.attcollation AND a.attcollation <> t.typcollation
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    CROSS JOIN LATERAL (VALUES
        ('column', format_type(a.atttypid, a.atttypmod)
            || COALESCE(' collate ' || l.collname, '')
            || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END),
        ('default', pg_get_expr(d.adbin, d.adrelid)),
        ('comment', col_description(c.oid, a.attnum))
    ) AS found (kind, value)
    CROSS JOIN LATERAL (VALUES (found.kind, a.attname::TEXT, found.value))
        AS fact (kind, name, value)
    WHERE fact.value IS NOT NULL
    ORDER BY c.relname, a.attnum"""

_CONSTRAINTS = f"""
    SELECT c.relname::TEXT, fact.* FROM {_FROM_OURS}
    JOIN pg_constraint o ON o.conrelid = c.oid AND o.contype IN ('c', 'p', 'u', 'f', 'x')
    CROSS JOIN LATERAL (SELECT pg_get_constraintdef(o.oid) AS text) AS shown
    CROSS JOIN LATERAL (SELECT
        CASE o.contype WHEN 'c' THEN 'check' WHEN 'p' THEN 'primary key' ELSE 'constraint' END,
        CASE o.contype WHEN 'p' THEN '' ELSE shown.text END,
        CASE o.contype WHEN 'p' THEN (
            SELECT string_agg(a.attname::TEXT, ', ' ORDER BY k.place)
            FROM unnest(o.conkey) WITH ORDINALITY AS k (number, place)
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
        ) ELSE 'valid' END
    ) AS fact (kind, name, value)
    ORDER BY c.relname, o.conname"""

_INDEXES = f"""
    SELECT c.relname::TEXT, 'index',
        (SELECT string_agg(pg_get_indexdef(i.indexrelid, k, TRUE), ', ' ORDER BY k)
         FROM generate_series(1, i.indnatts) AS k),
        concat_ws(' ',
            CASE WHEN i.indisunique THEN 'unique' END, m.amname,
            CASE WHEN NOT i.indisvalid THEN 'not valid' END,
            'where ' || pg_get_expr(i.indpred, i.indrelid))
    FROM {_FROM_OURS}
    JOIN pg_index i ON i.indrelid = c.oid
    JOIN pg_class x ON x.oid = i.indexrelid
    JOIN pg_am m ON m.oid = x.relam
    WHERE NOT EXISTS (
        SELECT FROM pg_constraint o WHERE o.conindid = i.indexrelid AND o.conrelid = c.oid)
    ORDER BY c.relname, x.relname"""

_TRIGGERS = f"""
    SELECT c.relname::TEXT, 'trigger', g.tgname::TEXT, 'there' FROM {_FROM_OURS}
    JOIN pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal
    ORDER BY c.relname, g.tgname"""

SHAPES = (_TABLES, _COLUMNS, _CONSTRAINTS, _INDEXES, _TRIGGERS)
"""Each asks for (table, kind, name, value), given a schema and the names of tables."""

_COLUMN_RIGHTS = f"""
    SELECT c.relname::TEXT, 'right', r.name, COALESCE(
        string_agg(a.attname::TEXT, ', ' ORDER BY a.attname)
            FILTER (WHERE has_column_privilege(%s::BIGINT::OID, c.oid, a.attnum, r.name)), 'no')
    FROM {_FROM_OURS}
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE')) AS r (name)
    GROUP BY c.relname, r.name"""

_TABLE_RIGHTS = f"""
    SELECT c.relname::TEXT, 'right', r.name,
        CASE WHEN has_table_privilege(%s::BIGINT::OID, c.oid, r.name) THEN 'yes' ELSE 'no' END
    FROM {_FROM_OURS}
    CROSS JOIN (VALUES ('DELETE'), ('TRUNCATE')) AS r (name)"""

_USAGE = f"""
    SELECT c.relname::TEXT, 'right', 'USAGE of the schema',
        CASE WHEN has_schema_privilege(%s::BIGINT::OID, n.oid, 'USAGE') THEN 'yes' ELSE 'no' END
    FROM {_FROM_OURS}
    WHERE c.relname = 'meta'"""

RIGHTS = (_COLUMN_RIGHTS, _TABLE_RIGHTS, _USAGE)
"""The same for what a role may do; its oid comes first."""
