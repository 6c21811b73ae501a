"""The picker of `amx config restore`, on a real terminal."""

from pathlib import Path

import pexpect
import pytest

from tests.support import Amx, AmxPty

DOWN = "\x1b[B"


@pytest.fixture
def config(amx: Amx, home: Path) -> Path:
    """Give a configuration with two generations; return its path."""
    for value in ("one", "two", "three"):
        assert amx("config", "set", "llm_profiles.x.model", value).code == 0
    return home / "config.yml"


def started(amx_pty: AmxPty) -> "pexpect.spawn[str]":
    child = amx_pty("config", "restore")
    child.expect("Escape leaves")
    return child


def code_of(child: "pexpect.spawn[str]") -> int | None:
    child.expect(pexpect.EOF)
    child.close()
    status: int | None = child.exitstatus
    return status


@pytest.mark.parametrize(("keys", "value"), [("\r", "two"), (f"{DOWN}\r", "one")])
def test_the_chosen_generation_is_restored(
    amx_pty: AmxPty, config: Path, keys: str, value: str
) -> None:
    child = started(amx_pty)
    child.send(keys)
    assert code_of(child) == 0
    assert config.read_text() == f"llm_profiles:\n  x:\n    model: {value}\n"


@pytest.mark.parametrize("key", ["\x1b", "\x03", "\x04"], ids=["Escape", "Ctrl-C", "Ctrl-D"])
def test_every_way_out_changes_nothing(amx_pty: AmxPty, config: Path, key: str) -> None:
    before = config.read_bytes()
    child = started(amx_pty)
    child.send(key)
    assert code_of(child) == 0
    assert config.read_bytes() == before
