"""Concurrency, part 6: two containers with one volume save to one configuration at once.

Each is a tree of processes with process ids, mounts and a hostname of its own, and sees the one
home at a place of its own. This file is also the program that runs in there: it does what it
reads, a line at a time, and answers each with a line.

Where the kernel refuses namespaces the part is not tried, which is told and never counted.
"""

import json
import os
import random
import select
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from amx.core.errors import AmxError, Busy
from amx.core.locks import FileLock
from tests.proofs.chaos_ground import Ground, Size, Verdict
from tests.proofs.chaos_saves import READERS
from tests.proofs.chaos_workers import LIMIT_S, ROOT, Watch, end_all, judge, saver, started

_TRIES = 10

_KINDS = ("pid", "mnt", "uts")
_OWN = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--uts"]
_WAYS = (
    [*_OWN, "--mount-proc"],
    _OWN,
    [*_OWN, "--user", "--map-root-user", "--mount-proc"],
    [*_OWN, "--user", "--map-root-user"],
)
"""How root, and an ordinary user, get namespaces; some kernels refuse a new /proc."""

_MOUNTED = ["sh", "-c", 'mount --bind "$1" "$2" && shift 2 && exec "$@"', "sh"]


class Container:
    """A tree of processes in namespaces of its own.

    Args:
        way: The words that make the namespaces.
        ground: What it works on.
        name: Its hostname, and the name of the folder where it sees the home.
    """

    def __init__(self, way: Sequence[str], ground: Ground, name: str) -> None:
        place = ground.folder / name
        place.mkdir(exist_ok=True)
        mounted = [*_MOUNTED, str(ground.home), str(place)]
        program = [sys.executable, "-m", "tests.proofs.chaos_containers"]
        self._process = subprocess.Popen(
            [*way, *mounted, *program, str(ground.folder), str(place), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._orders, self._answers = self._process.stdin, self._process.stdout
        self.facts = self.hear()

    def tell(self, *words: str) -> None:
        """Say what is to be done."""
        with suppress(BrokenPipeError):  # it has died; then it answers nothing
            self._orders.write(" ".join(words) + "\n")
            self._orders.flush()

    def has_answered(self, within_s: float) -> bool:
        """Wait so long for an answer."""
        return bool(select.select([self._answers], [], [], within_s)[0])

    def hear(self) -> str:
        """Return the next answer; nothing where there is none."""
        return self._answers.readline().strip() if self.has_answered(LIMIT_S) else ""

    def ask(self, *words: str) -> str:
        """Say what is to be done and return the answer."""
        self.tell(*words)
        return self.hear()

    def kill(self) -> None:
        """End the whole tree by SIGKILL, as a container is ended that takes too much memory."""
        self._process.kill()
        self.end()

    def end(self) -> None:
        """Let the tree end; return when it is gone: nobody has its output open any more."""
        self._process.communicate(timeout=LIMIT_S)


def containers(folder: Path, verdict: Verdict, dice: random.Random, size: Size) -> str:
    """Let two containers save at once; kill one while the other goes on: nothing is lost."""
    part = "containers"
    ground = Ground(folder).prepare()
    way, reason = _way(folder)
    if way is None:
        return f"not tried: namespaces are refused ({reason})"
    watch = Watch(ground, READERS)
    pair = [Container(way, ground, name) for name in ("left", "right")]
    _check_apart(verdict, [one.facts for one in pair])
    for one, name in zip(pair, ("left", "right"), strict=True):
        one.tell("save", *_words(name, size))
    for one in pair:
        verdict.check(one.hear() == "saved", f"{part}: one of the two did not save")
    tries = _check_exclusion(verdict, ground, way, pair)
    hits = _kill_left(ground, way, pair, dice, size)
    for one in pair:
        one.end()
    done = ground.ledger.names("done")
    least = 2 * size.crew * size.crew_saves + 3
    verdict.check(len(done) > least, f"{part}: {len(done)} acknowledged, not more than {least}")
    reads = judge(part, watch.ends(part, verdict), ground.settle(part, verdict), verdict)
    verdict.count(part, saves=len(done), containers_killed=hits, reads=reads, exclusions=tries)
    return (
        f"2 x {size.crew} processes in namespaces of their own, one volume: {len(done)} acknowledged, "
        f"{len(set(done) & set(ground.present()))} of them present, {tries} times the lock of one "
        f"held up the other, {hits} containers killed at work; {reads} reads"
    )


def _words(name: str, size: Size) -> list[str]:
    crew, saves = range(size.crew), range(size.crew_saves)
    return [f"{name}{worker}_{number}" for worker in crew for number in saves]


def _way(folder: Path) -> tuple[list[str] | None, str]:
    """Return how namespaces are made here; or None and why not."""
    if shutil.which("unshare") is None:
        return None, "there is no unshare"
    reason = ""
    one, two = folder / "one", folder / "two"
    one.mkdir()
    two.mkdir()
    for way in _WAYS:
        command = [*way, *_MOUNTED, str(one), str(two), "true"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return way, ""
        reason = reason or done.stderr.strip().partition("\n")[0]
    return None, reason


def _check_apart(verdict: Verdict, told: Sequence[str]) -> None:
    """Look that the two share no namespace, with each other or with this process."""
    facts = [json.loads(one or "{}") for one in told]
    here = _namespaces()
    for kind in _KINDS:
        found = {one.get(kind) for one in (*facts, here)}
        verdict.check(len(found) == len(facts) + 1, f"containers: one {kind} namespace: {found}")
    own = [(one.get("host"), one.get("id")) for one in facts]
    verdict.check(own == [("left", 1), ("right", 1)], f"containers: they are {own}")


def _check_exclusion(
    verdict: Verdict, ground: Ground, way: Sequence[str], pair: list[Container]
) -> int:
    """Let each hold the lock while the other tries; then kill the holder and try again."""
    asked = 0
    for holder, other in (pair, pair[::-1]):
        name = f"asked_{asked}"
        answers = [holder.ask("hold"), other.ask("try", name)]
        answers += [holder.ask("release"), other.ask("try", name)]
        expected = ["held", Busy.code, "released", "saved"]
        verdict.check(answers == expected, f"containers: {answers}, not {expected}")
        asked += 1
    answers = [pair[0].ask("hold"), pair[1].ask("try", f"asked_{asked}")]
    pair[0].kill()
    answers.append(pair[1].ask("try", f"asked_{asked}"))
    expected = ["held", Busy.code, "saved"]
    verdict.check(answers == expected, f"containers: the holder killed: {answers}")
    pair[0] = Container(way, ground, "left")
    return asked + 1


def _kill_left(
    ground: Ground, way: Sequence[str], pair: list[Container], dice: random.Random, size: Size
) -> int:
    """Kill one container at random moments while both save; return how often it was at work.

    A kill that came too late is tried again, sooner.
    """
    hits, number = 0, 0
    while hits < size.container_kills and number < _TRIES * size.container_kills:
        number += 1
        for one, name in zip(pair, ("left", "right"), strict=True):
            one.tell("save", *_words(f"{name}{number}x", size))
        pair[1].has_answered(dice.uniform(0.02, 0.5) / (number - hits))
        hits += not pair[0].has_answered(0)
        pair[0].kill()
        pair[1].hear()
        pair[0] = Container(way, ground, "left")
    return hits


def _namespaces() -> dict[str, str]:
    return {kind: str(Path(f"/proc/self/ns/{kind}").readlink()) for kind in _KINDS}


# --- inside


def _inside(ground: Ground, name: str) -> None:
    """Do what stands on each line of the input, and answer it."""
    socket.sethostname(name)
    facts = {"id": os.getpid(), "host": socket.gethostname(), **_namespaces()}
    _answer(json.dumps(facts))
    while words := sys.stdin.readline().split():
        if words[0] == "save":
            _answer(_all_saved(ground, words[1:]))
        elif words[0] == "hold":
            lock = ground.live.with_name("config.yml.lock")
            with FileLock(lock, wait_s=LIMIT_S, purpose="holds on"):
                _answer("held")
                sys.stdin.readline()
            _answer("released")
        else:
            _answer(_tried(ground, words[1]))


def _all_saved(ground: Ground, names: Sequence[str]) -> str:
    """Let a saver of its own save the keys of each prefix."""
    prefixes = dict.fromkeys(name.partition("_")[0] for name in names)
    shares = [[name for name in names if name.startswith(f"{one}_")] for one in prefixes]
    verdict = Verdict()
    end_all("inside", [started(saver, ground, share) for share in shares], verdict)
    return "; ".join(verdict.violations) or "saved"


def _tried(ground: Ground, name: str) -> str:
    try:
        ground.save(name, lock_timeout_s=0.1)
    except AmxError as error:
        return error.code
    ground.ledger.note("done", name)
    return "saved"


def _answer(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _inside(Ground(Path(sys.argv[1]), Path(sys.argv[2])), sys.argv[3])
