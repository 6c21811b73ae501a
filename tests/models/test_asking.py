"""A model words the answer of `ask`: what it is sent, what is kept, and what never changes."""

import json
import sqlite3
from base64 import b64encode
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from amx.core.asking.documents import CatalogDocument
from amx.core.documents import asset
from amx.core.phrasing import Draft, messages
from tests.models.conftest import Play
from tests.models.endpoint import Line, body, completion, event, head, raw, said
from tests.models.talk import GOOD, KEY, QUESTION, asked, local, write_config
from tests.support import Amx, AmxPty


def test_a_model_words_the_answer_and_the_citations_stay_those_found_here(
    amx: Amx, play: Play, home: Path
) -> None:
    endpoint = play(said("Prices of tra", "cks are in `main.Track.", "UnitPrice`."))

    done = asked(amx)

    assert (done.code, done.err) == (0, "")
    assert done.json["answer"] == GOOD
    assert done.json["provenance"] == "model:tiny"
    assert done.json["citations"] == asked(amx, "--no-model").json["citations"] != []
    turns = amx("session", "show", "--id", "1", "--json").json["turns"]
    assert [turn["content"] for turn in turns[:2]] == [QUESTION, GOOD]
    assert turns[1]["citations"] == done.json["citations"]
    assert len(endpoint.asked) == 1
    with closing(sqlite3.connect(home / "local.db")) as connection:
        kept = connection.execute("SELECT provenance FROM turns ORDER BY turn_index").fetchall()
    assert kept[:4] == [(None,), ("model:tiny",), (None,), ("evidence",)]


def test_the_request_is_one_that_every_compatible_endpoint_takes(amx: Amx, play: Play) -> None:
    settings = {"temperature": 0.2, "max_tokens": 300}
    endpoint = play(said(GOOD), settings=settings)
    asked(amx)

    [request] = endpoint.asked
    roles = [message["role"] for message in request.body["messages"]]
    assert request.target == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["content-type"] == "application/json"
    assert roles == ["system", "user"]
    assert {**request.body, "messages": None} == {
        **settings,
        "model": "tiny",
        "messages": None,
        "stream": True,
    }


def test_what_is_sent_is_the_question_and_what_the_local_answer_shows(amx: Amx, play: Play) -> None:
    endpoint = play(said(GOOD))
    assert amx("run").code == 0  # which looks at the rows: some descriptions tell values
    shown = local(amx)
    citations = asked(amx).json["citations"]

    [request] = endpoint.asked
    assert set(request.told) == {"question", "facts", "local_answer"}
    assert (request.told["question"], request.told["local_answer"]) == (QUESTION, shown)
    names = [fact["name"] for fact in request.told["facts"]]
    assert names == [asset(citation) for citation in citations]
    described = [fact["description"] for fact in request.told["facts"] if "description" in fact]
    assert described
    assert all(one in shown for one in described)
    values = ("7421", "8642.13", "Moment", "Blue Train")
    assert not [value for value in values if value in request.text and value not in shown]


def test_a_description_that_the_local_answer_does_not_show_is_not_sent() -> None:
    shown, hidden = (
        CatalogDocument("main", "a", column, "column", "TEXT", description)
        for column, description in (("b", "Shown."), ("c", "From 7421 to 9999."))
    )
    [_, message] = messages(
        Draft("?", "main.a (columns: b, c)\n  b: Shown.", [shown, hidden], "id")
    )

    assert json.loads(message["content"])["facts"] == [
        {"name": "main.a.b", "kind": "column", "type": "TEXT", "description": "Shown."},
        {"name": "main.a.c", "kind": "column", "type": "TEXT"},
    ]


def test_what_is_not_known_is_said_however_the_answer_is_worded(
    amx: Amx, amx_pty: AmxPty, play: Play
) -> None:
    play(said(GOOD))
    question = f"{QUESTION} in zanzibar"
    shown = amx("ask", question, "--json", "--no-model").json["answer"]
    remark = shown.splitlines()[-1]
    assert "zanzibar" in remark

    assert amx("ask", question, "--json").json["answer"] == f"{GOOD}\n{remark}"
    assert amx_pty("ask", question).read().startswith(f"{GOOD}\r\n{remark}\r\nCites: ")


def test_nothing_is_sent_where_nothing_was_found(amx: Amx, play: Play) -> None:
    endpoint = play(said(GOOD))

    done = amx("ask", "the weather on mars", "--json")

    assert (done.json["provenance"], endpoint.asked) == ("evidence", [])
    assert "I do not know" in done.json["answer"]


@pytest.mark.parametrize(
    ("words", "env"),
    [(["--no-model"], {}), ([], {"AMX_NO_MODEL": "1"})],
    ids=["option", "variable"],
)
def test_a_model_can_be_done_without(
    amx: Amx, play: Play, words: list[str], env: Mapping[str, str]
) -> None:
    endpoint = play(said(GOOD))

    done = amx("ask", QUESTION, "--json", *words, env=env)

    assert (done.code, done.json["provenance"], done.err) == (0, "evidence", "")
    assert endpoint.asked == []


