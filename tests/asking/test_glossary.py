"""The team's own abbreviations and synonyms: read by search and describer, never in the way."""

from pathlib import Path

import pytest

from amx.core.glossary import BUILT_IN
from amx.core.team_glossary import TeamGlossary
from amx.core.words import read
from tests.asking.conftest import Ask, add, change, cited, said
from tests.support import Amx

ERP = """
CREATE TABLE KNA1 (KUNNR INTEGER PRIMARY KEY, BUKR TEXT, no_zz INTEGER);
CREATE TABLE ZT_REV (ZT_ID INTEGER PRIMARY KEY, RVN NUMERIC);
"""

GLOSSARY = """
# The names of the old system.
kna: customer
kunnr: customer number
bukr: company code
zt: [till, counter]
no: number
rvn: turnover
synonyms:
  - [turnover, revenue, sales]
  - [till, cash desk]
"""


@pytest.fixture
def erp(amx: Amx, tmp_path: Path) -> Path:
    path = tmp_path / "erp.db"
    change(path, ERP)
    add(amx, "erp", path)
    return path


@pytest.mark.usefixtures("erp")
def test_the_teams_abbreviations_and_synonyms_find_and_describe(
    amx: Amx, ask: Ask, home: Path
) -> None:
    assert cited(ask("customers")) == []

    (home / "glossary.yml").write_text(GLOSSARY)
    assert cited(ask("customers"))[:1] == ["KNA1"]
    assert cited(ask("company code"))[:2] == ["KNA1", "KNA1.BUKR"]
    assert cited(ask("revenue"))[:2] == ["ZT_REV", "ZT_REV.RVN"]
    assert cited(ask("the id of a cash desk"))[:2] == ["ZT_REV", "ZT_REV.ZT_ID"]
    assert cited(ask("cash")) == []

    assert amx("run").code == 0
    told = amx("export", "--md").out
    assert "Company code" in told
    assert "“zt” may stand for till or counter." in told


@pytest.mark.usefixtures("erp")
def test_a_glossary_may_be_named_for_all_profiles_or_for_one(
    amx: Amx, ask: Ask, home: Path, tmp_path: Path
) -> None:
    (home / "team.yml").write_text("bukr: company code")
    (tmp_path / "own.yml").write_text("bukr: ledger")

    assert amx("config", "set", "glossary_file", "team.yml").code == 0
    assert cited(ask("company"))[:2] == ["KNA1", "KNA1.BUKR"]

    assert (
        amx("config", "set", "db_profiles.erp.glossary_file", str(tmp_path / "own.yml")).code == 0
    )
    assert cited(ask("company")) == []
    assert cited(ask("ledger"))[:2] == ["KNA1", "KNA1.BUKR"]


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("a: b\n c: [", "line 2, column 3: mapping values are not allowed"),
        ("- a\n- b\n", "line 1, column 1: the top level is not a mapping."),
        ("a: one\na: two\n", "line 2, column 1: "),
        ("\x00", "line 1, column 1: "),
        ("a: b\nsynonyms: c\n", "line 2: 'synonyms' is not used: it needs a list of lists"),
        ("kunnr: customer\nx y: z\n", "line 2: 'x y' is not used: it needs letters"),
        ("kunnr: {a: b}\n", "line 1: 'kunnr' is not used: it needs letters"),
        ("kunnr:\n", "line 1: 'kunnr' is not used: it needs letters"),
    ],
)
@pytest.mark.usefixtures("erp")
def test_a_broken_glossary_is_told_of_with_its_line_and_stops_no_answer(
    amx: Amx, home: Path, text: str, warning: str
) -> None:
    (home / "glossary.yml").write_text(text)

    done = said(amx, "KUNNR")
    assert done.code == 0
    assert cited(done.json)[:2] == ["KNA1", "KNA1.KUNNR"]
    assert f"{home / 'glossary.yml'}, {warning}" in done.err
    assert "Traceback" not in done.err


@pytest.mark.usefixtures("erp")
def test_a_glossary_that_was_named_and_is_not_there_is_told_of(amx: Amx) -> None:
    amx("config", "set", "glossary_file", "gone.yml")

    done = said(amx, "KUNNR")
    assert done.code == 0
    assert "gone.yml" in done.err


def test_a_glossary_beyond_bounds_or_in_another_encoding_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "glossary.yml"
    for data in (b"a: " + b"x" * 600_000, b"\xff\xfea", b"a: \xe9"):
        path.write_bytes(data)
        broken = TeamGlossary(path)
        assert (broken.glossary, len(broken.warnings)) == (BUILT_IN, 1)


def test_words_of_a_glossary_are_text_however_they_look(tmp_path: Path) -> None:
    path = tmp_path / "glossary.yml"
    path.write_text("no: yes\non: 12\n8: eight\n")

    glossary = TeamGlossary(path).glossary
    assert read("no_on_8", glossary=glossary).words == ("yes", "12", "eight")


def test_what_a_team_says_goes_before_what_is_built_in(tmp_path: Path) -> None:
    path = tmp_path / "glossary.yml"
    path.write_text("amt: office\nst: storage\nqty: [quality, quantity]\n")

    glossary = TeamGlossary(path).glossary
    assert read("st_amt", glossary=glossary).words == ("storage", "office")
    assert read("qty", glossary=glossary).undecided == {"qty": ("quality", "quantity")}
