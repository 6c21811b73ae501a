"""The identity of what a profile points at: one however it is written, another for another."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amx.core.errors import ConfigInvalid
from amx.core.profiles import profile_of

Settings = Mapping[str, object]


class Target(NamedTuple):
    """What a profile points at; hosts and ports in the one form."""

    places: frozenset[tuple[str, int]]
    database: str
    schema: str


HOSTS = ("db1", "db2", "db1.example.org", "127.0.0.1", "10.0.0.7", "::1", "2001:db8::7")
SPELLINGS = {
    "::1": ("::1", "0:0:0:0:0:0:0:1", "0000::0001"),
    "2001:db8::7": ("2001:db8::7", "2001:DB8:0:0::7", "2001:0db8:0000:0000:0000:0000:0000:0007"),
}
NAMES = st.sampled_from(("sales", "Sales", "sales ", "söld", "a/b", "sales?schema=x"))

TARGETS = st.builds(
    Target,
    places=st.frozensets(
        st.tuples(st.sampled_from(HOSTS), st.sampled_from((5432, 5433, 6432))),
        min_size=1,
        max_size=3,
    ),
    database=NAMES,
    schema=st.sampled_from(("public", "Public", "audit")),
)


@st.composite
def spelled(draw: st.DrawFn, target: Target) -> tuple[dict[str, object], dict[str, str]]:
    """Draw one of the many ways to write a target: settings, and an environment for them."""
    places = draw(
        st.permutations(
            [*target.places, *draw(st.lists(st.sampled_from(sorted(target.places)), max_size=1))]
        )
    )
    hosts = ",".join(draw(st.sampled_from(_hosts(host))) for host, _ in places)
    said: dict[str, object] = {"host": hosts, "database": target.database}
    ports = {port for _, port in places}
    if ports == {5432} and draw(st.booleans()):
        pass
    elif len(ports) == 1 and draw(st.booleans()):
        [one] = ports
        said["port"] = draw(st.sampled_from((one, str(one), f"0{one}")))
    else:
        said["port"] = ",".join("" if port == 5432 else str(port) for _, port in places)
        if said["port"] == "":
            del said["port"]
    if target.schema != "public" or draw(st.booleans()):
        said["schema"] = target.schema
    said |= draw(st.sampled_from(_CREDENTIALS))
    environ = {}
    for key in draw(st.sets(st.sampled_from(sorted(said.keys() - {"password"})), max_size=2)):
        environ[f"AT_{key.upper()}"] = str(said[key])
        said[key] = f"${{AT_{key.upper()}}}"
    return said, environ


_CREDENTIALS: tuple[Settings, ...] = (
    {},
    {"user": "ada", "password": "hunter2"},
    {"sslmode": "verify-full", "sslrootcert": "/ca.pem"},
    {"password_command": "pass show db", "application_name": "else"},
    {"backend": "postgresql", "target_session_attrs": "read-write", "profiling_mode": "full"},
)


def _hosts(host: str) -> tuple[str, ...]:
    if ":" in host:
        return SPELLINGS[host]
    return host, host.upper(), f"{host}.", f"{host.title()}."


def identity(name: str, said: Settings, environ: Mapping[str, str] | None = None) -> str:
    return profile_of(name, said, environ or {}).identity


@settings(max_examples=150)
@given(st.data(), TARGETS, TARGETS)
def test_one_target_has_one_identity_however_it_is_written_and_two_have_two(
    data: st.DataObject, one: Target, two: Target
) -> None:
    first = identity("first", *data.draw(spelled(one)))
    again = identity("again", *data.draw(spelled(one)))
    other = identity("first", *data.draw(spelled(two)))

    assert first == again
    assert (first == other) is (one == two)


@settings(max_examples=50)
@given(st.data(), TARGETS)
def test_a_service_points_where_its_settings_do(
    tmp_path: Path, data: st.DataObject, target: Target
) -> None:
    said, environ = data.draw(spelled(target))
    plain = {key for key in _LIBPQ if key in said and not str(said[key]).endswith((" ", "}"))}
    served = data.draw(st.sets(st.sampled_from(sorted(plain)))) if plain else set()
    lines = [f"{_LIBPQ[key]}={said[key]}" for key in served]
    late = [f"{_LIBPQ[key]}=late" for key in served]
    text = "\n".join(
        ["[other]", "port=1", "[this]", "# a=b", "", *lines, *late, "[last]", "port=2"]
    )
    (tmp_path / "services").write_text(text)
    rest = {key: said[key] for key in said if key not in served} | {"service": "this"}

    found = identity("served", rest, {**environ, "PGSERVICEFILE": str(tmp_path / "services")})

    assert found == identity("plain", said, environ)


_LIBPQ = {"host": "host", "port": "port", "database": "dbname"}


FILES = ("shop.db", "Shop.db", "deep/shop.db", "not there.db")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with databases, links to them and to the folder itself; HOME and cwd are it."""
    real = tmp_path / "real"
    (real / "deep").mkdir(parents=True)
    for name in FILES[:3]:
        (real / name).touch()
    for name in FILES:
        (real / f"to {name.replace('/', ' ')}").symlink_to(name)
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(real)
    monkeypatch.setenv("HOME", str(real))
    return tmp_path


