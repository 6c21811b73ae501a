"""Saves of a configuration, each killed with SIGKILL before another of its system calls."""

import os
import signal
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

from amx.core.config.file import ConfigFile

CALLS = ("open", "write", "fsync", "rename", "replace", "link", "unlink", "fchmod", "ftruncate")
"""The calls of `os` before which a save is killed."""


def kill_saves(path: Path, key: str) -> tuple[int, bool]:
    """Kill a save at its first call, another at its second, and so on until one gets through.

    Returns:
        How many were killed, and whether the file was the complete old or the complete new one
        after each.
    """
    is_whole = True
    for number in count(1):
        before = path.read_bytes()
        killed = _killed_in_child(path, key, number)
        after = path.read_bytes()
        is_new = f"{key}: {number}".encode() in after and after != before
        is_whole = is_whole and (after == before or is_new)
        if not killed:
            return number - 1, is_whole
    raise AssertionError  # count() has no end


def _killed_in_child(path: Path, key: str, number: int) -> bool:
    child = os.fork()
    if child == 0:
        _save_and_die(path, key, number)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _save_and_die(path: Path, key: str, number: int) -> None:
    code = 1
    try:
        calls = count(1)
        for name in CALLS:
            setattr(os, name, partial(_counted, getattr(os, name), calls, number))
        ConfigFile(path, is_explicit=False, warn=lambda _: None).patch({(key,): number})
        code = 0
    finally:
        os._exit(code)


def _counted(
    call: Callable[..., object], calls: "count[int]", number: int, *words: object, **more: object
) -> object:
    if next(calls) == number:
        os.kill(os.getpid(), signal.SIGKILL)
    return call(*words, **more)
