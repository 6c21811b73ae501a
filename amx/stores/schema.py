"""The schema of the local store, made from the declarations in core/tables.py.

Guard 1 stands here a second time, where no code path can go around it: triggers, because foreign
keys and CHECKs can be switched off by a connection's pragmas and triggers cannot.
"""

from collections.abc import Iterator

from amx.core.tables import ATTRIBUTION, SHARED_TABLES, Column, Kind, Table

VERSION = 2
"""Of the local schema, kept in ``PRAGMA user_version``. A newer one is refused."""

APPLICATION_ID = 0x616D7831
"""``amx1`` in ``PRAGMA application_id``, so that no other program's file is taken for ours."""

COUNTERS = {"pending": "queue.pending", "quarantined": "queue.quarantined"}
"""Key in ``state`` of the counter of each state of an entry; triggers keep them."""

ORIGIN = "origin_id"
"""Key in ``state`` of this installation's origin."""

NEVER_ENTERED, ENTERED, DROPPED = 0, 1, 2
"""Values of the column ``entered``: was the row ever in the outbox, and was its entry dropped."""


def version_1() -> Iterator[str]:
    """Yield the statements that make the first schema, in order."""
    for table in SHARED_TABLES:
        yield _table(table)
        yield from _guards(table)
        yield f"CREATE INDEX {table.name}_unentered ON {table.name} (id) WHERE entered <> {ENTERED}"
    yield from _INDEXES
    yield from _BINDING
    yield from _QUEUE
    yield from _POINTERS
    yield from _CATALOG


def _table(table: Table) -> str:
    lines = [
        "local_id INTEGER PRIMARY KEY AUTOINCREMENT",
        "id TEXT NOT NULL UNIQUE CHECK (id <> '')",
    ]
    lines += [_column(column) for column in table.columns if column.name not in ("id", "local_id")]
    lines.append("entered INTEGER NOT NULL DEFAULT 0 CHECK (entered IN (0, 1, 2))")
    if table.parent:
        lines.append("FOREIGN KEY ({}) REFERENCES {} (id)".format(*table.parent))
    body = ",\n  ".join(lines)
    return f"CREATE TABLE {table.name} (\n  {body}\n)"


def _column(column: Column) -> str:
    kind = "INTEGER" if column.kind is Kind.INTEGER else "TEXT"
    parts = [column.name, kind]
    if not column.is_nullable:
        parts.append("NOT NULL")
    if column.choices:
        choices = ", ".join(f"'{choice}'" for choice in column.choices)
        parts.append(f"CHECK ({column.name} IN ({choices}))")
    elif column.is_filled or column.kind in (Kind.TIMESTAMP, Kind.JSON):
        parts.append(f"CHECK ({column.name} <> '')")
    return " ".join(parts)


def _guards(table: Table) -> Iterator[str]:
    frozen = ["id", "created_at", *(column.name for column in ATTRIBUTION)]
    yield _frozen(table.name, "attribution", frozen, "key and attribution of a row never change")
    if table.parent:
        yield _frozen(table.name, "parent", [table.parent[0]], "a row never changes its parent")
    yield _refuse(
        f"{table.name}_revision BEFORE UPDATE ON {table.name}",
        "NEW.revision < OLD.revision",
        "the revision of a row never falls",
    )
    # INSERT OR REPLACE deletes the old row without its triggers; this one fires before that.
    yield _refuse(
        f"{table.name}_once BEFORE INSERT ON {table.name}",
        f"EXISTS (SELECT 1 FROM {table.name} WHERE id = NEW.id OR local_id = NEW.local_id)",
        "the row exists and is never replaced",
    )


def _frozen(table: str, name: str, columns: list[str], reason: str) -> str:
    changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in columns)
    return _refuse(f"{table}_{name} BEFORE UPDATE ON {table}", changed, reason)


def _refuse(event: str, when: str, reason: str) -> str:
    return (
        f"CREATE TRIGGER {event} FOR EACH ROW\nWHEN {when}\n"
        f"BEGIN SELECT RAISE(ABORT, '{reason}'); END"
    )


_INDEXES = (
    "CREATE INDEX runs_running ON runs (status) WHERE status = 'running'",
    "CREATE INDEX sessions_by_profile ON sessions (profile, identity)",
    "CREATE INDEX results_by_run ON results (run_id)",
    "CREATE UNIQUE INDEX turns_by_session ON turns (session_id, turn_index)",
)

