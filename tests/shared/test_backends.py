"""The shared store elsewhere: another PostgreSQL, pgbouncer in transaction mode, TLS, failover.

What every store does (`test_conformance`, `test_numbering`) is run again on each. The machine's
own PostgreSQL and pgbouncer are Debian's packages; where they are missing these tests are skipped,
and `.ci/run` installs them.
"""

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from amx.core.errors import Systemic, Transient
from amx.core.outbox import OutboxReplayer
from amx.core.ports import SharedStore
from amx.core.profiles import Profile, profile_of
from amx.core.sending import Deadline
from amx.drivers.postgres import connect, query
from amx.stores.postgres import COPIED_FROM, PostgresSharedStore
from tests.pgbouncer import PROGRAM, Bouncer
from tests.postgres import PostgresServer
from tests.shared import test_conformance, test_numbering
from tests.shared.conftest import SCHEMA
from tests.shared.installation import Installation, equal
from tests.support import Amx

for _module in (test_conformance, test_numbering):
    globals().update(
        {name: test for name, test in vars(_module).items() if name.startswith("test_")}
    )

OTHERS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


def profile(place: PostgresServer | Bouncer, database: str, **settings: object) -> Profile:
    given = {"host": place.host, "port": place.port, "user": "postgres", "database": database}
    return profile_of("team", {"backend": "postgresql", **given, **settings}, os.environ)


def store_at(profile: Profile, copied_from: int = COPIED_FROM) -> PostgresSharedStore:
    return PostgresSharedStore(profile, SCHEMA, None, os.environ, copied_from=copied_from)


@pytest.fixture(scope="session")
def other() -> Iterator[PostgresServer]:
    """Give the machine's own PostgreSQL, which is not the suite's 18."""
    if not OTHERS:
        pytest.skip("this machine has no PostgreSQL of its own: apt-get install postgresql")
    with PostgresServer(programs=OTHERS[-1].parent) as server:
        yield server


@pytest.fixture(scope="session")
def bouncer(postgres: PostgresServer) -> Iterator[Bouncer]:
    """Give a pgbouncer whose clients all share one connection to the server."""
    if PROGRAM is None:
        pytest.skip("this machine has no pgbouncer: apt-get install pgbouncer")
    with Bouncer(postgres) as bouncer:
        yield bouncer


@pytest.fixture(params=["other", "bouncer"])
def bare_store(request: pytest.FixtureRequest, postgres: PostgresServer) -> SharedStore:
    """Give an empty store on the other PostgreSQL, and one behind pgbouncer that copies rows in."""
    place = request.getfixturevalue(request.param)
    if request.param == "bouncer":
        return store_at(profile(place, postgres.new_database()), copied_from=1)
    return store_at(profile(place, place.new_database()))


def test_the_other_postgresql_is_another_major_version(
    other: PostgresServer, postgres: PostgresServer
) -> None:
    versions = {
        str(server.execute("SHOW server_version_num")[0][0])[:2] for server in (other, postgres)
    }
    assert len(versions) == 2


def test_two_flushers_that_share_one_connection_deliver_every_row_once(
    bouncer: Bouncer, database: str, tmp_path: Path
) -> None:
    stores = [store_at(profile(bouncer, database)) for _ in range(2)]
    stores[0].bootstrap(Deadline(30))
    ours = [Installation(tmp_path / str(n), store) for n, store in enumerate(stores)]
    for one in ours:
        one.write(3000)
    threads = [threading.Thread(target=one.replay) for one in ours]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.outbox.counts().pending for one in ours] == [0, 0]
    assert [one.verify() for one in ours] == [equal(3000)] * 2


def test_a_pgbouncer_that_was_restarted_costs_one_attempt_and_no_row(
    bouncer: Bouncer, database: str, tmp_path: Path
) -> None:
    ours = Installation(tmp_path / "ours", store_at(profile(bouncer, database)))
    ours.store.bootstrap(Deadline(30))
    ours.write(10)
    replayer = OutboxReplayer(
        ours.outbox,
        lambda: Kept(ours.store),
        lock_path=ours.lock_path,
        on_rolled_back=ours.rolled_back.append,
    )
    assert replayer.replay(Deadline(30)).delivered == 10
    bouncer.stop()
    bouncer.start()
    ours.write(10)
    reports = [replayer.replay(Deadline(30)) for _ in range(2)]
    assert sum(report.delivered for report in reports) == 10
    assert ours.verify() == equal(20)


