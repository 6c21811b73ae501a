"""Guard 3: who writes, where, with which version."""

import getpass
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from amx import __version__
from amx.core.errors import UsageError
from amx.core.rows import clean

KINDS = ("human", "ci", "cron", "agent")

_CI_SYSTEMS = (
    # (variable that marks the system, variable that holds the job's address)
    ("GITHUB_ACTIONS", None),
    ("GITLAB_CI", "CI_JOB_URL"),
    ("BUILDKITE", "BUILDKITE_BUILD_URL"),
    ("CIRCLECI", "CIRCLE_BUILD_URL"),
    ("JENKINS_URL", "BUILD_URL"),
    ("CI", None),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Who wrote a row first, where, with which version. Stamped once, never changed."""

    created_by: str
    hostname: str
    client_version: str
    actor: str | None = None
    actor_kind: str = "human"
    run_url: str | None = None


def attribution_of(environ: Mapping[str, str]) -> Attribution:
    """Return who acts now, from the login, the machine and the environment.

    Raises:
        UsageError: ``AMX_ACTOR_KIND`` is none of the four kinds.
    """
    ci = next((system for system in _CI_SYSTEMS if environ.get(system[0])), None)
    kind = environ.get("AMX_ACTOR_KIND") or ("ci" if ci else "human")
    if kind not in KINDS:
        msg = f"AMX_ACTOR_KIND is {kind!r}; it is one of {', '.join(KINDS)}. Nothing was changed."
        raise UsageError(msg)
    return Attribution(
        created_by=login(),
        hostname=clean(socket.gethostname()) or "unknown",
        client_version=__version__,
        actor=environ.get("AMX_ACTOR") or None,
        actor_kind=kind,
        run_url=environ.get("AMX_RUN_URL") or _job_url(environ, ci),
    )


def login() -> str:
    """Return the login name, or ``uid:N`` where there is none."""
    try:
        return clean(getpass.getuser()) or f"uid:{os.getuid()}"
    except (KeyError, OSError):
        return f"uid:{os.getuid()}"


def _job_url(environ: Mapping[str, str], ci: tuple[str, str | None] | None) -> str | None:
    if ci is None:
        return None
    if ci[0] == "GITHUB_ACTIONS" and environ.get("GITHUB_RUN_ID"):
        server, repository = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_REPOSITORY")
        return f"{server}/{repository}/actions/runs/{environ['GITHUB_RUN_ID']}"
    return environ.get(ci[1]) if ci[1] else None
