"""Guard 3 with real processes and real roles: who is stamped, and that nobody can forge it."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from functools import cache
from pathlib import Path

import psycopg2
import pytest

from amx.core.errors import Systemic
from amx.core.profiles import Profile, profile_of
from amx.core.sending import Deadline
from amx.core.tables import RUNS
from amx.drivers.postgres import quoted
from amx.stores.ddl import bootstrap_ddl
from amx.stores.postgres import PostgresSharedStore
from tests.postgres import PostgresServer
from tests.shared import rows
from tests.shared.conftest import SCHEMA
from tests.support import Amx

HS = "history-store"

NO_NAME = 54321

STRANGE_HOST = """
import os, socket, sys
socket.sethostname(b"h\\xf6st")
os.execv(sys.executable, [sys.executable, "-m", "amx", *sys.argv[1:]])
"""


def as_nobody_known() -> list[str]:
    """Return the words that run a program under a user id that no account has."""
    return ["unshare", "--user", f"--map-user={NO_NAME}", sys.executable, "-m", "amx"]


def on_a_strange_host() -> list[str]:
    """Return the words that run a program on a host whose name is not UTF-8."""
    return ["unshare", "--user", "--map-root-user", "--uts", sys.executable, "-c", STRANGE_HOST]


@cache
def refusal() -> str | None:
    """Return why this kernel makes no user namespaces, if it does not."""
    done = subprocess.run(
        ["unshare", "--user", f"--map-user={NO_NAME}", "--uts", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr or None


def run(words: list[str], *args: str, **env: bytes) -> None:
    if refusal():
        pytest.skip(f"no user namespaces here: {refusal()}")
    environ: Mapping[bytes, bytes] = {
        name: value for name, value in os.environb.items() if name not in NAMES
    }
    more = {name.encode(): value for name, value in env.items()}
    done = subprocess.run(
        [*words, *args], env={**environ, **more}, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


NAMES = (b"LOGNAME", b"USER", b"LNAME", b"USERNAME")


def stamps(path: Path) -> list[tuple[object, ...]]:
    """Return who is stamped on the sessions of a shared file, oldest first."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            """
            SELECT created_by, hostname, actor, actor_kind, run_url, revision FROM sessions
            ORDER BY id"""
        ).fetchall()


def test_a_user_id_without_an_account_is_stamped_as_its_number(amx: Amx, team: Path) -> None:
    run(as_nobody_known(), "session", "new", "--require-delivery")
    [stamp] = stamps(team)
    assert stamp[0] == f"uid:{NO_NAME}"
    assert amx(HS, "verify", "--json").json["equal"] is True


def test_a_login_and_a_host_that_are_not_utf8_are_stamped_readably(amx: Amx, team: Path) -> None:
    run(on_a_strange_host(), "session", "new", "--require-delivery", LOGNAME=b"ad\xe4")
    [stamp] = stamps(team)
    assert stamp[:2] == ("ad\ufffd", "h\ufffdst")
    assert amx(HS, "verify", "--json").json["equal"] is True


CI = {
    "LOGNAME": "runner",
    "AMX_ACTOR": "nightly",
    "GITLAB_CI": "true",
    "CI_JOB_URL": "https://ci/7",
}


def test_what_was_stamped_stays_whoever_replays_or_changes_the_row(amx: Amx, team: Path) -> None:
    away = team.rename(team.with_suffix(".away"))
    assert amx("session", "new", env=CI).code == 0
    away.rename(team)
    cron = {"LOGNAME": "root", "AMX_ACTOR_KIND": "cron", "AMX_ACTOR": "other"}
    assert amx(HS, "flush-pending", env=cron).code == 0
    [first] = stamps(team)
    assert first[0] == "runner"
    assert first[2:] == ("nightly", "ci", "https://ci/7", 1)
    assert amx("session", "end", "1", "--require-delivery", env=cron).code == 0
    assert stamps(team) == [(*first[:5], 2)]


@pytest.fixture
def writers(postgres: PostgresServer, postgres_profile: Profile) -> list[Profile]:
    """Give two roles that have only what ``dump-ddl --grant-to`` grants."""
    database = postgres_profile.database
    names = [f'{name}"{database}' for name in ("ada", "mallory")]
    for name in names:
        postgres.execute(f"CREATE ROLE {quoted(name)} LOGIN PASSWORD 'w'")
        postgres.execute(bootstrap_ddl("postgresql", SCHEMA, grant_to=name), database)
    settings = {"host": postgres.host, "port": postgres.port, "database": database, "password": "w"}
    return [profile_of(name, {**settings, "user": name}, {}) for name in names]


def store_of(writer: Profile) -> PostgresSharedStore:
    return PostgresSharedStore(writer, SCHEMA, None, {})


ATTESTED = (
    f"SELECT id, db_user, received_at::TEXT, created_by FROM {quoted(SCHEMA)}.runs ORDER BY 1"
)


def test_the_server_attests_the_first_insert_whichever_role_updates(
    postgres: PostgresServer, writers: list[Profile]
) -> None:
    ada, mallory = map(store_of, writers)
    database = writers[0].database
    mine, hers = rows.run(id="1"), rows.run(id="2", created_by="says-ada")
    ada.upsert(RUNS, [mine], Deadline(30))
    mallory.upsert(RUNS, [hers], Deadline(30))
    before = postgres.execute(ATTESTED, database)
    assert [record[1] for record in before] == [one.user for one in writers]
    newer = {**mine, "revision": 2, "created_by": "mallory", "status": "completed"}
    assert mallory.upsert(RUNS, [newer], Deadline(30)) == []
    assert postgres.execute(ATTESTED, database) == before
    [changed, _] = mallory.rows(RUNS, [rows.ORIGIN], "", 9, Deadline(30))
    assert (changed["status"], changed["created_by"]) == ("completed", mine["created_by"])
    for store in (ada, mallory):
        store.close()


FORGERIES = [
    "UPDATE {runs} SET db_user = 'ada'",
    "UPDATE {runs} SET received_at = now()",
    "UPDATE {runs} SET created_by = 'ada', revision = 9",
    "INSERT INTO {runs} ({columns}, db_user) SELECT {values}, 'ada' FROM {runs}",
    "INSERT INTO {runs} ({columns}, received_at) SELECT {values}, now() FROM {runs}",
    "INSERT INTO {runs} ({columns}) {copy} ON CONFLICT (id) DO UPDATE SET db_user = 'ada'",
    "INSERT INTO {runs} ({columns}) {copy} ON CONFLICT (id) DO UPDATE SET received_at = now()",
]


@pytest.mark.parametrize("sql", FORGERIES)
def test_no_role_forges_what_the_server_attests(
    postgres: PostgresServer, writers: list[Profile], sql: str
) -> None:
    ada, mallory = writers
    store = store_of(ada)
    store.upsert(RUNS, [rows.run(id="1")], Deadline(30))
    store.close()
    before = postgres.execute(ATTESTED, ada.database)
    columns = ", ".join(RUNS.names)
    runs = f"{quoted(SCHEMA)}.runs"
    text = sql.format(
        runs=runs,
        columns=columns,
        values=columns.replace("id", "id || 'x'", 1),
        copy=f"SELECT {columns} FROM {runs}",
    )
    place = f"host={mallory.host} port={mallory.port} dbname={mallory.database}"
    with (
        closing(psycopg2.connect(place, user=mallory.user, password="w")) as connection,
        connection.cursor() as cursor,
        pytest.raises(psycopg2.errors.InsufficientPrivilege),
    ):
        cursor.execute(text)
    assert postgres.execute(ATTESTED, ada.database) == before


def test_on_conflict_needs_select_on_what_it_reads(
    postgres: PostgresServer, writers: list[Profile]
) -> None:
    ada, _ = writers
    runs, role = f"{quoted(SCHEMA)}.runs", quoted(ada.user)
    postgres.execute(f"REVOKE SELECT ON {runs} FROM {role}", ada.database)
    store = store_of(ada)
    with pytest.raises(Systemic, match="permission denied"):
        store.upsert(RUNS, [rows.run()], Deadline(30))
    postgres.execute(f"GRANT SELECT ON {runs} TO {role}", ada.database)
    assert store.upsert(RUNS, [rows.run()], Deadline(30)) == []
    store.close()
