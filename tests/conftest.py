"""What every test stands on: folders of its own, the real program, a real PostgreSQL.

The suite cannot touch the real home: each test has its own, and the session fails at its end
if anything under the real ``~/.amx`` has changed.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pexpect
import pytest
from hypothesis import HealthCheck, settings

from tests.postgres import PostgresServer
from tests.support import Amx, AmxPty, Done, Environment
from tests.zygote import Zygote

TIMEOUT_S = 60

_PREFIXES = (
    *("AMX_", "PG", "XDG_"),
    *("GITHUB_", "GITLAB_", "CI_", "BUILD", "CIRCLE", "JENKINS_"),
)
_NAMES = {
    *("CI", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "COLUMNS", "LINES"),
    *("EDITOR", "VISUAL", "PAGER", "TERM", "TZ"),
}

REAL_HOME = Path.home()

for _name in [name for name in os.environ if name.startswith(_PREFIXES) or name in _NAMES]:
    del os.environ[_name]

# A shared machine may stop for a second at any time: an example has no deadline of its own.
settings.register_profile(
    "amx", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("amx")


@pytest.fixture(scope="session", autouse=True)
def _real_home() -> Iterator[None]:
    before = _traces(REAL_HOME / ".amx")
    yield
    assert _traces(REAL_HOME / ".amx") == before, "the suite touched the real home"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give this test a home, folders and a working directory of its own; return AMX_HOME."""
    real = tmp_path / "home"
    for name in ("cache", "config", "data", "runtime", "state"):
        folder = real / f"xdg-{name}"
        folder.mkdir(parents=True, mode=0o700)
        variable = "XDG_RUNTIME_DIR" if name == "runtime" else f"XDG_{name.upper()}_HOME"
        monkeypatch.setenv(variable, str(folder))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(real))
    monkeypatch.setenv("AMX_HOME", str(real / ".amx"))
    return real / ".amx"


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """Give what runs the program without starting Python anew."""
    zygote = Zygote()
    yield zygote
    zygote.close()


@pytest.fixture
def amx(zygote: Zygote) -> Amx:
    """Run the real program in a process of its own, without a terminal."""

    def run(*args: str, env: Environment | None = None, stdin: str | None = None) -> Done:
        environ = _environment(env)
        told = zygote.run(args, environ, stdin or "", TIMEOUT_S)
        if told is not None:
            return Done(*told)
        done = subprocess.run(
            [sys.executable, "-m", "amx", *args],
            env=environ,
            input=stdin or "",
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=TIMEOUT_S,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def amx_pty() -> Iterator[AmxPty]:
    """Start the real program on a terminal of 40 lines and 120 columns."""
    started: list[pexpect.spawn[str]] = []

    def start(*args: str, env: Environment | None = None) -> "pexpect.spawn[str]":
        child: pexpect.spawn[str] = pexpect.spawn(
            sys.executable,
            ["-m", "amx", *args],
            env={"TERM": "xterm", **_environment(env)},
            encoding="utf-8",
            timeout=TIMEOUT_S,
            dimensions=(40, 120),
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Give the session's one PostgreSQL 18; where it cannot run, the tests fail."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    """Give the name of a new, empty database on the session's server."""
    return postgres.new_database()


def _environment(extra: Environment | None) -> Mapping[str, str]:
    merged = {**os.environ, **(extra or {})}
    return {name: value for name, value in merged.items() if value is not None}


def _traces(folder: Path) -> Mapping[str, int]:
    """Return every path under a folder with the time of its last change."""
    if not folder.exists():
        return {}
    paths = [folder, *folder.rglob("*")]
    return {str(path): path.lstat().st_mtime_ns for path in paths}