@settings(max_examples=100)
@given(st.data(), st.sampled_from(FILES), st.sampled_from(FILES))
def test_one_file_has_one_identity_however_it_is_reached_and_two_have_two(
    folder: Path, data: st.DataObject, one: str, two: str
) -> None:
    def drawn(name: str) -> str:
        inside = st.sampled_from(
            (name, f"./{name}", f"deep/../{name}", f"to {name.replace('/', ' ')}")
        )
        base = st.sampled_from(
            ("", "~/", f"{folder}/real/", f"{folder}/link/", "${AT}/", "../link/")
        )
        path = data.draw(base) + data.draw(inside)
        return identity("p", {"backend": "sqlite", "path": path}, {"AT": f"{folder}//real/."})

    assert drawn(one) == drawn(one)
    assert (drawn(one) == drawn(two)) is (one == two)


def test_a_relative_path_is_another_file_in_another_folder(folder: Path) -> None:
    here = identity("p", {"backend": "sqlite", "path": "shop.db"})
    os.chdir(folder)
    assert identity("p", {"backend": "sqlite", "path": "shop.db"}) != here


def test_the_folder_of_a_socket_is_a_path_and_no_name(folder: Path) -> None:
    def at(host: str) -> str:
        return identity("p", {"host": host, "database": "d"})

    same = {at(f"{folder}/real"), at(f"{folder}/link/"), at(f"{folder}/real/deep/..")}
    assert len(same) == 1
    assert at(f"{folder}/REAL") not in same
    assert at("@Abstract") != at("@abstract")
    assert profile_of("p", {"host": f"{folder}/REAL", "database": "d"}, {}).host.endswith("/REAL")


def test_where_there_is_an_address_it_counts_and_not_the_name() -> None:
    base = {"host": "db1", "database": "d"}
    assert identity("p", {**base, "hostaddr": "10.0.0.7"}) != identity("p", base)
    assert identity("p", {**base, "hostaddr": "10.0.0.7"}) == identity(
        "p", {"hostaddr": "10.0.0.7", "database": "d"}
    )


def test_what_is_left_out_never_comes_from_the_environment_of_libpq() -> None:
    environ = {"PGHOST": "db9", "PGPORT": "9", "PGDATABASE": "else", "PGSERVICE": "nine"}
    environ["PGHOSTADDR"] = "10.9.9.9"
    profile = profile_of("p", {"database": "d"}, environ)
    assert profile.target == "postgresql://localhost:5432/d?schema=public"
    with pytest.raises(ConfigInvalid, match="has no database"):
        profile_of("p", {"host": "db1"}, environ)


def test_a_service_that_changes_is_another_target(tmp_path: Path) -> None:
    file = tmp_path / ".pg_service.conf"
    environ, said = {"HOME": str(tmp_path)}, {"service": "prod"}
    found = []
    for database in ("sales", "audit"):
        file.write_text(f"[prod]\nhost=db1\ndbname={database}\npassword=hunter2\nsslmode=require\n")
        found.append(profile_of("p", said, environ))
    assert found[0].target == "postgresql://db1:5432/sales?schema=public"
    assert found[0].identity == identity("p", {"host": "DB1.", "database": "sales"})
    assert found[0].identity != found[1].identity
    assert (found[0].options, found[0].password.reveal({})) == ({"sslmode": "require"}, "hunter2")
    assert "hunter2" not in repr(found[0])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "no service 'prod' stands in"),
        ("[product]\nhost=db1\n", "no service 'prod' stands in"),
        ("[prod]\nservice=other\n", "has a line that amx cannot use"),
        ("[prod]\nldap://dir/x\n", "has a line that amx cannot use"),
        ("[prod]\nhost=db1\n", "db_profiles.p has no database"),
    ],
)
def test_a_service_that_cannot_be_followed_says_why(
    tmp_path: Path, text: str | None, says: str
) -> None:
    if text:
        (tmp_path / ".pg_service.conf").write_text(text)
    with pytest.raises(ConfigInvalid, match=says):
        profile_of("p", {"service": "prod"}, {"HOME": str(tmp_path), "PGSYSCONFDIR": str(tmp_path)})


def test_a_reference_to_nothing_is_no_default() -> None:
    with pytest.raises(ConfigInvalid) as caught:
        profile_of("p", {"host": "${DB_HOST}", "database": "d"}, {"DB_HOST": ""})
    assert caught.value.message == (
        "db_profiles.p.host is ${DB_HOST}, and that is set to nothing. Nothing was changed."
    )


def test_ports_that_fit_no_hosts_are_refused() -> None:
    with pytest.raises(ConfigInvalid, match="does not give each of several hosts its port"):
        profile_of("p", {"host": "a,b,c", "port": "1,2", "database": "d"}, {})
