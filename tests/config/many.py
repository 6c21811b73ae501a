"""Many runs of the program for the price of one start: each in a fork of one interpreter.

The interpreter imports the whole program first, so that a child that gives up its rights needs to
read no code any more.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support import Done

Words = Sequence[str]

LIMIT_S = 300
"""How long all of them may take on a machine that has much else to do."""

_PROGRAM = """
import _strptime, importlib, json, os, pkgutil, shlex, sys, traceback
from contextlib import suppress
import amx, psycopg2.extras, ruamel.yaml, yaml

for module in pkgutil.walk_packages(amx.__path__, "amx."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
with suppress(ImportError):  # not every release has it; one that has it imports it when it reads
    importlib.import_module("ruamel.yaml.mergevalue")

from amx.cli import main, open_standard_streams

def ended(words):
    pipes = [os.pipe(), os.pipe()]
    child = os.fork()
    if child == 0:
        for number, (_, writer) in enumerate(pipes, 1):
            os.dup2(writer, number)
        open_standard_streams()
        code = main(words)
        sys.stdout.flush()
        os._exit(code)
    for _, writer in pipes:
        os.close(writer)
    texts = []
    for reader, _ in pipes:
        with open(reader, encoding="utf-8", errors="surrogateescape") as stream:
            texts.append(stream.read())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), *texts

work = json.load(sys.stdin)
if work["user"] is not None:
    os.setgroups([])
    os.setresgid(*[work["user"]] * 3)
    os.setresuid(*[work["user"]] * 3)
json.dump([ended(words) for words in work["commands"]], sys.stdout)
"""


def ended(
    *commands: Words,
    user: int | None = None,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> list[Done]:
    """Run ``amx`` once for each of the commands and return how each ended.

    Args:
        *commands: Their words.
        user: Whose rights they have; root only. None: those of the suite.
        env: What is added to the environment.
        folder: Where they run.
    """
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env={**os.environ, **(env or {})},
        cwd=folder,
        input=json.dumps({"user": user, "commands": commands}),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Done(*one) for one in json.loads(done.stdout)]
