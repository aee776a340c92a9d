from datetime import UTC, datetime, timedelta

import pytest

from flexedge.errors import TooManyTries
from flexedge.web.throttle import EVERYBODY, ONE_ADDRESS, WINDOW, Throttle, wait

NOW = datetime(2026, 4, 21, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def fail(throttle: Throttle, times: int, address: str = "10.0.0.2") -> None:
    for _ in range(times):
        throttle.failed(address, NOW)


def test_nine_failures_cost_nothing_and_ten_cost_a_second() -> None:
    throttle = Throttle()
    fail(throttle, 9)
    throttle.check("10.0.0.2", NOW)
    fail(throttle, 1)
    with pytest.raises(TooManyTries) as caught:
        throttle.check("10.0.0.2", NOW)
    assert (caught.value.status, caught.value.retry_after_s) == (429, 1)
    throttle.check("10.0.0.2", NOW + SECOND)


def test_the_wait_doubles_up_to_a_quarter_hour() -> None:
    nothing = timedelta(0)
    waits = [wait(n, nothing, ONE_ADDRESS) for n in (9, 10, 11, 12, 13, 30)]
    assert waits == [nothing, SECOND, 2 * SECOND, 4 * SECOND, 8 * SECOND, WINDOW]


def test_a_clock_that_went_back_does_not_lengthen_the_wait() -> None:
    assert wait(10, timedelta(hours=-5), ONE_ADDRESS) == SECOND


def test_other_addresses_are_not_slowed_down_by_one() -> None:
    throttle = Throttle()
    fail(throttle, 30)
    throttle.check("10.0.0.3", NOW)


def test_many_addresses_together_are_slowed_down_but_not_for_long() -> None:
    throttle = Throttle()
    for n in range(EVERYBODY.failures + 50):
        throttle.failed(f"10.0.1.{n}", NOW)
    with pytest.raises(TooManyTries) as caught:
        throttle.check("10.0.0.3", NOW)
    assert caught.value.retry_after_s == 10
    throttle.check("10.0.0.3", NOW + 10 * SECOND)


def test_success_forgives_and_so_does_time() -> None:
    throttle = Throttle()
    fail(throttle, 20)
    throttle.succeeded("10.0.0.2")
    throttle.check("10.0.0.2", NOW)
    fail(throttle, 20)
    throttle.check("10.0.0.2", NOW + WINDOW + SECOND)


def test_memory_stays_small_however_many_addresses_guess() -> None:
    throttle = Throttle()
    for n in range(5000):
        throttle.failed(f"fe80::{n:x}", NOW)
    assert len(throttle._failures) == 1000
