"""Rows of the local store: numbered, stamped once, changed, and all or none."""

import sqlite3
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amx.core.attribution import Attribution
from amx.core.conversations import Session
from amx.core.errors import LocalStoreFailed
from amx.core.models import Row
from amx.core.rows import REPLACEMENT, RowT
from amx.core.tables import BY_NAME, SHARED_TABLES
from amx.core.turns import Turn
from amx.core.work import Event, Result, Run
from tests.local.places import ANN, BEN, Place, event, run, session, turn

STAMPS = ("created_by", "hostname", "client_version", "actor", "actor_kind", "run_url")


def stamps(row: Row) -> dict[str, object]:
    return {name: getattr(row, name) for name in STAMPS}


def of(who: Attribution) -> dict[str, object]:
    return {name: getattr(who, name) for name in STAMPS}


def put(place: Place, row: RowT) -> RowT:
    with place.local.transaction() as writer:
        return writer.put(row)


def broken(place: Place) -> None:
    """Write an event and then a row that the schema refuses."""
    with place.local.transaction() as writer:
        writer.put(event("lost"))
        writer.put(replace(run(), status="dancing"))


def a_result(parent: Run) -> Result:
    return Result(
        run_id=parent.id,
        schema_name="main",
        table_name="orders",
        asset_kind="table",
        description="Orders.",
        provenance="evidence",
        evidence={"rows": 3},
    )


def test_a_new_row_is_numbered_and_stamped(place: Place) -> None:
    place.who = BEN

    written = put(place, event("it"))

    assert written == replace(
        event("it"),
        id=written.id,
        local_id=1,
        revision=1,
        created_at=written.created_at,
        updated_at=written.created_at,
        updated_by_version="0.2.0",
        origin_id=written.origin_id,
        created_by="ben",
        hostname="server",
        client_version="0.2.0",
        actor="nightly",
        actor_kind="cron",
        run_url="https://ci.example/7",
    )
    assert written.created_at
    assert written.origin_id


def test_every_kind_of_row_comes_back_as_it_was_written(place: Place) -> None:
    begun = put(place, run())
    opened = put(place, session())
    rows: list[Row] = [begun, opened, put(place, event())]
    rows += [put(place, a_result(begun)), put(place, turn(opened))]

    assert {row.TABLE for row in rows} == set(BY_NAME)
    assert [place.local.find(type(row), row.id) for row in rows] == rows
    assert [place.local.find(type(row), 1) for row in rows] == rows


def test_a_change_raises_the_revision_and_keeps_the_first_attribution(place: Place) -> None:
    first = put(place, run())
    place.who = BEN

    second = put(place, replace(first, status="failed", error="no", created_by="mallory"))

    assert stamps(second) == of(ANN)
    assert (second.origin_id, second.created_at) == (first.origin_id, first.created_at)
    assert (second.revision, second.status, second.updated_by_version) == (2, "failed", "0.2.0")
    assert second.updated_at > first.updated_at


def test_a_change_follows_the_stored_revision_and_not_the_callers(place: Place) -> None:
    stale = put(place, run())
    put(place, replace(stale, proposed=1))

    assert put(place, replace(stale, proposed=2)).revision == 3


def test_a_change_of_a_row_that_is_not_there_is_refused(place: Place) -> None:
    with pytest.raises(LocalStoreFailed, match="has no row 9 in events"):
        put(place, replace(event(), local_id=9))


def test_all_rows_of_an_installation_have_one_origin(place: Place) -> None:
    put(place, event())
    put(Place(place.path), run())

    origins = {row.origin_id for kind in (Event, Run) for row in place.local.select(kind)}
    assert len(origins) == 1


def test_a_transaction_that_raises_leaves_nothing(place: Place) -> None:
    put(place, event("kept"))

    with pytest.raises(LocalStoreFailed):
        broken(place)

    assert [one.subject for one in place.events()] == ["kept"]
    assert place.queued() == [("events", 1, 1, "pending")]


