"""What the tests of guard 4 share: a configuration in a folder, and faults at the n-th call."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from amx.core.config.file import ConfigFile

KILLED = 137

WATCHED = (
    *("open", "write", "fsync", "rename", "replace", "link", "unlink", "mkdir"),
    *("chmod", "fchmod", "fchown", "utime", "ftruncate", "pwrite", "close"),
)
"""The calls by which the save path changes anything."""


class Place:
    """A configuration in a folder of its own, and what it has warned of."""

    def __init__(self, folder: Path, name: str = "config.yml") -> None:
        self.folder = folder
        self.live = folder / name
        self.warnings: list[str] = []

    def file(self, *, is_explicit: bool = False, lock_timeout_s: float = 5.0) -> ConfigFile:
        """Return a new view of the file, as another process would have it."""
        return ConfigFile(
            self.live,
            is_explicit=is_explicit,
            warn=self.warnings.append,
            lock_timeout_s=lock_timeout_s,
        )

    def write(self, text: str | bytes, mode: int = 0o600) -> None:
        """Put a live file there, as an editor would."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.live.write_bytes(text.encode() if isinstance(text, str) else text)
        self.live.chmod(mode)

    def backup(self, number: int) -> Path:
        """Return where a generation is."""
        return self.live.with_name(f"{self.live.name}.bak.{number}")

    def write_backups(self, *texts: str) -> None:
        """Put generations there, newest first."""
        for number, text in enumerate(texts, 1):
            self.backup(number).write_text(text)
            self.backup(number).chmod(0o600)

    def backups(self) -> list[str]:
        """Return the generations' texts, newest first."""
        paths = [self.backup(number) for number in range(1, 7)]
        return [path.read_text() for path in paths if path.exists()]

    def names(self) -> list[str]:
        """Return the names in the folder."""
        return sorted(path.name for path in self.folder.iterdir())

    def state(self) -> Mapping[str, tuple[bytes, int, int]]:
        """Return contents, mode and time of everything in the folder but the lock."""
        return {
            path.name: (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
            for path in self.folder.iterdir()
            if not path.name.endswith(".lock")
        }


@contextmanager
def watched(act: Callable[[int, str, tuple[object, ...]], None]) -> Iterator[list[str]]:
    """Call ``act(n, name, arguments)`` before each watched call; yield the names called."""
    real = {name: getattr(os, name) for name in WATCHED}
    called: list[str] = []

    def wrapper(name: str) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            called.append(name)
            act(len(called), name, args)
            return real[name](*args, **kwargs)

        return call

    try:
        for name in WATCHED:
            setattr(os, name, wrapper(name))
        yield called
    finally:
        for name, function in real.items():
            setattr(os, name, function)


def count_calls(work: Callable[[], object]) -> int:
    """Return how many watched calls some work makes."""
    with watched(lambda *_: None) as called:
        work()
    return len(called)


def killed_at(n: int, work: Callable[[], object]) -> bool:
    """Do the work in a child that dies at its n-th call, a write half done; tell if it died."""
    child = os.fork()
    if child == 0:
        real_write = os.write

        def die(count: int, name: str, args: tuple[object, ...]) -> None:
            if count == n:
                if name == "write":
                    data = bytes(args[1])  # type: ignore[call-overload]  # passed on as it came
                    real_write(args[0], data[: len(data) // 2])  # type: ignore[arg-type]  # passed on as it came
                os._exit(KILLED)

        with watched(die):
            work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED
