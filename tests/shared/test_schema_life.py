"""The life of the shared schema: newer, older, upgraded, made by several at once."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support import Amx

HS = "history-store"

CHECK = (HS, "dump-ddl", "--profile", "team", "--check")


def test_a_newer_schema_is_told_as_a_reason_to_upgrade_amx(amx: Amx, team: Path) -> None:
    with closing(sqlite3.connect(team)) as connection, connection:
        connection.execute("UPDATE meta SET schema_version = 9")
    done = amx(*CHECK, "--json")
    assert (done.code, done.error["hint"]) == (1, "pip install --upgrade amx")
    assert amx(HS, "enable", "--profile", "team").code == 0  # which still takes our rows
    with closing(sqlite3.connect(team)) as connection, connection:
        connection.execute("UPDATE meta SET oldest_writer = 9")
    refused = amx(HS, "enable", "--profile", "team", "--json")
    assert (refused.code, refused.error["code"]) == (4, "shared.schema_too_new")
    told = amx("session", "new")
    assert (told.code, "upgrade amx" in told.err) == (0, True)
    assert amx(HS, "status", "--json").json["pending"] == 1
