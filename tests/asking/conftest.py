"""A music shop to ask about, in a real SQLite file, and the program that asks."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support import Amx, Done

MUSIC = """
CREATE TABLE Artist (ArtistId INTEGER PRIMARY KEY, Name TEXT);
CREATE TABLE Album (AlbumId INTEGER PRIMARY KEY, Title TEXT NOT NULL,
    ArtistId INTEGER NOT NULL REFERENCES Artist);
CREATE TABLE Employee (EmployeeId INTEGER PRIMARY KEY, LastName TEXT, City TEXT, HireDate DATE);
CREATE TABLE Customer (CustomerId INTEGER PRIMARY KEY, LastName TEXT NOT NULL, City TEXT,
    Email TEXT NOT NULL UNIQUE, SupportRepId INTEGER REFERENCES Employee);
CREATE TABLE Invoice (InvoiceId INTEGER PRIMARY KEY, InvoiceDate DATE, Total NUMERIC,
    CustomerId INTEGER NOT NULL REFERENCES Customer, BillingCity TEXT);
CREATE TABLE Track (TrackId INTEGER PRIMARY KEY, Name TEXT, UnitPrice NUMERIC NOT NULL,
    AlbumId INTEGER REFERENCES Album);
CREATE TABLE InvoiceLine (InvoiceLineId INTEGER PRIMARY KEY, Qty INTEGER, UnitPrice NUMERIC,
    InvoiceId INTEGER NOT NULL REFERENCES Invoice, TrackId INTEGER NOT NULL REFERENCES Track);
"""

Ask = Callable[..., Any]
"""Asks a question of the active profile; returns the JSON document, and keeps it honest."""


def change(path: Path, script: str) -> None:
    """Run SQL in a database file, made where it is not there."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(script)


def add(amx: Amx, name: str, path: Path) -> None:
    """Make a profile of a file, and make it the active one."""
    for words in (["add", name, "--backend", "sqlite", "--path", str(path)], ["use", name]):
        done = amx("db", *words)
        assert done.code == 0, done.err


@pytest.fixture
def music(amx: Amx, tmp_path: Path) -> Path:
    """Give the file of the active profile."""
    path = tmp_path / "music.db"
    change(path, MUSIC)
    add(amx, "music", path)
    return path


@pytest.fixture
def ask(amx: Amx) -> Ask:
    def run(question: str, *args: str) -> Any:  # noqa: ANN401 - a JSON document
        done = said(amx, question, *args)
        assert done.code == 0, done.err
        return done.json

    return run


def said(amx: Amx, question: str, *args: str) -> Done:
    """Ask, and return what the program printed."""
    return amx("ask", question, "--json", *args)


def cited(answer: Any) -> list[str]:  # noqa: ANN401 - a JSON document
    """Return what an answer cites, as text, without the schema of SQLite."""
    return [".".join(filter(None, (one["table"], one["column"]))) for one in answer["citations"]]
