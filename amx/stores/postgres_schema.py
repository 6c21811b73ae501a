"""The shared schema on a PostgreSQL server: made, upgraded, and compared with what it should be."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from amx.core.shapes import TABLE, Facts, Item, Shape
from amx.core.tables import BY_NAME, OLDEST_WRITER, SCHEMA_VERSION, SHARED_TABLES
from amx.stores import postgres_catalog as catalog
from amx.stores.columns import Spec, meta_specs, specs_of
from amx.stores.ddl import META_COMMENT, bootstrap_ddl, postgresql_statements, updatable
from amx.stores.steps import META, indexes_of, place_of, upgrade_statements

BOOTSTRAP_LOCK = 0x616D78
"""Key of the advisory lock that one bootstrap holds against another."""

LOCK_WAIT_S = 10
"""How long an upgrade waits for a table: whoever writes waits behind it."""

Facets: TypeAlias = dict[str, dict[Item, str]]

Ask = Callable[[str, Sequence[object]], list[tuple[object, ...]]]
"""Runs one text of SQL as one transaction."""

_TYPES = {
    "TEXT": "text",
    'TEXT COLLATE "C"': "text collate C",
    "BIGINT": "bigint",
    "TIMESTAMPTZ": "timestamp with time zone",
    "JSONB": "jsonb",
    "BOOLEAN": "boolean",
}
"""What `format_type` calls them."""

_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|::|<>|\w+|[^\s\w]""")

_KINDS = {"r": "table", "p": "partitioned table", "v": "view", "m": "materialized view"}


class PostgresSchema:
    """One schema of a database.

    Args:
        ask: Asks the server.
        name: Of the schema; any characters.
    """

    def __init__(self, ask: Ask, name: str) -> None:
        self._ask = ask
        self._name = name

    def make(self, found: int | None) -> bool:
        """Create what is missing, or upgrade from the version that was found, in one transaction.

        Returns:
            Whether this call did it: another may have been faster.
        """
        if found is None:
            lines = self._creation()
        else:
            lines = "\n".join(upgrade_statements(found, self._name))
        meta = place_of(self._name, META)
        [[is_ours]] = self._ask(
            f"""
            SELECT pg_advisory_xact_lock({BOOTSTRAP_LOCK});
            SET LOCAL lock_timeout = '{LOCK_WAIT_S}s';
            {lines}
            SELECT xmin::TEXT = (txid_current() % 4294967296)::TEXT FROM {meta};""",
            (),
        )
        return bool(is_ours)

    def shapes(self, role: str | None) -> tuple[Shape, Shape]:
        """Return what the bootstrap DDL makes, and what stands in the schema of that.

        With a role, its rights are part of both.
        """
        expected = {name: dict(one.facts()) for name, one in _expected().items()}
        live: dict[str, dict[Item, str]] = {}
        for sql in catalog.SHAPES:
            self._add(live, sql, ())
        if META in live:
            live[META] |= self._versions()
            if role is not None:
                self._add_rights(expected, live, role)
        return expected, live

    def _add(self, live: Facets, sql: str, params: Sequence[object]) -> None:
        for table, kind, name, value in self._ask(sql, (*params, self._name, [*_expected()])):
            item, words = _fact(str(kind), str(name), str(value))
            live.setdefault(str(table), {})[item] = words

    def _add_rights(self, expected: Facets, live: Facets, role: str) -> None:
        found = self._ask("SELECT oid::BIGINT FROM pg_roles WHERE rolname = %s", (role,))
        expected[META]["role", role] = "there"
        for [oid] in found:
            live[META]["role", role] = "there"
            for table in expected:
                expected[table] |= _rights(table)
            for sql in catalog.RIGHTS:
                self._add(live, sql, (oid,))

    def _creation(self) -> str:
        """Return the DDL; who may not create schemas may still fill one that is there."""
        is_there = self._ask("SELECT 1 FROM pg_namespace WHERE nspname = %s", (self._name,))
        if is_there:
            return "\n".join(postgresql_statements(self._name))
        return bootstrap_ddl("postgresql", self._name)

    def _versions(self) -> Facts:
        place = place_of(self._name, META)
        found = self._ask(f"SELECT schema_version, oldest_writer FROM {place}", ())
        return {item: str(value) for row in found for item, value in zip(_ROW, row, strict=True)}