def test_a_transaction_reads_what_it_has_written(place: Place) -> None:
    with place.local.transaction() as writer:
        written = writer.put(session())
        writer.point_session(written.profile, written.identity, written.id)

        assert writer.find(Session, written.id) == written
        assert writer.active_session("shop", "v1:one") == written.id
        assert place.outbox.counts().pending == 1

    assert place.local.active_session("shop", "v1:one") == written.id


def test_numbers_are_never_used_again(place: Place) -> None:
    put(place, event())
    last = put(place, event())
    with sqlite3.connect(place.path) as raw:
        raw.execute("DELETE FROM events WHERE id = ?", (last.id,))
    raw.close()

    assert put(place, event()).local_id == 3


def test_select_matches_all_conditions_and_orders_by_first_write(place: Place) -> None:
    names = ("a", "b", "a", "a")
    for name in names:
        put(place, session(name))

    def numbers(*, is_newest_first: bool = False, limit: int | None = None) -> list[int | None]:
        where = {"profile": "a", "ended_at": None}
        found = place.local.select(Session, where, is_newest_first=is_newest_first, limit=limit)
        return [one.local_id for one in found]

    assert numbers() == [1, 3, 4]
    assert numbers(is_newest_first=True) == [4, 3, 1]
    assert numbers(is_newest_first=True, limit=2) == [4, 3]
    assert numbers(limit=0) == []
    assert numbers(limit=2**70) == [1, 3, 4]


def test_select_knows_only_the_columns_of_the_table(place: Place) -> None:
    with pytest.raises(KeyError, match="1 OR 1"):
        place.local.select(Session, {"1 OR 1": 1})


@pytest.mark.parametrize("key", [0, -1, 2, 2**63, 2**70, "", "nothing", "\ud800", "a\0b"])
def test_a_key_that_no_row_has_finds_nothing(place: Place, key: int | str) -> None:
    put(place, event())

    assert place.local.find(Event, key) is None


def test_the_schema_refuses_what_the_declarations_forbid(place: Place) -> None:
    with pytest.raises(LocalStoreFailed, match="its schema refused the row"):
        put(place, replace(run(), status="dancing"))
    with pytest.raises(LocalStoreFailed, match="its schema refused the row"):
        put(place, replace(run(), profile=""))
    with pytest.raises(LocalStoreFailed, match="FOREIGN KEY"):
        put(place, a_result(run()))

    assert place.local.select(Run) == []


def test_rows_that_lack_attribution_are_refused(place: Place) -> None:
    place.who = Attribution(created_by="", hostname="laptop", client_version="0.1.0")

    with pytest.raises(LocalStoreFailed, match="created_by"):
        put(place, event())


def test_the_store_knows_whether_it_entered_anything(place: Place) -> None:
    place.is_shared = False
    put(place, event())
    assert not place.local.has_written_shared

    place.is_shared = True
    with pytest.raises(LocalStoreFailed):
        broken(place)
    assert not place.local.has_written_shared

    put(place, event())
    assert place.local.has_written_shared


def test_local_tables_have_the_columns_of_the_shared_ones(place: Place) -> None:
    put(place, event())

    for table in SHARED_TABLES:
        records = place.local.database.query(f"PRAGMA table_info({table.name})")
        names = {record["name"] for record in records}
        hidden = {"privacy"} if table.name in ("sessions", "turns") else set()
        assert names == {*table.names, *table.local, *hidden, "entered"}


@given(st.text(), st.text())
def test_any_text_is_kept_but_what_no_store_can_hold(
    tmp_path_factory: pytest.TempPathFactory, subject: str, detail: str
) -> None:
    place = Place(tmp_path_factory.getbasetemp() / "texts.db")

    written = put(place, Event(kind="test", subject=subject, details={"text": detail}))

    def kept(text: str) -> str:
        return "".join(REPLACEMENT if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)

    assert (written.subject, written.details) == (kept(subject), {"text": kept(detail)})
    assert place.local.find(Event, written.id) == written
    place.local.close()


def test_turns_of_a_session_come_back_in_their_order(place: Place) -> None:
    opened = put(place, session())
    for index in (1, 2, 3):
        put(place, turn(opened, index))

    turns = place.local.select(Turn, {"session_id": opened.id})
    assert [one.turn_index for one in turns] == [1, 2, 3]
