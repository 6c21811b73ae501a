"""Secrets are had when needed and never shown."""

import pytest

from amx.core.errors import SecretUnavailable
from amx.core.secrets import Password, is_reference, is_secret_key, redact, redact_url, resolve


@pytest.mark.parametrize(
    ("key", "is_secret"),
    [
        ("password", True),
        ("api_key", True),
        ("access_token", True),
        ("AWS_SECRET_ACCESS", True),
        ("passphrase", True),
        ("pwd", True),
        ("db_pass", True),
        ("aws_access_key_id", True),
        ("passfile", False),
        ("bypass", False),
        ("max_tokens", False),
        ("max_output_tokens", False),
        ("private_key_path", False),
        ("credentials_file", False),
        ("password_command", False),
        ("password_env", False),
        ("host", False),
        ("monkey", False),
    ],
)
def test_a_secret_key_is_known_by_its_name(key: str, *, is_secret: bool) -> None:
    assert is_secret_key(key) is is_secret


def test_redaction_hides_secrets_and_keeps_references() -> None:
    shown = redact(
        {
            "host": "db1",
            "password": "hunter2",
            "api_key": "${KEY}",
            "token": "keyring:x",
            "empty_password": "",
            "url": "postgresql://ada:hunter2@db1/x",
            "nested": {"tokens": ["hunter2", 5]},
        }
    )
    assert shown == {
        "host": "db1",
        "password": "***",
        "api_key": "${KEY}",
        "token": "keyring:x",
        "empty_password": "",
        "url": "postgresql://ada:***@db1/x",
        "nested": {"tokens": "***"},
    }


@pytest.mark.parametrize(
    "text",
    [
        "connection to postgresql://ada:hunter2@db1/sales failed",
        "host=db1 password=hunter2 user=ada",
        "host=db1 password='hunter2 and more' user=ada",
        "https://x/?password=hunter2&user=ada",
    ],
)
def test_no_password_survives_in_a_text(text: str) -> None:
    assert "hunter2" not in redact_url(text)
    assert "***" in redact_url(text)


def test_a_reference_is_resolved_inside_a_text() -> None:
    assert resolve("a-${X}-${Y}", {"X": "1", "Y": "2"}, where="k") == "a-1-2"


@pytest.mark.parametrize(("value", "is_one"), [("${X}", True), ("x${X}", False), (5, False)])
def test_only_a_whole_reference_is_one(value: object, *, is_one: bool) -> None:
    assert is_reference(value) is is_one


def test_a_password_command_gives_its_first_line_without_the_line_break() -> None:
    password = Password(where="k", command='printf "%s\\n" "$WORD"')
    assert password.reveal({"WORD": "hunter2", "PATH": "/usr/bin:/bin"}) == "hunter2"


def test_a_failing_password_command_says_neither_command_nor_output() -> None:
    with pytest.raises(SecretUnavailable) as caught:
        Password(where="k.password", command="echo hunter2; exit 3").reveal({})
    assert caught.value.message == "The password_command of k.password failed (exit 3)."


def test_a_keyring_reference_says_how_to_give_the_password_instead() -> None:
    with pytest.raises(SecretUnavailable) as caught:
        Password(where="k", text="keyring:db_profiles/x/password").reveal({})
    assert caught.value.message == (
        "k refers to the original tool's keyring, which amx does not read."
    )
    assert "${VAR}" in str(caught.value.hint)


def test_without_a_password_libpq_is_left_to_find_one() -> None:
    assert Password(where="k").reveal({}) is None


def test_repr_shows_no_secret() -> None:
    assert repr(Password(where="k", text="hunter2", command="c")) == "Password(where='k')"


@pytest.mark.parametrize(
    "key",
    ["x-api-key", "api-key", "private-key", "passphrase", "pwd", "Authorization", "access_key"],
)
def test_secrets_of_headers_are_known_too(key: str) -> None:
    assert is_secret_key(key)
    assert redact({"headers": {key: "hunter2"}}) == {"headers": {key: "***"}}


@pytest.mark.parametrize(
    "text",
    ["postgresql://u:hun@ter2@host/db", "https://x/?api_key=hunter2&a=b", "token=hunter2 failed"],
)
def test_no_part_of_a_secret_survives_in_a_text(text: str) -> None:
    shown = redact_url(text)
    assert "ter2" not in shown
    assert "***" in shown
