from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.cloud.pace import (
    AFTER_AN_OUTAGE,
    LONGEST_WAIT,
    MOST_SAID,
    TRIGGERS,
    TRIGGERS_PER,
    Pace,
)
from flexedge.errors import Away, CentreAway

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
GAPS = st.lists(st.integers(0, 20_000_000), max_size=200)


def pace(requests_per_min: int = 120, budget: float | None = None, seed: int = 1) -> Pace:
    return Pace(requests_per_min, Random(seed), budget)


def away(kind: Away = "timeout", retry_after: timedelta | None = None) -> CentreAway:
    return CentreAway("main", kind, "", retry_after)


def times(gaps: list[int], start: datetime = NOW) -> list[datetime]:
    moments = [start]
    for gap in gaps:
        moments.append(moments[-1] + timedelta(microseconds=gap))
    return moments


@given(st.integers(1, 10_000), st.lists(st.integers(0, 2_000_000), max_size=300))
def test_no_minute_holds_more_requests_than_are_allowed(most: int, gaps: list[int]) -> None:
    tested, taken = pace(most), list[datetime]()
    for now in times(gaps):
        try:
            tested.take(now, 10)
        except CentreAway as error:
            assert error.kind == "paced"
            assert error.retry_after is not None
            assert timedelta(0) < error.retry_after <= MINUTE
        else:
            taken.append(now)
    for number, start in enumerate(taken):
        within = [one for one in taken[number:] if one - start < MINUTE]
        assert len(within) <= most
    assert tested.requests == len(taken)
    assert tested.sent == 10 * len(taken)


@pytest.mark.parametrize("most", [1, 2, 4, 120, 500])
def test_who_comes_when_told_gets_a_fair_share(most: int) -> None:
    tested, now, taken = pace(most), NOW, 0
    while now < NOW + timedelta(hours=1):
        try:
            tested.take(now, 0)
            taken += 1
        except CentreAway as error:
            assert error.retry_after is not None
            now += error.retry_after
    assert taken >= 0.5 * most * 60
    assert taken <= most * 60


@given(st.floats(0.1, 1000), st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 10**6))))
def test_backfill_keeps_to_its_budget(budget: float, asked: list[tuple[int, int]]) -> None:
    tested, now, sent, last = pace(budget=budget), NOW, 0, 0
    for gap, size in asked:
        now += timedelta(microseconds=gap)
        try:
            tested.backfill(now, size)
        except CentreAway as error:
            assert error.retry_after is not None
            tested.backfill(now + error.retry_after, 0)  # comes when told: allowed
            now += error.retry_after
        else:
            sent += size
            last = size
        minutes = (now - NOW) / MINUTE
        assert sent - last <= budget * 1000 * (minutes + 1) + 1


def test_backfill_without_budget_is_not_bounded_and_takes_no_requests() -> None:
    tested = pace(1)
    for _ in range(100):
        tested.backfill(NOW, 10**9)
    tested.take(NOW, 1)


@given(GAPS)
def test_five_minutes_hold_ten_triggers_at_most(gaps: list[int]) -> None:
    tested, taken = pace(), list[datetime]()
    for now in times(gaps):
        try:
            tested.trigger(now)
        except CentreAway as error:
            assert error.retry_after is not None
            tested_again = now + error.retry_after
            assert tested_again >= taken[-TRIGGERS] + TRIGGERS_PER
        else:
            taken.append(now)
    for first, eleventh in zip(taken, taken[TRIGGERS:], strict=False):
        assert eleventh - first >= TRIGGERS_PER


def test_a_server_that_takes_no_more_triggers_takes_everything_else() -> None:
    tested = pace()
    tested.no_triggers(NOW, timedelta(minutes=3))
    tested.take(NOW, 1)
    with pytest.raises(CentreAway) as caught:
        tested.trigger(NOW + MINUTE)
    assert caught.value.retry_after == timedelta(minutes=2)
    tested.trigger(NOW + 3 * MINUTE)


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_tries_get_rarer_up_to_a_quarter_of_an_hour(seed: int, failures: int) -> None:
    tested, now = pace(seed=seed), NOW
    for number in range(failures):
        then = tested.failed(away(), now)
        assert timedelta(0) <= then - now <= min(LONGEST_WAIT, SECOND * 2**number)
        now = then


def test_tries_are_spread_over_all_of_the_wait() -> None:
    waits = []
    for seed in range(300):
        tested = pace(seed=seed)
        for _ in range(15):
            then = tested.failed(away(), NOW)
        waits.append((then - NOW) / LONGEST_WAIT)
    assert min(waits) < 0.1
    assert max(waits) > 0.9
    assert 0.45 < sum(waits) / len(waits) < 0.55


