"""Every way to give a password, tried against a real server that asks for one."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.config.support import Place
from tests.postgres import PostgresServer
from tests.support import Amx, Done

PASSWORD = "hunter2 it's: {secret}"

WAYS: Mapping[str, tuple[Mapping[str, str], Mapping[str, str], Mapping[str, str]]] = {
    "a literal": ({"password": PASSWORD}, {}, {}),
    "a reference": ({"password": "${SHOP_PW}"}, {}, {"SHOP_PW": PASSWORD}),
    "a command": ({"password_command": "cat ~/word"}, {"word": f"{PASSWORD}\n"}, {}),
    "a command with a reference": (
        {"password_command": 'printf %s "$SHOP_PW"', "password": "${NEVER_LOOKED_AT}"},
        {},
        {"SHOP_PW": PASSWORD},
    ),
    "a password file": ({"passfile": "HOME/words"}, {"words": "PGPASS"}, {}),
    "a password file by reference": (
        {"passfile": "${WORDS}/words"},
        {"words": "PGPASS"},
        {"WORDS": "HOME"},
    ),
    "libpq's own password file": ({}, {".pgpass": "PGPASS"}, {}),
    "libpq's variable for it": ({}, {"words": "PGPASS"}, {"PGPASSFILE": "HOME/words"}),
    "libpq's own service file": ({"service": "shop"}, {".pg_service.conf": "SERVICE"}, {}),
    "libpq's variable for that": (
        {"service": "shop"},
        {"services": "SERVICE"},
        {"PGSERVICEFILE": "HOME/services"},
    ),
}
"""Settings of the profile, files in the home, variables."""


@pytest.fixture
def server(postgres: PostgresServer, database: str) -> Mapping[str, str]:
    """Give the settings of a role that needs its password."""
    postgres.execute("DROP ROLE IF EXISTS amx_shop")
    quoted = PASSWORD.replace("'", "''")
    postgres.execute(f"CREATE ROLE amx_shop LOGIN PASSWORD '{quoted}'")
    place = {"host": postgres.host, "port": str(postgres.port), "database": database}
    return {"backend": "postgresql", "user": "amx_shop", **place}


def write(home: Path, profile: Mapping[str, str]) -> None:
    """Write a configuration with one profile."""
    Place(home).write(yaml.safe_dump({"db_profiles": {"shop": profile}}, allow_unicode=True))


def texts(server: Mapping[str, str]) -> Mapping[str, str]:
    """Return what stands for the parts that are known only now."""
    escaped = PASSWORD.replace(":", "\\:")
    line = ":".join([server["host"], server["port"], "*", server["user"], escaped])
    keys = {"host": "host", "port": "port", "database": "dbname", "user": "user"}
    service = [f"{keys[key]}={server[key]}" for key in keys]
    return {
        "HOME": os.environ["HOME"],
        "PGPASS": f"{line}\n",
        "SERVICE": "\n".join(["[shop]", *service, f"password={PASSWORD}", ""]),
    }


def filled(text: str, known: Mapping[str, str]) -> str:
    for name, value in known.items():
        text = value if text == name else text.replace(f"{name}/", f"{value}/")
    return text


@pytest.mark.parametrize("way", WAYS)
def test_a_password_is_had_in_every_way_and_never_shown(
    amx: Amx, home: Path, server: Mapping[str, str], way: str
) -> None:
    settings, files, variables = WAYS[way]
    known = texts(server)
    for name, text in files.items():
        path = Path(known["HOME"], name)
        path.write_text(filled(text, known))
        path.chmod(0o600)
    mine = {key: filled(text, known) for key, text in settings.items()}
    is_by_service = "service" in settings
    write(home, {"backend": "postgresql", **mine} if is_by_service else {**server, **mine})
    done = amx(
        *("db", "test", "shop", "--json"),
        env={name: filled(text, known) for name, text in variables.items()},
    )
    assert (done.code, done.err) == (0, "")
    assert (done.json["name"], done.json["tables"]) == ("shop", 0)
    assert_hidden(done, amx("config", "show"))


def assert_hidden(*done: Done) -> None:
    told = "".join(f"{one.out}{one.err}" for one in done)
    assert [part for part in ("hunter2", "it's", "{secret}") if part in told] == []


UNHAD: Mapping[str, tuple[Mapping[str, str], str, str]] = {
    "unset": (
        {"password": "${SHOP_PW}"},
        ".password refers to ${SHOP_PW}, and SHOP_PW is not set. Nothing was changed.",
        "export SHOP_PW=…",
    ),
    "unset elsewhere": (
        {"host": "${SHOP_HOST}.example"},
        ".host refers to ${SHOP_HOST}, and SHOP_HOST is not set. Nothing was changed.",
        "export SHOP_HOST=…",
    ),
    "failing command": (
        {"password_command": "tee /dev/stderr < ~/word; exit 3"},
        ".password failed (exit 3).",
        "Run it by hand to see why.",
    ),
    "keyring": (
        {"password": "keyring:amx:db:shop:password"},
        ".password refers to the original tool's keyring, which amx does not read.",
        "Give it as ${VAR}: amx config set KEY '${VAR}', or by password_command.",
    ),
}
"""Settings of the profile, how the message ends, the hint."""


@pytest.mark.parametrize("case", UNHAD)
def test_a_password_that_cannot_be_had_is_an_error_of_the_configuration(
    amx: Amx, home: Path, case: str
) -> None:
    settings, message, hint = UNHAD[case]
    Path(os.environ["HOME"], "word").write_text(PASSWORD)
    nowhere = {"backend": "postgresql", "host": "127.0.0.1", "port": "1", "database": "d"}
    write(home, {**nowhere, **settings})
    before = Place(home).state()
    done = amx("db", "test", "shop", "--json")
    assert (done.code, done.out, done.error["code"]) == (5, "", "config.secret")
    assert done.error["message"].endswith(f"db_profiles.shop{message}")
    assert done.error["hint"] == hint
    assert_hidden(done, amx("db", "test", "shop", "--debug"))
    assert Place(home).state() == before


@pytest.mark.parametrize("way", ["a literal", "a reference", "a command"])
def test_a_wrong_password_is_told_without_it(
    amx: Amx, home: Path, server: Mapping[str, str], way: str
) -> None:
    settings, files, _ = WAYS[way]
    for name in files:
        Path(os.environ["HOME"], name).write_text("hunter2 wrong")
    write(home, {**server, **settings, **({"password": "hunter2 x"} if way == "a literal" else {})})
    done = [
        amx("db", "test", "shop", *mode, env={"SHOP_PW": "hunter2 y"}) for mode in ([], ["--debug"])
    ]
    assert [one.code for one in done] == [6, 6]
    assert "authentication failed" in done[0].err
    assert_hidden(*done)


def test_a_password_file_that_others_may_read_is_not_used_by_libpq(
    amx: Amx, home: Path, server: Mapping[str, str]
) -> None:
    path = Path(os.environ["HOME"], ".pgpass")
    path.write_text(texts(server)["PGPASS"])
    path.chmod(0o644)
    write(home, server)
    done = amx("db", "test", "shop")
    assert done.code == 6
    assert_hidden(done)
