"""Whatever the endpoint does: the local answer is given, one line says why, no secret is told."""

import json
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.models.conftest import Play
from tests.models.endpoint import (
    Act,
    body,
    completion,
    drip,
    event,
    head,
    raw,
    reset,
    said,
    silent,
)
from tests.models.talk import GOOD, IS_LOCAL, KEY, QUESTION, asked, local, write_config
from tests.support import Amx

BEGUN = (head(), event("Prices of tracks are"))
NO_KEY = json.dumps({"error": {"message": f"Incorrect key: {KEY}", "code": "invalid_api_key"}})

ONCE: Mapping[str, tuple[Act, str]] = {
    "400": (
        body('{"error": {"message": "no temperature"}}', 400),
        "answered 400: it does not take",
    ),
    "401": (body(NO_KEY, 401), "answered 401: it does not take the key; look at api_key"),
    "403": (body(NO_KEY, 403), "answered 403: it does not take the key, or"),
    "404": (
        body("<html>nginx</html>", 404),
        "answered 404: it has no such address or no such model",
    ),
    "418 that repeats the key": (body(NO_KEY, 418), "answered 418: Incorrect key: ***"),
    "200 with a page": (body("<html>Log in</html>", type_="text/html"), "is no chat completion"),
    "200 with nothing": (body(""), "is no chat completion"),
    "nested without end": (body("[" * 100_000), "is no chat completion"),
    "no choices": (body('{"choices": []}'), "is empty"),
    "no content": (body(completion(None)), "is empty"),
    "blanks": (said(" ", "\n"), "is empty"),
    "an empty stream": (raw(head()), "broke off in the middle"),
    "cut off": (raw(head(), event("Prices", "length")), "before it was complete (length)"),
    "an error in the stream": (
        raw(*BEGUN, f"data: {NO_KEY}\n\n".encode()),
        "answered with an error: Incorrect key: ***",
    ),
    "garbage in the stream": (raw(*BEGUN, b"data: {oops\n\n"), "is no chat completion"),
    "gone in the middle": (raw(*BEGUN), "broke off in the middle"),
    "reset in the middle": (reset(*BEGUN), "broke off in the middle"),
    "too short a body": (raw(head(more="Content-Length: 99999\r\n"), event("x")), "broke off"),
    "compressed": (body("x", more="Content-Encoding: gzip\r\n"), "compressed form"),
    "another place": (
        body("", 307, more="Location: https://elsewhere.example/v1\r\n"),
        "sends us on to elsewhere.example, which is not followed",
    ),
    "more than an answer": (said(*["word " * 1000] * 4), "longer than 8192 characters"),
    "more than a body": (drip(head(), b": " + b"x" * 65536 + b"\n", 0.0), "more than 4 MiB"),
    "silent from the start": (silent(), "did not begin within 1.5 s"),
    "silent after its head": (silent(head()), "did not begin within 1.5 s"),
    "silent in the middle": (silent(*BEGUN), "fell silent for 0.75 s"),
    "headers in drips": (drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), "was not done within 3 s"),
    "text in drips": (drip(head(), event("so ")), "was not done within 3 s"),
    "signs of life in drips": (drip(head(), b": wait\n\n"), "was not done within 3 s"),
}


KNOWN: dict[str, str] = {}
"""The local answer, which is the same for every case."""


@pytest.mark.parametrize("case", ONCE)
def test_an_endpoint_that_fails_leaves_the_local_answer_and_a_line(
    amx: Amx, play: Play, case: str
) -> None:
    act, reason = ONCE[case]
    is_about_time = "within" in reason or "silent" in reason
    endpoint = play(act, settings={"timeout_s": 3} if is_about_time else {})
    expected = KNOWN[QUESTION] = KNOWN.get(QUESTION) or local(amx)

    begun = time.monotonic()
    done = asked(amx)
    took_s = time.monotonic() - begun

    assert (done.code, done.json["answer"], done.json["provenance"]) == (0, expected, "evidence")
    assert reason in done.err
    assert done.err.endswith(f"{IS_LOCAL}\n")
    assert done.err.count("\n") == 1
    assert len(endpoint.asked) == 1
    assert took_s < 20  # and not for ever


AGAIN: Mapping[str, tuple[Act, str]] = {
    "429": (body("{}", 429), "answered 429, 3 times"),
    "500": (body("{}", 500), "answered 500, 3 times"),
    "502": (body("<html>", 502, "text/html"), "answered 502, 3 times"),
    "503": (body("{}", 503, more="Retry-After: 0\r\n"), "answered 503, 3 times"),
    "504": (body("{}", 504), "answered 504, 3 times"),
    "reset": (reset(), "could not be reached"),
    "gone": (raw(), "could not be reached"),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH\r\n"), "could not be reached"),
}


