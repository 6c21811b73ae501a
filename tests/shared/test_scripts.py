"""`amx history-store` in scripts: nothing is asked, nothing heavy is loaded, signals are obeyed."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from amx.core import store_menu as menu
from tests.postgres import PostgresServer
from tests.shared.installation import write_session
from tests.support import Amx, AmxPty

HS = "history-store"


@pytest.mark.parametrize("backend", ["postgresql", "sqlite"])
def test_dump_ddl_needs_no_configuration_and_prints_only_sql(
    amx: Amx, home: Path, backend: str
) -> None:
    first = amx(HS, "dump-ddl", "--backend", backend, "--schema", 'te"am')
    assert (first.code, first.err) == (0, "")
    assert first.out == amx(HS, "dump-ddl", "--backend", backend, "--schema", 'te"am').out
    assert not home.exists()
    if backend == "sqlite":
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.executescript(first.out)


def test_dump_ddl_for_nothing_is_refused(amx: Amx) -> None:
    assert amx(HS, "dump-ddl").code == 2
    assert amx(HS, "dump-ddl", "--backend", "oracle").code == 2


@pytest.mark.parametrize("args", [[], ["--pick"], ["--no-input"]])
def test_the_picker_without_a_terminal_is_refused_with_the_subcommands(
    amx: Amx, args: list[str]
) -> None:
    done = amx(HS, *args, "--json")
    assert (done.code, done.error["code"]) == (2, "usage.no_terminal")
    for name in ("status", "enable", "disable", "flush-pending", "drop-pending", "dump-ddl"):
        assert name in done.error["hint"]


SUBCOMMANDS = [
    ["status"],
    ["enable", "--profile", "team"],
    ["flush-pending"],
    ["pending"],
    ["retry", "--all"],
    ["dump-ddl", "--profile", "team"],
    ["dump-ddl", "--profile", "team", "--check"],
    ["migrate-from-local"],
    ["verify"],
    ["team"],
    ["drop-pending"],
    ["disable"],
]


GROUPS = ([HS], ["db", HS])


def test_no_subcommand_is_missing_here() -> None:
    from amx.cli import _command

    group = _command().commands[HS]
    assert {args[0] for args in SUBCOMMANDS} == set(group.commands) == set(menu.SUBCOMMANDS)
    assert set(_command().commands["db"].commands[HS].commands) == set(menu.SUBCOMMANDS)


@pytest.mark.parametrize("group", GROUPS, ids=" ".join)
def test_no_subcommand_ever_asks_with_standard_input_closed(team: Path, group: list[str]) -> None:
    assert team.exists()
    for args in SUBCOMMANDS:
        done = subprocess.run(
            [sys.executable, "-m", "amx", *group, *args],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=False,
            preexec_fn=lambda: os.close(0),
        )
        assert (args, done.returncode) == (args, 0), done.stderr


@pytest.mark.parametrize("group", GROUPS, ids=" ".join)
def test_no_subcommand_ever_asks_on_a_terminal(
    amx_pty: AmxPty, team: Path, group: list[str]
) -> None:
    assert team.exists()
    for args in SUBCOMMANDS:
        child = amx_pty(*group, *args)
        shown = child.read()  # to its end: whoever asks would wait for ever
        child.close()
        assert (args, child.exitstatus) == (args, 0), shown
        assert "y/N" not in shown
        assert "\x1b[6n" not in shown  # where is the cursor? a prompt asks that first


@pytest.mark.parametrize("args", [["flush-pending"], ["team"], ["verify"], ["migrate-from-local"]])
def test_what_needs_a_store_says_that_there_never_was_one(amx: Amx, args: list[str]) -> None:
    done = amx(HS, *args, "--json")
    if args == ["flush-pending"]:
        assert (done.code, done.json["delivered"]) == (0, 0)
        return
    assert (done.code, done.error["code"]) == (2, "usage.shared_mode_off")


def test_the_same_group_stands_under_db(amx: Amx, team: Path) -> None:
    assert team.exists()
    assert amx("db", HS, "status", "--json").json == amx(HS, "status", "--json").json


def test_status_and_an_empty_flush_import_nothing_heavy(amx: Amx, team: Path) -> None:
    assert team.exists()
    code = (
        "import sys; from amx.cli import main; code = main(sys.argv[1:]); "
        "heavy = {'psycopg2', 'questionary', 'rich', 'prompt_toolkit', 'concurrent', 'logging'}; "
        "print(sorted(heavy & set(sys.modules)), code, file=sys.stderr)"
    )
    for args in (["status"], ["flush-pending"]):
        done = subprocess.run(
            [sys.executable, "-c", code, HS, *args], capture_output=True, text=True, check=True
        )
        assert done.stderr == "[] 0\n"


def test_two_engineers_share_one_real_postgresql(
    amx: Amx, postgres: PostgresServer, database: str, tmp_path: Path
) -> None:
    homes = [{"AMX_HOME": str(tmp_path / name)} for name in ("ada", "grace")]
    place = ["--host", postgres.host, "--port", str(postgres.port), "--user", postgres.user]
    outputs = []
    for home in homes:
        add = ["db", "add", "team", "--backend", "postgresql", "--database", database, *place]
        assert amx(*add, env=home).code == 0
        done = amx(HS, "enable", "--profile", "team", "--schema", 'T"ëam', env=home)
        assert done.code == 0, done.err
        outputs.append(done.out.strip().rpartition(" ")[2])
        write_session(amx, **home)
    assert outputs == ["(created).", "(found)."]
    [member] = amx(HS, "team", "--json", env=homes[0]).json["members"]
    assert (member["sessions"], member["events"]) == (2, 2)
    for home in homes:
        assert amx(HS, "verify", "--json", env=home).json["checked"] == 2
    postgres.kill()
    try:
        down = amx("session", "new", env=homes[0])
        assert down.code == 0
        assert "queued" in down.err
        assert amx(HS, "team", env=homes[0]).code == 4
    finally:
        postgres.start()
    assert amx(HS, "flush-pending", env=homes[0]).code == 0
    assert amx(HS, "verify", "--json", env=homes[0]).json["checked"] == 3
    assert "postgresql://" in amx(HS, "status", env=homes[0]).out


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_stops_a_flush_between_batches(number: signal.Signals, code: int) -> None:
    from amx.core.errors import Interrupted
    from amx.core.stopping import stop_wishes

    with stop_wishes() as wish:
        assert not wish.is_there()
        os.kill(os.getpid(), number)
        assert wish.is_there()
        with pytest.raises(Interrupted) as caught:
            wish.obey("stopped")
        with pytest.raises(Interrupted) as at_once:
            os.kill(os.getpid(), number)
    assert (caught.value.exit_code, at_once.value.exit_code) == (code, code)
