"""The file of the local store: how it is made, met damaged or locked, and only read."""

import os
import sqlite3
import stat
from hashlib import sha256
from pathlib import Path

import pytest

from amx.core.errors import Busy, LocalStoreFailed
from amx.core.reports import QueueCounts
from amx.core.work import Event
from amx.stores import database
from amx.stores.schema import APPLICATION_ID, VERSION
from amx.stores.search import SQLiteCatalogIndex
from tests.local.places import Place


def reading(place: Place) -> Place:
    return Place(place.path, is_read_only=True)


def failure(place: Place) -> str:
    with pytest.raises(LocalStoreFailed) as caught:
        place.local.find(Event, 1)
    return caught.value.message


def digests(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_write_makes_a_private_file_in_a_private_folder(place: Place) -> None:
    os.umask(0)
    place.put_event()

    assert mode(place.path.parent) == 0o700
    assert {mode(path) for path in place.path.parent.iterdir()} == {0o600}


def test_making_a_store_object_opens_nothing(place: Place) -> None:
    assert not place.path.parent.exists()


def test_a_store_is_durable_and_enforces_its_keys(place: Place) -> None:
    place.put_event()

    def pragma(name: str) -> object:
        return place.local.database.query(f"PRAGMA {name}")[0][0]

    names = ("journal_mode", "synchronous", "foreign_keys", "user_version", "application_id")
    assert [pragma(name) for name in names] == ["wal", 2, 1, VERSION, APPLICATION_ID]


def test_a_missing_file_is_an_empty_history_and_stays_missing(place: Place) -> None:
    reader = reading(place)

    assert reader.events() == []
    assert reader.local.find(Event, 1) is None
    assert reader.local.active_session("shop", "v1:one") is None
    assert reader.outbox.counts() == QueueCounts(pending=0, quarantined=0, oldest_pending_at=None)
    assert reader.outbox.take(None, 10, 10) is None
    assert reader.outbox.count_missing() == 0
    assert SQLiteCatalogIndex(reader.local).search("v1:one", ["word"], 3) == []
    assert not place.path.parent.exists()


def test_a_file_that_was_only_just_made_is_an_empty_history(place: Place) -> None:
    place.path.parent.mkdir()
    place.path.touch()

    assert reading(place).events() == []
    assert place.path.read_bytes() == b""
    assert place.put_event().local_id == 1


def test_a_reader_sees_what_is_written_after_it_was_opened(place: Place) -> None:
    reader = reading(place)
    assert reader.events() == []

    written = place.put_event()

    assert reader.events() == [written]


def test_reading_changes_no_byte(place: Place) -> None:
    place.put_event()
    before = digests(place.path.parent)

    reader = reading(place)
    assert len(reader.events()) == 1
    reader.local.close()

    after = digests(place.path.parent)
    assert {name: after[name] for name in ("local.db", "local.db-wal")} == {
        name: before[name] for name in ("local.db", "local.db-wal")
    }


def test_reading_after_a_clean_end_changes_no_byte(place: Place) -> None:
    place.put_event()
    place.local.close()
    before = digests(place.path.parent)["local.db"]

    assert len(reading(place).events()) == 1
    assert digests(place.path.parent)["local.db"] == before


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_store_in_a_folder_that_cannot_be_written_is_read(place: Place) -> None:
    place.put_event()
    place.local.close()
    place.path.parent.chmod(0o500)
    try:
        assert len(reading(place).events()) == 1
    finally:
        place.path.parent.chmod(0o700)


def test_a_reader_refuses_to_write(place: Place) -> None:
    with pytest.raises(LocalStoreFailed, match="reading only"):
        reading(place).put_event()

    place.put_event()
    with pytest.raises(LocalStoreFailed, match="read-only"):
        reading(place).put_event()
    assert len(place.events()) == 1


@pytest.mark.parametrize("is_read_only", [False, True])
def test_what_is_no_database_is_named_and_left_alone(place: Place, is_read_only: bool) -> None:
    place.path.parent.mkdir()
    place.path.write_bytes(b"not a database, but long enough to look like one" * 40)
    before = digests(place.path.parent)
    place = Place(place.path, is_read_only=is_read_only)

    assert failure(place) == (
        f"The local store {place.path} cannot be used: it is not an SQLite database "
        "(file is not a database). Nothing was changed."
    )
    assert digests(place.path.parent) == before


def test_a_damaged_store_is_named(place: Place) -> None:
    place.put_event()
    place.local.close()
    raw = bytearray(place.path.read_bytes())
    raw[4096:] = b"\xff" * (len(raw) - 4096)
    place.path.write_bytes(raw)

    assert "it is damaged" in failure(place)


def test_a_folder_in_place_of_the_file_is_named(place: Place) -> None:
    place.path.mkdir(parents=True)

    assert "it is not a regular file" in failure(place)


def test_a_file_in_place_of_the_folder_is_named(place: Place) -> None:
    place.path.parent.touch()

    assert "something else is in its place" in failure(place)


def test_a_link_that_leads_nowhere_is_named(place: Place) -> None:
    place.path.parent.mkdir()
    place.path.symlink_to("nowhere.db")

    assert "something else is in its place" in failure(place)


@pytest.mark.parametrize("is_read_only", [False, True])
def test_a_newer_store_is_refused(place: Place, is_read_only: bool) -> None:
    place.put_event()
    place.local.database.query(f"PRAGMA user_version = {VERSION + 1}")
    place.local.close()
    newer = Place(place.path, is_read_only=is_read_only)

    reason = f"version {VERSION + 1} and this amx knows up to {VERSION}"
    with pytest.raises(LocalStoreFailed, match=reason) as caught:
        newer.events()
    assert caught.value.hint == "Upgrade amx on this machine."


def test_the_database_of_another_program_is_refused_and_left_alone(place: Place) -> None:
    place.path.parent.mkdir()
    raw = sqlite3.connect(place.path)
    raw.execute("CREATE TABLE precious (a)")
    raw.close()
    before = place.path.read_bytes()

    assert "it is the database of another program" in failure(place)
    assert place.path.read_bytes() == before


def test_a_full_disk_loses_only_what_was_not_acknowledged(place: Place) -> None:
    place.put_event("kept")
    pages = place.local.database.query("PRAGMA page_count")[0][0]
    place.local.database.query(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(LocalStoreFailed, match="the disk is full"):
        place.put_event("x" * 1_000_000)

    assert [one.subject for one in place.events()] == ["kept"]
    assert place.queued() == [("events", 1, 1, "pending")]
    assert place.put_event("after").local_id == 2


def test_a_store_that_another_process_locks_is_busy(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.put_event()
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.05)
    other = sqlite3.connect(place.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = Place(place.path)

    with pytest.raises(Busy, match="is locked by another process"):
        waiting.put_event()
    assert len(waiting.events()) == 1

    other.execute("ROLLBACK")
    other.close()
    assert waiting.put_event().local_id == 2