_ROW: tuple[Item, Item] = (("value", "schema_version"), ("value", "oldest_writer"))


class _Expected(NamedTuple):
    name: str
    comment: str
    specs: list[Spec]

    def facts(self) -> Iterator[tuple[Item, str]]:
        yield TABLE, "table"
        yield ("comment", ""), self.comment
        for spec in self.specs:
            suffix = "" if spec.is_nullable else " not null"
            yield ("column", spec.name), f"{_TYPES[spec.type]}{suffix}"
            yield ("comment", spec.name), spec.comment
            if spec.default:
                yield ("default", spec.name), plain(spec.default)
            for check in spec.checks:
                yield ("check", plain(check)), "valid"
            if spec.is_key:
                yield ("primary key", ""), spec.name
        for index in indexes_of(self.name):
            yield ("index", ", ".join(index.columns)), "btree"
        if self.name == META:
            yield from zip(_ROW, (str(SCHEMA_VERSION), str(OLDEST_WRITER)), strict=True)


def _expected() -> dict[str, _Expected]:
    ours = [_Expected(one.name, one.comment, specs_of(one, "postgresql")) for one in SHARED_TABLES]
    meta = _Expected(META, META_COMMENT, meta_specs("postgresql"))
    return {one.name: one for one in (*ours, meta)}


def _rights(table: str) -> Facts:
    """Return what ``dump-ddl --grant-to`` grants, and nothing else."""
    own = BY_NAME.get(table)
    columns = {
        "SELECT": [spec.name for spec in _expected()[table].specs],
        "INSERT": own.names if own else (),
        "UPDATE": updatable(own) if own else (),
    }
    facts = {("right", right): ", ".join(sorted(names)) for right, names in columns.items()}
    usage = {} if own else {("right", "USAGE of the schema"): "yes"}
    none = {("right", right): "no" for right in ("DELETE", "TRUNCATE")}
    return {item: words or "no" for item, words in {**facts, **none, **usage}.items()}


def plain(expression: str) -> str:
    """Return an expression without what a server adds when it shows one: parentheses, casts.

    So ``status IN ('a', 'b')`` and ``(status = ANY (ARRAY['a'::text, 'b'::text]))`` are one.
    """
    tokens = [_unquoted(token) for token in _TOKEN.findall(expression)]
    shown = []
    for place, word in enumerate(tokens):
        is_cast = word == "::" or (place > 0 and tokens[place - 1] == "::")
        if not is_cast and word not in ("(", ")", "[", "]"):
            shown.append(word)
    return " ".join(shown).replace("= any array", "in").replace(" ,", ",")


def _unquoted(token: str) -> str:
    if token.startswith('"'):
        return token[1:-1]
    return token if token.startswith("'") else token.lower()


def _fact(kind: str, name: str, value: str) -> tuple[Item, str]:
    """Return a row of the queries below as an item and its words."""
    if kind == "check":
        expression = name.removeprefix("CHECK ")
        suffixes = [word for word in (" NOT VALID", " NOT ENFORCED") if word in expression]
        for word in suffixes:
            expression = expression.replace(word, "")
        return (kind, plain(expression)), "".join(suffixes).strip().lower() or "valid"
    if kind == "default":
        return (kind, name), plain(value)
    if kind == "table":
        letter, _, more = value.partition(" ")
        return TABLE, f"{_KINDS.get(letter, 'foreign table')} {more}".rstrip()
    return (kind, name), value
