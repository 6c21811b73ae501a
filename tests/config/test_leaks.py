"""No secret is told by an error, a traceback, a repr or a target, in whatever form it stands."""

import traceback
from pathlib import Path

import pytest

from amx.core.config.drafts import Draft
from amx.core.config.reading import read_file
from amx.core.config.wishes import Wish
from amx.core.errors import ConfigInvalid, UsageError
from amx.core.profiles import profile_of
from amx.core.secrets import is_secret_key, redact, redact_url
from tests.config.support import Place
from tests.support import Amx

SIGN = "hunter2"


def fault_of(place: Place, text: str) -> ConfigInvalid:
    """Return why a text is no configuration."""
    place.write(text)
    with pytest.raises(ConfigInvalid) as caught:
        place.file().load()
    return caught.value


# --- errors about the file


@pytest.mark.parametrize(
    ("value", "column", "problem"),
    [
        ("*hunter2", 15, "this alias has no anchor before it"),
        ("!hunter2", 15, "could not determine a constructor for the tag"),
        ("!!python/name:hunter2", 15, "could not determine a constructor for the tag"),
        ("!hunter2!x y", 15, "found undefined tag handle"),
        ("{hunter2: 1, hunter2: 2}", 28, "the key stands here a second time"),
        ("[{a: {hunter2: 1, hunter2: 2}}]", 33, "the key stands here a second time"),
    ],
)
def test_a_password_that_yaml_takes_for_something_else_is_not_told(
    place: Place, value: str, column: int, problem: str
) -> None:
    error = fault_of(place, f"db_profiles:\n  a:\n    password: {value}\n")
    assert error.message == f"{place.live}, line 3, column {column}: {problem}."
    assert SIGN not in "".join(traceback.format_exception(error))


def test_a_key_that_is_no_secret_is_named_where_it_stands_twice(place: Place) -> None:
    error = fault_of(place, "db_profiles:\n  token:\n    host: a\n    host: b\n")
    assert error.message.endswith("line 4, column 5: the key 'host' stands here a second time.")


@pytest.mark.parametrize("tag", ["int", "float", "bool", "timestamp"])
def test_no_traceback_tells_a_value_that_cannot_be_read_as_its_tag_says(
    place: Place, tag: str
) -> None:
    error = fault_of(place, f"db_profiles:\n  a:\n    password: !!{tag} hunter2\n")
    assert SIGN not in "".join(traceback.format_exception(error))


def test_no_traceback_tells_a_value_that_is_refused_on_the_command_line(amx: Amx) -> None:
    for value in ("!!int hunter2", "*hunter2", "!hunter2 x", "'hunter2"):
        done = amx("config", "set", "db_profiles.a.password", value, "--debug")
        assert done.code == UsageError.exit_code
        assert "Traceback" in done.err
        assert SIGN not in done.err


def test_no_traceback_tells_a_password_command_that_fails(amx: Amx, home: Path) -> None:
    for command in ("vault -token=hunter2; exit 3", "printf '\\377hunter2'"):
        Place(home).write(
            "db_profiles:\n  a:\n    host: 127.0.0.1\n    port: 1\n    database: d\n"
            f'    password_command: "{command.replace(chr(92), chr(92) * 2)}"\n'
        )
        done = amx("db", "test", "a", "--debug")
        assert "The password_command of db_profiles.a.password failed" in done.err
        assert "Traceback" in done.err
        assert SIGN not in done.err


def test_no_repr_has_what_was_read_or_is_to_be_written(place: Place) -> None:
    place.write("password: hunter2\n")
    reading = read_file(place.live, "f")
    assert repr(reading) == "Reading(Raw(18 bytes))"
    assert repr(reading.document) == "Document()"
    assert repr(Draft(b"password: hunter2\n", b"hunter2", 18)) == "Draft(18 bytes)"
    assert repr({("password",): Wish("hunter2", {"a": "hunter2"}, 3)}) == "{('password',): Wish(3)}"


# --- what a profile points at


@pytest.mark.parametrize(
    "settings",
    [
        "{host: 'postgresql://u:hunter2@h/db', database: d}",
        "{host: 'u:hunter2@h', database: d}",
        "{host: 'u:hun,hunter2@h', database: d}",
        "{host: h, database: 'postgresql://u:hunter2@h/d'}",
        "{database: d, schema: 'password=hunter2'}",
        "{backend: sqlite, path: 'sqlite://u:hunter2@h/x'}",
        "{backend: sqlite, path: '/x.db?password=hunter2'}",
    ],
)
def test_no_target_and_no_history_has_a_secret(amx: Amx, home: Path, settings: str) -> None:
    Place(home).write(f"db_profiles:\n  a: {settings}\n")
    commands = (["db", "list"], ["db", "show", "a"], ["session", "new", "--profile", "a"])
    told = [amx(*words, *form) for words in commands for form in ([], ["--json"])]
    assert [one.code for one in told] == [0] * len(told)
    assert "***" in told[0].out
    assert SIGN not in str(told)
    stores = list(home.glob("local.db*"))
    assert stores
    assert not [path.name for path in stores if SIGN.encode() in path.read_bytes()]


