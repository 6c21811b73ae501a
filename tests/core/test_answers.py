"""What `ask` says, and that it cites what it says."""

from collections.abc import Sequence

import pytest

from amx.core.answers import Match, cited, digest_of, documents_of, phrased, ranked, words_of
from amx.core.catalog import ColumnInfo, Hit, TableInfo
from amx.core.words import stems


def table(name: str, *columns: str) -> TableInfo:
    return TableInfo(
        schema="main",
        name=name,
        columns=tuple(ColumnInfo(name=column, type="TEXT") for column in columns),
    )


MUSIC = (
    table("Album", "AlbumId", "Title", "ArtistId"),
    table("Artist", "ArtistId", "Name"),
    table("Customer", "CustomerId", "FirstName", "Email", "SupportRepId"),
    table("Invoice", "InvoiceId", "CustomerId", "InvoiceDate", "BillingCity", "Total"),
    table("InvoiceLine", "InvoiceLineId", "InvoiceId", "TrackId", "UnitPrice", "Quantity"),
    table("PlaylistTrack", "PlaylistId", "TrackId"),
    table("Track", "TrackId", "Name", "AlbumId", "Milliseconds", "UnitPrice"),
)


def best(question: str) -> tuple[str, ...]:
    """Return the tables in the order in which they answer a question."""
    asked = stems(question)
    return tuple(match.table.table for match in matched(asked))


def matched(asked: Sequence[str]) -> Sequence[Match]:
    """Do what the index does, for any of the words."""
    documents = documents_of(MUSIC, {})
    hits = [
        Hit(document=one, score=0.0) for one in documents if set(asked) & set(one.words.split())
    ]
    owners = {hit.document.table for hit in hits}
    tables = [one for one in documents if one.column is None and one.table in owners]
    return ranked(asked, hits, tables)


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("prices of tracks", "Track"),
        ("track price", "Track"),
        ("customer email", "Customer"),
        ("invoice totals", "Invoice"),
        ("quantity of invoice lines", "InvoiceLine"),
        ("albums", "Album"),
        ("artist names", "Artist"),
    ],
)
def test_the_table_that_a_question_is_about_comes_first(question: str, first: str) -> None:
    assert best(question)[0] == first


def test_an_answer_names_its_table_and_its_column_and_cites_both() -> None:
    asked = stems("prices tracks")
    matches = matched(asked)
    answer = phrased("music", words_of("prices of tracks"), matches)
    assert answer.startswith("main.Track (columns: UnitPrice)\n  UnitPrice TEXT\nSee also:\n")
    assert cited(matches)[:2] == [
        {"schema": "main", "table": "Track", "column": None},
        {"schema": "main", "table": "Track", "column": "UnitPrice"},
    ]


def test_an_answer_says_what_it_does_not_know() -> None:
    assert phrased("music", words_of("the weather"), []) == (
        "I do not know: nothing in the catalog of music matches weather."
    )
    assert cited([]) == []


def test_a_question_without_content_says_so() -> None:
    assert phrased("music", {}, []).startswith("The question names nothing")


def test_the_digest_changes_with_the_catalog_and_with_the_descriptions() -> None:
    digests = {
        digest_of(MUSIC, {}),
        digest_of(MUSIC[:-1], {}),
        digest_of(MUSIC, {("main", "Track", None): "Songs."}),
    }
    assert len(digests) == 3
    assert digest_of(MUSIC, {}) == digest_of(tuple(MUSIC), {})


def test_an_answer_names_the_words_that_nothing_matches_as_they_were_asked() -> None:
    question = "tracks living in Atlantis"
    answer = phrased("music", words_of(question), matched(list(words_of(question))))
    assert answer.splitlines()[-1] == "Nothing that I name here matches: living, Atlantis."
