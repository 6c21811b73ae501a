"""Runs: which tables are looked at, what is kept, and how they end."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from amx.catalogs.sample import build_shop
from amx.catalogs.sqlite import SQLiteCatalog
from amx.core.catalog import ColumnFacts, TableInfo
from amx.core.catalog_ports import Catalog
from amx.core.errors import (
    AmxError,
    DatabaseUnreachable,
    Failed,
    Interrupted,
    Terminated,
    UsageError,
)
from amx.core.history import History
from amx.core.locks import NumberLocks
from amx.core.profiles import Profile
from amx.core.runs import RunService, chosen, status_after
from amx.core.work import Result, Run
from amx.describers.evidence import EvidenceDescriber
from tests.local.places import Place


class Failing(SQLiteCatalog):
    """A real catalog that stops at its third table as it is told to."""

    def __init__(self, profile: Profile, error: BaseException) -> None:
        super().__init__(profile)
        self._error = error
        self._asked = 0

    def facts(self, table: TableInfo) -> Mapping[str, ColumnFacts]:
        self._asked += 1
        if self._asked > 2:
            raise self._error
        return super().facts(table)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "there" / "local.db")


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    path = tmp_path / "shop.db"
    build_shop(path)
    return Profile(name="shop", backend="sqlite", path=str(path), schema="main")


def service_of(place: Place, tmp_path: Path) -> RunService:
    return RunService(History(place.local, NumberLocks(tmp_path / "runs.lock")))


def run_of(service: RunService, profile: Profile, catalog: Catalog, *names: str) -> Run:
    return service.run(profile, catalog, EvidenceDescriber(), names)


def kept(place: Place) -> tuple[Run, Sequence[Result]]:
    (run,) = place.local.select(Run)
    return run, place.local.select(Result)


def test_a_run_describes_every_table_and_column_and_is_completed(
    place: Place, profile: Profile, tmp_path: Path
) -> None:
    told: list[tuple[int, int, str]] = []
    service = service_of(place, tmp_path)
    catalog = SQLiteCatalog(profile)
    tables = catalog.tables()

    done = service.run(profile, catalog, EvidenceDescriber(), [], lambda *args: told.append(args))

    run, results = kept(place)
    assert run == done
    assert (run.profile, run.identity, run.describer) == ("shop", profile.identity, "evidence")
    assert (run.status, run.error, run.proposed) == ("completed", None, len(results))
    assert run.ended_at is not None
    assert [(one.table_name, one.column_name) for one in results] == [
        (table.name, name) for table in tables for name in (None, *[c.name for c in table.columns])
    ]
    assert {one.provenance for one in results} == {"evidence"}
    assert told == [(place, 14, table.name) for place, table in enumerate(tables, 1)]


def test_a_run_of_named_tables_looks_only_at_them_each_once(
    place: Place, profile: Profile, tmp_path: Path
) -> None:
    names = ["ORD_LN", "cust_mst", "main.PRD_CAT", "Main.ord_ln"]

    run_of(service_of(place, tmp_path), profile, SQLiteCatalog(profile), *names)

    results = kept(place)[1]
    assert list(dict.fromkeys(one.table_name for one in results)) == [
        *("ORD_LN", "CUST_MST", "PRD_CAT"),
    ]


def test_an_unknown_table_is_refused_before_a_run_begins(
    place: Place, profile: Profile, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        run_of(service_of(place, tmp_path), profile, SQLiteCatalog(profile), "CUST_MTS")

    assert caught.value.message == (
        "There is no table or view 'CUST_MTS'. Close to it: CUST_MST. No run was begun."
    )
    assert caught.value.hint == "amx db tables"
    assert place.local.select(Run) == []


def tables(*names: str) -> list[TableInfo]:
    return [TableInfo(schema="public", name=name) for name in names]


def test_an_exact_name_wins_over_one_that_differs_in_case() -> None:
    both = tables("Orders", "orders")

    assert chosen(both, ["orders"]) == [both[1]]
    assert chosen(both, ["public.Orders"]) == [both[0]]


def test_a_name_that_two_tables_share_but_for_case_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        chosen(tables("Orders", "orders"), ["ORDERS"])

    assert caught.value.message == "'ORDERS' may be Orders or orders. No run was begun."
    assert caught.value.details["tables"] == ["public.Orders", "public.orders"]


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ([], "There are none."),
        (["a", "b"], "There are: a, b."),
        (
            [f"t{n:02}" for n in range(22)],
            f"There are: {', '.join(f't{n:02}' for n in range(20))} and 2 more.",
        ),
    ],
)
def test_an_unknown_table_is_told_with_those_that_there_are(known: list[str], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        chosen(tables(*known), ["zzzzzz"])

    assert caught.value.message == (f"There is no table or view 'zzzzzz'. {told} No run was begun.")


@pytest.mark.parametrize("name", ["", ".", "a\nb", "x" * 10_000, "'; DROP TABLE t; --"])
def test_a_senseless_name_is_refused_like_any_other(name: str) -> None:
    with pytest.raises(UsageError):
        chosen(tables("a"), [name])


def test_a_database_without_tables_makes_a_completed_run_without_results(
    place: Place, tmp_path: Path
) -> None:
    (tmp_path / "empty.db").touch()
    profile = Profile(name="e", backend="sqlite", path=str(tmp_path / "empty.db"), schema="main")

    run = run_of(service_of(place, tmp_path), profile, SQLiteCatalog(profile))

    assert (run.status, run.proposed) == ("completed", 0)


@pytest.mark.parametrize(
    "ending",
    [
        (
            DatabaseUnreachable("postgresql://ann:hunter2@db/shop went away."),
            "failed",
            "postgresql://ann:***@db/shop went away.",
        ),
        (Failed("No more."), "failed", "No more."),
        (TypeError("hunter2"), "failed", "TypeError"),
        (KeyboardInterrupt(), "interrupted", "KeyboardInterrupt"),
        (Interrupted("Ctrl-C."), "interrupted", "Ctrl-C."),
        (Terminated("SIGTERM."), "interrupted", "SIGTERM."),
    ],
)
def test_a_run_that_is_stopped_ends_and_keeps_what_it_had(
    place: Place, profile: Profile, tmp_path: Path, ending: tuple[BaseException, str, str]
) -> None:
    error, status, reason = ending
    with pytest.raises(type(error)) as caught:
        run_of(service_of(place, tmp_path), profile, Failing(profile, error))

    run, results = kept(place)
    assert caught.value is error
    assert (run.status, run.error, run.proposed) == (status, reason, len(results))
    assert list(dict.fromkeys(one.table_name for one in results)) == ["CUST_ADDR", "CUST_MST"]


def test_a_database_that_cannot_be_reached_begins_no_run(place: Place, tmp_path: Path) -> None:
    profile = Profile(name="gone", backend="sqlite", path=str(tmp_path / "gone.db"))

    with pytest.raises(DatabaseUnreachable):
        run_of(service_of(place, tmp_path), profile, SQLiteCatalog(profile))

    assert place.local.select(Run) == []


def test_every_error_of_ours_but_an_interruption_fails_a_run() -> None:
    kinds = [UsageError, DatabaseUnreachable, Failed]

    assert {status_after(kind("x")) for kind in kinds} == {"failed"}
    assert status_after(AmxError("x")) == "failed"
    assert status_after(Terminated("x")) == "interrupted"
    assert status_after(None) == "completed"
