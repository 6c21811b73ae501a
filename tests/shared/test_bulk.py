"""A backlog goes to PostgreSQL by COPY: the same rows, the same refusals, nothing left behind."""

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amx.core.errors import RowsRejected, Systemic, Transient
from amx.core.models import Values
from amx.core.profiles import Profile
from amx.core.sending import Deadline, NotTaken
from amx.core.tables import EVENTS, RUNS, Table
from amx.drivers import copy_text
from amx.stores import upsert
from amx.stores.ddl import bootstrap_ddl
from amx.stores.postgres import COPIED_FROM, PostgresSharedStore
from tests.postgres import PostgresServer
from tests.shared import rows
from tests.shared.installation import Installation, equal

NASTY = (
    "\\",
    r"\N",
    "\\.",
    r"\t",
    "\t",
    "\n",
    "\r\n",
    "\r",
    "",
    "\x01",
    "\x7f",
    "'",
    '"',
    "😀 é\u2028",
)


@pytest.fixture
def store(postgres_profile: Profile, soon: Deadline) -> Iterator[PostgresSharedStore]:
    store = PostgresSharedStore(postgres_profile, "AMX", None, {}, copied_from=2)
    store.bootstrap(soon)
    yield store
    store.close()


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "x")


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record each table that rows are copied to; the copying is the real one."""
    copied: list[str] = []
    real = upsert.by_copy

    def recorded(place: str, table: Table) -> copy_text.Copying:
        copied.append(table.name)
        return real(place, table)

    monkeypatch.setattr(upsert, "by_copy", recorded)
    return copied


def role(postgres: PostgresServer, profile: Profile) -> Profile:
    """Make a role that has only the rights of ``dump-ddl --grant-to``; return its profile."""
    name = f"writer_of_{profile.database}"
    postgres.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
    postgres.execute(bootstrap_ddl("postgresql", "AMX", grant_to=name), profile.database)
    return replace(profile, user=name)


def stored(store: PostgresSharedStore) -> list[Values]:
    return list(store.rows(RUNS, [rows.ORIGIN], "", 10_000, Deadline(30)))


def test_few_rows_go_in_one_statement_and_a_backlog_is_copied(
    postgres_profile: Profile, soon: Deadline, copies: list[str]
) -> None:
    store = PostgresSharedStore(postgres_profile, "AMX", None, {})
    store.bootstrap(soon)
    batch = rows.in_key_order([rows.run() for _ in range(COPIED_FROM)])
    store.upsert(RUNS, batch[1:], soon)
    assert copies == []
    store.upsert(RUNS, batch, soon)
    assert copies == ["runs"]
    assert stored(store) == batch
    store.close()


def test_text_that_copy_reads_otherwise_comes_back_exactly(
    store: PostgresSharedStore, soon: Deadline, copies: list[str]
) -> None:
    batch = [
        rows.run(error=text, target=f"{text}x{text}", describer=f"a{text}", ended_at=moment)
        for text in (*NASTY, "".join(NASTY))
        for moment in (None, rows.MOMENT)
    ]
    assert store.upsert(RUNS, batch, soon) == []
    assert copies == ["runs"]
    assert stored(store) == rows.in_key_order(batch)


FIELDS = st.none() | st.integers() | st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(st.lists(st.lists(FIELDS, min_size=3, max_size=3), max_size=4))
def test_each_row_is_a_line_whose_fields_can_be_told_apart(
    table: list[list[str | int | None]],
) -> None:
    lines = copy_text.lines_of(table).decode().split("\n")
    assert lines.pop() == ""
    assert "\r" not in "".join(lines)
    found = [[_read(field) for field in line.split("\t")] for line in lines]
    assert found == [[None if one is None else str(one) for one in row] for row in table]


def _read(field: str) -> str | None:
    """Read a field as the manual says that COPY does."""
    if field == r"\N":
        return None
    characters = iter(field)
    letters = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
    return "".join(letters[next(characters)] if one == "\\" else one for one in characters)


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_what_cannot_be_encoded_is_refused_before_anything_is_sent(
    store: PostgresSharedStore, soon: Deadline, text: str
) -> None:
    with pytest.raises(RowsRejected) as caught:
        store.upsert(RUNS, [rows.run(), {**rows.run(), "error": text}], soon)
    assert caught.value.sqlstate == "client"
    assert stored(store) == []


@pytest.mark.parametrize(
    "poison", [{"status": "nonsense"}, {"proposed": 2**63}, {"started_at": "no time"}]
)
def test_both_ways_refuse_a_row_in_the_same_words(
    store: PostgresSharedStore, soon: Deadline, poison: dict[str, str | int]
) -> None:
    poisoned = {**rows.run(), **poison}
    refusals = []
    for batch in ([poisoned], [rows.run(), poisoned, rows.run()]):
        with pytest.raises(RowsRejected) as caught:
            store.upsert(RUNS, batch, soon)
        refusals.append(caught.value)
    assert refusals[0].sqlstate == refusals[1].sqlstate
    assert stored(store) == []
    assert store.upsert(RUNS, [rows.run(), rows.run()], soon) == []


def test_exactly_the_rows_that_a_trigger_refuses_are_quarantined_of_a_backlog(
    store: PostgresSharedStore, postgres: PostgresServer, tmp_path: Path, copies: list[str]
) -> None:
    database = store._profile.database
    postgres.execute(
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF NEW.profile = 'poison' THEN RAISE 'not here'; END IF; RETURN NEW; END $$",
        database,
    )
    postgres.execute(
        'CREATE TRIGGER no BEFORE INSERT ON "AMX".runs FOR EACH ROW EXECUTE FUNCTION no()', database
    )
    ours = Installation(tmp_path / "ours", store)
    ours.write(300)
    poisoned = {run.id for run in ours.write(5, profile="poison")}
    ours.write(300)
    report = ours.replay()
    assert (report.delivered, report.pending, report.quarantined) == (600, 0, 5)
    entries = ours.outbox.entries(is_quarantined_only=True, limit=None)
    assert {entry.row_id for entry in entries} == poisoned
    assert {entry.last_error for entry in entries} == {"P0001: not here"}
    assert len(copies) > 5
    assert ours.verify() == equal(600, pending=5)


def test_a_role_without_the_right_to_temporary_tables_sends_all_the_same(
    postgres_profile: Profile, postgres: PostgresServer, soon: Deadline, copies: list[str]
) -> None:
    database = postgres_profile.database
    writer = PostgresSharedStore(role(postgres, postgres_profile), "AMX", None, {}, copied_from=2)
    first, second, third = (rows.in_key_order([rows.run(), rows.run()]) for _ in range(3))
    assert writer.upsert(RUNS, first, soon) == []
    assert copies == ["runs"]
    postgres.execute(f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC")
    assert writer.upsert(RUNS, second, soon) == []
    assert writer.upsert(RUNS, third, soon) == []
    assert copies == ["runs", "runs"], "it is remembered for the connection"
    writer.close()
    again = writer.upsert(RUNS, [*first, rows.run()], soon)
    assert copies == ["runs"] * 3
    assert list(again) == [NotTaken(str(row["id"]), row) for row in first]
    writer.close()


def test_a_role_without_the_right_to_write_is_told_so_whatever_the_way(
    postgres_profile: Profile, postgres: PostgresServer, soon: Deadline
) -> None:
    profile = role(postgres, postgres_profile)
    names = ", ".join(RUNS.names)
    postgres.execute(f'REVOKE INSERT ({names}) ON "AMX".runs FROM {profile.user}', profile.database)
    store = PostgresSharedStore(profile, "AMX", None, {}, copied_from=2)
    with pytest.raises(Systemic) as caught:
        store.upsert(RUNS, [rows.run(), rows.run()], soon)
    assert caught.value.details["sqlstate"] == "42501"
    assert "runs" in caught.value.message
    store.close()


def test_a_row_that_is_locked_holds_a_backlog_up_until_the_deadline_and_nothing_is_left(
    store: PostgresSharedStore, postgres: PostgresServer, soon: Deadline
) -> None:
    batch = rows.in_key_order([rows.run(), rows.run()])
    store.upsert(RUNS, batch, soon)
    newer: list[Values] = [{**row, "revision": 2} for row in batch]
    with closing(psycopg2.connect(postgres.dsn(store._profile.database))) as other:
        with other.cursor() as cursor:
            cursor.execute('SELECT 1 FROM "AMX".runs WHERE id = %s FOR UPDATE', (batch[1]["id"],))
        with pytest.raises(Transient) as caught:
            store.upsert(RUNS, newer, Deadline(0.5))
    assert caught.value.details["sqlstate"] == "57014"
    assert stored(store) == batch
    assert store.upsert(RUNS, newer, soon) == []
    assert stored(store) == newer


def test_a_backlog_is_written_in_the_order_of_its_keys_so_that_no_two_deadlock(
    store: PostgresSharedStore, soon: Deadline, postgres: PostgresServer
) -> None:
    batch = rows.in_key_order([rows.run() for _ in range(100)])
    store.upsert(RUNS, batch[::-1], soon)
    found = postgres.execute('SELECT id FROM "AMX".runs ORDER BY ctid', store._profile.database)
    assert [record[0] for record in found] == [row["id"] for row in batch]


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
@pytest.mark.parametrize("count", [1, 2])
def test_what_may_pass_a_moment_later_is_tried_again_at_once_whatever_the_way(
    store: PostgresSharedStore, postgres: PostgresServer, soon: Deadline, sqlstate: str, count: int
) -> None:
    database = store._profile.database
    postgres.execute("CREATE SEQUENCE tries", database)  # which no rollback turns back
    postgres.execute(
        "CREATE FUNCTION twice() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN "
        f"IF nextval('tries') < 3 THEN RAISE 'busy' USING ERRCODE = '{sqlstate}'; END IF; "
        "RETURN NULL; END $$",
        database,
    )
    postgres.execute(
        'CREATE TRIGGER twice BEFORE INSERT ON "AMX".runs EXECUTE FUNCTION twice()', database
    )
    batch = rows.in_key_order([rows.run() for _ in range(count)])
    assert store.upsert(RUNS, batch, soon) == []
    assert stored(store) == batch
    assert postgres.execute("SELECT last_value FROM tries", database) == [(3,)]


@pytest.mark.parametrize("is_refused", [False, True])
def test_a_copy_leaves_nothing_in_the_session(
    store: PostgresSharedStore, soon: Deadline, *, is_refused: bool
) -> None:
    batch = [rows.event(), {**rows.event(), "details": "{" if is_refused else "{}"}]
    with suppress(RowsRejected):
        store.upsert(EVENTS, batch, soon)
    connection = store._connected(soon)
    assert connection.get_transaction_status() == psycopg2.extensions.TRANSACTION_STATUS_IDLE
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relpersistence = 't'")
        assert cursor.fetchone() == (0,)
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)
