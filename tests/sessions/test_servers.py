"""Guard 1, the server: another cluster behind a profile's address is noticed before it is used."""

import os
import re
import socket
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import pytest

from amx.catalogs.postgres import PostgresCatalog
from amx.core.errors import ServerMismatch
from amx.core.profiles import Profile
from amx.core.servers import KnownServers
from amx.demo.proxy import Proxy
from amx.stores.outbox import SQLiteOutbox
from tests.local.places import Place
from tests.postgres import PostgresServer
from tests.sessions.shell import pasted, untouched
from tests.support import Amx, Done


class Turns(NamedTuple):
    """Two servers that take turns on one port; each has a table that the other has not."""

    first: PostgresServer
    second: PostgresServer

    def begin(self, server: PostgresServer) -> None:
        """Let this one of them answer from now on."""
        for one in self:
            if one.is_running():
                one.stop()
        server.start()


@pytest.fixture(scope="module")
def both() -> Iterator[Turns]:
    with PostgresServer() as first:
        first.execute("CREATE TABLE orders (id INT PRIMARY KEY, price NUMERIC)")
        first.stop()
        with PostgresServer(port=first.port) as second:
            second.execute("CREATE TABLE invoices (id INT PRIMARY KEY, price NUMERIC)")
            second.execute("ALTER SYSTEM SET log_statement = 'all'")
            yield Turns(first, second)


@pytest.fixture
def turns(both: Turns) -> Turns:
    """Give both, the first one answering."""
    both.begin(both.first)
    return both


def add(amx: Amx, name: str, server: PostgresServer, **more: str) -> None:
    said = {"backend": "postgresql", "host": server.host, "port": str(server.port)}
    said |= {"database": "postgres", "user": server.user, **more}
    words = [word for key, value in said.items() for word in (f"--{key}", value)]
    assert amx("db", "add", *words, "--", name).code == 0


def identifier(server: PostgresServer) -> str:
    return str(server.execute("SELECT system_identifier FROM pg_control_system()")[0][0])


def statements(server: PostgresServer) -> list[str]:
    """Return what clients have sent since it began to log that, time limits apart."""
    records = re.split(r"^\d{4}-.*?LOG:  ", server.log, flags=re.MULTILINE)
    texts = [one.partition("statement: ")[2] for one in records if one.startswith("statement: ")]
    return [re.sub(r"SET LOCAL statement_timeout = \d+;\s*", "", text).strip() for text in texts]


def refused(done: Done) -> str:
    assert (done.code, done.out) == (3, "")
    assert done.error["code"] == "refused.server_mismatch"
    return str(done.error["message"])


ODD = "-odd $hop"
"""A name that only a file can give a profile, and that a shell would take apart."""

CONNECTING = (
    ("ask", "where are prices?"),
    ("ask", "--new", "where are prices?"),
    ("ask", "--session", "1", "where are prices?"),
    ("run",),
    ("run", "invoices"),
    ("db", "tables"),
    ("db", "test"),
    ("db", "test", "--", ODD),
)


