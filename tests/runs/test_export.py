"""Exports: a run as Markdown and as a JSON value."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amx.core.export import as_document, as_markdown, escaped
from amx.core.work import Result, Run

RUN = Run(
    id="0190-run",
    local_id=3,
    profile="shop",
    identity="v1:one",
    target="sqlite:/shop.db",
    describer="evidence",
    status="completed",
    started_at="2026-01-31T23:59:59.000000Z",
    ended_at="2026-02-01T00:00:00.000000Z",
    proposed=3,
    created_by="ann",
    hostname="laptop",
    client_version="0.1.0",
)


def result(column: str | None, description: str, type_: str | None = "integer") -> Result:
    return Result(
        local_id=7,
        run_id=RUN.id,
        schema_name="main",
        table_name="orders",
        column_name=column,
        asset_kind="table" if column is None else "column",
        description=description,
        provenance="evidence",
        evidence={"type": type_} if type_ and column is not None else {},
    )


RESULTS = [
    result(None, "Orders."),
    result("order_id", "Identifies the order."),
    replace(result("note", "Note | of\nthe `order`.", None), status="accepted"),
    replace(result("wrong", "Nonsense."), status="rejected"),
    replace(result(None, "A view."), table_name="V", asset_kind="view"),
]


def test_markdown_has_a_section_per_table_and_a_row_per_column() -> None:
    assert as_markdown(RUN, RESULTS) == (
        "# Catalog of shop\n"
        "\n"
        "Run 3 by ann on laptop, 2026-01-31T23:59:59.000000Z, amx 0.1.0, of sqlite:/shop.db.\n"
        "\n"
        "## main.orders\n"
        "\n"
        "Orders.\n"
        "\n"
        "(evidence, proposed)\n"
        "\n"
        "| Column | Type | Description | Provenance |\n"
        "| --- | --- | --- | --- |\n"
        "| order_id | integer | Identifies the order. | evidence, proposed |\n"
        "| note |  | Note \\| of the \\`order\\`. | evidence, accepted |\n"
        "\n"
        "## main.V\n"
        "\n"
        "A view.\n"
        "\n"
        "(view; evidence, proposed)\n"
    )


def test_the_document_holds_the_run_its_tables_and_their_columns() -> None:
    document = as_document(RUN, RESULTS)

    assert document["tables"] == [
        {
            "schema": "main",
            "table": "orders",
            "kind": "table",
            "id": 7,
            "description": "Orders.",
            "provenance": "evidence",
            "status": "proposed",
            "columns": [
                {
                    "column": "order_id",
                    "type": "integer",
                    "id": 7,
                    "description": "Identifies the order.",
                    "provenance": "evidence",
                    "status": "proposed",
                },
                {
                    "column": "note",
                    "type": None,
                    "id": 7,
                    "description": "Note | of\nthe `order`.",
                    "provenance": "evidence",
                    "status": "accepted",
                },
            ],
        },
        {
            "schema": "main",
            "table": "V",
            "kind": "view",
            "id": 7,
            "description": "A view.",
            "provenance": "evidence",
            "status": "proposed",
            "columns": [],
        },
    ]
    run = document["run"]
    assert isinstance(run, dict)
    assert (run["id"], run["uuid"], run["status"], run["describer"], run["target"]) == (
        *(3, "0190-run", "completed", "evidence", "sqlite:/shop.db"),
    )
    assert json.loads(json.dumps(document)) == document


def test_a_table_without_a_description_of_its_own_keeps_its_columns() -> None:
    tables = as_document(RUN, [result("order_id", "Key.")])["tables"]

    assert isinstance(tables, list)
    assert [(one["kind"], one["description"], len(one["columns"])) for one in tables] == [
        (None, None, 1)
    ]
    assert "| order_id | integer | Key. |" in as_markdown(RUN, [result("order_id", "Key.")])


def test_an_empty_run_says_so() -> None:
    assert as_markdown(RUN, []).endswith("\n\nNo descriptions.\n")
    assert as_document(RUN, [])["tables"] == []


def test_a_run_that_did_not_end_well_says_so() -> None:
    stopped = Run(
        profile="shop",
        identity="v1:one",
        target="sqlite:/shop.db",
        describer="evidence",
        status="interrupted",
        started_at="2026-01-31T23:59:59.000000Z",
    )

    assert "of sqlite:/shop.db. The run is interrupted.\n" in as_markdown(stopped, [])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("snake_case_name", "snake_case_name"),
        ("_private_", "\\_private\\_"),
        ("a|b", "a\\|b"),
        ("`code`", "\\`code\\`"),
        ("<script>&", "&lt;script&gt;&amp;"),
        ("[x](javascript:y)", "\\[x\\](javascript:y)"),
        ("![x](http://z)", "\\!\\[x\\](http://z)"),
        ("one\n\n# two\tthree", "one \\# two three"),
        ("- item", "\\- item"),
        ("1. item", "1\\. item"),
        ("a\\|b", "a\\\\\\|b"),
        ("\x1b[31mred\x1b[0m", "\\\\u001b\\[31mred\\\\u001b\\[0m"),
        ("left\u202eright", "left\\\\u202eright"),
    ],
)
def test_text_of_the_database_stays_text(text: str, shown: str) -> None:
    assert escaped(text) == shown


@given(st.text(max_size=60))
def test_any_text_is_one_cell_of_one_row(text: str) -> None:
    rendered = as_markdown(RUN, [result(text, text, text)])
    rows = [line for line in rendered.split("\n") if line.startswith("| ")]

    assert len(rows) == 3
    assert [len(re.split(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows] == [6, 6, 6]
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", rendered)
