"""Every command of docs/shared-store.md is run, in the order in which a reader meets it."""

import re
import shlex
from pathlib import Path

from tests.postgres import PostgresServer
from tests.support import Amx

PAGE = (Path(__file__).parents[2] / "docs" / "shared-store.md").read_text()

_WRITTEN = (
    r"""\["amx", (?P<list>[^\]]+)\]|amx (?P<line>(?:db|history-store|history|session) [^`#>\n]+)"""
)

COMMANDS = [
    shlex.split((found["list"] or "").replace(",", " ") or found["line"])
    for found in re.finditer(_WRITTEN, PAGE)
]


def test_every_command_of_the_page_does_what_the_page_says(
    amx: Amx, postgres: PostgresServer, database: str
) -> None:
    assert len(COMMANDS) > 25
    port = ["--port", str(postgres.port)]
    postgres.execute("DROP ROLE IF EXISTS amx_writers")
    postgres.execute("CREATE ROLE amx_writers")
    meant = {"db1": postgres.host, "amx_ada": postgres.user, "amx": database}
    amx("session", "new")
    other = ["--backend", "sqlite", "--path", "other.db"]
    assert amx("db", "add", "team2", *other).code == 0
    granted = amx(
        "history-store", "dump-ddl", "--backend", "postgresql", "--grant-to", "amx_writers"
    )
    for command in COMMANDS:
        is_added = command[:2] == ["db", "add"]
        words = [meant.get(word, word) for word in command] + (port if is_added else [])
        if "--grant-to" in words and "--check" in words:
            postgres.execute(granted.out, database)
        if is_added and "sqlite" in words:
            words = ["db", "add", "tried", *other]
        ended = amx(*words, env={"TEAM_PW": "unused"})
        assert (command, ended.code) == (command, 0), ended.err
