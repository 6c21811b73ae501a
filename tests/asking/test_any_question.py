"""Whatever is asked, there is an answer, and it cites nothing that is not there."""

import os
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amx.core.asking.composing import Composer
from amx.core.asking.documents import CatalogDocument
from amx.core.asking.earlier import Earlier
from amx.core.asking.grounds import Grounds
from amx.core.asking.searching import Shelf
from amx.core.glossary import BUILT_IN
from amx.runtime import Runtime
from tests.asking.conftest import MUSIC, change

_WORDS = (
    "and what about how many do does join joins with between references refer to referenced by "
    "foreign primary key keys of unique required columns tables their it them that one the is "
    "customer customers invoice tracks Track.UnitPrice CUST_NO city custmer trk 5 ? , ' \u0130 \0 "
    'ﬁ ß \ud800 *:(" -- NOT'
)
QUESTIONS = st.lists(st.sampled_from(_WORDS.split(" ")) | st.text(max_size=8), max_size=14).map(
    " ".join
)

Ask = Callable[[str, Earlier], Grounds]


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ask, set[CatalogDocument]]:
    folder = tmp_path_factory.mktemp("any")
    change(folder / "music.db", MUSIC)
    runtime = Runtime({"AMX_HOME": str(folder / "home"), "PATH": os.environ["PATH"]})
    settings = {"backend": "sqlite", "path": str(folder / "music.db")}
    runtime.config_file.patch({("db_profiles", "it"): settings, ("active_db_profile",): "it"})
    runtime.answers.ask(runtime.profile, "tables", None, lambda: runtime.catalog)
    shelf = Shelf(runtime.index, runtime.profile.identity)
    there = set(shelf.of(*(one.owner for one in shelf.tables)))

    def ask(question: str, earlier: Earlier) -> Grounds:
        return Composer(shelf, "it", question, earlier, BUILT_IN).grounds()

    return ask, there


@given(QUESTIONS, QUESTIONS, st.lists(st.sampled_from(["Customer", "Track", "Gone"]), max_size=2))
def test_every_question_has_an_answer_that_cites_what_is_there(
    asking: tuple[Ask, set[CatalogDocument]], question: str, before: str, tables: list[str]
) -> None:
    ask, there = asking

    grounds = ask(question, Earlier([("main", one) for one in tables], before))
    assert grounds.text
    assert set(grounds.cited) <= there
    assert set(grounds.earlier) <= there
    assert grounds.cited or grounds.text.startswith("I do not know")


@pytest.mark.parametrize("word", ["do refers ", "how join ", "custmer wxyzq ", "a", "their "])
def test_a_question_of_any_length_is_answered_and_cut_openly(
    asking: tuple[Ask, set[CatalogDocument]], word: str
) -> None:
    ask, _ = asking

    grounds = ask(word * (65536 // len(word)), Earlier())
    assert "I heeded the first 2,000 characters only." in grounds.remarks
