"""Sessions begun, continued, ended and listed."""

from dataclasses import replace
from hashlib import sha256

import pytest

from amx.core.profiles import Profile
from amx.core.sessions import SessionService
from tests.local.places import Place
from tests.sessions.talks import BOOKS, SHOP, SHOP_MOVED, TWIN, ask, stored


def test_a_new_session_is_bound_and_active(sessions: SessionService) -> None:
    begun = sessions.new(SHOP, "  Prices ")

    assert (begun.local_id, begun.profile, begun.identity) == (1, "shop", SHOP.identity)
    assert (begun.target, begun.title, begun.status) == (SHOP.target, "Prices", "open")
    assert (begun.turn_count, begun.ended_at) == (0, None)
    assert begun.started_at == begun.last_active_at
    assert sessions.current(SHOP) == begun


def test_the_first_question_begins_a_session_and_titles_it(sessions: SessionService) -> None:
    session, asked, answered = ask(sessions, SHOP, question="  Which\n  table holds " + "x" * 99)

    assert session.title == ("Which table holds " + "x" * 99)[:60]
    assert (session.turn_count, session.revision) == (2, 2)
    assert session.last_active_at > session.started_at
    assert sessions.current(SHOP) == session
    assert [(t.turn_index, t.role, t.content, t.provenance) for t in (asked, answered)] == [
        (1, "user", "  Which\n  table holds " + "x" * 99, None),
        (2, "assistant", "main.tracks", "evidence"),
    ]
    assert answered.citations == [{"column": None, "schema": "main", "table": "tracks"}]
    assert {(t.session_id, t.profile, t.identity) for t in (asked, answered)} == {
        (session.id, "shop", SHOP.identity)
    }


def test_questions_continue_the_active_session(sessions: SessionService) -> None:
    begun = sessions.new(SHOP, "Prices")
    ask(sessions, SHOP)
    ask(sessions, SHOP)

    session, turns = sessions.show(1)

    assert (session.id, session.title, session.turn_count) == (begun.id, "Prices", 4)
    assert [turn.turn_index for turn in turns] == [1, 2, 3, 4]


def test_a_new_session_may_be_asked_for(sessions: SessionService) -> None:
    ask(sessions, SHOP)

    session, _, _ = ask(sessions, SHOP, is_new=True)

    assert session.local_id == 2
    assert sessions.current(SHOP) == session


def test_a_named_session_is_continued_and_does_not_become_active(sessions: SessionService) -> None:
    named, active = sessions.new(SHOP), sessions.new(SHOP)

    session, _, _ = ask(sessions, SHOP, "1")

    assert (session.id, session.turn_count) == (named.id, 2)
    assert sessions.current(SHOP) == active
    assert ask(sessions, SHOP, named.id)[0].turn_count == 4


def test_the_exchange_is_one_transaction(place: Place, sessions: SessionService) -> None:
    ask(sessions, SHOP)
    before = stored(place)

    with pytest.raises(TypeError):
        sessions.append(
            SHOP, None, question="q", answer="a", citations=[{"score": 0.5}], provenance="evidence"
        )

    assert stored(place) == before


def test_an_exchange_is_entered_with_its_session(place: Place, sessions: SessionService) -> None:
    ask(sessions, SHOP)

    assert place.queued() == [
        ("sessions", 1, 2, "pending"),
        ("turns", 1, 1, "pending"),
        ("turns", 2, 1, "pending"),
    ]


def test_active_sessions_do_not_follow_from_profile_to_profile(sessions: SessionService) -> None:
    shop = sessions.new(SHOP)

    assert [sessions.current(one) for one in (TWIN, BOOKS, SHOP_MOVED)] == [None] * 3
    books = ask(sessions, BOOKS)[0]
    assert (sessions.current(SHOP), sessions.current(BOOKS)) == (shop, books)


def test_ending_is_idempotent_and_an_ended_session_may_be_resumed(
    place: Place, sessions: SessionService
) -> None:
    sessions.new(SHOP)
    ended = sessions.end(SHOP)
    before = stored(place)

    assert ended
    assert (ended.status, bool(ended.ended_at)) == ("ended", True)
    assert sessions.end(SHOP, "1") == ended
    assert sessions.end(SHOP) is None
    assert stored(place) == before
    assert sessions.current(SHOP) is None

    resumed = sessions.resume(SHOP, "1")
    assert (resumed.status, resumed.ended_at) == ("open", None)
    assert sessions.current(SHOP) == resumed


def test_a_question_after_the_end_begins_another_session(sessions: SessionService) -> None:
    ask(sessions, SHOP)
    sessions.end(SHOP)

    assert ask(sessions, SHOP)[0].local_id == 2


def test_a_question_to_an_ended_session_by_name_opens_it(sessions: SessionService) -> None:
    sessions.new(SHOP)
    sessions.end(SHOP)

    session, _, _ = ask(sessions, SHOP, "1")

    assert (session.status, session.ended_at, session.turn_count) == ("open", None, 2)
    assert sessions.current(SHOP) is None


def test_a_session_may_be_ended_when_its_profile_is_gone(sessions: SessionService) -> None:
    sessions.new(BOOKS)

    ended = sessions.end(None, "1")

    assert ended
    assert ended.status == "ended"
    assert sessions.current(BOOKS) is None
    assert sessions.end(None) is None


def test_resuming_what_is_active_writes_no_revision(sessions: SessionService) -> None:
    begun = sessions.new(SHOP)

    assert sessions.resume(SHOP, 1) == begun


def test_lists_are_scoped_to_a_profile_and_newest_first(sessions: SessionService) -> None:
    for profile in (SHOP, BOOKS, SHOP_MOVED, SHOP):
        sessions.new(profile)

    def numbers(profile: Profile | None, limit: int | None = None) -> list[int | None]:
        return [one.local_id for one in sessions.list(profile, limit)]

    assert numbers(SHOP) == [4, 3, 1]
    assert numbers(None) == [4, 3, 2, 1]
    assert numbers(None, 2) == [4, 3]
    assert numbers(TWIN) == []


@pytest.mark.parametrize("limit", [0, 1, 2, 3, 9, None])
def test_deleted_sessions_do_not_count_against_the_limit(
    place: Place, sessions: SessionService, limit: int | None
) -> None:
    kept = [sessions.new(SHOP) for _ in range(3)]
    with place.local.transaction() as writer:
        writer.put(replace(kept[1], status="deleted"))

    assert [one.local_id for one in sessions.list(SHOP, limit)] == [3, 1][:limit]


def test_showing_changes_no_byte(place: Place, sessions: SessionService) -> None:
    ask(sessions, BOOKS)

    def digests() -> list[str]:
        names = ("local.db", "local.db-wal")
        return [sha256(place.path.with_name(name).read_bytes()).hexdigest() for name in names]

    before = digests()
    session, turns = sessions.show("1")

    assert (session.profile, len(turns)) == ("books", 2)
    assert digests() == before
