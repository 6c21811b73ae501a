"""Names of databases read as words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amx.core.words import is_private, plural, read, singular, split, stem

NAMES = st.text(min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("unit_price", ("unit", "price")),
        ("InvoiceLineId", ("invoice", "line", "id")),
        ("CUST_MST", ("cust", "mst")),
        ("HTTPServerURL", ("http", "server", "url")),
        ("address2", ("address", "2")),
        ("line-item total", ("line", "item", "total")),
        ("CUSTNO", ("cust", "no")),
        ("unitprice", ("unit", "price")),
        ("größeÄnderung", ("größe", "änderung")),
        ("valid", ("valid",)),
        ("candidate", ("candidate",)),
        ("___", ()),
    ],
)
def test_a_name_is_split_where_a_reader_would_split_it(name: str, tokens: tuple[str, ...]) -> None:
    assert split(name) == tokens


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("tot_amt", "total amount"),
        ("ord_dt", "order date"),
        ("cust_id", "customer ID"),
        ("uom_cd", "unit of measure code"),
        ("no_show", "no show"),
        ("cat", "cat"),
        ("INV_TXN", "inventory transaction"),
        ("inv_no", "invoice number"),
        ("xyz_amt", "xyz amount"),
    ],
)
def test_abbreviations_are_read_by_the_glossary(name: str, phrase: str) -> None:
    assert read(name).phrase == phrase


def test_an_abbreviation_with_several_readings_stays_undecided_where_nothing_decides() -> None:
    reading = read("ship_st")

    assert reading.phrase == "ship st"
    assert reading.expansions == {}
    assert reading.undecided == {"st": ("state", "street", "status")}


def test_words_beside_a_name_decide_its_reading() -> None:
    assert read("ship_st", ["city", "zip"]).expansions == {"st": "state"}
    assert read("inv", ["inventory", "due"]).expansions == {"inv": "inventory"}


def test_words_beside_a_name_that_disagree_decide_nothing() -> None:
    assert read("st", ["city", "house"]).expansions == {}


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("track", "tracks"),
        ("category", "categories"),
        ("address", "addresses"),
        ("status", "statuses"),
        ("box", "boxes"),
        ("day", "days"),
        ("person", "people"),
        ("series", "series"),
        ("inventory", "inventory"),
    ],
)
def test_plurals_and_singulars_agree(one: str, many: str) -> None:
    assert (plural(one), plural(many)) == (many, many)
    assert (singular(many), singular(one)) == (one, one)


@pytest.mark.parametrize(
    "forms",
    [
        ("price", "prices", "priced", "pricing", "Price"),
        ("track", "tracks", "tracked", "tracking"),
        ("bill", "bills", "billed", "billing"),
        ("ship", "ships", "shipped", "shipping"),
        ("category", "categories"),
    ],
)
def test_forms_of_a_word_share_a_stem(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1


@pytest.mark.parametrize(
    ("column", "table"),
    [
        ("password", ""),
        ("PWD_HASH", ""),
        ("api_key", ""),
        ("session_token", ""),
        ("eml_addr", ""),
        ("email_id", ""),
        ("PhoneNumber", ""),
        ("birth_dt", ""),
        ("ADDR_LN1", ""),
        ("zip_cd", ""),
        ("FirstName", ""),
        ("cust_nm", ""),
        ("name", "employees"),
        ("notes", ""),
    ],
)
def test_secret_and_personal_columns_are_known_by_name(column: str, table: str) -> None:
    assert is_private(column, table)


@pytest.mark.parametrize(
    ("column", "table"),
    [
        ("name", "track"),
        ("unit_price", "customer"),
        ("primary_key", ""),
        ("addr_id", ""),
        ("addr_typ", ""),
        ("token_count", ""),
        ("description", ""),
        ("city", ""),
    ],
)
def test_other_columns_are_not_private(column: str, table: str) -> None:
    assert not is_private(column, table)


@given(NAMES)
def test_any_name_is_read_and_keeps_its_letters(name: str) -> None:
    letters = [letter for letter in name.lower() if letter.isalnum()]

    assert "".join(letter for token in split(name) for letter in token if letter.isalnum()) == (
        "".join(letters)
    )
    assert set(read(name).expansions) | set(read(name).undecided) <= set(read(name).tokens)


@given(st.from_regex(r"[a-z]{3,20}[bdgklmnprt]", fullmatch=True))
def test_a_plural_leads_back_to_its_singular_and_is_its_own_plural(word: str) -> None:
    many = plural(word)

    assert plural(many) == many
    assert singular(many) == word
