"""Guard 1 against a model: whatever happens to profiles and sessions, no turn crosses.

``EXAMPLES=300 make test ARGS=tests/sessions/test_sessions_machine.py`` tries more than the suite.
"""

import os
from random import Random

from hypothesis import seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from tests.postgres import PostgresServer
from tests.sessions.machine_model import DONE, Command, Model
from tests.sessions.machine_postgres import OnPostgres
from tests.sessions.machine_world import COUNTED, NAMES, TARGETS, World
from tests.zygote import Zygote

EXAMPLES = int(os.environ.get("EXAMPLES", "0"))
"""How many random courses are tried; without it the suite takes the same few every time."""

STEPS = 30

FIRST, MOST_ROUNDS = 2, 8
"""Of the suite: one, and more until everything that is wanted was tried; this seed tries it."""

ABOUT_SESSIONS = (
    *(*("ask",) * 6, *("resume",) * 5, "new", "new", "end", "end"),
    *("current", "title", "title", "show", "delete"),
)
ABOUT_PROFILES = (*("add",) * 4, *("use",) * 3, *("move",) * 3, *("repoint",) * 2, *("remove",) * 2)

HOW = (*("typed",) * 5, *("variables",) * 3, "killed", "killed", "switch")


def command_of(random: Random, model: Model, text: str) -> Command:
    """Choose a command of any kind, half of those about a session such as its profile may do."""
    verb = random.choice(ABOUT_PROFILES if random.random() < 0.3 else ABOUT_SESSIONS)
    there = [*model.profiles] if random.random() < 0.9 else []
    name = random.choice(there or NAMES)
    if verb in ABOUT_PROFILES:
        taken = NAMES if verb == "add" else (name,)
        other, target = random.choice(NAMES), random.choice((0, 0, *TARGETS))
        return Command(verb=verb, name=random.choice(taken), other=other, target=target)
    last = len(model.talks)
    key = random.randint(1, last + (random.random() < 0.1 or not last))
    if verb in ("title", "show", "delete"):
        return Command(verb=verb, key=key, text=text)
    is_named = verb == "resume" or (verb != "new" and last > 0 and random.random() < 0.6)
    is_new = verb == "ask" and not is_named and random.random() < 0.3
    if is_named and key <= last and random.random() < 0.4:
        name = model.talks[key - 1].owner
    chosen = name if random.random() < 0.5 or not model.active else None
    return Command(verb=verb, name=chosen, key=key if is_named else None, text=text, is_new=is_new)


class Sessions(World):
    """What may happen, in any order."""

    @rule(chance=st.integers(0, 2**64))
    def act(self, chance: int) -> None:
        """Do a command as it is typed, or by variables; kill it anywhere; or switch shared mode."""
        self.steps += 1
        random = Random(f"{chance} {self.steps}")  # noqa: S311 - no secret
        command = command_of(random, self.model, f"prices {self.steps}")
        how = random.choice(HOW)
        if how == "switch":
            words = [["disable"], ["enable", "--profile", "team"]][random.randint(0, 1)]
            assert self.run("history-store", *words).code == DONE
            COUNTED["switched"] += 1
        elif command.verb == "repoint" and command.name not in self.model.profiles:
            return
        elif how == "killed":
            self.kill(command, random.randint(1, 120))
        else:
            self.do(command, is_by_variables=how == "variables")


WANTED = (
    *("ask 0", "ask 2", "ask 3", "resume 0", "resume 3", "by variables 0", "by variables 3"),
    *("new 0", "end 0", "current 0", "title 0", "delete 0", "show 0", "deleted and flushed"),
    *("add 0", "use 0", "remove 0", "repoint 0", "move 0", "move 2", "switched"),
    *("killed", "killed too late", "refused though the database is the same"),
)
"""What even the shortest run must have tried."""


def test_no_turn_crosses_whatever_happens_to_profiles_and_sessions(zygote: Zygote) -> None:
    COUNTED.clear()
    for number in range(FIRST, FIRST + MOST_ROUNDS):
        _run(Sessions, zygote, EXAMPLES or 3, number)
        if EXAMPLES or all(COUNTED[kind] for kind in WANTED):
            break
    assert [kind for kind in WANTED if not COUNTED[kind]] == [], COUNTED


def test_none_crosses_in_a_shared_postgresql_either(
    zygote: Zygote, postgres: PostgresServer
) -> None:
    class Both(OnPostgres, Sessions):
        server = postgres

    COUNTED.clear()
    _run(Both, zygote, EXAMPLES // 10 or 2, FIRST, steps=STEPS // 2)
    assert COUNTED["ask 0"], COUNTED


def _run(
    machine: type[World], zygote: Zygote, examples: int, number: int, steps: int = STEPS
) -> None:
    machine.zygote = zygote
    run_state_machine_as_test(
        machine if EXAMPLES else seed(number)(machine),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
        ),
    )
