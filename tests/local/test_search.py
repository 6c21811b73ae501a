"""Full-text search over catalogs, of questions as anybody may type them."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amx.core.catalog import CatalogDocument
from amx.stores.search import MOST_WORDS, SQLiteCatalogIndex
from tests.local.places import Place


def table(name: str, description: str = "", words: str = "") -> CatalogDocument:
    return CatalogDocument(
        schema="main",
        table=name,
        column=None,
        kind="table",
        type="",
        description=description,
        words=words,
    )


def column(of: str, name: str, description: str = "") -> CatalogDocument:
    return replace(table(of, description), column=name, kind="column", type="TEXT")


SHOP = [
    table("customer", "People who buy.", "client"),
    column("customer", "email", "Address of a customer."),
    table("track", "What is sold.", "song music"),
    column("track", "unit_price", "Price of one track."),
    table("invoice", "What a customer has bought."),
]


@pytest.fixture
def index(place: Place) -> SQLiteCatalogIndex:
    index = SQLiteCatalogIndex(place.local)
    index.refresh("v1:shop", "digest 1", SHOP)
    return index


def names(index: SQLiteCatalogIndex, *words: str, limit: int = 9) -> list[str]:
    hits = index.search("v1:shop", words, limit)
    return [".".join(filter(None, (one.document.table, one.document.column))) for one in hits]


def test_a_hit_is_the_document_as_it_was_given(index: SQLiteCatalogIndex) -> None:
    [hit] = index.search("v1:shop", ["email"], 5)

    assert hit.document == SHOP[1]
    assert hit.score > 0


def test_names_weigh_more_than_descriptions_and_those_more_than_other_words(
    index: SQLiteCatalogIndex,
) -> None:
    assert names(index, "customer") == ["customer", "customer.email", "invoice"]


def test_any_word_finds_and_more_words_find_better(index: SQLiteCatalogIndex) -> None:
    assert names(index, "price", "track") == ["track.unit_price", "track"]
    assert names(index, "music") == ["track"]
    assert names(index, "nothing") == []


def test_plurals_parts_and_beginnings_of_words_find(index: SQLiteCatalogIndex) -> None:
    assert names(index, "Prices") == ["track.unit_price"]
    assert names(index, "invo") == ["invoice"]
    assert names(index, "unit_price") == ["track.unit_price"]


def test_a_whole_word_is_better_than_a_beginning(index: SQLiteCatalogIndex) -> None:
    index.refresh("v1:shop", "digest 2", [table("artist"), table("art")])

    assert names(index, "art") == ["art", "artist"]


def test_scores_fall_and_the_limit_holds(index: SQLiteCatalogIndex) -> None:
    scores = [hit.score for hit in index.search("v1:shop", ["customer", "track"], 3)]

    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
    assert names(index, "customer", limit=0) == names(index, "customer", limit=-1) == []


def test_an_index_is_replaced_as_a_whole(index: SQLiteCatalogIndex) -> None:
    index.refresh("v1:shop", "digest 2", [table("album")])

    assert index.digest("v1:shop") == "digest 2"
    assert names(index, "customer", "album") == ["album"]


def test_each_identity_has_an_index_of_its_own(index: SQLiteCatalogIndex) -> None:
    index.refresh("v1:other", "digest 9", [table("customer"), table("planet")])

    assert names(index, "customer", "planet") == ["customer", "customer.email", "invoice"]
    assert [hit.document.table for hit in index.search("v1:other", ["planet"], 5)] == ["planet"]
    assert [index.digest(name) for name in ("v1:shop", "v1:other", "v1:none")] == [
        "digest 1",
        "digest 9",
        None,
    ]


def test_a_refresh_whose_catalog_fails_changes_nothing(index: SQLiteCatalogIndex) -> None:
    def broken() -> Iterator[CatalogDocument]:
        yield table("album")
        raise ConnectionError

    with pytest.raises(ConnectionError):
        index.refresh("v1:shop", "digest 2", broken())

    assert index.digest("v1:shop") == "digest 1"
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

    assert names(index, "email", *many) == ["customer.email"]
    assert names(index, *many[:MOST_WORDS], "email") == []


def test_text_that_no_store_can_hold_is_replaced(index: SQLiteCatalogIndex) -> None:
    index.refresh("v1:shop", "d", [table("a\0b", "\ud800 described", "x\0y")])

    [hit] = index.search("v1:shop", ["described"], 5)
    assert hit.document == table("a\ufffdb", "\ufffd described", "x\ufffdy")


@pytest.fixture(scope="module")
def shared_index(tmp_path_factory: pytest.TempPathFactory) -> SQLiteCatalogIndex:
    index = SQLiteCatalogIndex(Place(tmp_path_factory.mktemp("index") / "local.db").local)
    index.refresh("v1:shop", "digest", SHOP)
    return index


SYNTAX = st.sampled_from([*"\"'*()^:+-{}\0 ,.;&|", "AND", "OR", "NOT", "NEAR", "track"])


@given(st.lists(st.text() | st.lists(SYNTAX).map("".join)))
def test_no_input_is_a_syntax_error(shared_index: SQLiteCatalogIndex, words: list[str]) -> None:
    found = names(shared_index, *words)

    assert set(found) <= {"customer", "customer.email", "track", "track.unit_price", "invoice"}
    assert "track" in names(shared_index, "track", *words)
