"""Ids as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amx.core.errors import UnknownId
from amx.core.keys import LARGEST, parse_id, unknown_id

UUID = "01a209e4-660d-7f19-9254-0ddcacce6788"


def parsed(text: str) -> int | str:
    return parse_id(text, "session", "amx session list")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("1", 1),
        ("0042", 42),
        (str(LARGEST), LARGEST),
        (UUID, UUID),
        (UUID.upper(), UUID),
    ],
)
def test_an_id_is_a_number_or_a_uuid(text: str, key: int | str) -> None:
    assert parsed(text) == key


@pytest.mark.parametrize(
    "text",
    [
        *("0", "000", "-1", "+1", "1.0", "1e3", " 1", "1\n", "", "one", "٣", "1_000", "0x10"),
        *(str(LARGEST + 1), "9" * 5000, UUID[:-1], UUID.replace("-", ""), f"{UUID} "),
    ],
)
def test_anything_else_is_unknown(text: str) -> None:
    with pytest.raises(UnknownId) as caught:
        parsed(text)

    error = caught.value
    assert error.message.startswith("There is no session ")
    assert error.message.endswith(" in this installation's history; nothing was changed.")
    assert error.hint == "amx session list"
    assert len(error.message) < 150


def test_a_number_is_named_plainly_and_text_is_quoted() -> None:
    ending = "in this installation's history; nothing was changed."

    assert unknown_id("12", "run", "h").message == f"There is no run 12 {ending}"
    assert unknown_id("a b", "run", "h").message == f"There is no run 'a b' {ending}"
    assert unknown_id("x" * 99, "run", "h").message == f"There is no run '{'x' * 40}…' {ending}"


@given(st.text())
def test_no_text_is_anything_but_a_key_or_unknown(text: str) -> None:
    try:
        key = parsed(text)
    except UnknownId:
        return
    assert isinstance(key, str) or 0 < key <= LARGEST


@given(st.integers(min_value=1, max_value=LARGEST))
def test_every_number_of_a_row_is_read_back(number: int) -> None:
    assert parsed(str(number)) == number
