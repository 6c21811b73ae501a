"""Delivery in passing: silent when it works, one line when it does not, never an error."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from amx.core import back_off
from amx.core.delivery import deliver
from amx.core.errors import SecretUnavailable, SharedStoreMismatch, Transient
from amx.core.locks import FileLock
from amx.core.models import Values
from amx.core.ports import SharedStore
from tests.shared.installation import Faulty, Installation


@pytest.fixture
def ours(tmp_path: Path, store: SharedStore) -> Installation:
    """Give an installation whose shared store is ready."""
    return Installation(tmp_path / "ours", store)


def delivered(ours: Installation, store: SharedStore | None = None) -> str | None:
    return deliver(ours.outbox, ours.replayer(store), lock_path=ours.lock_path, budget_s=10)


def test_it_is_silent_when_all_arrives(ours: Installation) -> None:
    ours.write(3)
    assert delivered(ours) is None
    assert ours.verify().checked == 3


def test_a_store_that_is_down_is_tried_once_and_then_left_alone(ours: Installation) -> None:
    def down(_values: Sequence[Values]) -> None:
        raise Transient("no route to host.")

    faulty = Faulty(ours.store, down)
    ours.write()
    assert delivered(ours, faulty) == (
        "1 row is queued for the shared store: no route to host. "
        "Later: amx history-store flush-pending"
    )
    ours.write()
    again = delivered(ours, faulty)
    assert again is not None
    assert again.startswith("2 rows are queued for the shared store: no route to host.")
    assert "tried again in" in again
    assert faulty.sent == [1]


def test_it_does_not_wait_for_another_flush(ours: Installation) -> None:
    ours.write()
    with FileLock(ours.lock_path, wait_s=0, purpose="test"):
        warning = delivered(ours)
    assert warning is not None
    assert "another flush is under way" in warning


@pytest.mark.parametrize(
    "error", [SecretUnavailable("PW is not set."), SharedStoreMismatch("another store.")]
)
def test_whatever_is_wrong_is_one_line_and_a_back_off(ours: Installation, error: Exception) -> None:
    def fail() -> SharedStore:
        raise error

    ours.write()
    replayer = ours.replayer()
    replayer._open_store = fail
    warning = deliver(ours.outbox, replayer, lock_path=ours.lock_path, budget_s=10)
    assert warning == (
        f"1 row is queued for the shared store: {str(error).removesuffix('.')}. "
        "Later: amx history-store flush-pending"
    )
    assert back_off.runs_until(ours.outbox)


def test_the_wait_grows_to_a_quarter_of_an_hour_and_is_drawn_at_random() -> None:
    longest = [back_off.wait_s(failures, lambda _low, high: high) for failures in range(1, 13)]
    assert longest == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    assert all(1 <= back_off.wait_s(5) <= 32 for _ in range(100))
    assert back_off.wait_s(10**6) <= 900
