"""The file of an existing installation of the original tool: it works, and loses nothing.

`original_20.yml` has twenty profiles, every key of the contract and dozens that amx does not know,
comments wherever YAML lets one stand, and every style of writing a value.
"""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from difflib import unified_diff
from pathlib import Path

import pytest
import yaml

from amx.core.config.keys import key_of
from amx.core.config.model import REMOVED, Changes, applied, same
from tests.config import oracle
from tests.config.support import Place
from tests.support import Amx

TEXT = Path(__file__).with_name("original_20.yml").read_text()

PROFILES = [
    *("shop", "shop_replica", "finance.eu", "it's legacy", "orders_mysql", "warehouse"),
    *("warehouse_loader", "warehouse_admin", "lake", "lake_sandbox", "bricks", "oracle_erp"),
    *("erp_reports", "dwh_redshift", "clicks", "ducks", "notes", "2024", "team", "mart"),
]

MEANINGS: Mapping[str, object] = {
    "schema_version": 2,
    "db_profiles.shop.port": 5432,
    "db_profiles.shop.profiling_approximate": False,
    "db_profiles.shop_replica.profiling_max_rows": 10000,
    "db_profiles.shop_replica.port": "5432,5433",
    'db_profiles."finance.eu".port': "6432",
    'db_profiles."finance.eu".password': 'hunter2 "with quotes" & #no comment',
    'db_profiles."it\'s legacy".password': "hunter2: it's { old }",
    "db_profiles.warehouse.password": "hunter2-snow#flake",
    "db_profiles.warehouse.session_parameters.STATEMENT_TIMEOUT_IN_SECONDS": 0o600,
    "db_profiles.warehouse_admin.role": "ACCOUNTADMIN",
    "db_profiles.warehouse_admin.account": "ab12345.eu-central-1",
    "db_profiles.lake_sandbox.dataset": None,
    "db_profiles.oracle_erp.password": "hunter2 folded",
    "db_profiles.oracle_erp.lib_dir": "C:\\oracle\\instantclient_21",
    "db_profiles.clicks.password": "hunter2\tclicks",
    "db_profiles.2024.path": "/srv/archive/2024 – final.db",
    "db_profiles.2024.comment": 8,
    "llm_profiles.local.thinking_budget": 1024,
    "llm_profiles.local.logprob_high": 0.85,
    "llm_profiles.local.force_logprobs": True,
    "code_profiles.long": "/srv/code/long",
    "selected_tables": ["tmp_*", "*_backup"],
    "history_store_enabled": False,
    "delivery_budget_s": 2.5,
    "ui.since": date(2024, 1, 31),
    "ui.seen_at": datetime(2024, 1, 31, 8, 15, tzinfo=UTC),
    "ui.quiet_hours": 79200,
    "ui.big": 123456789012345678901234567890,
    "ui.tilde": "~",
    "ui.nothing": None,
    "ui.keys": {"no": "reject", "yes": "accept", "?": "help"},
    "scan.schemas": ["public", "sales"],
    "scan.since": "2023-12-31",
    "cache.max": "5e8",
    "prompts.keep": "trailing blank lines are kept\n\n",
    "prompts.indented": "  two more than the rest\n",
    "glossary.ümläut": "naïve – “quoted” ☃",
    "glossary.emoji": "🦆",
    "telemetry": False,
}

