"""How often the right table comes first; `make ranking` measures the same on an ERP schema too."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from amx.catalogs.sample import build_shop
from scripts.ranking import LEAST, QUESTIONS, measured, tryton_cases, written_cases


@pytest.mark.parametrize("sample", ["shop", "music"])
def test_the_right_table_comes_first_for_nine_of_ten_questions(tmp_path: Path, sample: str) -> None:
    database = tmp_path / "it.db"
    if sample == "shop":
        build_shop(database)
    else:
        with closing(sqlite3.connect(database)) as connection:
            connection.executescript((QUESTIONS / "music.sql").read_text())

    scores = measured(database, written_cases(sample))

    assert {kind: score.asked for kind, score in scores.items()} == {"tuned on": 20, "held out": 20}
    assert all(score.right >= LEAST * score.asked for score in scores.values()), scores


def test_labels_become_questions_and_what_is_left_out_is_counted() -> None:
    def model(table: str, label: str, *labels: str) -> dict[str, object]:
        fields = [{"column": "it", "label": one} for one in labels]
        return {"table": table, "label": label, "fields": fields}

    cases, excluded = tryton_cases(
        [
            model("sale_line", "Sale Line", "Unit Price", "ir.msg_active", ""),
            model("party_party", "Party"),
            model("a", "Same"),
            model("b", "same"),
        ]
    )

    assert [tuple(one) for one in cases] == [
        ("table label, words of its name", "Sale Line", "sale_line"),
        ("field label of table label", "Unit Price of Sale Line", "sale_line"),
        ("table label and field label", "Sale Line Unit Price", "sale_line"),
        ("table label, words of its name", "Party", "party_party"),
    ]
    assert excluded == "2 fields without a label of their own, 2 labels of several tables"
