"""What work in one thread comes to, had in another."""

import signal
import threading
from collections.abc import Callable

import pytest

from amx.core.outcome import Outcome


def _in_a_thread(work: Callable[[], int]) -> Outcome[int]:
    outcome: Outcome[int] = Outcome()
    threading.Thread(target=outcome.of, args=[work], daemon=True).start()
    return outcome


def test_what_the_work_returns_is_returned_where_it_is_waited_for() -> None:
    outcome = _in_a_thread(lambda: 7)

    assert outcome.wait(10) == 7
    assert outcome.wait(0) == 7
    assert outcome.is_there


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), KeyboardInterrupt()])
def test_what_the_work_raises_is_raised_where_it_is_waited_for(error: BaseException) -> None:
    def fail() -> int:
        raise error

    outcome = _in_a_thread(fail)

    with pytest.raises(type(error)) as caught:
        outcome.wait(10)
    assert caught.value is error


def test_a_wait_ends_at_its_time_and_the_work_goes_on() -> None:
    go_on = threading.Event()
    outcome = _in_a_thread(lambda: 7 if go_on.wait(10) else 0)

    with pytest.raises(TimeoutError):
        outcome.wait(0.01)
    assert not outcome.is_there

    go_on.set()
    assert outcome.wait(float("inf")) == 7


def test_a_signal_ends_a_wait() -> None:
    def interrupt(*_: object) -> None:
        raise InterruptedError

    go_on = threading.Event()
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(InterruptedError):
            _in_a_thread(lambda: 7 if go_on.wait(10) else 0).wait(60)
    finally:
        signal.signal(signal.SIGALRM, before)
        go_on.set()
