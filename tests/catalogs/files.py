"""SQLite files for tests, and catalogs that read them."""

import sqlite3
from contextlib import closing
from pathlib import Path

from amx.catalogs.sqlite import SQLiteCatalog
from amx.core.profiles import Profile

SHOP = """
CREATE TABLE customer (
    id INTEGER PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    city TEXT DEFAULT 'Turku'
);
CREATE TABLE orders (
    customer INTEGER REFERENCES Customer,
    number INTEGER NOT NULL,
    total NUMERIC(9,2),
    photo BLOB,
    PRIMARY KEY (customer, number)
) WITHOUT ROWID;
CREATE TABLE line (
    customer INTEGER,
    number INTEGER,
    next_of INTEGER REFERENCES line (customer),
    doubled INTEGER GENERATED ALWAYS AS (number * 2),
    FOREIGN KEY (customer, number) REFERENCES orders (customer, number)
);
CREATE VIEW totals AS SELECT customer, sum(total) AS total FROM orders GROUP BY customer;
INSERT INTO customer VALUES (1, 'a@shop.example', 'Oulu'), (2, 'b@shop.example', NULL);
INSERT INTO orders VALUES (1, 1, 9.5, x'00'), (1, 2, 10, NULL), (2, 1, NULL, NULL);
"""

ENDLESS = """
CREATE VIEW endless AS
WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up) SELECT max(n) AS n FROM up;
"""


def made(path: Path, script: str = SHOP) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


def catalog_of(path: Path, *, sample_rows: int = 100_000, timeout_s: float = 30) -> SQLiteCatalog:
    profile = Profile(name="shop", backend="sqlite", path=str(path), schema="main")
    return SQLiteCatalog(profile, sample_rows=sample_rows, facts_timeout_s=timeout_s)
