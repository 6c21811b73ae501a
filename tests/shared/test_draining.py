"""A flush costs the same for each row, however many are queued."""

import re

from tests.shared.installation import Installation

BY_KEY = re.compile(
    r"SEARCH (outbox USING .*INDEX .*\((table_name=\? AND row_id[>=]|state=\?\))|(?!outbox)\w+ USING)"
)
"""The steps of a plan that walk a range of keys, or look up the oldest entry of a state."""


def test_draining_finds_its_rows_by_ranges_of_keys_however_many_are_queued(
    ours: Installation,
) -> None:
    ours.write(30)
    connection = ours.local.database.connection()
    assert connection is not None
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    assert ours.replay().delivered == 30
    connection.set_trace_callback(None)
    of_queue = [one for one in statements if re.match(r"(SELECT|DELETE)\b.*\boutbox\b", one)]
    assert len({one[:6] for one in of_queue}) == 2
    for statement in of_queue:
        plan = [str(step[3]) for step in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
        assert plan
        assert [step for step in plan if not BY_KEY.match(step)] == []