STEPS = """
amx db add attic --backend sqlite --path /srv/attic.db
+ attic:
+ backend: sqlite
+ path: /srv/attic.db
amx db use notes
- active_db_profile: shop
+ active_db_profile: notes
amx config set db_profiles.shop.host db9.shop.example
- host: db1.shop.example # moved in spring; was db0
+ host: db9.shop.example # moved in spring; was db0
amx config set 'db_profiles."finance.eu".port' --string 6433
- port: '6432' # pgbouncer; text is what the old tool wrote
+ port: '6433' # pgbouncer; text is what the old tool wrote
amx config set llm_profiles.default.model gpt-5
- default: {provider: openai, model: gpt-4o-mini, temperature: 0.2, api_key: '${OPENAI_API_KEY}'}
+ default: {provider: openai, model: gpt-5, temperature: 0.2, api_key: '${OPENAI_API_KEY}'}
amx config set ui.theme light
- theme: dark
+ theme: light
amx config set cache.path /var/cache/amx
- path: "%(home)s/cache"
+ path: /var/cache/amx
amx config set glossary.new no
+ new: false
amx config set lineage.depth 3
+ lineage:
+ depth: 3
amx config set history_store_enabled yes
- history_store_enabled: no # until the team store has moved
+ history_store_enabled: true # until the team store has moved
amx config set history_store_schema TEAM
- history_store_schema: AMX
+ history_store_schema: TEAM
amx config set history_store_database amx
- history_store_database: ''
+ history_store_database: amx
amx config unset delivery_budget_s
- delivery_budget_s: 2.5
amx config unset scan.exclude
- exclude: [pg_catalog, information_schema] # always
amx config unset 'db_profiles."finance.eu".sslmode'
- sslmode: "verify-ca"
amx db remove mart
- mart:
- backend: postgresql
- service: mart
- passfile: ~/.pgpass
- sslcert: ~/.postgresql/mart.crt
- sslkey: ~/.postgresql/mart.key
- options: '-c search_path=mart -c statement_timeout=5min'
- url: postgresql://etl:hunter2%40mart@mart.example:5432/mart?sslmode=require
"""
"""Commands, and the lines that each takes away and adds, blanks apart: no other line changes."""

CHANGES: Changes = {
    ("db_profiles", "attic"): {"backend": "sqlite", "path": "/srv/attic.db"},
    ("active_db_profile",): "notes",
    ("db_profiles", "shop", "host"): "db9.shop.example",
    ("db_profiles", "finance.eu", "port"): "6433",
    ("llm_profiles", "default", "model"): "gpt-5",
    ("ui", "theme"): "light",
    ("cache", "path"): "/var/cache/amx",
    ("glossary", "new"): False,
    ("lineage", "depth"): 3,
    ("history_store_enabled",): True,
    ("history_store_schema",): "TEAM",
    ("history_store_database",): "amx",
    ("delivery_budget_s",): REMOVED,
    ("scan", "exclude"): REMOVED,
    ("db_profiles", "finance.eu", "sslmode"): REMOVED,
    ("db_profiles", "mart"): REMOVED,
}
"""The same, as changes of what the file says."""


@pytest.fixture
def mine(home: Path) -> Place:
    """Give the file of the original tool as the configuration of the program."""
    place = Place(home)
    place.write(TEXT)
    return place


def values_of(text: str) -> dict[str, object]:
    """Return what a text says, by the reader of the original tool."""
    return dict(oracle.read(text))


def value_of(values: object, key: str) -> object:
    for part in key_of(key):
        assert isinstance(values, dict)
        values = values[part]
    return values


def words_of(text: str) -> list[tuple[object, ...]]:
    """Return each scalar with its style, each anchor, alias, tag and bracket, blanks apart."""
    parts = ("value", "style", "plain")
    return [
        (type(token).__name__, *(getattr(token, part, None) for part in parts))
        for token in yaml.scan(text)
        if not type(token).__name__.startswith("Block")
    ]


def comments_of(text: str) -> list[str]:
    """Return what stands between the tokens of a text: its comments, in their order."""
    found, end = [], 0
    for token in yaml.scan(text):
        found += re.findall(r"#.*", text[end : max(end, token.start_mark.index)])
        end = max(end, token.end_mark.index)
    return [comment.rstrip() for comment in found + re.findall(r"#.*", text[end:])]


def steps() -> Iterator[tuple[list[str], list[str]]]:
    for step in STEPS.strip().removeprefix("amx ").split("\namx "):
        command, *lines = step.splitlines()
        yield shlex.split(command), lines


def differing_lines(before: str, after: str) -> list[str]:
    """Return which lines went and which came, blanks in them apart."""
    lines = list(unified_diff(before.splitlines(), after.splitlines(), n=0))[2:]
    return [f"{one[0]} {' '.join(one[1:].split())}" for one in lines if not one.startswith("@@")]


def test_the_file_has_what_this_is_about() -> None:
    assert len(comments_of(TEXT)) == TEXT.count("#") - 12
    assert {word[2] for word in words_of(TEXT)} >= {"'", '"', "|", ">"}
    assert len(values_of(TEXT)) > 45


