"""Words for names, for types and for values."""

import pytest

from amx.core.catalog import ColumnFacts, ColumnInfo
from amx.describers.types import in_words
from tests.describers.assets import counted, text_of


@pytest.mark.parametrize(
    ("name", "type_", "facts", "text"),
    [
        ("qty", "int", counted(9, ends=("1", "9")), "a whole number from 1 to 9"),
        ("price", "real", counted(9, distinct=1, ends=("2", "2")), "a decimal number, always 2"),
        ("flag", "char(1)", counted(9, distinct=2, ends=("N", "Y")), "text, either “N” or “Y”"),
        ("note", "text", counted(9, distinct=1), "text, the same value in every row"),
        ("note", "text", counted(9, distinct=9), "text, all values distinct"),
        ("is_open", "boolean", counted(9, distinct=2), "true or false"),
        (
            "seen",
            "text",
            counted(9, ends=("2020-01-01", "2021-01-01")),
            "text from 2020-01-01 to 2021-01-01",
        ),
        (
            "due",
            "timestamp",
            counted(9, ends=("2020-01-01 00:00:00", "2021-01-01 00:00:00")),
            "a date and time from 2020-01-01 to 2021-01-01",
        ),
    ],
)
def test_values_are_told_as_they_were_counted(
    name: str, type_: str, facts: ColumnFacts, text: str
) -> None:
    description = text_of(ColumnInfo(name=name, type=type_, is_nullable=False), facts)

    assert description.partition("; ")[2] == f"{text}, never missing."


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (counted(0, distinct=0), "Composer; text, no rows yet."),
        (counted(9, nulls=9, distinct=0), "Composer; text, without a value in any row."),
        (counted(1, distinct=1), "Composer; text, 1 distinct value, nullable but never missing."),
        (counted(1, nulls=1, distinct=0), "Composer; text, without a value in any row."),
        (
            counted(9, is_sampled=True),
            (
                "Composer; text, 5 distinct values, nullable but never missing. "
                "Values seen in a sample of 9 rows."
            ),
        ),
    ],
)
def test_empty_and_sampled_columns_are_told_as_such(facts: ColumnFacts, text: str) -> None:
    assert text_of(ColumnInfo(name="composer", type="text"), facts) == text


@pytest.mark.parametrize(
    ("column", "type_", "head"),
    [
        ("created_at", "timestamp", "When the row was created"),
        ("shipped_at", "timestamp", "When the order was shipped"),
        ("upd_usr", "text", "User that updated the row"),
        ("approved_by", "text", "Who approved the order"),
        ("is_paid", "boolean", "Whether the order is paid"),
        ("num_items", "int", "Number of items"),
        ("item_cnt", "int", "Number of items"),
        ("wt_kg", "real", "Weight in kg"),
        ("status", "text", "Status of the order"),
        ("id", "int", "ID"),
        ("___", "int", "A column named ___"),
    ],
)
def test_usual_names_are_read_as_they_are_meant(column: str, type_: str, head: str) -> None:
    text = text_of(ColumnInfo(name=column, type=type_), table="ORD_HDR")

    assert text.partition(";")[0].rstrip(".") == head


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ("INTEGER", "a whole number"),
        ("bigint", "a whole number"),
        ("NUMERIC(9)", "a whole number"),
        ("numeric(9,2)", "a decimal number"),
        ("double precision", "a decimal number"),
        ("NVARCHAR(160)", "text"),
        ("character varying", "text"),
        ("timestamp with time zone", "a date and time"),
        ("time without time zone", "a time of day"),
        ("DATETIME", "a date and time"),
        ("date", "a date"),
        ("interval", "a span of time"),
        ("text[]", "a list"),
        ("jsonb", "a JSON document"),
        ("bytea", "binary data"),
        ("uuid", "a UUID"),
        ("boolean", "true or false"),
        ("point", "of type point"),
        ("", ""),
    ],
)
def test_types_are_told_in_plain_words(declared: str, words: str) -> None:
    assert in_words(declared) == words
