"""Values that a real store refuses, gives back with difficulty, or might choke on."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from amx.core.profiles import Profile
from amx.core.sending import Deadline
from amx.stores.postgres import PostgresSharedStore
from tests.postgres import PostgresServer
from tests.shared.installation import Installation, equal

TRIGGER = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.describer = 'poison' THEN RAISE EXCEPTION 'not in this house'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON "AMX".runs FOR EACH ROW EXECUTE FUNCTION refuse()
"""

CHECK = """ALTER TABLE "AMX".runs ADD CONSTRAINT house CHECK (describer <> 'poison')"""

MEGABYTES = 64


@pytest.fixture
def there(tmp_path: Path, postgres_profile: Profile) -> Installation:
    """Give an installation whose shared store is a real PostgreSQL."""
    store = PostgresSharedStore(postgres_profile, "AMX", None, {})
    store.bootstrap(Deadline(30))
    return Installation(tmp_path / "there", store)


@pytest.mark.parametrize(
    "obstacle",
    [
        (TRIGGER, 'DROP TRIGGER refuse ON "AMX".runs', "P0001: not in this house"),
        (CHECK, 'ALTER TABLE "AMX".runs DROP CONSTRAINT house', "23514: "),
    ],
    ids=["a trigger", "a constraint"],
)
def test_what_the_dba_refuses_is_quarantined_alone_and_goes_once_it_is_allowed(
    there: Installation,
    postgres: PostgresServer,
    postgres_profile: Profile,
    obstacle: tuple[str, str, str],
) -> None:
    added, taken_away, reason = obstacle
    postgres.execute(added, postgres_profile.database)
    there.write(150)
    culprits = {str(run.id) for run in there.write(3, describer="poison")}
    there.write(150)
    culprits |= {str(run.id) for run in there.write(2, describer="poison")}
    report = there.replay()
    assert (report.delivered, report.pending, report.quarantined) == (300, 0, 5)
    entries = there.outbox.entries(is_quarantined_only=True, limit=None)
    assert {entry.row_id for entry in entries} == culprits
    assert all(str(entry.last_error).startswith(reason) for entry in entries)
    assert there.outbox.reopen(None) == 5
    assert there.replay().quarantined == 5
    postgres.execute(taken_away, postgres_profile.database)
    assert there.outbox.reopen(None) == 5
    assert there.replay().delivered == 5
    assert there.verify() == equal(305)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_json_that_is_none_is_quarantined_and_all_others_arrive(
    there: Installation, number: str
) -> None:
    there.note()
    event = there.note()
    there.note()
    there.local.close()
    with closing(sqlite3.connect(there.path)) as connection, connection:
        connection.execute("DROP TRIGGER events_append_only")  # no code of amx can write it
        connection.execute(
            "UPDATE events SET details = ? WHERE id = ?", (f'{{"x":{number}}}', event.id)
        )
    there.open()
    report = there.replay()
    assert (report.delivered, report.pending, report.quarantined) == (2, 0, 1)
    [entry] = there.outbox.entries(is_quarantined_only=True, limit=None)
    assert (entry.row_id, str(entry.last_error)[:6]) == (event.id, "22P02:")


def test_a_time_in_the_year_10000_is_kept_and_compared(ours: Installation) -> None:
    moment = "10000-01-01T00:00:00.000000Z"
    [run] = ours.write(1, started_at=moment, ended_at=moment)
    ours.write(1)
    assert ours.replay().delivered == 2
    assert ours.verify() == equal(2)
    ours.change(run, error="e")
    assert ours.replay().delivered == 1
    assert ours.verify() == equal(2)


def test_a_text_of_64_megabytes_arrives_whole_between_its_neighbours(ours: Installation) -> None:
    ours.write(2)
    ours.write(1, error="ä" * (MEGABYTES << 19))
    ours.write(2)
    assert ours.replay().delivered == 5
    assert ours.verify() == equal(5)


def test_text_that_no_store_can_hold_is_mended_when_it_comes_in(ours: Installation) -> None:
    ours.write(1, error="a\0b\ud800c\udfff")
    assert ours.replay().delivered == 1
    assert ours.verify() == equal(1)
