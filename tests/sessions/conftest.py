"""A store, the profiles of a configuration, and the service over both, for each test."""

from pathlib import Path

import pytest

from amx.core.sessions import SessionService
from tests.local.places import Place
from tests.sessions.talks import BOOKS, SHOP, TWIN


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "there" / "local.db")


@pytest.fixture
def known() -> dict[str, str | None]:
    """Give the profiles of the configuration, for a test to change."""
    return {one.name: one.identity for one in (SHOP, TWIN, BOOKS)}


@pytest.fixture
def sessions(place: Place, known: dict[str, str | None]) -> SessionService:
    reader = Place(place.path, is_read_only=True).local
    return SessionService(place.local, reader, known_profiles=lambda: known)