def test_it_loads_and_means_what_the_original_tool_read(mine: Place) -> None:
    config = mine.file().load()
    assert same(config.raw, values_of(TEXT))
    assert {key: value_of(config.raw, key) for key in MEANINGS} == MEANINGS
    assert all(same(value_of(config.raw, key), value) for key, value in MEANINGS.items())
    assert list(config.profiles) == PROFILES
    assert (config.active_profile, config.is_shared, config.history_store_profile) == (
        *("shop", False),
        "team",
    )
    assert mine.warnings == []


def test_every_profile_of_a_backend_that_amx_reads_can_be_shown(amx: Amx, mine: Place) -> None:
    listed = amx("db", "list", "--json").json
    assert listed["active"] == "shop"
    assert [one["name"] for one in listed["profiles"]] == PROFILES
    targets = {one["name"]: one["target"] for one in listed["profiles"] if one["target"]}
    assert targets == {
        "shop": "postgresql://db1.shop.example:5432/shop?schema=public",
        "shop_replica": "postgresql://db2.shop.example:5432,db3.shop.example:5433/shop?schema=public",
        "finance.eu": "postgresql://finance.example:6432/finance?schema=public",
        "notes": f"sqlite:{Path.home().resolve()}/data/notes.db",
        "2024": "sqlite:/srv/archive/2024 – final.db",
        "team": "postgresql://team.example:5432/amx_history?schema=public",
    }
    assert "no service 'mart' stands in" in amx("db", "test", "mart").err


def test_commands_change_their_own_lines_and_lose_nothing(amx: Amx, mine: Place) -> None:
    assert amx("config", "set", "last_update_check", "never").code == 0
    before = mine.live.read_text()
    wanted = values_of(TEXT) | {"last_update_check": "never"}
    assert comments_of(before) == comments_of(TEXT)
    gone, come = (words_of(text) for text in (TEXT, before))
    assert [one for one in gone if one not in come] == [
        ("ScalarToken", "2024-05-01 12:00:00", None, True)
    ]
    assert len(gone) == len(come)
    for words, lines in steps():
        done = amx(*words)
        assert (done.code, done.err) == (0, "")
        after = mine.live.read_text()
        assert differing_lines(before, after) == lines, words
        before = after
    assert same(values_of(before), applied(wanted, CHANGES))
    assert list(values_of(before)) == [
        *(key for key in values_of(TEXT) if key != "delivery_budget_s"),
        "lineage",
    ]
    assert comments_of(before) == [one for one in comments_of(TEXT) if one != "# always"]


def with_mark(text: str) -> bytes:
    return b"\xef\xbb\xbf" + text.encode()


def with_crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def with_both(text: str) -> bytes:
    return with_mark(text.replace("\n", "\r\n"))


@pytest.mark.parametrize("variant", [with_mark, with_crlf, with_both])
def test_a_byte_order_mark_and_the_line_ends_of_windows_stay(
    tmp_path: Path, variant: Callable[[str], bytes]
) -> None:
    unix, other = Place(tmp_path / "unix"), Place(tmp_path / "other")
    unix.write(TEXT)
    other.write(variant(TEXT))
    assert same(unix.file().load().raw, other.file().load().raw)
    for place in (unix, other):
        assert place.file().patch(CHANGES)
        assert same(place.file().load().raw, applied(values_of(TEXT), CHANGES))
    assert other.live.read_bytes() == variant(unix.live.read_text())
    assert other.backup(1).read_bytes() == variant(TEXT)


def test_what_a_merge_key_brings_cannot_be_taken_away_and_nothing_is_harmed(
    amx: Amx, mine: Place
) -> None:
    before = mine.state()
    done = amx("config", "unset", "db_profiles.team.sslmode")
    assert (done.code, done.out) == (1, "")
    assert "an anchor, a merge, a tag" in done.err
    assert mine.state() == before


def test_the_file_is_restored_byte_for_byte_after_all_of_it(amx: Amx, mine: Place) -> None:
    assert amx("db", "remove", "orders_mysql").code == 0
    assert amx("config", "restore", "1").code == 0
    assert mine.live.read_text() == TEXT
