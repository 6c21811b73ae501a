"""What `ask` says of a catalog: what was found, how tables hang together, what is not known."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.asking.conftest import Ask, cited
from tests.support import Amx


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("which table holds the prices of tracks?", ["Track", "Track.UnitPrice"]),
        ("customer email", ["Customer", "Customer.Email"]),
        ("emails of clients", ["Customer", "Customer.Email"]),
        ("invoice totals", ["Invoice", "Invoice.Total"]),
        ("quantity of invoice lines", ["InvoiceLine", "InvoiceLine.Qty"]),
        ("invoiceline", ["InvoiceLine"]),
        ("albums", ["Album"]),
        ("When were employees hired?", ["Employee", "Employee.HireDate"]),
    ],
)
@pytest.mark.usefixtures("music")
def test_the_table_that_a_question_is_about_is_cited_first(
    ask: Ask, question: str, first: list[str]
) -> None:
    assert cited(ask(question))[: len(first)] == first


@pytest.mark.parametrize(
    ("question", "lines", "citations"),
    [
        (
            "What references customer?",
            ["main.Invoice.CustomerId → main.Customer.CustomerId"],
            ["Customer", "Invoice.CustomerId"],
        ),
        (
            "what does customer refer to?",
            ["main.Customer.SupportRepId → main.Employee.EmployeeId"],
            ["Customer", "Customer.SupportRepId"],
        ),
        (
            "How do invoices join tracks?",
            [
                "main.InvoiceLine.InvoiceId → main.Invoice.InvoiceId",
                "main.InvoiceLine.TrackId → main.Track.TrackId",
            ],
            ["Invoice", "Track", "InvoiceLine.InvoiceId", "InvoiceLine.TrackId"],
        ),
        (
            "which columns of customers are unique?",
            ["main.Customer.CustomerId: the primary key", "main.Customer.Email: declared unique"],
            ["Customer", "Customer.CustomerId", "Customer.Email"],
        ),
        (
            "primary key of albums",
            ["AlbumId INTEGER: Identifies the album; the primary key."],
            ["Album", "Album.AlbumId"],
        ),
    ],
)
@pytest.mark.usefixtures("music")
def test_keys_are_told(ask: Ask, question: str, lines: list[str], citations: list[str]) -> None:
    answer = ask(question)

    assert [line.strip() for line in answer["answer"].splitlines()][1:] == lines
    assert cited(answer) == citations


@pytest.mark.usefixtures("music")
def test_tables_without_a_way_between_them_are_said_to_have_none(ask: Ask, music: Path) -> None:
    with closing(sqlite3.connect(music)) as connection:
        connection.execute("CREATE TABLE Weather (Day DATE)")

    answer = ask("how do customers join the weather?")

    assert answer["answer"] == "I know of no keys that lead from main.Customer to main.Weather."


@pytest.mark.usefixtures("music")
def test_what_matches_nothing_is_said_and_nothing_is_cited(ask: Ask) -> None:
    answer = ask("the weather in Atlantis")

    assert answer["answer"] == (
        "I do not know: nothing in the catalog of music matches weather and Atlantis."
    )
    assert (answer["citations"], answer["unknown"]) == ([], ["weather", "Atlantis"])
    assert ask("who are you?")["answer"].startswith("I do not know: the question names nothing")


@pytest.mark.usefixtures("music")
def test_words_that_match_nothing_are_named_beside_what_was_found(ask: Ask) -> None:
    answer = ask("tracks living in Atlantis")

    assert cited(answer)[0] == "Track"
    assert answer["answer"].splitlines()[-1] == (
        "Nothing that I name here matches living and Atlantis."
    )


@pytest.mark.parametrize(
    ("asked", "words", "table"),
    [
        ("custmer", ["customer"], "Customer"),
        ("Invioces", ["invoice"], "Invoice"),
        ("emplyoees", ["employee"], "Employee"),
        ("alb", ["album"], "Album"),
    ],
)
@pytest.mark.usefixtures("music")
def test_a_misspelt_word_is_read_as_the_nearest_one_and_the_answer_says_so(
    ask: Ask, asked: str, words: list[str], table: str
) -> None:
    answer = ask(f"the {asked}")

    assert cited(answer)[0] == table
    assert answer["read_as"] == {asked: words}
    assert f"I read {asked!r} as {words[0]!r}." in answer["answer"].splitlines()


@pytest.mark.usefixtures("music")
def test_a_word_that_the_catalog_has_is_never_read_as_another(ask: Ask) -> None:
    assert ask("track and rack and title")["read_as"] == {"rack": ["track"]}
    assert ask("names")["read_as"] == {}


@pytest.mark.usefixtures("music")
def test_a_question_about_values_is_answered_as_far_as_the_catalog_knows(ask: Ask) -> None:
    answer = ask("How many customers are there?")

    assert cited(answer)[0] == "Customer"
    assert answer["answer"].splitlines()[-1] == (
        "I know the catalog and not the data: counts and values are to be had from main.Customer."
    )


@pytest.mark.usefixtures("music")
def test_tables_and_columns_are_listed(ask: Ask) -> None:
    assert len(cited(ask("which tables are there?"))) == 7
    assert cited(ask("which columns does an album have?")) == [
        *("Album", "Album.AlbumId", "Album.Title", "Album.ArtistId")
    ]


QUESTIONS = (
    "prices",
    "what references customer?",
    "how do artists join customers?",
    "which tables are there?",
    "columns of tracks",
    "what is required in invoices?",
    "and their artists?",
    "what about albums?",
    "city",
    "nothing of this",
)


def test_every_citation_is_in_the_catalog(ask: Ask, music: Path) -> None:
    with closing(sqlite3.connect(music)) as connection:
        there = {
            row
            for (table,) in connection.execute("SELECT name FROM sqlite_master").fetchall()
            for row in [
                ("main", table, None),
                *(
                    ("main", table, name)
                    for (name,) in connection.execute(
                        "SELECT name FROM pragma_table_info(?)", (table,)
                    )
                ),
            ]
        }
    citations = [tuple(one.values()) for each in QUESTIONS for one in ask(each)["citations"]]

    assert len(citations) > 40
    assert set(citations) <= there


@pytest.mark.usefixtures("music")
def test_an_empty_question_is_refused(amx: Amx) -> None:
    done = amx("ask", "  ", "--json")

    assert (done.code, done.error["code"]) == (2, "usage.words")
