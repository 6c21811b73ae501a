"""``amx config`` as a user meets it."""

import json
from pathlib import Path

import pytest

from tests.config.support import Place
from tests.support import Amx

BROKEN = "db_profiles:\n  a: [1\n"

ANYHOW = {
    ("config", "path"): 0,
    ("config", "backups"): 0,
    ("config", "diff", "1"): 0,
    ("config", "restore", "--list"): 0,
    ("config", "validate"): 5,
    ("config", "show"): 5,
    ("config", "set", "a", "1"): 5,
}


@pytest.fixture
def mine(home: Path) -> Place:
    """Give the configuration of the program that the tests run."""
    return Place(home)


def test_a_value_that_is_set_is_read_back_and_can_be_taken_away(amx: Amx, mine: Place) -> None:
    assert amx("config", "set", "db_profiles.shop.port", "5433").out == (
        "db_profiles.shop.port: saved.\n"
    )
    assert amx("config", "set", "db_profiles.shop.port", "5433", "--json").json == {
        "key": "db_profiles.shop.port",
        "changed": False,
    }
    assert amx("config", "get", "db_profiles.shop.port") == (0, "5433\n", "")
    assert amx("config", "get", "db_profiles", "--json").json == {"shop": {"port": 5433}}
    assert amx("config", "unset", "db_profiles.shop.port").code == 0
    assert mine.live.read_text() == "db_profiles:\n  shop: {}\n"


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (
            ("get", "nope"),
            "The configuration has no key nope. Nothing was changed.",
            "amx config show",
        ),
        (
            ("unset", "a.b"),
            "The configuration has no key a.b. Nothing was changed.",
            "amx config show",
        ),
        (
            ("set", "a..b", "1"),
            "'a..b' is no key: its parts are separated by single dots. Nothing was changed.",
            'amx config get db_profiles."a.b".host',
        ),
        (
            ("set", "n.below", "1"),
            "n is a value and has no keys below it. Nothing was changed.",
            "amx config get n",
        ),
        (
            ("set", "active_db_profile", "12"),
            "active_db_profile must be text. Nothing was changed.",
            "Give --string to take VALUE as it is.",
        ),
        (
            ("set", "db_profiles.a.port", "x"),
            "db_profiles.a.port must be a port number. Nothing was changed.",
            None,
        ),
        (
            ("set", "n", "null"),
            "VALUE is null, which is no value for n. Nothing was changed.",
            "amx config unset n",
        ),
        (
            ("set", "db_profiles.a.password", "hunter2"),
            "db_profiles.a.password would hold a secret in plain text. Nothing was changed.",
            "amx config set db_profiles.a.password '${PASSWORD}'",
        ),
        (
            ("set", "tokens.github", "hunter2"),
            "tokens.github would hold a secret in plain text. Nothing was changed.",
            "amx config set tokens.github '${GITHUB}'",
        ),
        (
            ("set", "proxy", "http://me:hunter2@proxy"),
            "proxy would hold a secret in plain text. Nothing was changed.",
            "amx config set proxy '${PROXY}'",
        ),
        (
            ("restore", "7"),
            "There is no generation 7. Generations: 1. Nothing was changed.",
            "amx config restore --list",
        ),
        (
            ("restore", "1", "--latest-valid"),
            "Name one generation, --latest-valid, --from or --list. Nothing was changed.",
            "amx config restore --help",
        ),
    ],
)
def test_wrong_words_are_refused_and_change_nothing(
    amx: Amx, mine: Place, words: tuple[str, ...], message: str, hint: str | None
) -> None:
    mine.write("n: 1\n")
    mine.write_backups("n: 0\n")
    before = mine.state()
    done = amx("config", *words, "--json")
    assert (done.code, done.out) == (2, "")
    assert (done.error["message"], done.error["hint"]) == (message, hint)
    assert "hunter2" not in done.err
    assert mine.state() == before


def test_string_takes_a_value_as_it_is(amx: Amx, mine: Place) -> None:
    assert amx("config", "set", "active_db_profile", "--string", "no # yes").code == 0
    assert mine.live.read_text() == "active_db_profile: 'no # yes'\n"