def test_another_server_on_the_same_port_is_refused_until_it_is_accepted(
    amx: Amx, turns: Turns, home: Path
) -> None:
    ids = identifier(turns.first)
    add(amx, "shop", turns.first)
    said = [("host", turns.first.host), ("port", turns.first.port), ("user", "postgres")]
    for key, value in [*said, ("database", "postgres")]:
        assert amx("config", "set", f'db_profiles."{ODD}".{key}', str(value)).code == 0
    assert [amx(*words).code for words in (["ask", "where are prices?"], ["run"])] == [0, 0]
    turns.begin(turns.second)
    told = f"is {identifier(turns.second)}, and that of the server known so far is {ids}."

    sent = len(statements(turns.second))
    for words in CONNECTING:
        with untouched(home):
            assert told in refused(amx("--json", *words))
    asked = Counter(one.split("(")[0] for one in statements(turns.second)[sent:])
    assert asked == {
        "BEGIN READ ONLY": 2 * len(CONNECTING),
        "SELECT has_function_privilege": len(CONNECTING),
        "SELECT system_identifier FROM pg_control_system": len(CONNECTING),
        "COMMIT": 2 * len(CONNECTING),
    }

    page = (Path(__file__).parents[2] / "docs" / "sessions.md").read_text()
    assert _plain(amx("db", "test", "shop").err) in _plain(page)
    done = amx("db", "test", "--json", "--", ODD)
    assert done.error["hint"] == "amx db accept -- '-odd $hop'"
    assert pasted(done.error["hint"]) == 0
    answer = amx("ask", "where are prices?", "--json").json
    assert (answer["session"], answer["citations"][0]["table"]) == (1, "invoices")
    assert amx("session", "show", "--id", "1", "--json").json["turn_count"] == 4

    turns.begin(turns.first)
    assert refused(amx("--json", "ask", "where are prices?"))


def _plain(text: str) -> str:
    return re.sub(r"postgresql://\S+|\d{9,}", "…", text)


def test_a_server_that_does_not_say_what_it_is_is_let_through(amx: Amx, turns: Turns) -> None:
    add(amx, "shop", turns.first, **{"user": "guest", "password-env": "PW", "database": "guests"})
    env = {"PW": "pw"}
    for server in turns:
        turns.begin(server)
        server.execute("CREATE ROLE guest LOGIN PASSWORD 'pw'")
        server.execute("CREATE DATABASE guests")
        server.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC", "guests")
        assert amx("ask", "where are prices?", env=env).code == 0
    assert amx("db", "accept", "shop", "--json", env=env).json["server_identity"] is None


class InTurn(Proxy):
    """One address behind which each connection meets the next of several servers."""

    def __init__(self, *servers: PostgresServer) -> None:
        self._next = cycle(servers)
        super().__init__(servers[0].host, servers[0].port)

    def _connect(self) -> socket.socket:
        self._server = (PostgresServer.host, next(self._next).port)
        return super()._connect()


def test_of_two_processes_that_meet_two_servers_first_one_goes_on(
    place: Place, turns: Turns, postgres: PostgresServer
) -> None:
    """Both have read that no server is known before either remembers its own."""
    door = InTurn(turns.first, postgres)
    profile = Profile(
        name="shop",
        backend="postgresql",
        host="127.0.0.1",
        port=str(door.port),
        database="postgres",
        schema="public",
        user="postgres",
    )
    place.outbox.set_state({"there": "1"})
    place.local.close()
    children = [_meeting(place, profile) for _ in range(2)]
    for _, told, _ in children:
        assert os.read(told, 1) == b"r"
    for _, _, go in children:
        os.write(go, b"g")

    ended = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid, _, _ in children]

    met = [os.read(told, 99).decode() for _, told, _ in children]

    assert sorted(met) == sorted(identifier(one) for one in (turns.first, postgres))
    assert sorted(ended) == [0, 3]
    assert place.outbox.state(f"server:{profile.identity}") == met[ended.index(0)]


def _meeting(place: Place, profile: Profile) -> tuple[int, int, int]:
    """Meet a server in another process, which stops once it knows that none is remembered."""
    told, tell = os.pipe()
    wait, go = os.pipe()
    pid = os.fork()
    if pid:
        os.close(tell)
        os.close(wait)
        return pid, told, go
    code = 1

    class Stopping(SQLiteOutbox):
        def state(self, key: str) -> str | None:
            found = super().state(key)
            os.write(tell, b"r")
            os.read(wait, 1)
            return found

    catalog = PostgresCatalog(profile, {})
    try:
        KnownServers(Stopping(place.local)).check(profile, catalog)
        code = 0
    except ServerMismatch as error:
        code = error.exit_code
    finally:
        os.write(tell, (catalog.server_identity() or "").encode())
        os._exit(code)