@pytest.mark.parametrize("case", AGAIN)
def test_what_may_pass_is_tried_three_times(amx: Amx, play: Play, case: str) -> None:
    act, reason = AGAIN[case]
    endpoint = play(act)

    done = asked(amx)

    assert (done.code, done.json["provenance"], reason in done.err) == (0, "evidence", True)
    assert len(endpoint.asked) == 3


def test_a_try_that_succeeds_is_the_answer(amx: Amx, play: Play) -> None:
    endpoint = play(reset(), body("{}", 429, more="Retry-After: 0\r\n"), said(GOOD))

    done = asked(amx)

    assert (done.json["answer"], done.err, len(endpoint.asked)) == (GOOD, "", 3)


@pytest.mark.parametrize("asked_for", ["3600", "Fri, 31 Dec 2199 23:59:59 GMT"])
def test_no_wait_is_longer_than_the_time_that_is_left(amx: Amx, play: Play, asked_for: str) -> None:
    endpoint = play(body("{}", 429, more=f"Retry-After: {asked_for}\r\n"))

    done = asked(amx)

    assert "answered 429 and asks to wait" in done.err
    assert len(endpoint.asked) == 1


def test_an_endpoint_that_is_down_is_told_with_its_address_and_no_password(
    amx: Amx, play: Play, home: Path, shop: Path
) -> None:
    endpoint = play(said(GOOD))
    write_config(home, shop, {"api_base": "http://me:hunter2@127.0.0.1:9/v1"})

    done = asked(amx, "--debug")

    assert "tiny at http://***@127.0.0.1:9/v1/chat/completions could not be reached" in done.err
    assert "Connection refused" in done.err
    assert "hunter2" not in done.out + done.err
    assert endpoint.asked == []


def test_the_key_goes_to_no_other_host(amx: Amx, play: Play, home: Path, shop: Path) -> None:
    other = play(said(GOOD))
    endpoint = play(body("", 308, more=f"Location: {other.base}/chat/completions\r\n"))

    assert asked(amx).json["provenance"] == "evidence"
    assert (len(endpoint.asked), other.asked) == (1, [])


CONFIGURED_WRONGLY: Mapping[str, tuple[Mapping[str, object], str, str]] = {
    "a keyring": ({"api_key": "keyring:amx:llm:x:api_key"}, "config.secret", "api_key_command"),
    "an unset variable": ({"api_key": "${NOT_SET}"}, "config.secret", "export NOT_SET"),
    "a command that fails": ({"api_key_command": "exit 3"}, "config.secret", "by hand"),
    "a key of two lines": ({"api_key_command": "echo a; echo b"}, "config.secret", "line breaks"),
    "no model": ({"model": None}, "config.invalid", "amx config set llm_profiles.x.model"),
    "no address": ({"api_base": "model.example/v1"}, "config.invalid", "llm_profiles.x.api_base"),
    "no time": ({"timeout_s": 0}, "config.invalid", "llm_profiles.x.timeout_s"),
}


@pytest.mark.parametrize("case", CONFIGURED_WRONGLY)
def test_a_model_that_is_configured_wrongly_is_refused_with_the_remedy(
    amx: Amx, play: Play, case: str
) -> None:
    settings, code, remedy = CONFIGURED_WRONGLY[case]
    endpoint = play(said(GOOD), settings=settings)

    done = amx("ask", QUESTION, "--json")

    assert (done.code, done.out, done.error["code"]) == (5, "", code)
    assert remedy in done.error["hint"]
    assert endpoint.asked == []
    assert amx("session", "list", "--json").json["sessions"] == []
    assert asked(amx, "--no-model").code == 0


def test_an_active_model_that_is_not_there_is_refused(amx: Amx, play: Play) -> None:
    play(said(GOOD))
    assert amx("config", "set", "active_llm_profile", "y").code == 0

    done = amx("ask", QUESTION, "--json")

    assert (done.code, done.error["code"]) == (5, "config.invalid")
    assert "active_llm_profile is 'y'" in done.error["message"]


def test_a_model_without_an_address_is_not_asked(amx: Amx, play: Play) -> None:
    play(said(GOOD), settings={"api_base": None})

    done = asked(amx)

    assert (done.code, done.json["provenance"]) == (0, "evidence")
    assert "llm_profiles.x has no api_base, so no model was asked" in done.err
