"""No secret of a configuration is told to anybody, and no other user may read it at any moment."""

import os
import stat
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from amx.core.config.keys import dotted
from amx.core.config.model import leaves, value_at
from amx.core.config.restoring import Source
from amx.core.errors import ConfigInvalid
from tests.config.many import ended
from tests.config.support import Place, watched
from tests.support import AmxPty

TEXT = Path(__file__).with_name("original_20.yml").read_text()

SIGN = "hunter"
"""It stands in each secret of the file, and nowhere else."""

VALUES: Mapping[str, object] = yaml.safe_load(TEXT)

SECRETS = [key for key in leaves(VALUES) if SIGN in str(value_at(VALUES, key))]

LINES = TEXT.splitlines()

SECRET_LINES = [number for number, line in enumerate(LINES) if SIGN in line]

BREAKS: Mapping[str, Callable[[str], str]] = {
    "a quote too many": lambda line: f'{line} "',
    "an open list": lambda line: line.replace(": ", ": [", 1),
    "an open mapping": lambda line: line.replace(": ", ": {", 1),
    "an open quote": lambda line: line.replace(": ", ': "', 1),
    "an open apostrophe": lambda line: line.replace(": ", ": '", 1),
    "a sign that begins nothing": lambda line: line.replace(": ", ": @", 1),
    "a percent sign": lambda line: line.replace(": ", ": %", 1),
    "two colons": lambda line: f"{line}: x",
    "no colon": lambda line: line.replace(":", "", 1),
    "twice": lambda line: f"{line}\n{line}",
    "a tab": lambda line: f"\t{line}",
    "a control character": lambda line: f"{line}\x07",
    "no UTF-8": lambda line: f"{line}\udcff",
    "another level": lambda line: f" {line}",
    "an unknown escape": lambda line: line.replace(": ", ': "\\q', 1) + '"',
    "another document": lambda line: f"---\n{line}",
}
"""What an editor does to the line of a secret."""

KEPT = [*(f"config.yml.bak.{number}" for number in range(1, 6)), "config.yml"]


@pytest.fixture
def mine(home: Path) -> Place:
    """Give the program's configuration, and backups with other secrets, and with none."""
    place = Place(home)
    place.write(TEXT)
    place.write_backups(TEXT.replace("hunter2", "hunter3"), "a: 1\n", "db_profiles: {}\n")
    return place


def assert_silent(text: str) -> None:
    told = [line for line in text.splitlines() if SIGN in line.lower()]
    assert told == []


def test_a_secret_stands_wherever_one_may_stand() -> None:
    assert len(SECRETS) > 20
    assert len(SECRET_LINES) > 20


def test_no_reading_command_tells_a_secret_in_any_form(mine: Place) -> None:
    words = [
        *(["config", "show"], ["config", "show", "--origin"], ["config", "validate"]),
        *(["config", "diff", number] for number in "123"),
        *(["config", "backups"], ["config", "restore", "--list"], ["db", "list"]),
        *(["db", "show", name] for name in ("finance.eu", "it's legacy", "lake", "mart")),
        *(["config", "get", dotted(key)] for key in SECRETS),
        *(["session", "list"], ["history-store", "status"], ["db", "use", "nobody"]),
        ["config", "set", "db_profiles.shop.port", "many"],
    ]
    done = ended(*words, *([*some, "--json"] for some in words))
    told = "".join(f"{one.out}\n{one.err}\n" for one in done)
    assert_silent(told)
    assert {one.code for one in done} == {0, 2, 5}
    assert told.count("***") > 2 * len(SECRETS)
    for plain in ("db1.shop.example", "keyring:amx:db:shop:password", "${SHOP_REPLICA_PASSWORD}"):
        assert plain in told


@pytest.mark.parametrize(
    "words", ["config show", "config show --origin", "config diff 2", "db show finance.eu"]
)
def test_no_secret_is_drawn_on_a_terminal(amx_pty: AmxPty, mine: Place, words: str) -> None:
    child = amx_pty(*words.split(), env={"COLUMNS": "500"})
    drawn = child.read()
    child.close()
    assert child.exitstatus == 0
    assert "***" in drawn
    assert_silent(drawn)


@pytest.mark.parametrize("how", BREAKS)
def test_no_secret_is_told_by_the_error_about_its_line(place: Place, how: str) -> None:
    refused = 0
    for number in SECRET_LINES:
        lines = [*LINES[:number], BREAKS[how](LINES[number]), *LINES[number + 1 :]]
        place.write("\n".join(lines).encode("utf-8", "surrogateescape"))
        file = place.file()
        try:
            file.load()
        except ConfigInvalid as error:
            refused += 1
            told = [str(error), repr(error), str(error.hint), str(error.details), repr(file)]
            assert_silent("\n".join([*told, *traceback.format_exception(error)]))
    assert refused > 5


@pytest.mark.parametrize("how", ["an open quote", "two colons"])
def test_no_command_over_a_broken_file_tells_a_secret(mine: Place, how: str) -> None:
    number = LINES.index("    password: hunter2-snow#flake")
    mine.write("\n".join([*LINES[:number], BREAKS[how](LINES[number]), *LINES[number + 1 :]]))
    broken = [
        *(["config", "show"], ["config", "validate"], ["config", "set", "a", "1"], ["db", "list"]),
        *(["config", "unset", "tokens"], ["db", "use", "a"], ["session", "list"]),
    ]
    works = [["config", "backups"], ["config", "diff", "1"], ["config", "restore", "--list"]]
    modes: Sequence[list[str]] = ([], ["--json"], ["--debug"])
    done = ended(*([*some, *mode] for some in (*broken, *works) for mode in modes))
    assert_silent("".join(f"{one.out}\n{one.err}\n" for one in done))
    assert [one.code for one in done] == [5] * 3 * len(broken) + [0] * 3 * len(works)


