"""The columns of the shared tables as each backend has them.

Both the DDL and what `dump-ddl --check` expects of a live schema are made from these.
"""

from collections.abc import Mapping
from typing import NamedTuple

from amx.core.tables import KEY, Column, Kind, Table
from amx.drivers.postgres import quoted

_TYPES: Mapping[str, Mapping[Kind, str]] = {
    "postgresql": {
        Kind.TEXT: "TEXT",
        Kind.INTEGER: "BIGINT",
        Kind.TIMESTAMP: "TIMESTAMPTZ",
        Kind.JSON: "JSONB",
    },
    "sqlite": {
        Kind.TEXT: "TEXT",
        Kind.INTEGER: "INTEGER",
        Kind.TIMESTAMP: "TEXT",
        Kind.JSON: "TEXT",
    },
}

# Byte order, which is also Python's and SQLite's: `verify` merges the two sides by it.
_KEY_TYPES = {"postgresql": 'TEXT COLLATE "C"', "sqlite": "TEXT"}


class Spec(NamedTuple):
    """One column of one backend. Only a key is checked by ``PRIMARY KEY``."""

    name: str
    type: str
    comment: str
    is_nullable: bool = False
    is_key: bool = False
    default: str | None = None
    checks: tuple[str, ...] = ()

    @property
    def definition(self) -> str:
        """The column as it stands in ``CREATE TABLE``."""
        words = [quoted(self.name), self.type]
        words += [] if self.is_nullable else ["NOT NULL"]
        words += ["PRIMARY KEY"] if self.is_key else []
        words += [f"DEFAULT {self.default}"] if self.default else []
        return " ".join([*words, *(f"CHECK ({check})" for check in self.checks)])


def specs_of(table: Table, backend: str) -> list[Spec]:
    """Return all columns of a table: those that the client writes, then the server's own."""
    own = [_spec(column, backend) for column in table.columns]
    return own + (_SERVER_COLUMNS if backend == "postgresql" else [])


def meta_specs(backend: str) -> list[Spec]:
    """Return the columns of the table in which a store says of itself what it is."""
    return _META_COLUMNS[backend]


def literal(text: str) -> str:
    """Return a text as a string constant (PostgreSQL manual, 4.1.2)."""
    return "'" + text.replace("'", "''") + "'"


def _spec(column: Column, backend: str) -> Spec:
    is_key = column is KEY
    return Spec(
        name=column.name,
        type=_KEY_TYPES[backend] if is_key else _TYPES[backend][column.kind],
        comment=column.comment,
        is_nullable=column.is_nullable,
        is_key=is_key,
        checks=_checks(column, backend),
    )


def _checks(column: Column, backend: str) -> tuple[str, ...]:
    name = quoted(column.name)
    checks = []
    if column.is_filled:
        checks.append(f"{name} <> ''")
    if column.choices:
        checks.append(f"{name} IN ({', '.join(map(literal, column.choices))})")
    if column.kind is Kind.JSON and backend == "sqlite":
        checks.append(f"json_valid({name})")
    return tuple(checks)


_SERVER_COLUMNS = [
    Spec(
        "db_user",
        "TEXT",
        "Session user of the first insert, as the server knows it.",
        default="SESSION_USER",
    ),
    Spec(
        "received_at",
        "TIMESTAMPTZ",
        "When the first insert arrived, by the server's clock.",
        default="clock_timestamp()",
    ),
]

_SINGLETON = "Always true: there is one row."

_META_COMMENTS = {
    "schema_version": "Version of this schema.",
    "oldest_writer": "Oldest schema version whose clients may still write here.",
    "store_id": "Random id of this store: another store at the same address is noticed.",
    "epoch": "Raised by whoever restores this store from a backup.",
    "bootstrapped_by": "Who created this schema.",
    "bootstrapped_at": "When this schema was created.",
}

_META_TYPES: Mapping[str, Mapping[str, tuple[str, str | None]]] = {
    "postgresql": {
        "schema_version": ("BIGINT", None),
        "oldest_writer": ("BIGINT", None),
        "store_id": ("TEXT", "gen_random_uuid()::TEXT"),
        "epoch": ("BIGINT", "1"),
        "bootstrapped_by": ("TEXT", "SESSION_USER"),
        "bootstrapped_at": ("TIMESTAMPTZ", "clock_timestamp()"),
    },
    "sqlite": {
        "schema_version": ("INTEGER", None),
        "oldest_writer": ("INTEGER", None),
        "store_id": ("TEXT", "(lower(hex(randomblob(16))))"),
        "epoch": ("INTEGER", "1"),
        "bootstrapped_by": ("TEXT", "'dump-ddl'"),
        "bootstrapped_at": ("TEXT", "(strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))"),
    },
}

_KEYS_OF_META = {
    "postgresql": ("BOOLEAN", "TRUE", "singleton"),
    "sqlite": ("INTEGER", "1", "singleton = 1"),
}


def _meta_columns(backend: str) -> list[Spec]:
    kind, default, check = _KEYS_OF_META[backend]
    key = Spec("singleton", kind, _SINGLETON, is_key=True, default=default, checks=(check,))
    types = _META_TYPES[backend]
    others = [
        Spec(name, types[name][0], comment, default=types[name][1])
        for name, comment in _META_COMMENTS.items()
    ]
    return [key, *others]


_META_COLUMNS = {backend: _meta_columns(backend) for backend in _META_TYPES}