_BOUND = (
    "NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.id = NEW.session_id "
    "AND sessions.profile = NEW.profile AND sessions.identity = NEW.identity{})"
)

_UNDELETED = " AND sessions.status <> 'deleted'"

_WRONG_BINDING = "the session is bound to another profile or database, or there is none"

_BINDING = (
    _frozen("sessions", "binding", ["profile", "identity"], "a session is bound for life"),
    _refuse(
        "sessions_deleted BEFORE UPDATE ON sessions",
        "OLD.status = 'deleted' AND NEW.status <> 'deleted'",
        "a deleted session stays deleted",
    ),
    _refuse(
        "sessions_kept BEFORE DELETE ON sessions",
        "EXISTS (SELECT 1 FROM turns WHERE turns.session_id = OLD.id)",
        "a session with turns is never removed",
    ),
    _refuse("turns_bound BEFORE INSERT ON turns", _BOUND.format(_UNDELETED), _WRONG_BINDING),
    _refuse("turns_stay_bound BEFORE UPDATE ON turns", _BOUND.format(""), _WRONG_BINDING),
    _frozen(
        "events", "append_only", ["kind", "subject", "profile", "details"], "an event never changes"
    ),
)

_TABLES = ", ".join(f"'{table.name}'" for table in SHARED_TABLES)

_QUEUE = (
    """CREATE TABLE state (
  key TEXT PRIMARY KEY NOT NULL CHECK (key <> ''),
  value TEXT NOT NULL
) WITHOUT ROWID""",
    f"""CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  table_name TEXT NOT NULL CHECK (table_name IN ({_TABLES})),
  row_id TEXT NOT NULL CHECK (row_id <> ''),
  local_id INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'quarantined')),
  attempts INTEGER NOT NULL DEFAULT 0,
  queued_at TEXT NOT NULL,
  last_error TEXT,
  UNIQUE (table_name, row_id)
)""",
    "CREATE INDEX outbox_by_age ON outbox (state, queued_at)",
    *(f"INSERT INTO state (key, value) VALUES ('{key}', '0')" for key in COUNTERS.values()),
    """CREATE TRIGGER outbox_entered AFTER INSERT ON outbox FOR EACH ROW BEGIN
  UPDATE state SET value = value + 1 WHERE key = 'queue.' || NEW.state;
END""",
    """CREATE TRIGGER outbox_left AFTER DELETE ON outbox FOR EACH ROW BEGIN
  UPDATE state SET value = value - 1 WHERE key = 'queue.' || OLD.state;
END""",
    """CREATE TRIGGER outbox_moved AFTER UPDATE ON outbox FOR EACH ROW
WHEN OLD.state <> NEW.state BEGIN
  UPDATE state SET value = value - 1 WHERE key = 'queue.' || OLD.state;
  UPDATE state SET value = value + 1 WHERE key = 'queue.' || NEW.state;
END""",
)

_POINTED = (
    "NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.id = NEW.session_id "
    "AND sessions.profile = NEW.profile AND sessions.identity = NEW.identity)"
)

_POINTERS = (
    """CREATE TABLE active_sessions (
  profile TEXT NOT NULL CHECK (profile <> ''),
  identity TEXT NOT NULL CHECK (identity <> ''),
  session_id TEXT NOT NULL REFERENCES sessions (id),
  PRIMARY KEY (profile, identity)
) WITHOUT ROWID""",
    _refuse("active_bound BEFORE INSERT ON active_sessions", _POINTED, _WRONG_BINDING),
    _refuse("active_stays_bound BEFORE UPDATE ON active_sessions", _POINTED, _WRONG_BINDING),
)

_CATALOG = (
    """CREATE TABLE catalog_indexes (
  identity TEXT PRIMARY KEY NOT NULL,
  digest TEXT NOT NULL
) WITHOUT ROWID""",
    """CREATE TABLE catalog_documents (
  id INTEGER PRIMARY KEY,
  identity TEXT NOT NULL,
  schema_name TEXT NOT NULL,
  table_name TEXT NOT NULL,
  column_name TEXT,
  kind TEXT NOT NULL,
  type TEXT NOT NULL,
  description TEXT NOT NULL,
  words TEXT NOT NULL
)""",
    "CREATE INDEX catalog_documents_by_identity ON catalog_documents (identity)",
    """CREATE VIRTUAL TABLE catalog_words USING fts5 (
  name, description, words, tokenize = 'porter unicode61'
)""",
)
