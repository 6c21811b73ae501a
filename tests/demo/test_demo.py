"""The demo is the whole product at work; it must fail when a step does not do what it says."""

import io
import os
import resource
import sys
from pathlib import Path

import pytest

from amx.core.config.file import ConfigFile
from amx.core.errors import CheckFailed
from amx.demo.kills import kill_saves
from amx.demo.stage import Stage
from amx.output import Output
from tests.postgres import PostgresServer
from tests.support import Amx


def _spent_s() -> float:
    """Return the processor time of all children so far, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test_the_demo_does_what_it_says_in_20_seconds_of_a_core_and_leaves_nothing(
    amx: Amx, home: Path, tmp_path: Path
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    before = _spent_s()
    done = amx("demo", "--json", env={"TMPDIR": str(place)})
    assert done.code == 0, done.err
    assert _spent_s() - before < 20  # a core's time: others may be at work on this machine
    assert len(done.json["steps"]) > 30
    assert {step["exit"] for step in done.json["steps"]} == {0, 2, 3, 4}
    assert list(place.iterdir()) == []
    assert not home.exists()


def test_the_demo_shares_through_a_real_server_and_leaves_no_schema(
    amx: Amx, postgres: PostgresServer, database: str
) -> None:
    done = amx("demo", "--postgres", postgres.dsn(database), "--json")
    assert done.code == 0, done.err
    found = postgres.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ 'demo'", database)
    assert found == []


@pytest.mark.parametrize("dsn", ["not a dsn", "postgresql://ada:hunter2@127.0.0.1"])
def test_a_dsn_that_names_no_database_is_2(amx: Amx, dsn: str) -> None:
    done = amx("demo", "--postgres", dsn)
    assert (done.code, done.out) == (2, "")
    assert "hunter2" not in done.err


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path, Output({}, stdout=io.StringIO(), stderr=io.StringIO()))


def test_a_step_with_another_exit_code_fails_the_demo(stage: Stage) -> None:
    ada = stage.engineer("ada", {"PYTHONPATH": os.pathsep.join(sys.path)})
    with pytest.raises(CheckFailed, match="ended with 0, promised 3"):
        stage.amx(ada, "--version", code=3)


def test_a_step_that_does_not_say_it_fails_the_demo(stage: Stage) -> None:
    ada = stage.engineer("ada", {"PYTHONPATH": os.pathsep.join(sys.path)})
    with pytest.raises(CheckFailed, match="does not say 'moon'"):
        stage.amx(ada, "--version", says=["moon"])


def test_a_claim_that_is_not_true_fails_the_demo(stage: Stage) -> None:
    with pytest.raises(CheckFailed, match="it is not true that the moon is cheese"):
        stage.check("the moon is cheese", is_true=False)


def test_killed_saves_are_counted_and_the_last_one_gets_through(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    file = ConfigFile(path, is_explicit=False, warn=lambda _: None)
    file.patch({("first",): 1})
    killed, is_whole = kill_saves(path, "second")
    assert killed > 10
    assert is_whole
    assert file.load().raw == {"first": 1, "second": killed + 1}
