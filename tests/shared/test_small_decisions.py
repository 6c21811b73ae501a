"""Pure decisions of shared mode: sifting, durations, limits, the menu, targets."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amx.core import store_menu as menu
from amx.core.checking import Looked
from amx.core.durations import age_s, seconds_of, since_of, words_of
from amx.core.errors import CheckFailed, RowsLeft, RowsRejected, UsageError
from amx.core.models import Values
from amx.core.profiles import profile_of
from amx.core.reports import ReplayReport, VerifyReport
from amx.core.sending import NotTaken
from amx.core.sifting import SAMPLES, SUSPECTS, sift
from amx.core.status import StoreStatus, check_limits
from amx.core.targets import target_of
from amx.core.telling import check_delivered, check_equal

POISON = st.sets(st.integers(0, 63), max_size=20)


class Picky:
    """A store that refuses any batch with a poisoned row, and counts what it was sent."""

    def __init__(self, poisoned: set[int]) -> None:
        self.poisoned = poisoned
        self.taken: set[int] = set()
        self.calls = 0

    def send(self, values: Sequence[Values]) -> Sequence[NotTaken]:
        """Take all or none."""
        self.calls += 1
        numbers = {int(row["n"] or 0) for row in values}
        if numbers & self.poisoned:
            raise RowsRejected("no", sqlstate="23514")
        self.taken |= numbers
        return []


@given(poisoned=POISON, count=st.integers(1, 64))
def test_sifting_finds_exactly_the_poisoned_rows_or_says_that_it_is_not_them(
    poisoned: set[int], count: int
) -> None:
    store = Picky(poisoned)
    sifted = sift(store.send, [{"n": number} for number in range(count)])
    rejected = {int(row["n"] or 0) for row, _ in sifted.rejected}
    assert rejected <= poisoned
    if sifted.problem:
        assert len(rejected) == SUSPECTS
        return
    accepted = {int(row["n"] or 0) for row in sifted.accepted}
    assert rejected == poisoned & set(range(count))
    assert accepted == set(range(count)) - poisoned
    assert accepted <= store.taken


def test_a_wholly_refused_batch_costs_few_calls() -> None:
    store = Picky(set(range(5000)))
    sifted = sift(store.send, [{"n": number} for number in range(5000)])
    assert sifted.problem == "row after row is refused (23514): no"
    assert store.calls < 13 + 2 * SUSPECTS + 2 * SAMPLES


def test_ten_poisoned_rows_in_five_thousand_cost_few_calls() -> None:
    store = Picky(set(range(0, 5000, 500)))
    sifted = sift(store.send, [{"n": number} for number in range(5000)])
    assert len(sifted.rejected) == 10
    assert store.calls < 250


def test_poisoned_rows_at_the_head_do_not_hold_up_the_rest() -> None:
    store = Picky(set(range(20)))
    sifted = sift(store.send, [{"n": number} for number in range(500)])
    assert sifted.problem is None
    assert len(sifted.rejected) == 20


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("15m", 900), ("1h", 3600), ("7d", 604800), ("1.5h", 5400)],
)
def test_a_length_of_time_is_read(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "-1h", "1y", "1 hour", "9" * 30, "١h"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        seconds_of(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31", "2026-01-31T00:00:00.000000Z"),
        ("2026-01-31T23:00:00+01:00", "2026-01-31T22:00:00.000000Z"),
    ],
)
def test_a_date_is_read_as_utc_unless_it_says_otherwise(text: str, moment: str) -> None:
    assert since_of(text) == moment


def test_an_impossible_date_is_refused() -> None:
    with pytest.raises(UsageError):
        since_of("2026-02-31")


def test_an_age_is_told_in_its_largest_whole_unit() -> None:
    assert [words_of(one) for one in (0, 59, 61, 7300, 200000)] == [
        "0 s",
        "59 s",
        "1 min",
        "2 h",
        "2 d",
    ]
    assert age_s("2026-01-31T00:00:01.000000Z", "2026-01-31T00:00:00.000000Z") == 0


OFF = StoreStatus(
    enabled=False,
    profile=None,
    schema=None,
    target=None,
    schema_version=None,
    pending=0,
    quarantined=0,
    oldest_pending_at=None,
    last_flush_at=None,
    last_error=None,
    backing_off_until=None,
)
ON = replace(OFF, enabled=True, profile="team", schema="AMX", target="sqlite:/t", schema_version=1)
QUEUED = replace(ON, pending=3, quarantined=1, oldest_pending_at="2026-01-31T00:00:00.000000Z")


@pytest.mark.parametrize(
    ("status", "has_profiles", "keys"),
    [
        (OFF, False, ["status"]),
        (OFF, True, ["status", "enable"]),
        (ON, True, ["status", "disable", "verify", "team", "dump-ddl"]),
        (
            QUEUED,
            True,
            [
                *("status", "disable", "flush-pending", "pending", "drop-pending", "retry"),
                *("verify", "team", "dump-ddl"),
            ],
        ),
    ],
)
def test_the_picker_offers_only_what_makes_sense_now(
    status: StoreStatus,
    has_profiles: bool,
    keys: list[str],
) -> None:
    entries = menu.entries_of(status, has_profiles=has_profiles)
    assert [entry.key for entry in entries] == keys
    assert set(keys) <= set(menu.SUBCOMMANDS)


def test_each_destructive_entry_says_what_it_does_to_how_much_of_what_age() -> None:
    asked = {one.key: one.question for one in menu.entries_of(QUEUED, has_profiles=True)}
    asked["dump-ddl"] = menu.dump_ddl_question(QUEUED, Looked(version=1))
    destructive = {"disable", "flush-pending", "drop-pending", "dump-ddl"}
    assert {key for key, question in asked.items() if question} == destructive
    undo = ("Undo: Enable", "cannot be taken back", "Undo: migrate-from-local", "nothing to undo")
    for key, way_back in zip(sorted(destructive), (undo[0], *undo[2:], undo[1]), strict=True):
        assert "Queued: 3 pending and 1 quarantined, the oldest for" in str(asked[key])
        assert way_back in str(asked[key])
    assert "every run of this workstation" in str(asked["disable"])
    assert "alternative is Drop pending" in str(asked["flush-pending"])


def test_dump_ddl_asks_only_where_the_profile_has_the_schema_or_cannot_be_asked() -> None:
    assert menu.dump_ddl_question(ON, Looked()) is None
    there = str(menu.dump_ddl_question(ON, Looked(version=1)))
    assert "sqlite:/t has the schema already (version 1)" in there
    away = str(menu.dump_ddl_question(ON, Looked(problem="no route.")))
    assert "Whether sqlite:/t has the schema could not be asked: no route. Dump DDL" in away


def test_limits_are_kept_or_told() -> None:
    check_limits(QUEUED)
    check_limits(QUEUED, max_pending=4)
    check_limits(ON, max_age_s=0, max_pending=0)
    with pytest.raises(CheckFailed, match="4 rows are queued, more than 3"):
        check_limits(QUEUED, max_pending=3)
    with pytest.raises(CheckFailed, match="oldest row is queued for"):
        check_limits(QUEUED, max_age_s=3600)


def test_rows_that_are_left_are_an_error_and_none_is_not() -> None:
    done = ReplayReport(delivered=3, pending=0, quarantined=0, seconds=0.1)
    check_delivered(done)
    with pytest.raises(RowsLeft, match=r"Rows are left: 2 pending, 1 quarantined: no route\."):
        check_delivered(replace(done, pending=2, quarantined=1, problem="no route."))


def test_sides_that_differ_are_a_finding_and_pending_rows_are_not() -> None:
    same = VerifyReport(checked=3, pending=9, missing=0, stale=0, altered=0, extra=0)
    check_equal(same)
    for difference in ("missing", "stale", "altered", "extra"):
        with pytest.raises(CheckFailed, match=f"1 {difference}"):
            check_equal(replace(same, **{difference: 1}))


def test_a_target_is_the_place_and_neither_the_profiles_name_nor_its_role() -> None:
    settings = {"host": "DB1", "database": "d", "user": "ada"}
    one = target_of(profile_of("one", settings, {}), "AMX", None)
    two = target_of(profile_of("two", {**settings, "host": "db1", "user": "bob"}, {}), "AMX", "d")
    assert one.identity == two.identity
    assert one.words == "postgresql://db1:5432/d?schema=AMX"
    others = [("amx", None), ("AMX", "e")]
    profile = profile_of("one", settings, {})
    assert one.identity not in {target_of(profile, *other).identity for other in others}
