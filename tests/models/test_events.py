"""An event stream is the same whatever pieces it comes in (WHATWG HTML, 9.2.6)."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amx.core.endpoints import Endpoint, endpoint_of
from amx.describers.events import EventStream
from amx.describers.retrying import asked

STREAM = (
    "\ufeff: comment\r\rdata: eins\r\ndata:zwei ü\r\n\r\nevent: x\ndata\ndata:  drei 🎵\n\n"
    "id: 1\n\ndatax: no\n\ndata: last"
).encode()
EVENTS = ["eins\nzwei ü", "\n drei 🎵", "last"]


def events(*pieces: bytes) -> list[str]:
    stream = EventStream()
    found = [one for piece in pieces for one in stream.take(piece)]
    return [*found, *stream.take(b"", is_last=True)]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_events_are_the_same_however_they_are_cut(cuts: list[int]) -> None:
    edges = sorted({0, len(STREAM), *cuts})
    assert events(*(STREAM[start:end] for start, end in pairwise(edges))) == EVENTS


def test_events_are_the_same_byte_by_byte() -> None:
    assert events(*(bytes([one]) for one in STREAM)) == EVENTS


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("1.5", 1.5),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("nan", None),
        ("٣", None),
    ],
)
def test_a_server_says_in_seconds_or_by_a_date_when_to_try_again(
    header: str, seconds: float | None
) -> None:
    assert asked(header) == seconds


def test_no_endpoint_shows_its_secrets() -> None:
    settings = {"model": "m", "api_base": "https://me:hunter2@model.example/v1/", "api_key": "sk-1"}

    endpoint = endpoint_of("x", settings, {})

    assert endpoint.url == "https://me:hunter2@model.example/v1/chat/completions"
    assert endpoint.place == "https://***@model.example/v1/chat/completions"
    assert not [secret for secret in ("hunter2", "sk-1") if secret in repr(endpoint)]


def test_the_times_of_an_endpoint_are_parts_of_the_one_that_is_configured() -> None:
    def times(timeout_s: float) -> tuple[float, float, float]:
        found = Endpoint(where="", url="", model="", timeout_s=timeout_s)
        return found.connect_s, found.first_s, found.gap_s

    assert times(60) == (5, 30, 15)
    assert times(2) == (1, 1, 0.5)
