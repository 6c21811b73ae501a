"""The shared tables, declared once.

The local schema, the shared schemas of every backend, ``dump-ddl``, the upsert and ``verify``
are all made from these declarations. Parents stand before their children: that is the order in
which rows are sent.
"""

from enum import Enum
from typing import NamedTuple

SCHEMA_VERSION = 1
"""Of the shared schema. A client writes to a newer one only where that says that it may."""

OLDEST_WRITER = 1
"""The oldest schema version whose clients may still write to a schema of SCHEMA_VERSION."""


class Kind(Enum):
    """The type of a column, apart from any backend's name for it."""

    TEXT = "text"
    INTEGER = "integer"
    TIMESTAMP = "timestamp"
    JSON = "json"


class Column(NamedTuple):
    """A column. ``choices`` and ``is_filled`` (text that is not empty) become CHECKs."""

    name: str
    kind: Kind
    comment: str
    is_nullable: bool = False
    is_filled: bool = False
    choices: tuple[str, ...] = ()


class Table(NamedTuple):
    """A shared table. ``parent`` names the column that holds a parent's ``id``, and its table.

    ``local`` names further fields of its rows, which the local store keeps to itself.
    """

    name: str
    comment: str
    own: tuple[Column, ...]
    parent: tuple[str, str] | None = None
    local: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns a client writes, key first."""
        return (KEY, *self.own, *COMMON)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns a client writes."""
        return tuple(column.name for column in self.columns)


def _text(name: str, comment: str, *, is_nullable: bool = False) -> Column:
    return Column(name, Kind.TEXT, comment, is_nullable=is_nullable)


def _filled(name: str, comment: str) -> Column:
    return Column(name, Kind.TEXT, comment, is_filled=True)


def _choice(name: str, comment: str, *choices: str) -> Column:
    return Column(name, Kind.TEXT, comment, choices=choices)


def _count(name: str, comment: str) -> Column:
    return Column(name, Kind.INTEGER, comment)


def _moment(name: str, comment: str, *, is_nullable: bool = False) -> Column:
    return Column(name, Kind.TIMESTAMP, comment, is_nullable=is_nullable)


KEY = _filled("id", "UUID version 7 made by the client with the row.")

ATTRIBUTION = (
    _filled("created_by", "Login name of who wrote the row first; uid:N where there is none."),
    _filled("hostname", "Machine that wrote the row first."),
    _filled("client_version", "Version of amx that wrote the row first."),
    Column("local_id", Kind.INTEGER, "Number of the row on the installation that wrote it."),
    _filled("origin_id", "Random id of the installation that wrote the row."),
    _text("actor", "Who acted, where the login name says nothing.", is_nullable=True),
    _choice("actor_kind", "What acted.", "human", "ci", "cron", "agent"),
    _text("run_url", "Link to the job that acted.", is_nullable=True),
)
"""Stamped at the first local write; never in the list of an update."""

COMMON = (
    Column("revision", Kind.INTEGER, "Raised by every change; only a newer one is taken."),
    _moment("created_at", "When the row was first written, by its machine's clock."),
    _moment("updated_at", "When the row was last changed, by its machine's clock."),
    _filled("updated_by_version", "Version of amx that changed the row last."),
    *ATTRIBUTION,
)

RUNS = Table(
    "runs",
    "Productions of proposed descriptions.",
    (
        _filled("profile", "Name of the profile that was active."),
        _filled("identity", "Fingerprint of the database that the profile points at."),
        _filled("target", "Backend, host and database in words; no secrets."),
        _filled("describer", "What wrote the descriptions: evidence or model:<name>."),
        _choice("status", "State.", "running", "completed", "failed", "interrupted"),
        _moment("started_at", "When the run began."),
        _moment("ended_at", "When the run reached a terminal status.", is_nullable=True),
        _count("proposed", "How many descriptions it proposed."),
        _count("accepted", "How many of them were accepted."),
        _count("applied", "How many of them were written to the database."),
        _text("error", "Why it failed.", is_nullable=True),
    ),
)

SESSIONS = Table(
    "sessions",
    "Conversations, each bound for life to one profile and one database.",
    (
        _filled("profile", "Name of the profile it began under."),
        _filled("identity", "Fingerprint of the database it began under."),
        _filled("target", "Backend, host and database in words; no secrets."),
        _text("title", "What it is about."),
        _choice("status", "State.", "open", "ended", "deleted"),
        _count("turn_count", "How many turns it has."),
        _moment("started_at", "When it began."),
        _moment("last_active_at", "When its last turn was added."),
        _moment("ended_at", "When it was ended.", is_nullable=True),
    ),
    local=("owner",),
)

RESULTS = Table(
    "results",
    "Proposed descriptions, one per asset and run.",
    (
        _filled("run_id", "The run that proposed it."),
        _text("schema_name", "Schema of the asset."),
        _filled("table_name", "Table or view of the asset."),
        _text("column_name", "Column of the asset; NULL for a table or view.", is_nullable=True),
        _choice("asset_kind", "What the asset is.", "table", "view", "column"),
        _text("description", "The proposed description."),
        _filled("provenance", "human, evidence, model:<name> or imported:<tool>."),
        _choice("status", "State.", "proposed", "accepted", "rejected", "applied"),
        Column("evidence", Kind.JSON, "The facts that the description rests on."),
    ),
    parent=("run_id", "runs"),
)

TURNS = Table(
    "turns",
    "Utterances of sessions.",
    (
        _filled("session_id", "The session it belongs to."),
        _count("turn_index", "Its place in the session, from 1."),
        _choice("role", "Who speaks.", "user", "assistant"),
        _text("content", "What was said."),
        _text("provenance", "What an answer was made from.", is_nullable=True),
        _filled("profile", "Profile of the session."),
        _filled("identity", "Fingerprint of the session's database."),
        Column("citations", Kind.JSON, "Tables and columns that an answer rests on."),
    ),
    parent=("session_id", "sessions"),
)

EVENTS = Table(
    "events",
    "What happened, append-only: enable, disable, restore, drop and the like.",
    (
        _filled("kind", "What happened."),
        _text("subject", "To what."),
        _text("profile", "Profile that was active.", is_nullable=True),
        Column("details", Kind.JSON, "Facts about it; no secrets."),
    ),
)

SHARED_TABLES = (RUNS, SESSIONS, RESULTS, TURNS, EVENTS)

BY_NAME = {table.name: table for table in SHARED_TABLES}
