"""The configuration against a model that is a dict, under any order of what may happen to it.

``EXAMPLES=1000 make test ARGS=tests/config/test_config_machine.py`` tries more than the suite does.
"""

import os

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.config.machine_edit_accidents import EditAccidents
from tests.config.machine_world import COUNTED

EXAMPLES = int(os.environ.get("EXAMPLES", "0"))
"""How many random courses are tried; without it the suite takes the same forty every time."""


def test_the_configuration_is_what_the_model_says_whatever_happens() -> None:
    COUNTED.clear()
    run_state_machine_as_test(
        EditAccidents,
        settings=settings(
            max_examples=EXAMPLES or 40,
            stateful_step_count=20,
            deadline=None,
            derandomize=not EXAMPLES,
        ),
    )
    tried = {
        kind: sum(number for name, number in COUNTED.items() if name.startswith(kind))
        for kind in WANTED
    }
    assert min(tried.values()) > 0, tried


WANTED = ("saves: True", "kills of", "calls that failed", "written by", "restores", "edits")
"""What even the shortest run must have tried."""