@pytest.mark.parametrize(
    ("settings", "sent", "told"),
    [
        ({"api_key": "${MODEL_KEY}"}, f"Bearer {KEY}", ""),
        ({"api_key": None, "api_key_command": 'echo "$MODEL_KEY"'}, f"Bearer {KEY}", ""),
        ({"api_key": None}, None, ""),
        ({"api_key": ""}, None, ""),
        ({"api_key": KEY}, f"Bearer {KEY}", "llm_profiles.x.api_key holds the key itself"),
    ],
    ids=["a variable", "a command", "none", "an empty one", "a literal"],
)
def test_the_key_comes_by_reference_and_is_never_shown(
    amx: Amx, play: Play, settings: Mapping[str, object], sent: str | None, told: str
) -> None:
    endpoint = play(said(GOOD), settings=settings)

    done = asked(amx, "--debug")

    assert endpoint.asked[0].headers.get("authorization") == sent
    assert done.json["provenance"] == "model:tiny"
    assert told in done.err
    assert bool(done.err) == bool(told)


@pytest.mark.parametrize("key", ["${MODEL_KEY}", None])
def test_a_user_and_a_password_in_the_address_are_sent_where_there_is_no_key(
    amx: Amx, play: Play, home: Path, shop: Path, key: str | None
) -> None:
    endpoint = play(said(GOOD))
    address = endpoint.base.replace("//", "//me:hunter2@")
    write_config(home, shop, {"api_base": address, "api_key": key})

    assert asked(amx).json["provenance"] == "model:tiny"
    sent = f"Bearer {KEY}" if key else "Basic " + b64encode(b"me:hunter2").decode()
    assert endpoint.asked[0].headers["authorization"] == sent


FORMS = {
    "a whole document to a streaming request": body(completion(GOOD)),
    "one byte at a time": raw(*(bytes([one]) for one in head() + event(GOOD, "stop"))),
    "CRLF, comments and unknown fields": raw(
        head(),
        b": keep-alive\r\n\r\nevent: message\r\nid: 7\r\nretry: 10\r\n",
        event(GOOD, "stop").replace(b"\n", b"\r\n"),
        b": bye\r\n\r\n",
    ),
    "no [DONE]": raw(head(), event(GOOD), event(None, "stop")),
    "no finish_reason": raw(head(), event(GOOD), b"data: [DONE]"),
    "another choice beside it": raw(
        head(), event(GOOD), b'data: {"choices": []}\n\n', event("", "stop")
    ),
    "a thought before it": said("<thi", "nk>in `nowhere`", "</think>\n\n", GOOD),
    "chunked": raw(
        head(more="Transfer-Encoding: chunked\r\n"),
        *(b"%x\r\n%s\r\n" % (len(one), one) for one in (event(GOOD), event(None, "stop"))),
        b"0\r\n\r\n",
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_is_understood_in_every_form_that_servers_give_it(
    amx: Amx, play: Play, form: str
) -> None:
    play(FORMS[form])

    done = asked(amx)

    assert (done.json["answer"], done.err) == (GOOD, "")


def test_what_no_store_can_hold_is_replaced_and_halves_of_a_sign_are_joined(
    amx: Amx, play: Play
) -> None:
    pieces = [r"Prices \u0000 \ud83d", r"\ude00 \ud83d of tracks"]
    events = [f'data: {{"choices": [{{"delta": {{"content": "{one}"}}}}]}}\n\n' for one in pieces]
    play(raw(head(), *(one.encode() for one in events), event(None, "stop")))

    done = asked(amx)

    assert done.json["answer"] == "Prices \ufffd 😀 \ufffd of tracks"
    [_, turn] = amx("session", "show", "--id", "1", "--json").json["turns"]
    assert turn["content"] == done.json["answer"]


def test_a_proxy_of_the_environment_is_used_but_never_before_this_machine(
    amx: Amx, play: Play, home: Path, shop: Path
) -> None:
    endpoint = play(said(GOOD))
    nowhere = {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    assert amx("ask", QUESTION, "--json", env=nowhere).json["provenance"] == "model:tiny"

    write_config(home, shop, {"api_base": "http://model.example/v1"})
    through = f"http://127.0.0.1:{endpoint.port}"
    done = amx("ask", QUESTION, "--json", env={"HTTP_PROXY": through, "http_proxy": through})

    assert done.json["provenance"] == "model:tiny"
    targets = [request.target for request in endpoint.asked]
    assert targets == ["/v1/chat/completions", "http://model.example/v1/chat/completions"]


def test_others_write_the_local_store_while_a_model_answers(amx: Amx, play: Play) -> None:
    codes: list[int] = []

    def act(line: Line) -> None:
        codes.append(amx("session", "new", "--title", "beside").code)
        said(GOOD)(line)

    play(act)
    local(amx)

    assert asked(amx).json["provenance"] == "model:tiny"
    assert codes == [0]


def test_a_database_that_is_away_is_told_beside_what_the_model_says(
    amx: Amx, play: Play, shop: Path
) -> None:
    play(said(GOOD))
    local(amx)
    with closing(sqlite3.connect(shop)):
        shop.rename(shop.with_suffix(".away"))

    done = asked(amx)

    assert done.json["answer"] == GOOD
    assert "amx: warning: The database of shop " in done.err