class Kept:
    """A store that stays connected between two replays."""

    def __init__(self, store: SharedStore) -> None:
        self.real = store

    def close(self) -> None:
        """Keep the connection."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the real store has
        return getattr(self.real, name)


def test_nothing_that_amx_sets_stays_in_a_connection_that_others_get_next(
    bouncer: Bouncer, database: str
) -> None:
    store = store_at(profile(bouncer, database))
    store.bootstrap(Deadline(5))
    assert store.meta(Deadline(5)) is not None
    asked = connect(profile(bouncer, database), os.environ, timeout_s=5)
    names = ("statement_timeout", "default_transaction_read_only", "search_path", "timezone")
    for name in names:
        sql = f"SELECT setting = reset_val FROM pg_settings WHERE lower(name) = '{name}'"
        asked.autocommit = True
        with asked.cursor() as cursor:
            cursor.execute(sql)
            assert cursor.fetchall() == [(True,)], name
    asked.close()


def test_of_several_hosts_the_one_that_takes_writes_is_found(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    with PostgresServer() as standby:
        for server in (standby, postgres):
            server.execute("CREATE DATABASE team")
        standby.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        standby.execute("SELECT pg_reload_conf()")
        hosts = profile(
            standby,
            "team",
            host=f"{standby.host},{postgres.host}",
            port=f"{standby.port},{postgres.port}",
            target_session_attrs="read-write",
        )
        ours = Installation(tmp_path / "ours", store_at(hosts))
        ours.store.bootstrap(Deadline(30))
        ours.write(5)
        assert ours.replay().delivered == 5
        assert postgres.execute(
            f'SELECT count(*) FROM "{SCHEMA.replace(chr(34), chr(34) * 2)}".runs', "team"
        ) == [(5,)]
        ours.store.close()


@pytest.fixture(scope="session")
def guarded(
    other: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[PostgresServer, Path, Path]]:
    """Give a server that takes TLS only, its certificate, and one of somebody else."""
    folder = tmp_path_factory.mktemp("tls")
    pairs = []
    for name in ("server", "stranger"):
        certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
        words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        words += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        words += ["-keyout", str(key), "-out", str(certificate)]
        subprocess.run(words, check=True, capture_output=True)
        pairs.append((certificate, key))
    assert other.is_running()
    with PostgresServer(programs=OTHERS[-1].parent) as server:
        server.require_tls(pairs[0][0].read_bytes(), pairs[0][1].read_bytes())
        yield server, pairs[0][0], pairs[1][0]


def test_a_server_with_tls_is_spoken_to_by_tls_and_its_certificate_is_checked(
    guarded: tuple[PostgresServer, Path, Path],
) -> None:
    server, certificate, stranger = guarded
    checked = {"sslmode": "verify-full", "sslrootcert": str(certificate)}
    connection = connect(profile(server, "postgres", **checked), {}, timeout_s=10)
    sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    assert query(connection, sql) == [(True,)]
    connection.close()
    meta = store_at(profile(server, "postgres", **checked)).bootstrap(Deadline(30)).meta
    assert store_at(profile(server, "postgres", sslmode="require")).meta(Deadline(30)) == meta
    for wrong in (
        {"sslmode": "verify-full", "sslrootcert": str(stranger)},
        {"sslmode": "disable"},
    ):
        with pytest.raises((Transient, Systemic)):
            store_at(profile(server, "postgres", **wrong)).meta(Deadline(10))


def test_a_certificate_of_somebody_else_is_told_and_nothing_is_sent(
    amx: Amx, guarded: tuple[PostgresServer, Path, Path]
) -> None:
    server, _, stranger = guarded
    place = ["--host", server.host, "--port", str(server.port), "--database", "postgres"]
    tls = ["--sslmode", "verify-full", "--sslrootcert", str(stranger)]
    add = ["db", "add", "team", "--backend", "postgresql", "--user", "postgres", *place, *tls]
    assert amx(*add).code == 0
    done = amx("history-store", "enable", "--profile", "team", "--json")
    assert done.code == 4
    assert "certificate" in done.error["message"]
    assert "Shared mode was not turned on" in done.error["message"]