def test_no_secret_reaches_the_history_or_any_other_file(mine: Place, home: Path) -> None:
    done = ended(
        *(["session", "new", "--profile", name] for name in ("finance.eu", "shop", "notes")),
        *(["db", "use", "finance.eu"], ["config", "restore", "1"], ["config", "restore", "1"]),
        *(["session", "list", "--all-profiles", "--json"], ["history", "list"]),
    )
    assert {one.code for one in done} == {0}
    assert_silent("".join(f"{one.out}\n{one.err}\n" for one in done))
    others = [path for path in home.iterdir() if path.name not in KEPT]
    assert "local.db" in {path.name for path in others}
    assert [path.name for path in others if SIGN.encode() in path.read_bytes()] == []


BUG = """
import sys
from amx import cli
from amx.core import profiles

def broken(name, settings, environ):
    raise RuntimeError(f"cannot use {settings.get('url')} with {settings.get('odbc_extra')}")

profiles.profile_of = broken
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("name", ["mart", "erp_reports"])
def test_no_secret_is_in_the_report_of_a_bug(mine: Place, home: Path, name: str) -> None:
    command = [sys.executable, "-c", BUG, "--debug", "db", "show", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    (report,) = home.glob("crash-*.txt")
    assert (done.returncode, done.stdout) == (70, "")
    assert "RuntimeError: cannot use" in report.read_text()
    assert "***" in report.read_text()
    assert_silent(report.read_text() + done.stderr)


# --- modes


@contextmanager
def modes_watched(place: Place) -> Iterator[list[Mapping[str, int]]]:
    """Yield what will be the modes of all files in the folder before each call of a save."""
    seen: list[Mapping[str, int]] = []

    def look(*_: object) -> None:
        paths = [path for path in place.folder.rglob("*") if path.is_file()]
        seen.append({path.name: stat.S_IMODE(path.stat().st_mode) for path in paths})

    with watched(look):
        yield seen


@contextmanager
def umasked(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def modes_in(place: Place) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in place.folder.iterdir()}


def edited(path: Path) -> None:
    path.write_text("n: 77\n")


any_umask = pytest.mark.parametrize("mask", [0, 0o077, 0o777], ids=oct)


@any_umask
def test_nobody_else_may_read_any_file_at_any_moment_of_a_save(place: Place, mask: int) -> None:
    place.write("n: -9\n")
    place.write_backups("n: -1\n", "n: -2\n")
    with umasked(mask), modes_watched(place) as seen:
        for number in range(3):
            assert place.file().patch({("n",): number})
        assert place.file().restore(Source(number=2)).is_changed
        assert place.file().edit(edited).is_changed
    found = {(name, mode) for modes in seen for name, mode in modes.items()}
    assert [(name, oct(mode)) for name, mode in found if mode & ~0o600] == []
    assert {name for name, _ in found} > {*KEPT, "config.yml.shadow", "config.yml.lock"}
    assert modes_in(place) == {0o600}


@any_umask
@pytest.mark.parametrize(
    "numbers", [(1, 2, 3, 4, 5), (1, 2, 4), (3, 5)], ids=["all", "gap", "late"]
)
def test_what_others_could_read_is_closed_by_the_next_save_and_never_opened_again(
    place: Place, mask: int, numbers: Sequence[int]
) -> None:
    place.write("n: -9\n", mode=0o664)
    for number in numbers:
        place.backup(number).write_text(f"n: -{number}\n")
        place.backup(number).chmod(0o644)
    with umasked(mask), modes_watched(place) as seen:
        assert place.file().patch({("n",): 0})
    wide = [sum(mode & ~0o600 > 0 for mode in modes.values()) for modes in seen]
    assert wide[0] == len(numbers) + 1
    assert wide == sorted(wide, reverse=True)
    assert modes_in(place) == {0o600}


def test_a_newest_backup_that_is_the_live_text_already_is_closed_too(place: Place) -> None:
    place.write("n: 1\n", mode=0o644)
    place.write_backups("n: 1\n")
    place.backup(1).chmod(0o644)
    assert place.file().patch({("n",): 2})
    assert modes_in(place) == {0o600}


def test_a_wider_mode_is_told_by_every_reader_until_a_save_closes_it(mine: Place) -> None:
    mine.live.chmod(0o604)
    reads = [["config", "show"], ["config", "validate"], ["db", "list"]]
    same, other = (["config", "set", "schema_version", number] for number in "23")
    *before, unchanged, again, saved, after = ended(*reads, same, *reads[:1], other, *reads[:1])
    warning = f"amx: warning: {mine.live} can be read by others (mode 0604); "
    assert [one.err.startswith(warning) for one in (*before, again)] == [True] * 4
    assert (unchanged.out, saved.out) == (
        "schema_version: unchanged.\n",
        "schema_version: saved.\n",
    )
    assert (after.code, after.err) == (0, "")
    assert modes_in(mine) == {0o600}
