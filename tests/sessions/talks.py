"""Profiles to talk about, and the ways into a session."""

from dataclasses import replace

from amx.core.profiles import Profile
from amx.core.sessions import Exchange, SessionService
from tests.local.places import Place

SHOP = Profile(name="shop", backend="sqlite", path="/data/shop.db")
SHOP_MOVED = replace(SHOP, path="/data/elsewhere.db")
TWIN = replace(SHOP, name="twin")
BOOKS = Profile(
    name="books",
    backend="postgresql",
    host="db.example",
    port="5432",
    database="books",
    schema="public",
    user="reader",
)


def ask(
    sessions: SessionService,
    profile: Profile,
    key: int | str | None = None,
    *,
    question: str = "Which table holds prices?",
    is_new: bool = False,
) -> Exchange:
    return sessions.append(
        profile,
        key,
        question=question,
        answer="main.tracks",
        citations=[{"schema": "main", "table": "tracks", "column": None}],
        provenance="evidence",
        is_new=is_new,
    )


def stored(place: Place) -> tuple[object, ...]:
    """Return everything that a refused command must leave as it was."""
    tables = ("sessions", "turns", "active_sessions", "outbox", "state")
    query = place.local.database.query
    return tuple([tuple(row) for row in query(f"SELECT * FROM {name}")] for name in tables)
