"""A model's answer names what was found, or it is not given."""

from collections.abc import Sequence

import pytest

from amx.core.asking.documents import CatalogDocument
from amx.core.naming import Vocabulary, settled
from amx.core.phrasing import Draft
from tests.models.conftest import Play
from tests.models.endpoint import said
from tests.models.talk import QUESTION, asked, cites, local
from tests.support import Amx


def asset(
    table: str, column: str | None = None, type_: str = "", description: str = ""
) -> CatalogDocument:
    return CatalogDocument(
        schema="main",
        table=table,
        column=column,
        kind="column" if column else "table",
        type=type_,
        description=description,
    )


REFERS = "Unit price; refers to main.Album.AlbumId; ask legacy_rates."
FACTS = (
    asset("Track"),
    asset("Track", "UnitPrice", "NUMERIC(10,2)", REFERS),
    asset("Order Items"),
)
OTHERS = (
    *(asset("Album"), asset("Album", "AlbumId"), asset("Track", "Name")),
    *(asset("Invoice"), asset("InvoiceLine"), asset("payments"), asset("record")),
)
DRAFT = Draft("where do we keep fees and prices of tracks?", f"main.Track\n{REFERS}", FACTS, "id")


def known(name: str) -> Sequence[CatalogDocument]:
    everything = (*FACTS, *OTHERS)
    return [one for one in everything if (one.column or one.table).lower() == name.lower()]


@pytest.mark.parametrize(
    "text",
    [
        "Prices are in `main.Track.UnitPrice`, of type `NUMERIC(10,2)`.",
        "`Track`.`UnitPrice` of track, that is: track.unitprice.",
        "`Order Items` holds them; so does the `order items` table.",
        "UnitPrice refers to `main.Album.AlbumId`; it is NOT `NULL`.",
        "The relevant table is Track, and each column of this table has a type, e.g. a number.",
        "The price column, 3.5 or 10,000 of them, in SQLite.",
        "Nothing says where fees are kept. Payment is another matter; don't ask a customer.",
        "Die Preise stehen in der Tabelle Track, Spalte UnitPrice.",
        "价格在 `Track` 表的 `UnitPrice` 列中。",
    ],
)
def test_prose_about_what_was_found_is_given(text: str) -> None:
    assert Vocabulary(DRAFT, known).stranger(text) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("They are in `prices`.", "prices"),
        ("They are in ```sql\nSELECT 1 FROM prices``` then", "sql\nSELECT 1 FROM prices"),
        ("They are in `prices", "prices"),
        ("They are in `Name`.", "Name"),
        ("They are in main.Track.Nothing.", "main.Track.Nothing"),
        ("They are in Track.Name.", "Track.Name"),
        ("They are in track_prices.", "track_prices"),
        ("They are in TrackPrices.", "TrackPrices"),
        ("They are in Invoice.", "Invoice"),
        ("They are in the invoice table.", "invoice"),
        ("They are in the fees table.", "fees"),
        ("They are in table fees.", "fees"),
        ("They are in the table named fees.", "fees"),
        ("They are in **fees**.", "fees"),
        ("They are in the record table.", "record"),
        ("They are in payments.", "payments"),
        ("Ask legacy_rates.", "legacy_rates"),
    ],
)
def test_a_name_that_was_not_found_is_noticed(text: str, name: str) -> None:
    assert Vocabulary(DRAFT, known).stranger(text) == name


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        ("one two", "one"),
        ("see `Order It", "see"),
        ("see `Order Items` and", "see `Order Items`"),
        ("a ```sql\nSELECT `x` FROM", "a"),
        ("one", ""),
    ],
)
def test_a_text_that_goes_on_is_judged_as_far_as_it_is_whole(text: str, sure: str) -> None:
    assert text[: settled(text)].rstrip() == sure


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ("Prices of tracks are in `sales.rates`.", "sales.rates"),
        ("Prices of tracks are in the Invoice table.", "Invoice"),
        ("Look at track_prices", "track_prices"),
    ],
)
def test_an_answer_that_names_what_was_not_found_is_withdrawn(
    amx: Amx, play: Play, answer: str, name: str
) -> None:
    play(said(*(f"{word} " for word in answer.split())))
    expected = local(amx)

    done = asked(amx)

    assert (done.json["answer"], done.json["provenance"]) == (expected, "evidence")
    assert f"names '{name}', which is not among what was found. This is the local" in done.err
    turns = amx("session", "show", "--id", "1", "--json").json["turns"]
    assert turns[-1]["content"] == expected
    piped = amx("ask", QUESTION)
    assert piped.out == f"{expected}\n{cites(amx)}\n"
