"""A database about music, and a model that is asked about it."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from tests.models.endpoint import Act, Endpoint
from tests.models.talk import KEY, write_config

TABLES = """
CREATE TABLE Album (AlbumId INTEGER PRIMARY KEY, Title TEXT);
CREATE TABLE Invoice (InvoiceId INTEGER PRIMARY KEY, Total NUMERIC(10,2));
CREATE TABLE Track (
    TrackId INTEGER PRIMARY KEY, AlbumId INTEGER REFERENCES Album, Name TEXT,
    UnitPrice NUMERIC(10,2)
);
INSERT INTO Album VALUES (7421, 'Blue Train');
INSERT INTO Track VALUES (1, 7421, 'Moment''s Notice', 8642.13);
"""

Play = Callable[..., Endpoint]


@pytest.fixture(autouse=True)
def shop(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the file of the database, and the key that profiles refer to."""
    path = Path("shop.db").absolute()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(TABLES)
    monkeypatch.setenv("MODEL_KEY", KEY)
    return path


@pytest.fixture
def play(home: Path, shop: Path) -> Iterator[Play]:
    """Start an endpoint that plays these acts, and configure it as the active model."""
    started: list[Endpoint] = []

    def start(*acts: Act, settings: Mapping[str, object] | None = None) -> Endpoint:
        endpoint = Endpoint(*acts)
        started.append(endpoint)
        write_config(home, shop, {"api_base": endpoint.base, **(settings or {})})
        return endpoint

    yield start
    for endpoint in started:
        endpoint.close()
