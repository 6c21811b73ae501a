"""Profiles and what they point at."""

from pathlib import Path

import pytest

from amx.core.errors import ConfigInvalid, SecretUnavailable
from amx.core.profiles import Profile, profile_of

BASE: dict[str, object] = {
    "backend": "postgresql",
    "host": "db1",
    "port": 5432,
    "database": "sales",
    "user": "ada",
}


def identity(**changes: object) -> str:
    return profile_of("p", {**BASE, **changes}, {}).identity


@pytest.mark.parametrize(
    "changes",
    [
        {"user": "grace"},
        {"password": "hunter2"},
        {"password_command": "pass show db"},
        {"sslmode": "verify-full"},
        {"application_name": "other"},
        {"host": "DB1"},
        {"port": "5432"},
        {"schema": "public"},
    ],
    ids=str,
)
def test_identity_ignores_credentials_tls_and_spelling(changes: dict[str, object]) -> None:
    assert identity(**changes) == identity()


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "db2"},
        {"host": "db1.example.org"},
        {"port": 5433},
        {"database": "Sales"},
        {"schema": "audit"},
        {"host": "db1,db2"},
    ],
    ids=str,
)
def test_identity_differs_where_the_target_does(changes: dict[str, object]) -> None:
    assert identity(**changes) != identity()


def test_identity_takes_several_hosts_as_a_set() -> None:
    assert identity(host="db2,db1,db1") == identity(host="db1,db2")
    assert identity(host="db1,db2", port="5432,5433") != identity(host="db1,db2", port="5433,5432")


def test_two_names_for_one_target_have_one_identity() -> None:
    assert profile_of("a", BASE, {}).identity == profile_of("b", BASE, {}).identity


def test_identity_says_its_version_and_is_stable() -> None:
    assert identity() == "v1:274068e8e6f1275847f22d58ee7d1a02"


def test_references_are_resolved_before_the_identity() -> None:
    profile = profile_of("p", {**BASE, "host": "${DB_HOST}"}, {"DB_HOST": "db1"})
    assert profile.identity == identity()


def test_an_unset_reference_is_named() -> None:
    with pytest.raises(SecretUnavailable) as caught:
        profile_of("p", {**BASE, "host": "${DB_HOST}"}, {})
    assert caught.value.message == (
        "db_profiles.p.host refers to ${DB_HOST}, and DB_HOST is not set. Nothing was changed."
    )
    assert caught.value.hint == "export DB_HOST=…"


def test_a_sqlite_profile_is_its_resolved_path(tmp_path: Path) -> None:
    real = tmp_path / "shop.db"
    link = tmp_path / "link.db"
    link.symlink_to(real)
    one = profile_of("one", {"backend": "sqlite", "path": str(real)}, {})
    two = profile_of("two", {"backend": "sqlite", "path": str(link)}, {})
    assert one.identity == two.identity
    assert two.target == f"sqlite:{real}"


def test_the_target_names_host_database_and_schema_but_no_user() -> None:
    profile = profile_of("p", {**BASE, "password": "hunter2"}, {})
    assert profile.target == "postgresql://db1:5432/sales?schema=public"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"backend": "snowflake", "account": "x"},
            "db_profiles.p.backend is 'snowflake'; amx reads postgresql and sqlite.",
        ),
        ({"backend": "sqlite"}, "db_profiles.p has no path, which a sqlite profile needs."),
        ({}, "db_profiles.p has no database, which a postgresql profile needs."),
    ],
    ids=["foreign backend", "no path", "empty"],
)
def test_a_profile_that_cannot_be_used_says_why(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        profile_of("p", settings, {})
    assert caught.value.message == message


def test_a_profile_shows_no_password() -> None:
    profile = profile_of("p", {**BASE, "password": "hunter2"}, {})
    assert "hunter2" not in repr(profile)
    assert profile.password.reveal({}) == "hunter2"


def test_a_profile_is_immutable() -> None:
    profile = Profile(name="p", backend="sqlite", path="/x")
    with pytest.raises(AttributeError):
        profile.name = "q"  # type: ignore[misc]  # that is the point
