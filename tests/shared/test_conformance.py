"""What every shared store does, whatever its backend."""

import threading
from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amx.core.errors import RowsRejected, Systemic, Transient
from amx.core.models import Values
from amx.core.ports import SharedStore
from amx.core.reports import Bootstrap, Member
from amx.core.rows import canonical_json, clean
from amx.core.sending import Deadline, NotTaken
from amx.core.tables import BY_NAME, OLDEST_WRITER, RUNS, SCHEMA_VERSION, SHARED_TABLES
from tests.shared import rows
from tests.shared.conftest import store_of

EVERY = {
    "runs": rows.run(error="nö", ended_at=rows.MOMENT),
    "sessions": rows.session(title=""),
    "results": rows.result(column_name="", evidence={"b": [1, None, True], "a": "'\\\""}),
    "turns": rows.turn(content="Zeile\n\t😀 %s ${x}", citations=[{"table": "t"}]),
    "events": rows.event(details={"big": 2**70}, actor="bot", actor_kind="ci", run_url="u"),
}


@pytest.fixture(params=["postgresql", "postgresql-copy", "sqlite"])
def bare_store(request: pytest.FixtureRequest) -> SharedStore:
    """Give a store of each backend, without a schema; PostgreSQL's also with every row copied."""
    return store_of(request)


def stored(store: SharedStore, table: str = "runs") -> Sequence[Values]:
    return store.rows(BY_NAME[table], [rows.ORIGIN, "another"], "", 100, Deadline(30))


@pytest.mark.parametrize("table", SHARED_TABLES, ids=lambda table: table.name)
def test_a_row_of_every_table_comes_back_exactly_as_it_was_sent(
    store: SharedStore, soon: Deadline, table: object
) -> None:
    table = BY_NAME[table.name]  # type: ignore[attr-defined]  # passed on as it came
    values = EVERY[table.name]
    assert store.upsert(table, [values], soon) == []
    assert stored(store, table.name) == [values]


TEXTS = st.text(max_size=40).map(clean)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=30)
@given(texts=st.tuples(TEXTS, TEXTS), evidence=JSON, number=st.integers(0, 2**63 - 1))
def test_any_text_number_and_json_comes_back_exactly(
    store: SharedStore, texts: tuple[str, str], evidence: object, number: int
) -> None:
    sent = rows.result(
        schema_name=texts[0], description=texts[1], evidence=evidence, local_id=number
    )
    store.upsert(BY_NAME["results"], [sent], Deadline(30))
    key = str(sent["id"])
    [back] = store.rows(BY_NAME["results"], [rows.ORIGIN], key[:-1], 1, Deadline(30))
    assert back == sent
    assert back["evidence"] == canonical_json(evidence)


def test_a_newer_revision_replaces_the_domain_and_never_the_attribution(
    store: SharedStore, soon: Deadline
) -> None:
    first = rows.run()
    forged: dict[str, str | int | None] = {
        "created_by": "mallory",
        "hostname": "elsewhere",
        "client_version": "9",
        "local_id": 77,
        "created_at": "2030-01-01T00:00:00.000000Z",
        "actor": "bot",
        "actor_kind": "ci",
        "run_url": "http://x",
    }
    changed: dict[str, str | int | None] = {"status": "completed", "revision": 2, "error": "e"}
    store.upsert(RUNS, [first], soon)
    assert store.upsert(RUNS, [{**first, **changed, **forged}], soon) == []
    assert stored(store) == [{**first, **changed}]


@pytest.mark.parametrize("revision", [1, 2])
def test_an_older_or_equal_revision_is_not_taken_and_the_stored_row_is_named(
    store: SharedStore, soon: Deadline, revision: int
) -> None:
    newest = rows.run(revision=2, status="completed")
    store.upsert(RUNS, [newest], soon)
    late = {**newest, "revision": revision, "status": "running"}
    other = rows.run()
    assert store.upsert(RUNS, [late, other], soon) == [NotTaken(str(newest["id"]), newest)]
    assert stored(store) == rows.in_key_order([newest, other])


def test_another_origin_never_replaces_a_row(store: SharedStore, soon: Deadline) -> None:
    mine = rows.run()
    store.upsert(RUNS, [mine], soon)
    theirs = {**mine, "revision": 9, "origin_id": "another"}
    assert store.upsert(RUNS, [theirs], soon) == [NotTaken(str(mine["id"]), mine)]
    assert stored(store) == [mine]


def test_sending_a_batch_again_changes_nothing(store: SharedStore, soon: Deadline) -> None:
    batch = rows.in_key_order([rows.run() for _ in range(50)])
    assert store.upsert(RUNS, batch, soon) == []
    again = store.upsert(RUNS, batch, soon)
    assert list(again) == [NotTaken(str(row["id"]), row) for row in batch]
    assert stored(store) == batch


@pytest.mark.parametrize(
    "column", ["created_by", "hostname", "client_version", "local_id", "origin_id", "id"]
)
@pytest.mark.parametrize("value", [None, ""])
def test_the_database_refuses_a_writer_that_omits_attribution(
    store: SharedStore, soon: Deadline, column: str, value: str | None
) -> None:
    if column == "local_id" and value == "":
        value = None
    with pytest.raises(RowsRejected):
        store.upsert(RUNS, [{**rows.run(), column: value}], soon)
    assert stored(store) == []


