"""Guard 3: who, where, with which version."""

import os
import pwd
import socket

import pytest

from amx import __version__
from amx.core.attribution import Attribution, attribution_of, login
from amx.core.errors import UsageError


def test_attribution_names_login_host_and_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    assert attribution_of({}) == Attribution(
        created_by="ada", hostname=socket.gethostname(), client_version=__version__
    )


def test_a_login_without_a_name_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)

    def unknown(_: int) -> pwd.struct_passwd:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert login() == f"uid:{os.getuid()}"


def test_a_login_that_is_not_utf8_is_kept_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ad\udce4")
    assert login() == "ad\ufffd"


def test_an_actor_is_kept_beside_the_login_never_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    found = attribution_of({"AMX_ACTOR": "nightly", "AMX_ACTOR_KIND": "cron", "AMX_RUN_URL": "u"})
    assert (found.created_by, found.actor, found.actor_kind, found.run_url) == (
        "ada",
        "nightly",
        "cron",
        "u",
    )


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"CI": "true"}, None),
        ({"GITLAB_CI": "true", "CI_JOB_URL": "https://ci/1"}, "https://ci/1"),
        (
            {
                "GITHUB_ACTIONS": "true",
                "GITHUB_SERVER_URL": "https://git",
                "GITHUB_REPOSITORY": "a/b",
                "GITHUB_RUN_ID": "7",
            },
            "https://git/a/b/actions/runs/7",
        ),
    ],
    ids=["any", "gitlab", "github"],
)
def test_ci_systems_are_recognised(environ: dict[str, str], url: str | None) -> None:
    found = attribution_of(environ)
    assert (found.actor_kind, found.run_url) == ("ci", url)


def test_an_unknown_kind_of_actor_is_refused() -> None:
    with pytest.raises(UsageError, match="human, ci, cron, agent"):
        attribution_of({"AMX_ACTOR_KIND": "robot"})
