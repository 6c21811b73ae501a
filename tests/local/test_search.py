"""Full-text search over catalogs, of words as anybody may type them."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amx.core.asking.documents import CatalogDocument, Target, Word
from amx.core.asking.terms import groups_of, told_of, written
from amx.stores.search import MOST_STEMS, SQLiteCatalogIndex
from tests.local.places import Place


def table(name: str, told: str = "") -> CatalogDocument:
    return CatalogDocument(
        schema="main",
        table=name,
        column=None,
        kind="table",
        description=told,
        names=written(groups_of(name)),
        told=written(told_of(told)),
    )


def column(of: str, name: str, told: str = "", target: Target | None = None) -> CatalogDocument:
    names = written(groups_of(name))
    return table(of, told)._replace(
        column=name, kind="column", type="TEXT", names=names, target=target, is_required=True
    )


SHOP = [
    table("customer", "People who buy."),
    column("customer", "email", "Address of a customer."),
    table("track", "What is sold."),
    column("track", "unit_prc", "Price of one track."),
    table("invoice", "What a customer has bought."),
    column("invoice", "cust_no", target=Target("main", "customer", "id")),
]

WORDS = [Word("customer", "customer", 1, 2), Word("pric", "price", 0, 1)]


@pytest.fixture
def index(place: Place) -> SQLiteCatalogIndex:
    index = SQLiteCatalogIndex(place.local)
    index.refresh("v1:shop", "digest 1", SHOP, WORDS)
    return index


def names(index: SQLiteCatalogIndex, *stems: str, limit: int = 9) -> list[str]:
    return [one.name.removeprefix("main.") for one in index.search("v1:shop", stems, limit)]


def test_what_is_found_is_as_it_was_given_and_comes_with_its_table(
    index: SQLiteCatalogIndex,
) -> None:
    assert index.search("v1:shop", ["email"], 5) == SHOP[:2]
    assert index.tables("v1:shop") == [SHOP[0], SHOP[2], SHOP[4]]
    assert index.links("v1:shop") == [SHOP[5]]
    assert index.of("v1:shop", [("main", "track"), ("main", "none")]) == SHOP[2:4]
    assert index.vocabulary("v1:shop") == {one.stem: one for one in WORDS}


def test_names_their_readings_and_comments_are_searched(index: SQLiteCatalogIndex) -> None:
    assert names(index, "pric") == names(index, "prc") == ["track", "track.unit_prc"]
    assert names(index, "bought") == ["invoice"]
    assert names(index, "nothing") == []


def test_of_too_many_the_best_are_kept_and_names_are_better_than_comments(
    index: SQLiteCatalogIndex,
) -> None:
    assert names(index, "customer", limit=1) == ["customer"]
    assert names(index, "customer", limit=0) == names(index, "customer", limit=-1) == []


def test_an_index_is_replaced_as_a_whole(index: SQLiteCatalogIndex) -> None:
    assert index.refresh("v1:shop", "digest 2", [table("album")], [])

    state = index.state("v1:shop")
    assert state is not None
    assert (state.digest, state.tables) == ("digest 2", 1)
    assert names(index, "customer", "album") == ["album"]
    assert index.vocabulary("v1:shop") == {}


def test_of_two_refreshes_with_one_digest_the_first_writes(index: SQLiteCatalogIndex) -> None:
    assert not index.refresh("v1:shop", "digest 1", [table("album")], [])
    assert names(index, "album") == []


def test_each_identity_has_an_index_of_its_own(index: SQLiteCatalogIndex) -> None:
    other = [table("customer"), table("planet")]
    index.refresh("v1:other", "digest 9", other, [Word("planet", "planet", 1, 1)])

    assert names(index, "customer", "planet") == names(index, "customer")
    assert index.search("v1:other", ["planet"], 5) == other[1:]
    assert set(index.vocabulary("v1:other")) == {"planet"}
    states = [index.state(name) for name in ("v1:shop", "v1:other", "v1:none")]
    assert [one and one.digest for one in states] == ["digest 1", "digest 9", None]


def test_a_refresh_whose_catalog_fails_changes_nothing(index: SQLiteCatalogIndex) -> None:
    def broken() -> Iterator[CatalogDocument]:
        yield table("album")
        raise ConnectionError

    with pytest.raises(ConnectionError):
        index.refresh("v1:shop", "digest 2", broken(), [])

    assert names(index, "track")[0] == "track"


@pytest.mark.parametrize("words", [[], [""], ["  "], ["…"], ['"'], ["*"], ["a\0b"], ["\ud800"]])
def test_words_without_letters_find_nothing(index: SQLiteCatalogIndex, words: list[str]) -> None:
    assert index.search("v1:shop", words, 5) == []


@pytest.mark.parametrize(
    "word", ["NOT", "track AND email", "name:x", "NEAR(a b)", "{z", "-x", "^z", "'--", "a OR b*"]
)
def test_words_of_the_query_language_are_words(index: SQLiteCatalogIndex, word: str) -> None:
    assert names(index, word) == []


def test_a_search_of_many_words_heeds_the_first_of_them(index: SQLiteCatalogIndex) -> None:
    many = [f"word{number}" for number in range(5000)]

    assert names(index, "email", *many) == ["customer", "customer.email"]
    assert names(index, *many[:MOST_STEMS], "email") == []


def test_text_that_no_store_can_hold_is_replaced(index: SQLiteCatalogIndex) -> None:
    odd = table("a\0b")._replace(description="\ud800 described", told="x\0y")
    index.refresh("v1:shop", "d", [odd], [])

    [found] = index.search("v1:shop", ["a"], 5)
    assert found == odd._replace(table="a\ufffdb", description="\ufffd described", told="x\ufffdy")


@pytest.fixture(scope="module")
def shared_index(tmp_path_factory: pytest.TempPathFactory) -> SQLiteCatalogIndex:
    index = SQLiteCatalogIndex(Place(tmp_path_factory.mktemp("index") / "local.db").local)
    index.refresh("v1:shop", "digest", SHOP, WORDS)
    return index


SYNTAX = st.sampled_from([*"\"'*()^:+-{}\0 ,.;&|", "AND", "OR", "NOT", "NEAR", "track"])


@given(st.lists(st.text() | st.lists(SYNTAX).map("".join)))
def test_no_input_is_a_syntax_error(shared_index: SQLiteCatalogIndex, words: list[str]) -> None:
    found = names(shared_index, *words)

    assert set(found) <= {one.name.removeprefix("main.") for one in SHOP}
    assert "track" in names(shared_index, "track", *words)
