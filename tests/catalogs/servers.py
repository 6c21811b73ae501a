"""A shop in a PostgreSQL schema, and profiles that point at it."""

from amx.catalogs.postgres import PostgresCatalog
from amx.core.catalog import TableInfo
from amx.core.profiles import Profile
from amx.core.secrets import Password
from tests.postgres import PostgresServer

SHOP = """
CREATE SCHEMA shop;
SET search_path = shop;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN tag AS uuid;
CREATE TABLE customer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    born timestamptz,
    mood mood DEFAULT 'good',
    settings jsonb, raw bytea, xml xml, tags text[], place point,
    is_active boolean, tag tag, spent numeric(9,2)
);
COMMENT ON TABLE customer IS 'Who buys';
COMMENT ON COLUMN customer.spent IS 'In euro';
CREATE UNIQUE INDEX ON customer (born) INCLUDE (spent);
CREATE UNIQUE INDEX ON customer (mood) WHERE is_active;
CREATE TABLE orders (
    customer bigint REFERENCES customer,
    number int,
    PRIMARY KEY (customer, number)
) PARTITION BY LIST (number);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES IN (1);
CREATE TABLE line (
    customer bigint, number int,
    FOREIGN KEY (customer, number) REFERENCES orders (customer, number)
);
CREATE VIEW active AS SELECT id FROM customer WHERE is_active;
CREATE MATERIALIZED VIEW moods AS SELECT mood, count(*) AS n FROM customer GROUP BY mood;
CREATE TABLE nothing ();
INSERT INTO customer (email, born, is_active, tag, spent, settings)
VALUES ('a@shop.example', '2001-02-03 04:05:06+00', true,
        '00000000-0000-0000-0000-000000000001', 12.50, '{}'),
       ('b@shop.example', NULL, false, NULL, 9.99, NULL);
INSERT INTO orders VALUES (1, 1);
"""


def profile_of(
    postgres: PostgresServer,
    database: str,
    *,
    schema: str = "shop",
    login: tuple[str, str | None] = ("postgres", None),
) -> Profile:
    user, password = login
    return Profile(
        name="team",
        backend="postgresql",
        host=postgres.host,
        port=str(postgres.port),
        database=database,
        schema=schema,
        user=user,
        password=Password(where="here", text=password),
    )


def named(catalog: PostgresCatalog, name: str) -> TableInfo:
    return next(table for table in catalog.tables() if table.name == name)
