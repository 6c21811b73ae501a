"""A store of its own for each test."""

from pathlib import Path

import pytest

from tests.local.places import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "there" / "local.db")
