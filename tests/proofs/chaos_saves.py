"""Concurrency, parts 1, 3 and 4: many save at once, all save one key, others read meanwhile."""

import json
import os
import select
import subprocess
import time
from multiprocessing.connection import Connection
from pathlib import Path

from amx.core.errors import EditConflict
from amx.core.locks import FileLock
from tests.proofs.chaos_ground import HEAD, SECTION, TAIL, Ground, Size, Verdict
from tests.proofs.chaos_workers import (
    FORK,
    LIMIT_S,
    Outcome,
    Role,
    Watch,
    commanded,
    commander,
    contender,
    end_all,
    judge,
    saver,
    started,
)

READERS = 2
_LOOK_S = 0.005


def jobs_of(size: Size) -> dict[str, tuple[Role, list[str]]]:
    """Return what each process is to do: the last ones run the real command."""
    roles: list[Role] = [saver] * (size.processes - size.commands) + [commander] * size.commands
    return {
        f"w{number}": (role, [f"w{number}_{n}" for n in range(size.saves)])
        for number, role in enumerate(roles)
    }


def many_savers(folder: Path, verdict: Verdict, size: Size) -> str:
    """Let processes save different keys at once; every save must be there at the end."""
    part = "savers"
    ground = Ground(folder).prepare()
    jobs = jobs_of(size)
    watch = Watch(ground, READERS)
    end_all(part, [started(role, ground, names) for role, names in jobs.values()], verdict)
    reports = watch.ends(part, verdict)
    done, present = ground.ledger.names("done"), ground.present()
    wanted = sorted(name for _, names in jobs.values() for name in names)
    text = f"{part}: {len(done)} of {len(wanted)} saves were acknowledged, "
    verdict.check(sorted(done) == wanted, f"{text}or some more than once")
    text = f"{part}: {len(set(wanted) & set(present))} of {len(wanted)} changes are present"
    verdict.check(sorted(present) == wanted, text)
    reads = judge(part, reports, ground.settle(part, verdict), verdict)
    verdict.count(part, saves=len(done), reads=reads)
    return (
        f"{size.processes} processes ({size.commands} run the command) x {size.saves} saves: {len(done)} "
        f"acknowledged, {len(present)} present; {reads} reads"
    )


def one_key(folder: Path, verdict: Verdict, size: Size) -> str:
    """Let processes that all have loaded save one key: one wins, each other is told."""
    part = "one key"
    ground = Ground(folder).prepare()
    gate, opened = os.pipe()
    pairs = [FORK.Pipe() for _ in range(size.contenders)]
    contenders = [started(contender, ground, theirs, gate) for _, theirs in pairs]
    wires = [ours for ours, _ in pairs]
    watch = Watch(ground, READERS)
    states = [(HEAD + TAIL).encode()]
    told = 0
    for number in range(1, size.rounds + 1):
        values = [number * 1000 + place for place in range(size.contenders)]
        outcomes = _round(wires, values, opened)
        told += sum(outcome[0] == "told" for outcome in outcomes)
        states.append(ground.live.read_bytes())
        problem = _problem(values, outcomes, states[-1])
        verdict.check(problem is None, f"{part}: round {number}: {problem}")
    for wire in wires:
        wire.send(None)
    end_all(part, contenders, verdict)
    reads = judge(part, watch.ends(part, verdict), states, verdict)
    verdict.violations += [f"{part}: {line}" for line in ground.ledger.others()]
    ground.check_folder(part, verdict, states)
    won = len(states) - 1
    verdict.count(part, saves=won, conflicts=told, reads=reads)
    return (
        f"{size.contenders} processes x {size.rounds} rounds: {won} winners, {told} told (exit 3, "
        f"refused.edit_conflict); {reads} reads"
    )


def _round(
    wires: "list[Connection[object, object]]", values: list[int], gate: int
) -> list[Outcome]:
    """Let all load; when the last one has, let all save at once; return what came of it."""
    for wire, value in zip(wires, values, strict=True):
        wire.send(value)
    for wire in wires:
        _heard(wire)
    os.write(gate, bytes(len(wires)))
    return [_heard(wire) for wire in wires]


def _heard(wire: "Connection[object, object]") -> Outcome:
    answer = wire.recv() if wire.poll(LIMIT_S) else ("other", "stuck")
    return answer if isinstance(answer, tuple) else ("heard", str(answer))


def _problem(values: list[int], outcomes: list[Outcome], live: bytes) -> str | None:
    """Tell what is wrong with a round, if anything."""
    won = [
        value for value, outcome in zip(values, outcomes, strict=True) if outcome == ("won", "True")
    ]
    if len(won) != 1:
        return f"{len(won)} winners: {outcomes}"
    for value, outcome in zip(values, outcomes, strict=True):
        told = ("told", "refused.edit_conflict", "3", str(value), str(won[0]))
        if value != won[0] and outcome != told:
            return f"a loser was told {outcome}, not {told}"
    expected = f"{HEAD}  contested: {won[0]}\n{TAIL}".encode()
    return None if live == expected else f"on disk is not the winner's {SECTION}.contested"


def one_key_by_command(folder: Path, verdict: Verdict, size: Size) -> str:
    """Let real commands that all have read save one key: one wins, each other ends with 3."""
    part = "commands"
    ground = Ground(folder).prepare()
    states = [(HEAD + TAIL).encode()]
    told = 0
    for number in range(1, size.command_rounds + 1):
        values = [number * 1000 + place for place in range(size.contenders)]
        outcomes = _commands_at_once(ground, values)
        told += sum(outcome[0] == "told" for outcome in outcomes)
        states.append(ground.live.read_bytes())
        problem = _problem(values, outcomes, states[-1])
        verdict.check(problem is None, f"{part}: round {number}: {problem}")
    ground.check_folder(part, verdict, states)
    won = len(states) - 1
    verdict.count(part, saves=won, conflicts=told)
    return (
        f"{size.contenders} commands x {size.command_rounds} rounds: {won} winners, {told} told "
        "(exit 3, refused.edit_conflict)"
    )


def _commands_at_once(ground: Ground, values: list[int]) -> list[Outcome]:
    """Hold the lock until each command has read the file and waits; return what came of each."""
    lock = ground.live.with_name("config.yml.lock")
    with FileLock(lock, wait_s=LIMIT_S, purpose="holds the commands back"):
        words = ("--json", "config", "set", f"{SECTION}.contested")
        running = [commanded(ground, *words, str(value)) for value in values]
        for one in running:
            _await_open(one, lock)
    return [_outcome_of(one) for one in running]


def _await_open(command: "subprocess.Popen[str]", lock: Path) -> None:
    """Wait until a command has the lock's file open, or has ended."""
    end = time.monotonic() + LIMIT_S
    while command.poll() is None and time.monotonic() < end:
        if _has_open(command.pid, lock):
            break
        select.select([], [], [], _LOOK_S)


def _has_open(pid: int, path: Path) -> bool:
    try:
        return any(link.readlink() == path for link in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # a descriptor was closed meanwhile, or the process has ended
        return False


def _outcome_of(command: "subprocess.Popen[str]") -> Outcome:
    out, err = command.communicate(timeout=LIMIT_S)
    if command.returncode == 0:
        return ("won", str(json.loads(out)["changed"]))
    if command.returncode == EditConflict.exit_code:
        error = json.loads(err)["error"]
        sides = (error["details"]["mine"], error["details"]["theirs"])
        return ("told", error["code"], str(command.returncode), *sides)
    return ("other", str(command.returncode), err)
