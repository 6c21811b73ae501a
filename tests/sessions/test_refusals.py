"""Guard 1 in the service: what is refused, in which words, and that nothing changes."""

import re
from dataclasses import replace

import pytest

from amx.core.binding import why_not
from amx.core.conversations import Session
from amx.core.errors import ProfileMismatch, UnknownId
from amx.core.profiles import Profile
from amx.core.secrets import Password
from amx.core.sessions import SessionService
from amx.core.turns import Turn
from tests.local.places import Place
from tests.sessions.talks import BOOKS, SHOP, SHOP_MOVED, TWIN, ask, stored

UNKNOWN = ["0", "-1", "7", "x", "", str(2**63), "9" * 30, "01a209e4-660d-7f19-9254-0ddcacce6788"]


def refusal(
    place: Place, sessions: SessionService, profile: Profile, key: int | str = 1
) -> ProfileMismatch:
    """Return the error with which every way into a session refuses; nothing may have changed."""
    before = stored(place)
    errors = []
    for way in (sessions.resume, sessions.check, lambda *given: ask(sessions, *given)):
        with pytest.raises(ProfileMismatch) as caught:
            way(profile, key)
        errors.append(caught.value)
    assert stored(place) == before
    assert len({error.message for error in errors}) == 1
    return errors[0]


def test_a_session_of_another_profile_is_refused_by_name(
    place: Place, sessions: SessionService
) -> None:
    sessions.new(BOOKS)

    error = refusal(place, sessions, SHOP)

    assert error.message == (
        "Session 1 cannot be continued here: it is bound to another profile and to another "
        "database. It began under profile 'books' (postgresql://db.example:5432/books"
        "?schema=public); the active profile is 'shop' (sqlite:/data/shop.db). "
        "Nothing was changed."
    )
    assert error.hint == "amx db use books && amx session resume 1\namx session show --id 1"
    assert error.details == {
        "session": 1,
        "session_profile": "books",
        "session_target": BOOKS.target,
        "profile": "shop",
        "target": SHOP.target,
        "differs": ["profile", "identity"],
        "ways_on": [
            "amx db use books && amx session resume 1",
            "amx session show --id 1",
        ],
    }


def test_a_refusal_names_no_user_and_no_secret(place: Place, sessions: SessionService) -> None:
    password = Password(where="here", text="hunter2")
    sessions.new(replace(BOOKS, user="reader:hunter2", password=password))

    error = refusal(place, sessions, replace(BOOKS, name="other", user="reader"))

    told = f"{error.message} {error.hint} {error.details}"
    assert not {"reader", "hunter2"} & set(re.findall(r"\w+", told))


def test_two_profiles_of_one_database_are_still_two(place: Place, sessions: SessionService) -> None:
    sessions.new(SHOP)

    error = refusal(place, sessions, TWIN)

    assert "it is bound to another profile, which points at the same database." in error.message
    assert error.details["differs"] == ["profile"]
    assert error.details["ways_on"] == [
        "amx db use shop && amx session resume 1",
        "amx session show --id 1",
    ]


def test_a_profile_that_points_elsewhere_now_is_refused(
    place: Place, sessions: SessionService, known: dict[str, str | None]
) -> None:
    sessions.new(SHOP)
    known["shop"] = SHOP_MOVED.identity

    error = refusal(place, sessions, SHOP_MOVED)

    assert error.message == (
        "Session 1 cannot be continued here: it is bound to the database at which profile 'shop' "
        "pointed before. It began under profile 'shop' (sqlite:/data/shop.db); the active "
        "profile is 'shop' (sqlite:/data/elsewhere.db). Nothing was changed."
    )
    assert (error.details["differs"], error.hint) == (["identity"], "amx session show --id 1")


@pytest.mark.parametrize("identity", [None, "v1:another"])
def test_no_way_back_is_named_to_a_profile_that_is_gone_or_changed(
    place: Place,
    sessions: SessionService,
    known: dict[str, str | None],
    identity: str | None,
) -> None:
    sessions.new(BOOKS)
    known["books"] = identity
    assert refusal(place, sessions, SHOP).hint == "amx session show --id 1"

    del known["books"]
    assert refusal(place, sessions, SHOP).hint == "amx session show --id 1"


def test_ids_are_looked_up_in_the_whole_history(place: Place, sessions: SessionService) -> None:
    books = sessions.new(BOOKS)

    assert refusal(place, sessions, SHOP, books.id).details["session"] == 1
    assert sessions.show(books.id) == (books, [])


@pytest.mark.parametrize("key", UNKNOWN)
def test_unknown_ids_change_nothing(place: Place, sessions: SessionService, key: str) -> None:
    sessions.new(SHOP)
    before = stored(place)

    for way in (
        sessions.resume,
        sessions.check,
        sessions.end,
        lambda *given: ask(sessions, *given),
    ):
        with pytest.raises(UnknownId) as caught:
            way(SHOP, key)
        assert caught.value.hint == "amx session list --all-profiles"
    with pytest.raises(UnknownId):
        sessions.show(key)

    assert stored(place) == before


def test_an_unknown_id_makes_no_history(place: Place, sessions: SessionService) -> None:
    with pytest.raises(UnknownId):
        sessions.resume(SHOP, "1")

    assert sessions.end(SHOP) is None
    assert sessions.list(None) == []
    assert not place.path.exists()


def test_a_deleted_session_is_unknown_everywhere(place: Place, sessions: SessionService) -> None:
    begun = ask(sessions, SHOP)[0]
    with place.local.transaction() as writer:
        writer.put(replace(begun, status="deleted"))
    before = stored(place)

    for way in (sessions.resume, sessions.end, lambda *given: ask(sessions, *given)):
        with pytest.raises(UnknownId, match="Session 1 was deleted; nothing was changed"):
            way(SHOP, "1")
    with pytest.raises(UnknownId):
        sessions.show("1")

    assert stored(place) == before
    assert (sessions.current(SHOP), sessions.list(None)) == (None, [])


def test_the_binding_is_checked_again_inside_the_transaction(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = SessionService(place.local)
    stale.new(BOOKS)
    monkeypatch.setattr(stale, "check", lambda *_: None)
    before = stored(place)

    with pytest.raises(ProfileMismatch):
        stale.resume(SHOP, 1)
    assert stored(place) == before


@pytest.mark.parametrize(
    ("profile", "status", "reason"),
    [
        (SHOP, "open", None),
        (SHOP, "ended", None),
        (SHOP, "deleted", "it was deleted"),
        (None, "open", "no profile is active"),
        (TWIN, "open", "it is bound to another profile, which points at the same database"),
        (BOOKS, "ended", "it is bound to another profile and to another database"),
        (
            SHOP_MOVED,
            "open",
            "it is bound to the database at which profile 'shop' pointed before",
        ),
    ],
)
def test_whether_a_session_can_be_continued(
    profile: Profile | None, status: str, reason: str | None
) -> None:
    session = Session(
        profile="shop",
        identity=SHOP.identity,
        target=SHOP.target,
        status=status,
        started_at="",
        last_active_at="",
    )

    assert why_not(session, profile) == SessionService.why_not(session, profile) == reason


def test_no_turn_lacks_its_sessions_binding(place: Place, sessions: SessionService) -> None:
    for profile in (SHOP, BOOKS, TWIN, SHOP_MOVED):
        ask(sessions, profile)

    bindings = {one.id: (one.profile, one.identity) for one in sessions.list(None)}
    turns = place.local.select(Turn)
    assert len(bindings) == 4
    assert len(turns) == 8
    assert all(bindings[turn.session_id] == (turn.profile, turn.identity) for turn in turns)
