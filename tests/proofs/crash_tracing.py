"""Runs the program under strace: which calls touch a folder, and what if one is killed or fails.

Paths are matched by strace itself (``-P``), so ``when=N`` counts only calls that touch the folder
and nothing depends on how many files Python opens to start. Kills are done without
``--seccomp-bpf``: with it strace 6.1 loses the signal (the kernel ignores one that is sent at a
seccomp stop) and the program goes on unharmed.

Source: strace(1), "Tampering"; ptrace(2), "PTRACE_EVENT stops".
"""

import os
import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

TIMEOUT_S = 120
"""A run takes a quarter of a second; one that hangs is a violation."""

MUTATIONS = frozenset(
    (
        *("openat", "openat2", "open", "creat", "write", "writev", "pwrite64", "pwritev"),
        *("fsync", "fdatasync", "sync_file_range", "ftruncate", "truncate", "fallocate", "flock"),
        *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"),
        *("unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "mknod", "mknodat"),
        *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat"),
        *("utimensat", "futimesat", "utime", "utimes", "setxattr", "fsetxattr", "lsetxattr"),
        *("copy_file_range", "sendfile"),
    )
)
"""What may change a file or a name; of the opens only those that may (see `_WRITING`)."""

READS = frozenset(("read", "pread64", "newfstatat", "fstat", "stat", "lstat", "statx", "readlink"))

OPENS = frozenset(("openat", "openat2", "open"))
_WRITING = re.compile(r"\bO_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)\b")
_LINE = re.compile(r"^(?:\d+ +)?(?P<name>\w+)\((?P<rest>.*)$")
_PATH = re.compile(r'"(/[^"]*)"|\d<(/[^>]*)>')


class Call(NamedTuple):
    """A system call that touches the folder; ``ordinal`` counts those of its name, from one."""

    name: str
    paths: tuple[str, ...]
    ordinal: int
    position: int
    is_mutation: bool
    is_injected: bool = False

    def __str__(self) -> str:
        return f"{self.name}#{self.ordinal}({', '.join(self.paths)})"


class Fault(NamedTuple):
    """What is done to a call; ``error`` None kills the process at its entry."""

    error: str | None = None
    is_lasting: bool = False

    def __str__(self) -> str:
        return f"{self.error}{' from there on' * self.is_lasting}" if self.error else "SIGKILL"


class Command(NamedTuple):
    """One run of a program that works in a folder."""

    words: Sequence[str]
    environ: Mapping[str, str]
    folder: Path
    has_children: bool = False
    """Its children work in the folder, too; they are not traced, and no thread of its own is."""


class Ended(NamedTuple):
    """How a run ended; ``code`` is negative for a signal, None for one that had to be stopped."""

    code: int | None
    err: str
    calls: Sequence[Call]

    @property
    def is_killed(self) -> bool:
        """Whether it died by SIGKILL."""
        return self.code == -signal.SIGKILL


def is_there() -> bool:
    """Tell whether there is an strace."""
    return shutil.which("strace") is not None


def unharmed(command: Command) -> None:
    """Run it without strace, and let Python keep what it compiles."""
    environ = {**command.environ, "PYTHONDONTWRITEBYTECODE": ""}
    subprocess.run(command.words, env=environ, check=False, capture_output=True, timeout=TIMEOUT_S)


def recorded(command: Command, log: Path) -> Ended:
    """Run it unharmed and return its calls that touch the folder, in order."""
    return _run(command, log, ["-e", f"trace=?{',?'.join(sorted(MUTATIONS | READS))}"])


def harmed(command: Command, log: Path, fault: Fault, call: Call, plan: Sequence[Call]) -> Ended:
    """Run it with a fault at one call; ``plan`` is what an unharmed run calls."""
    rules = _rules(fault, call, plan)
    action = f"error={fault.error}" if fault.error else "signal=KILL"
    options = ["-e", f"trace={','.join(rules)}"]
    for name, when in rules.items():
        options += ["-e", f"inject={name}:{action}:when={when}"]
    for path in sorted({path for one in plan for path in one.paths}):
        options += ["-P", str(command.folder / path)]
    if fault.error and not command.has_children:
        options += ["--seccomp-bpf"]
    return _run(command, log, options)


_FILLING = frozenset(
    ("write", "pwrite64", "fsync", "fdatasync", "ftruncate", "link", "linkat", "mkdir", "rename")
)
"""What a disk that stays full may refuse later; reading goes on, and so does removing."""


def _rules(fault: Fault, call: Call, plan: Sequence[Call]) -> Mapping[str, str]:
    """Return when each call name is to be harmed."""
    if not fault.is_lasting:
        return {call.name: str(call.ordinal)}
    later = {one.name for one in plan} & _FILLING - {call.name}
    before = {name: [one for one in plan[: call.position] if one.name == name] for name in later}
    starts = {name: f"{len(calls) + 1}+" for name, calls in before.items()}
    return {call.name: f"{call.ordinal}+", **starts}


def _run(command: Command, log: Path, options: Sequence[str]) -> Ended:
    follow = [] if command.has_children else ["-f"]
    words = ["strace", *follow, "-y", "-s", "0", "-o", str(log), *options, "--", *command.words]
    with subprocess.Popen(
        words,
        env=dict(command.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        umask=0,  # what is created must be private by itself
        start_new_session=True,
    ) as process:
        try:
            err = process.communicate(timeout=TIMEOUT_S)[1]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # what strace follows outlives it
            return Ended(None, f"It did not end within {TIMEOUT_S} s.", [])
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return Ended(process.returncode, err, list(_calls(lines, command.folder)))


def _calls(lines: Sequence[str], folder: Path) -> Iterator[Call]:
    """Read strace's lines; a call that was interrupted and resumed is told by its first line."""
    counts: Counter[str] = Counter()
    for found in filter(None, map(_LINE.match, lines)):
        name, rest = found["name"], found["rest"]
        paths = tuple(_inside(rest, folder))
        if not paths:
            continue
        is_mutation = name in MUTATIONS and (name not in OPENS or bool(_WRITING.search(rest)))
        position = counts.total()
        counts[name] += 1
        yield Call(name, paths, counts[name], position, is_mutation, rest.endswith("(INJECTED)"))


def _inside(arguments: str, folder: Path) -> Iterator[str]:
    """Yield the paths in the folder, itself included, that stand before the result of a call."""
    for quoted, opened in _PATH.findall(re.sub(r"\) += .*", "", arguments)):
        path = Path(quoted or opened)
        if path.is_relative_to(folder):
            yield path.relative_to(folder).as_posix()
