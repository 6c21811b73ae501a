"""Descriptions made from evidence: what they say, and that they say nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from amx.core.catalog import ColumnFacts, ColumnInfo, ForeignKey, TableInfo
from amx.core.rows import canonical_json
from tests.describers.assets import counted, described, text_of

TRACK = TableInfo(
    schema="public",
    name="track",
    columns=(
        ColumnInfo(name="track_id", type="integer", is_nullable=False, is_primary_key=True),
        ColumnInfo(name="name", type="varchar(200)", is_nullable=False),
        ColumnInfo(
            name="genre_id",
            type="integer",
            foreign_key=ForeignKey(schema="public", table="genre", column="genre_id"),
        ),
        ColumnInfo(name="composer", type="varchar(220)"),
        ColumnInfo(name="unit_price", type="numeric(10,2)", is_nullable=False),
    ),
)

TRACK_FACTS = {
    "track_id": ColumnFacts(rows=3503, nulls=0, distinct=3503, minimum="1", maximum="3503"),
    "name": ColumnFacts(rows=3503, nulls=0, distinct=3257, minimum="A", maximum="Z"),
    "genre_id": ColumnFacts(rows=3503, nulls=0, distinct=25, minimum="1", maximum="25"),
    "composer": ColumnFacts(rows=3503, nulls=977, distinct=853, minimum="A", maximum="Z"),
    "unit_price": ColumnFacts(rows=3503, nulls=0, distinct=9, minimum="0.99", maximum="9.99"),
}


def test_a_table_and_each_of_its_columns_get_one_description() -> None:
    assert [(one.column, one.description) for one in described(TRACK, TRACK_FACTS)] == [
        (
            None,
            (
                "Tracks; 3,503 rows, 5 columns, keyed by track_id. Holds name, composer and unit "
                "price. Refers to genre."
            ),
        ),
        ("track_id", "Identifies the track; the primary key, from 1 to 3503."),
        ("name", "Name of the track; text, 3,257 distinct values, never missing."),
        (
            "genre_id",
            (
                "Identifies the genre; refers to genre.genre_id; 25 distinct values, "
                "nullable but never missing."
            ),
        ),
        (
            "composer",
            "Composer; text, 853 distinct values, missing in 977 of 3,503 rows.",
        ),
        ("unit_price", "Unit price; a decimal number from 0.99 to 9.99, never missing."),
    ]


def test_what_was_not_counted_is_not_said() -> None:
    assert [one.description for one in described(TRACK, {})] == [
        (
            "Tracks; rows not counted, 5 columns, keyed by track_id. Holds name, composer and unit "
            "price. Refers to genre."
        ),
        "Identifies the track; the primary key.",
        "Name of the track; text, required.",
        "Identifies the genre; refers to genre.genre_id.",
        "Composer; text.",
        "Unit price; a decimal number, required.",
    ]


def test_the_evidence_holds_every_fact_that_a_description_rests_on() -> None:
    table, _, _, genre, *_ = described(TRACK, TRACK_FACTS)

    assert table.evidence == {
        "name_tokens": ["track"],
        "expansions": {},
        "kind": "table",
        "columns": 5,
        "primary_key": ["track_id"],
        "references": ["public.genre"],
        "rows": 3503,
        "is_sampled": False,
    }
    assert genre.evidence == {
        "name_tokens": ["genre", "id"],
        "expansions": {},
        "type": "integer",
        "is_primary_key": False,
        "is_unique": False,
        "is_nullable": True,
        "references": "public.genre.genre_id",
        "rows": 3503,
        "distinct": 25,
        "nulls": 0,
        "minimum": "1",
        "maximum": "25",
        "is_sampled": False,
    }


def test_expansions_are_recorded() -> None:
    table = TableInfo(
        schema="s", name="ORD_HDR", columns=(ColumnInfo(name="tot_amt", type="NUMERIC(9,2)"),)
    )
    head, column = described(table, {})

    assert head.evidence["expansions"] == {"ord": "order", "hdr": "header"}
    assert column.evidence["expansions"] == {"tot": "total", "amt": "amount"}
    assert column.description == "Total amount; a decimal number."


def test_a_reading_that_nothing_decides_is_said_to_be_open() -> None:
    text = text_of(ColumnInfo(name="disc_dt", type="date"))

    assert text == "Disc date; a date. “disc” may stand for discontinued or discount."


def test_a_comment_that_is_there_is_the_description() -> None:
    table = TableInfo(
        schema="s",
        name="t",
        comment="What we sell",
        columns=(ColumnInfo(name="p", type="int", comment="In cents"),),
    )
    head, column = described(table, {})

    assert (head.description, head.evidence["comment"]) == ("What we sell", "What we sell")
    assert (column.description, column.evidence["comment"]) == ("In cents", "In cents")
    assert {head.provenance, column.provenance} == {"evidence"}


def test_a_sampled_table_has_more_rows_than_were_seen() -> None:
    table = TableInfo(schema="s", name="logs", columns=(ColumnInfo(name="n", type="int"),))

    text = described(table, {"n": counted(100_000, is_sampled=True)})[0].description

    assert text == "Logs; more than 100,000 rows, 1 column. Holds n."


def test_a_table_whose_keys_are_all_references_links_them() -> None:
    table = TableInfo(
        schema="s",
        name="playlist_track",
        columns=tuple(
            ColumnInfo(
                name=f"{name}_id",
                type="int",
                is_primary_key=True,
                foreign_key=ForeignKey(schema="s", table=name, column="id"),
            )
            for name in ("playlist", "track")
        ),
    )

    assert [one.description for one in described(table, {})] == [
        (
            "Links playlists and tracks; rows not counted, 2 columns, keyed by playlist_id and "
            "track_id. Refers to playlist and track."
        ),
        "Identifies the playlist; refers to playlist.id; part of the primary key.",
        "Identifies the track; refers to track.id; part of the primary key.",
    ]


def test_references_name_the_same_table_and_other_schemas() -> None:
    table = TableInfo(
        schema="s",
        name="employee",
        columns=(
            ColumnInfo(
                name="reports_to",
                type="int",
                foreign_key=ForeignKey(schema="s", table="employee", column="id"),
            ),
            ColumnInfo(
                name="dept_id",
                type="int",
                foreign_key=ForeignKey(schema="hr", table="dept", column="id"),
            ),
        ),
    )

    assert [one.description for one in described(table, {})] == [
        "Employees; rows not counted, 2 columns. Refers to itself and dept.",
        "Reports to; refers to employee.id in the same table.",
        "Identifies the department; refers to hr.dept.id.",
    ]


def test_a_view_is_called_one_and_claims_nothing_about_missing_values() -> None:
    column = ColumnInfo(name="total", type="int")
    table = TableInfo(schema="s", name="V_ORD_SMRY", kind="view", columns=(column,))
    head, total = described(table, {"total": counted(9, ends=("1", "9"))})

    assert (head.asset_kind, total.asset_kind) == ("view", "column")
    assert head.description == "Order summaries (a view); 9 rows, 1 column. Holds total."
    assert total.description == "Total; a whole number from 1 to 9, never missing."


def test_a_view_that_could_not_be_read_says_so() -> None:
    table = TableInfo(schema="s", name="gone", kind="view")

    assert [one.description for one in described(table, {})] == [
        "Gones (a view); its columns could not be read."
    ]


NAMES = st.text(max_size=30)
FACTS = st.builds(
    lambda present, nulls, value, is_sampled: ColumnFacts(
        rows=present + nulls,
        nulls=nulls,
        distinct=present,
        minimum=value,
        maximum=value,
        is_sampled=is_sampled,
    ),
    st.integers(0, 10**12),
    st.integers(0, 10**12),
    st.none() | NAMES,
    st.booleans(),
)


@given(NAMES, NAMES, NAMES, FACTS)
def test_any_table_is_described_and_its_evidence_can_be_kept(
    table: str, column: str, type_: str, facts: ColumnFacts
) -> None:
    is_key = facts.is_sampled
    known = ColumnInfo(name=column, type=type_, is_primary_key=is_key, is_nullable=not is_key)
    info = TableInfo(schema="s", name=table, columns=(known,))

    for one in described(info, {column: facts}):
        assert one.description.strip()
        assert canonical_json(one.evidence)