def test_a_service_that_is_not_there_is_named_without_a_secret(amx: Amx, home: Path) -> None:
    Place(home).write("db_profiles:\n  a: {service: 'password=hunter2'}\n")
    done = amx("db", "test", "a")
    assert done.code == ConfigInvalid.exit_code
    assert "no service 'password=***' stands in" in done.err
    assert SIGN not in done.err + done.out


@pytest.mark.parametrize(
    ("settings", "target"),
    [
        ({"host": "auth,B", "database": "d"}, "postgresql://auth:5432,b:5432/d?schema=public"),
        ({"host": "tokens", "port": 1, "database": "d"}, "postgresql://tokens:1/d?schema=public"),
        ({"backend": "sqlite", "path": "/a/secret.db"}, "sqlite:/a/secret.db"),
    ],
)
def test_a_target_without_a_secret_is_told_whole(settings: dict[str, object], target: str) -> None:
    assert profile_of("a", settings, {}).target == target


def test_an_identity_knows_nothing_of_redaction() -> None:
    one, two = (profile_of("a", {"host": "h", "database": f"password={word}"}, {}) for word in "xy")
    assert one.target == two.target
    assert one.identity != two.identity
    plain = profile_of("a", {"host": "h", "database": "d"}, {})
    assert plain.identity == "v1:166889aa609052c0bf42592be5f34bf0"


# --- secrets in texts


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer hunter2", "Authorization: ***"),
        ('{"password": "hunter2", "port": 1}', '{"password": ***, "port": 1}'),
        ("password: hunter2", "password: ***"),
        ("password: |\n  hunter2\nport: 1", "password: ***\nport: 1"),
        ("password: 'it''s hunter2' # old", "password: *** # old"),
        ("host=h password=hun&hunter2 user=u", "host=h password=*** user=u"),
        ("https://hunter2@git.example/x.git", "https://***@git.example/x.git"),
        ("https://hunter2:x-oauth-basic@git.example/", "https://***@git.example/"),
        ("AccountName=a;AccountKey=hunter2==;End=b", "AccountName=a;AccountKey=***"),
        ("https://a.example/x?sig=hunter2&se=1", "https://a.example/x?sig=***&se=1"),
        ("mysql --password hunter2 --host h", "mysql --password *** --host h"),
        ("postgresql://ada:hunter two@h/d", "postgresql://ada:***@h/d"),
        ("postgresql://ada@srv:hunter2@h/d", "postgresql://ada@srv:***@h/d"),
        ("ada:hunter2@tcp(h:3306)/d", "ada:***@tcp(h:3306)/d"),
        ("PWD=a hunter2;UID=u", "PWD=***;UID=u"),
        ("PWD={a;hunter2};UID=u", "PWD=***;UID=u"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----\nend",
            "-----BEGIN RSA PRIVATE KEY-----***\nend",
        ),
    ],
)
def test_a_secret_in_a_text_is_hidden_and_the_rest_is_told(text: str, shown: str) -> None:
    assert redact_url(text) == shown
    assert redact({"x": [text]}) == {"x": [shown]}


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://ada@h/db",
        "postgresql://auth:5432/d?schema=public",
        "http://h:8080 and a mail to ada@example.org",
        "git@git.example:team/repo@v1",
        "mailto:ada@example.org",
        "author: Ada, path: /x, pattern: a*b, compat=1",
        "authentication_timeout=5 max_tokens=7 max_output_tokens: 9",
        "password_file: /x and passfile=/y",
        "password authentication failed for user ada",
        "keyring:amx:db:shop@work:password",
    ],
)
def test_a_text_without_a_secret_is_told_whole(text: str) -> None:
    assert redact_url(text) == text


@pytest.mark.parametrize(
    "key", ["account_key", "encryption_key", "signing_key", "pat", "auth", "cookie", "jwt"]
)
def test_the_name_of_a_secret_is_known_alone_and_as_the_end_of_a_name(key: str) -> None:
    assert redact({key: SIGN, f"my_{key}": SIGN}) == {key: "***", f"my_{key}": "***"}


@pytest.mark.parametrize(
    "key", ["author", "authentication_timeout", "auth_mode", "path", "pattern", "compat", "sigma"]
)
def test_an_ordinary_name_is_not_taken_for_one_of_a_secret(key: str) -> None:
    assert not is_secret_key(key)