def test_an_answer_makes_the_next_try_soon_again() -> None:
    tested = pace()
    for _ in range(12):
        tested.failed(away(), NOW)
    tested.succeeded(NOW)
    assert tested.failed(away(), NOW) - NOW <= SECOND


def test_one_failure_that_is_told_twice_counts_once() -> None:
    tested, error = pace(), away()
    then = tested.failed(error, NOW)
    assert tested.failed(error, NOW + SECOND) == then
    other = pace()
    other.failed(away(), NOW)
    assert tested.failed(away(), NOW) == other.failed(away(), NOW)


def test_our_own_pace_is_no_failure() -> None:
    tested = pace()
    for _ in range(20):
        assert tested.failed(away("paced", 7 * SECOND), NOW) == NOW + 7 * SECOND
    assert tested.failed(away(), NOW) - NOW <= SECOND


@given(st.integers(0, 2**32), st.integers(0, 10_000))
def test_what_the_server_says_is_waited_for_with_chance(seed: int, seconds: int) -> None:
    tested, said = pace(seed=seed), timedelta(seconds=seconds)
    then = tested.failed(away("busy", said), NOW)
    said = min(said, MOST_SAID)
    assert said <= then - NOW <= max(said + min(said, MINUTE), SECOND)
    if said:
        with pytest.raises(CentreAway) as caught:
            tested.take(NOW + said / 2, 1)
        assert caught.value.kind == "paced"
    tested.take(NOW + said, 1)


def test_backfill_after_an_outage_begins_within_five_minutes() -> None:
    starts = []
    for seed in range(200):
        tested = pace(seed=seed)
        tested.failed(away(), NOW)
        now = NOW + 6 * MINUTE
        tested.succeeded(now)
        tested.take(now, 1)
        try:
            tested.backfill(now, 1)
        except CentreAway as error:
            assert error.retry_after is not None
            starts.append(error.retry_after / AFTER_AN_OUTAGE)
            tested.backfill(now + error.retry_after, 1)
    assert len(starts) > 190
    assert max(starts) <= 1
    assert min(starts) < 0.1
    assert 0.4 < sum(starts) / len(starts) < 0.6


def test_backfill_after_a_short_failure_goes_on_at_once() -> None:
    tested = pace()
    tested.failed(away(), NOW)
    tested.succeeded(NOW + 4 * MINUTE)
    tested.backfill(NOW + 4 * MINUTE, 1)


def test_who_is_in_a_hurry_does_not_wait_for_chance() -> None:
    tested = pace()
    for _ in range(12):
        tested.failed(away(), NOW)
    tested.succeeded(NOW + 10 * MINUTE)
    tested.hurry()
    tested.backfill(NOW + 10 * MINUTE, 1)
    for _ in range(12):
        tested.failed(away(), NOW)
    tested.hurry()
    assert tested.failed(away(), NOW) - NOW <= SECOND


def test_who_is_in_a_hurry_still_heeds_the_server() -> None:
    tested = pace()
    tested.failed(away("busy", 10 * MINUTE), NOW)
    tested.hurry()
    with pytest.raises(CentreAway):
        tested.take(NOW + MINUTE, 1)


def test_gateways_that_start_together_come_within_a_minute() -> None:
    waits = [(pace(seed=seed).first(NOW) - NOW) / MINUTE for seed in range(300)]
    assert min(waits) >= 0
    assert max(waits) <= 1
    assert 0.4 < sum(waits) / len(waits) < 0.6


def test_a_clock_that_is_set_back_holds_nothing_up() -> None:
    tested = pace(budget=1)
    for _ in range(TRIGGERS):
        tested.trigger(NOW)
    for _ in range(30):
        tested.take(NOW, 1)
    tested.backfill(NOW, 2000)
    tested.failed(away("busy", timedelta(minutes=10)), NOW)
    back = NOW - timedelta(days=400)
    asked: list[tuple[Callable[[datetime], None], timedelta]] = [
        (tested.trigger, TRIGGERS_PER), (lambda now: tested.take(now, 1), 10 * MINUTE),
        (lambda now: tested.backfill(now, 1), 2 * MINUTE),
    ]  # fmt: skip
    for ask, most in asked:
        with pytest.raises(CentreAway) as caught:
            ask(back)
        assert caught.value.retry_after is not None
        assert caught.value.retry_after <= most
