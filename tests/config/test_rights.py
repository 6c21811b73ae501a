"""What somebody sees who may not look at a configuration."""

import os
from pathlib import Path

import pytest

from amx.core.config import restoring
from amx.core.config.file import ConfigFile
from amx.core.errors import AmxError, ConfigUnreadable

NOBODY = 65534


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """Give a configuration with a backup, in a folder that its reader may not look into."""
    assert restoring.__name__  # imported now: in a moment this code may be out of reach, too
    path = tmp_path / "theirs" / "config.yml"
    file = ConfigFile(path, is_explicit=False, warn=lambda _: None)
    for number in (1, 2):
        file.patch({("number",): number})
    path.parent.chmod(0o700 if os.getuid() == 0 else 0)
    return path


def error_as_another(path: Path) -> str:
    """Return the code of what `backups` raises for somebody without rights, in a child."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        if os.getuid() == 0:
            os.setresuid(NOBODY, NOBODY, NOBODY)
        try:
            ConfigFile(path, is_explicit=False, warn=lambda _: None).backups()
            os.write(writer, b"nothing")
        except AmxError as error:
            os.write(writer, error.code.encode())
        finally:
            os._exit(0)
    os.close(writer)
    told = os.read(reader, 1000).decode()
    os.close(reader)
    os.wait()
    return told


def test_backups_that_may_not_be_looked_at_are_not_called_none(closed: Path) -> None:
    told = error_as_another(closed)
    closed.parent.chmod(0o700)
    assert told == ConfigUnreadable.code
    assert len(ConfigFile(closed, is_explicit=False, warn=lambda _: None).backups()) == 1