def test_secrets_are_hidden_and_references_are_shown(amx: Amx, mine: Place) -> None:
    mine.write(
        "db_profiles:\n  a:\n    password: hunter2\n  b:\n    password: ${PW}\n"
        "  c: {password: keyring:amx/c}\nkeys: {api_key: hunter2}\ntokens: {github: [hunter2]}\n"
    )
    mine.write_backups("db_profiles: {a: {password: hunter3}}\n")
    shown = amx("config", "show", "--json").json
    assert shown["db_profiles"] == {
        "a": {"password": "***"},
        "b": {"password": "${PW}"},
        "c": {"password": "keyring:amx/c"},
    }
    for words in (["show"], ["show", "--origin"], ["get", "db_profiles"], ["diff"], ["backups"]):
        done = amx("config", *words)
        assert done.code == 0
        assert "hunter" not in done.out + done.err
    assert amx("config", "get", "db_profiles.a.password").out == "***\n"


def test_show_says_where_each_value_comes_from(amx: Amx, mine: Place) -> None:
    mine.write("# note\nactive_db_profile: shop\nui:\n  theme: dark\n")
    done = amx("config", "show", "--origin", "--json", env={"AMX_PROFILE": "other"})
    assert done.json["values"] == [
        {"key": "active_db_profile", "value": "other", "origin": "AMX_PROFILE"},
        {"key": "ui.theme", "value": "dark", "origin": f"{mine.live}:4"},
        {"key": "history_store_enabled", "value": False, "origin": "default"},
        {"key": "history_store_schema", "value": "AMX", "origin": "default"},
        {"key": "delivery_budget_s", "value": 2, "origin": "default"},
        {"key": "share_questions", "value": True, "origin": "default"},
    ]


def test_values_that_json_cannot_hold_are_shown_as_text(amx: Amx, mine: Place) -> None:
    mine.write("a: 2024-01-31\nb: .nan\nc: !!binary aGk=\nd: !!set {x}\ne: .inf\n")
    assert amx("config", "show", "--json").json == {
        "a": "2024-01-31",
        "b": "nan",
        "c": "hi",
        "d": ["x"],
        "e": "inf",
    }


@pytest.mark.parametrize("words", ANYHOW)
def test_a_broken_file_stops_only_what_needs_it(
    amx: Amx, mine: Place, words: tuple[str, ...]
) -> None:
    mine.write(BROKEN)
    mine.write_backups("a: 1\n")
    before = mine.state()
    done = amx(*words)
    assert done.code == ANYHOW[words]
    assert "Traceback" not in done.err
    if done.code:
        assert f"{mine.live}, line 3, column 1:" in done.err
        assert "amx config restore --list" in done.err
    assert mine.state() == before


def test_a_broken_file_is_restored_and_the_restore_undone(amx: Amx, mine: Place) -> None:
    mine.write(BROKEN)
    mine.write_backups("a: 1\n")
    assert amx("restore-config", "--latest-valid", "--json").json == {
        "restored": str(mine.backup(1)),
        "generation": 1,
        "valid": True,
        "changed": True,
    }
    assert mine.live.read_text() == "a: 1\n"
    done = amx("config", "restore", "1")
    assert (done.code, done.out) == (0, "Generation 1 is live; undo: amx config restore 1.\n")
    assert "What was restored is not valid" in done.err
    assert mine.live.read_text() == BROKEN


def test_restore_without_a_name_and_a_terminal_is_refused_with_the_list(
    amx: Amx, mine: Place
) -> None:
    mine.write("a: 0\n")
    mine.write_backups("a: 1\n", "[")
    done = amx("config", "restore")
    assert (done.code, done.out) == (2, "")
    assert "1: " in done.err
    assert "5 bytes, valid" in done.err
    assert "1 bytes, NOT VALID" in done.err


def test_backups_are_a_document(amx: Amx, mine: Place) -> None:
    mine.write("a: 0\n")
    mine.write_backups("a: 1\n", "[")
    done = amx("config", "backups", "--json")
    first, second = json.loads(done.out)["backups"]
    assert first.keys() == {
        *("generation", "path", "size_bytes", "modified_at", "valid", "changed_keys")
    }
    assert (first["generation"], first["path"], first["size_bytes"]) == (1, str(mine.backup(1)), 5)
    assert (first["valid"], first["changed_keys"]) == (True, ["a"])
    assert (second["valid"], second["changed_keys"]) == (False, None)


def test_a_configuration_that_is_named_must_be_there(amx: Amx, tmp_path: Path) -> None:
    path = tmp_path / "mine.yml"
    done = amx("config", "set", "a", "1", "--config", str(path))
    assert done.code == 5
    assert not path.exists()
    path.write_text("a: 0\n")
    assert amx("config", "set", "a", "1", env={"AMX_CONFIG": str(path)}).code == 0
    assert path.read_text() == "a: 1\n"
