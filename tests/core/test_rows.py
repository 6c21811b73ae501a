"""Rows as columns and back; ids; times."""

import json
import uuid
from dataclasses import fields
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amx.core.clock import moment_of, now, seconds_from_now, text_of
from amx.core.conversations import Session
from amx.core.ids import uuid7
from amx.core.models import Row
from amx.core.rows import canonical_json, clean, row_of, values_of
from amx.core.tables import BY_NAME, SHARED_TABLES
from amx.core.turns import Turn
from amx.core.work import Event, Result, Run

TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(subject=st.text(), details=st.dictionaries(st.text(), TREES))
def test_a_row_survives_being_taken_apart(subject: str, details: dict[str, object]) -> None:
    values = values_of(Event(kind="test", subject=subject, details=details))
    again = values_of(row_of(Event, values))
    assert again == values


@given(st.text(alphabet=st.characters()))
def test_what_enters_a_history_has_neither_nul_nor_lone_surrogates(text: str) -> None:
    cleaned = clean(text)
    assert "\0" not in cleaned
    assert cleaned.encode().decode() == cleaned
    assert len(cleaned) == len(text)


def test_nul_and_lone_surrogates_become_replacement_characters() -> None:
    assert clean("a\0b\ud800c\udfff") == "a\ufffdb\ufffdc\ufffd"


def test_canonical_json_sorts_keys_and_cleans_text() -> None:
    assert canonical_json({"b": [1, True, None], "a": "x\0"}) == '{"a":"x\ufffd","b":[1,true,null]}'


@pytest.mark.parametrize("value", [1.5, float("nan"), float("inf"), b"bytes", {1, 2}])
def test_canonical_json_refuses_what_databases_write_differently(value: object) -> None:
    with pytest.raises(TypeError, match="a JSON column holds no"):
        canonical_json({"key": [value]})


@pytest.mark.parametrize("kind", [Run, Result, Session, Turn, Event])
def test_every_column_of_a_table_is_a_field_of_its_row(kind: type[Row]) -> None:
    assert {field.name for field in fields(kind)} == {
        *BY_NAME[kind.TABLE].names,
        *BY_NAME[kind.TABLE].local,
    }


def test_every_table_has_a_kind_of_row() -> None:
    kinds = (Run, Result, Session, Turn, Event)
    assert {kind.TABLE for kind in kinds} == {table.name for table in SHARED_TABLES}


def test_a_turn_keeps_its_citations() -> None:
    cited = [{"schema": "main", "table": "track", "column": "unit_price"}]
    turn = Turn(
        session_id="s",
        turn_index=1,
        role="assistant",
        content="it is there",
        profile="shop",
        identity="v1:x",
        citations=cited,
    )
    values = values_of(turn)
    assert json.loads(str(values["citations"])) == cited
    assert row_of(Turn, values) == turn


def test_ids_are_uuids_of_version_7_that_sort_by_time() -> None:
    made = [uuid7() for _ in range(1000)]
    assert {uuid.UUID(one).version for one in made} == {7}
    assert {uuid.UUID(one).variant for one in made} == {uuid.RFC_4122}
    assert len(set(made)) == 1000
    assert [one[:18] for one in made] == sorted(one[:18] for one in made)


def test_an_id_tells_the_millisecond_it_was_made() -> None:
    before = datetime.now(UTC).timestamp()
    milliseconds = int(uuid7().replace("-", "")[:12], 16)
    assert before * 1000 - 1 <= milliseconds <= datetime.now(UTC).timestamp() * 1000 + 1


@given(st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants it naive
def test_a_moment_survives_as_text(moment: datetime) -> None:
    assert moment_of(text_of(moment)) == moment


def test_text_order_of_moments_is_time_order() -> None:
    assert seconds_from_now(-60) < now() < seconds_from_now(60)


def test_what_is_not_a_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="yesterday"):
        moment_of("yesterday")
