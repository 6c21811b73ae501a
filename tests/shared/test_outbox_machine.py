"""The outbox against a model that is a dict, under any order of what may happen to it.

``EXAMPLES=1000 make test ARGS=tests/shared/test_outbox_machine.py`` tries more than the suite does.
"""

import os

from hypothesis import seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.postgres import PostgresServer
from tests.shared.machine_rules import OutboxMachine
from tests.shared.machine_sides import PostgresSide, Side
from tests.shared.machine_world import COUNTED

EXAMPLES = int(os.environ.get("EXAMPLES", "0"))
"""How many random courses are tried; without it the suite takes the same few every time."""

STEPS = 30

MOST_ROUNDS = 6
"""Of the suite; two, and more until everything that is wanted was tried."""


def test_nothing_is_lost_doubled_restamped_or_older_whatever_happens_to_the_outbox() -> None:
    COUNTED.clear()
    for number in range(MOST_ROUNDS):
        _run(OutboxMachine, EXAMPLES or 12, number)
        if EXAMPLES or (number and all(COUNTED[kind] for kind in WANTED)):
            break
    assert all(COUNTED[kind] for kind in WANTED), COUNTED


def test_the_same_holds_on_a_real_postgresql(postgres: PostgresServer) -> None:
    class OnPostgres(OutboxMachine):
        def make_side(self) -> Side:
            return PostgresSide(postgres)

    COUNTED.clear()
    _run(OnPostgres, EXAMPLES // 10 or 5, 0)
    assert all(COUNTED[kind] for kind in ("writes", "flushes", "killed flushers")), COUNTED


def _run(machine: type[RuleBasedStateMachine], examples: int, number: int) -> None:
    run_state_machine_as_test(
        machine if EXAMPLES else seed(number)(machine),
        settings=settings(
            max_examples=examples, stateful_step_count=STEPS, deadline=None, database=None
        ),
    )


WANTED = (
    *("writes", "changes", "killed writers", "flushes", "outages", "limited flushes"),
    *("killed flushers", "switches", "drops", "quarantined", "retries", "restored backups"),
    *("outage beside a batch", "change beside a batch", "flush beside a batch"),
    "race beside a batch",
    *("drop beside a batch", "write beside a batch", "time-out beside a batch"),
)
"""What even the shortest run must have tried."""
