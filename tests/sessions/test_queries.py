"""What listing and showing sessions asks of the database: never all of it."""

from collections.abc import Callable

import pytest

from amx.core.sessions import SessionService
from tests.local.places import Place
from tests.sessions.talks import BOOKS, SHOP, ask

ACTS: dict[str, Callable[[SessionService], object]] = {
    "list": lambda sessions: sessions.list(SHOP, 50),
    "list of all profiles": lambda sessions: sessions.list(None, 50),
    "show": lambda sessions: sessions.show(1),
    "current": lambda sessions: sessions.current(SHOP),
    "check": lambda sessions: sessions.check(SHOP, 1),
}


@pytest.mark.parametrize("what", ACTS)
def test_no_reading_of_sessions_looks_at_all_of_them(
    place: Place, sessions: SessionService, what: str
) -> None:
    for profile in (SHOP, BOOKS):
        for _ in range(3):
            ask(sessions, profile, is_new=True)
    reader = Place(place.path, is_read_only=True)
    connection = reader.local.database.connection()
    assert connection is not None
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    ACTS[what](SessionService(reader.local))
    connection.set_trace_callback(None)

    plans = [
        (sql, step["detail"])
        for sql in asked
        for step in connection.execute(f"EXPLAIN QUERY PLAN {sql}")
    ]
    assert plans
    whole = [(sql, step) for sql, step in plans if step.startswith("SCAN")]
    # The newest of all are read from the end of the table, and no further than asked for.
    bounded = [(sql, step) for sql, step in whole if sql.endswith("DESC LIMIT 50")]
    assert whole == (bounded if what == "list of all profiles" else [])
    read_turns = [sql for sql, step in plans if "turns" in step]
    assert bool(read_turns) == (what == "show")
    assert all("USING INDEX turns_by_session" in step for _, step in plans if "turns" in step)
    assert not [step for _, step in plans if "TEMP B-TREE" in step and what != "show"]


def test_deleted_sessions_do_not_hide_older_ones(sessions: SessionService) -> None:
    for _ in range(7):
        ask(sessions, SHOP, is_new=True)
    for number in (7, 6, 5, 3):
        sessions.delete(number)

    assert [one.local_id for one in sessions.list(SHOP, 2)] == [4, 2]
    assert [one.local_id for one in sessions.list(None, 9)] == [4, 2, 1]
