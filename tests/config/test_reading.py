"""What is read, what is refused, and where the fault is said to be."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from amx.core.config import syntax
from amx.core.config.model import Config
from amx.core.errors import ConfigGone, ConfigInvalid, ConfigUnreadable, UsageError
from tests.config.support import Place

BOMB = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)

ORIGINAL = Path(__file__).with_name("original.yml")

BROKEN = {
    "empty": (b"", 1, 1, "the file is empty"),
    "only comments": (b"# nothing\n", 1, 1, "the file is empty"),
    "a list": (b"\n- 1\n", 2, 1, "the top level is not a mapping"),
    "one word": (b"word\n", 1, 1, "the top level is not a mapping"),
    "null": (b"~\n", 1, 1, "the top level is not a mapping"),
    "NUL": (b"a: 1\nb: \0\n", 2, 4, "control character 0x00"),
    "escape": (b"a: \x1b[2J\n", 1, 4, "control character 0x1b"),
    "not UTF-8": (b"a: 1\nb: \xff\n", 2, 4, "byte 0xff is not UTF-8"),
    "UTF-16": ("a: 1\n".encode("utf-16"), 1, 1, "the file is UTF-16 or UTF-32; it must be UTF-8"),
    "a key twice": (b"a: 1\nb: 2\na: 3\n", 3, 1, "the key 'a' stands here a second time"),
    "a key twice below": (b"a: {b: 1, b: 2}\n", 1, 11, "the key 'b' stands here a second time"),
    "a number as key": (b"a:\n  1: 2\n", 2, 3, "a key must be text; quote it"),
    "a truth as key": (b"no: 2\n", 1, 1, "a key must be text; quote it"),
    "a list as key": (b"? [a]\n: 1\n", 1, 3, "a key must be text; quote it"),
    "two documents": (b"a: 1\n---\nb: 2\n", 2, 1, "a second document begins here"),
    "alias bomb": (BOMB.encode(), 4, 38, "aliases repeat more than 10000 values"),
    "unknown alias": (b"a: *b\n", 1, 4, "this alias has no anchor before it"),
    "alias of itself": (b"a: &a [*a]\n", 1, 8, "this alias has no anchor before it"),
    "900 levels": (b"a: " + b"[" * 900, 1, 53, "more than 50 levels deep"),
    "5,000 levels": (b"a:\n" + b"- " * 5000, 2, 99, "more than 50 levels deep"),
    "60,000 values": (b"a:\n" + b"- 1\n" * 60000, 49999, 3, "more than 50000 values"),
    "tab": (b"a:\n\tb: 1\n", 2, 1, "found character that cannot start any token"),
    "cut in a quote": (b"a: 'x\n", 2, 1, "found unexpected end of stream"),
    "cut in a list": (b"a: [1,\n", 2, 1, "did not find expected node content"),
    "python object": (
        b"a: !!python/object/apply:os.system [ls]\n",
        *(1, 4),
        "could not determine a constructor for the tag.",
    ),
    "no such month": (b"a: 2024-13-01\n", 1, 4, "this cannot be read as timestamp"),
    "a mile of digits": (b"a: " + b"9" * 5000, 1, 4, "this cannot be read as int"),
    "a mile of hex": (b"a: 0x" + b"f" * 5000, 1, 4, "the number is too long"),
    "a mile of minutes": (b"a: 1" + b":59" * 150_000, 1, 4, "the number is too long"),
    "more than a float holds": (
        *(b"delivery_budget_s: 1" + b"0" * 309, 1, 20),
        "the number is too long",
    ),
    "a mile of directives": (
        *(b"".join(b"%%TAG !%d! x\n" % n for n in range(30_000)), 101, 1),
        "more than 100 directives",
    ),
    "a set": (b"--- !!set\n? a\n", 1, 5, "the top level is not a mapping"),
    "NUL in lines of a Mac": (b"a: 1\rb: \0\r", 2, 4, "control character 0x00"),
    "a mark, then no UTF-8": (b"\xef\xbb\xbfa: \xff\n", 1, 4, "byte 0xff is not UTF-8"),
    "no number": (b"a: !!int x\n", 1, 4, "this cannot be read as int"),
    "no truth": (b"a: !!bool x\n", 1, 4, "this cannot be read as bool"),
    "text as truth": (
        *(b"history_store_enabled: 'yes'\n", 1, 24),
        "history_store_enabled must be true or false",
    ),
    "truth as port": (
        *(b"db_profiles:\n  a:\n    port: true\n", 3, 11),
        "db_profiles.a.port must be a port number",
    ),
    "number as host": (
        *(b"db_profiles: {a.b: {host: 1}}\n", 1, 27),
        'db_profiles."a.b".host must be text',
    ),
    "list as profiles": (b"db_profiles: []\n", 1, 14, "db_profiles must be a mapping"),
    "endless budget": (
        *(b"delivery_budget_s: .inf\n", 1, 20),
        "delivery_budget_s must be a number of zero or more",
    ),
    "10 MB": (
        *(b"a: b # " + b"x" * 10_000_000, 1, 1),
        "has 10000007 bytes; more than 524288 are not read",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_with_line_and_column(place: Place, name: str) -> None:
    data, line, column, problem = BROKEN[name]
    place.write(data)
    with pytest.raises(ConfigInvalid) as caught:
        place.file().load()
    error = caught.value
    assert error.details == {"line": line, "column": column}
    assert problem in error.message
    assert str(place.live) in error.message
    assert error.hint == "amx config restore --list"
    assert place.live.read_bytes() == data


def test_levels_that_the_parser_itself_does_not_read_are_refused_too(place: Place) -> None:
    place.write(b"a: " + b"[" * 5000)  # libyaml 0.2.6 looks ahead, and stops at a thousand
    with pytest.raises(ConfigInvalid) as caught:
        place.file().load()
    assert caught.value.details in ({"line": 1, "column": 53}, {"line": 1, "column": 1003})


def test_of_merged_mappings_the_first_wins_and_own_keys_before_all(place: Place) -> None:
    sources = "x: &x {a: 1, b: 1, c: 1}\ny: &y {b: 2, c: 2, d: 2}\n"
    place.write(sources + "z: {c: 3, <<: [*x, *y], e: 3}\nw: {<<: *y}\n")
    raw = place.file().load().raw
    assert raw["z"] == {"a": 1, "b": 1, "c": 3, "d": 2, "e": 3}
    assert raw["w"] == raw["y"] == {"b": 2, "c": 2, "d": 2}


def test_every_truncation_of_a_file_is_read_or_refused(place: Place) -> None:
    data = ORIGINAL.read_bytes()
    lines = [line_of_fault(data[:length]) for length in range(len(data))]
    assert lines.count(None) > 50
    assert len(lines) - lines.count(None) > 50


def line_of_fault(data: bytes) -> object:
    try:
        syntax.read(data, "file")
    except ConfigInvalid as error:
        return error.details["line"]
    return None


def test_a_file_of_the_original_tool_loads_whole(place: Place) -> None:
    place.write(ORIGINAL.read_bytes())
    config = place.file().load()
    assert list(config.profiles) == ["shop", "legacy.mysql", "warehouse"]
    assert config.active_profile == "shop"
    assert config.is_shared
    assert config.history_store_profile == "shop"
    assert config.history_store_schema == "TEAM"
    assert config.history_store_database is None
    assert config.delivery_budget_s == 2.0
    assert config.raw["ui"] == {"theme": "dark", "since": date(2024, 1, 31), "zip": 8}
    assert place.warnings == []


def test_no_file_and_no_backups_is_a_new_installation(place: Place) -> None:
    config = place.file().load()
    assert config == Config({})
    assert (config.profiles, config.active_profile, config.is_shared) == ({}, None, False)
    assert (config.history_store_schema, config.delivery_budget_s) == ("AMX", 2.0)
    assert not place.folder.exists()


def test_a_file_that_is_gone_while_its_backups_are_there_is_an_error(place: Place) -> None:
    place.write("a: 1\n")
    place.write_backups("a: 0\n")
    place.live.unlink()
    with pytest.raises(ConfigGone) as caught:
        place.file().load()
    assert caught.value.hint == "amx config restore --list"


def test_an_explicit_path_must_be_there(place: Place) -> None:
    with pytest.raises(ConfigGone):
        place.file(is_explicit=True).load()


def test_a_symbolic_link_to_nowhere_is_no_new_installation(place: Place) -> None:
    place.folder.mkdir()
    place.live.symlink_to("elsewhere.yml")
    with pytest.raises(ConfigGone):
        place.file().load()


def test_a_folder_or_a_pipe_in_its_place_is_unreadable(place: Place) -> None:
    place.live.mkdir(parents=True)
    with pytest.raises(ConfigUnreadable):
        place.file().load()


def test_a_file_that_others_may_read_warns(place: Place) -> None:
    place.write("a: 1\n", mode=0o644)
    assert place.file().load().raw == {"a": 1}
    (warning,) = place.warnings
    assert warning == (
        f"{place.live} can be read by others (mode 0644); the next save makes it private, "
        f"or now: chmod 600 {place.live}"
    )


def test_a_byte_order_mark_of_utf8_is_no_fault(place: Place) -> None:
    place.write("\ufeffa: 1\n")
    assert place.file().load().raw == {"a": 1}


def test_profiles_of_a_backend_that_amx_does_not_read_may_hold_anything(place: Place) -> None:
    place.write("db_profiles: {s: {backend: snowflake, port: [1], schema: {a: b}}, n: null}\n")
    profiles = place.file().load().profiles
    assert profiles == {"s": {"backend": "snowflake", "port": [1], "schema": {"a": "b"}}, "n": {}}


def test_merge_keys_and_aliases_are_read_as_yaml_says(place: Place) -> None:
    place.write("base: &b {x: 1, y: 2}\none: {<<: *b, y: 3}\ntwo: *b\n")
    base = {"x": 1, "y": 2}
    raw = place.file().load().raw
    assert raw == {"base": base, "one": {"x": 1, "y": 3}, "two": base}


def test_no_secret_is_in_the_repr_of_a_configuration() -> None:
    assert repr(Config({"password": "hunter2"})) == "Config()"


def test_reading_imports_no_ruamel(place: Place) -> None:
    place.write(ORIGINAL.read_bytes())
    program = (
        "import sys; from pathlib import Path; from amx.core.config.file import ConfigFile; "
        f"ConfigFile(Path({str(place.live)!r}), is_explicit=True, warn=print).load(); "
        "print(sorted(name for name in sys.modules if name.startswith('ruamel')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"[]\n"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5432", 5432),
        ("no", False),
        ("'no'", "no"),
        ("1e3", "1e3"),
        ("1.5", 1.5),
        (" word ", "word"),
        ("${HOST}", "${HOST}"),
        ("!!str 5", "5"),
        ("", ""),
        ("null", None),
    ],
)
def test_a_value_is_one_yaml_scalar(text: str, value: object) -> None:
    assert syntax.scalar(text) == value


@pytest.mark.parametrize(
    "text", ["a: b", "[1]", "word # comment", "'a' # b", "two\nlines", "*x", "@x", "# c", "'a"]
)
def test_what_is_no_scalar_or_would_lose_something_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        syntax.scalar(text)
    assert caught.value.hint == "Give --string to take it as it is."


def test_what_a_caller_does_to_what_was_loaded_changes_no_later_save(place: Place) -> None:
    place.write("a: {b: 1}\nl: [1]\n")
    file = place.file()
    raw: dict[str, dict[str, int] | list[int]] = dict(file.load().raw)  # type: ignore[arg-type]  # as written above
    raw["a"]["b"] = 2  # type: ignore[call-overload]  # a mapping
    raw["l"].append(2)  # type: ignore[union-attr]  # a list
    assert file.patch({("a", "b"): 2})
    assert place.live.read_text() == "a: {b: 2}\nl: [1]\n"
