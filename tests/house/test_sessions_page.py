"""What docs/sessions.md shows as output is what the program prints."""

import re
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.sessions.shell import shell
from tests.support import Amx

PAGE = (Path(__file__).parents[2] / "docs" / "sessions.md").read_text()

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


def test_every_command_of_the_page_prints_what_stands_below_it(amx: Amx) -> None:
    for name in ("shop", "archive"):
        with closing(sqlite3.connect(f"{name}.db")) as connection:
            connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
    shown = "".join(re.findall(r"```session\n(.*?)```", PAGE, re.DOTALL))
    commands = re.findall(r"^\$ (.*)$", shown, re.MULTILINE)

    printed = ""
    for command in commands:
        is_plain = command.startswith("amx ") and "&&" not in command
        done = amx(*shlex.split(command)[1:]) if is_plain else shell(command)
        printed += f"$ {command}\n{done.out}{done.err}"

    assert len(commands) > 10
    assert _plain(printed.replace(str(Path.cwd()), "/data")) == _plain(shown)


def _plain(text: str) -> str:
    return MOMENT.sub("MOMENT", text)
