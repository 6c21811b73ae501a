"""A configuration of its own for each test of guard 4."""

from pathlib import Path

import pytest

from tests.config.support import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Give a folder for a configuration; neither it nor the file is there yet."""
    return Place(tmp_path / "amx")