@pytest.mark.parametrize(
    "poison",
    [
        {"status": "nonsense"},
        {"actor_kind": "ghost"},
        {"profile": None},
        {"proposed": 2**63},
        {"error": "lone \ud800"},
        {"identity": ""},
    ],
)
def test_one_poisoned_row_keeps_its_whole_batch_out(
    store: SharedStore, soon: Deadline, poison: dict[str, str | int | None]
) -> None:
    with pytest.raises(RowsRejected) as caught:
        store.upsert(RUNS, [rows.run(), {**rows.run(), **poison}, rows.run()], soon)
    assert caught.value.sqlstate
    assert stored(store) == []
    assert store.upsert(RUNS, [rows.run()], soon) == []


def test_invalid_json_is_refused(store: SharedStore, soon: Deadline) -> None:
    with pytest.raises(RowsRejected):
        store.upsert(BY_NAME["events"], [{**rows.event(), "details": "{"}], soon)


def test_rows_are_paged_in_key_order_for_the_origins_asked_for(
    store: SharedStore, soon: Deadline
) -> None:
    mine = rows.in_key_order([rows.run() for _ in range(5)])
    store.upsert(RUNS, [*mine, rows.run(origin_id="stranger")], soon)
    pages = []
    after = ""
    while page := store.rows(RUNS, [rows.ORIGIN], after, 2, soon):
        pages.append([row["id"] for row in page])
        after = str(page[-1]["id"])
    ids = [row["id"] for row in mine]
    assert pages == [ids[:2], ids[2:4], ids[4:]]


def test_the_team_is_counted_by_person_and_machine_latest_first(
    store: SharedStore, soon: Deadline
) -> None:
    late = "2026-02-02T00:00:00.000000Z"
    grace = {"created_by": "grace", "hostname": "mark-1", "updated_at": late}
    store.upsert(RUNS, [rows.run(), rows.run(client_version="0.2.0"), rows.run(**grace)], soon)
    store.upsert(BY_NAME["sessions"], [rows.session()], soon)
    store.upsert(BY_NAME["events"], [rows.event()], soon)
    second = Member(
        created_by="grace",
        hostname="mark-1",
        client_versions=["0.1.0"],
        runs=1,
        sessions=0,
        events=0,
        last_seen_at=late,
    )
    first = Member(
        created_by="ada",
        hostname="difference",
        client_versions=["0.1.0", "0.2.0"],
        runs=2,
        sessions=1,
        events=1,
        last_seen_at=rows.MOMENT,
    )
    assert store.team(None, soon) == [second, first]
    assert store.team("2026-02-01T00:00:00.000000Z", soon) == [second]


def test_a_store_without_schema_has_no_meta(
    bare_store: SharedStore, soon: Deadline, request: pytest.FixtureRequest
) -> None:
    if "sqlite" in request.node.name:
        with pytest.raises(Transient):
            bare_store.meta(soon)
        return
    assert bare_store.meta(soon) is None


def test_rows_for_a_store_without_schema_are_a_systemic_fault(
    bare_store: SharedStore, soon: Deadline, request: pytest.FixtureRequest
) -> None:
    if "sqlite" in request.node.name:
        request.getfixturevalue("sqlite_profile")
        open(bare_store.target.removeprefix("sqlite:"), "x").close()  # noqa: PTH123 - made, and no more
    with pytest.raises(Systemic):
        bare_store.upsert(RUNS, [rows.run()], soon)


def test_bootstrap_a_second_time_changes_nothing(bare_store: SharedStore, soon: Deadline) -> None:
    meta, found = bare_store.bootstrap(soon)
    assert found is None
    bare_store.upsert(RUNS, [rows.run()], soon)
    assert bare_store.bootstrap(soon) == Bootstrap(meta, SCHEMA_VERSION)
    assert bare_store.meta(soon) == meta
    assert len(stored(bare_store)) == 1
    assert (meta.schema_version, meta.oldest_writer) == (SCHEMA_VERSION, OLDEST_WRITER)


def test_bootstraps_at_once_agree_on_one_store(
    bare_store: SharedStore, request: pytest.FixtureRequest
) -> None:
    others = [_twin(bare_store, request) for _ in range(4)]
    done: list[Bootstrap] = []
    threads = [
        threading.Thread(target=lambda one=one: done.append(one.bootstrap(Deadline(30))))
        for one in others
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({meta for meta, _ in done}) == 1
    assert sorted(one.words for one in done) == ["created", "found", "found", "found"]


def test_a_deadline_that_is_over_is_transient_or_met(store: SharedStore) -> None:
    store.close()
    with suppress(Transient):
        assert store.rows(RUNS, [rows.ORIGIN], "", 1, Deadline(0)) == []


def _twin(store: SharedStore, request: pytest.FixtureRequest) -> SharedStore:
    from amx.stores.postgres import PostgresSharedStore
    from amx.stores.sqlite import SQLiteSharedStore
    from tests.shared.conftest import SCHEMA

    if isinstance(store, SQLiteSharedStore):
        return SQLiteSharedStore(request.getfixturevalue("sqlite_profile"))
    return PostgresSharedStore(request.getfixturevalue("postgres_profile"), SCHEMA, None, {})
