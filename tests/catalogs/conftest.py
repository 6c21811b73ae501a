"""A shop in a PostgreSQL schema of its own for each test."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from amx.catalogs.postgres import PostgresCatalog
from tests.catalogs.servers import SHOP, profile_of
from tests.postgres import PostgresServer


@pytest.fixture
def shop(postgres: PostgresServer, database: str) -> str:
    postgres.execute(SHOP, database)
    return database


@pytest.fixture
def catalog(postgres: PostgresServer, shop: str) -> Iterator[PostgresCatalog]:
    with closing(PostgresCatalog(profile_of(postgres, shop), {})) as catalog:
        yield catalog
