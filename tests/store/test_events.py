from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flexedge.domain.asset import INSTANT
from flexedge.store.events import Method, Rule, values
from flexedge.store.rows import Floats, Readings
from tests.store.summing import MINUTE, TURNS_AT, by_duckdb, histories

FIVE = timedelta(minutes=5)
STEP = 5 * MINUTE
SECOND = 1_000_000
NAN = float("nan")
METHODS: tuple[Method, ...] = ("mean", "least", "most", "last", "counter", "state")


def rule(method: Method, every_s: float = 10.0, minutes: int = 5, **more: float) -> Rule:
    return Rule(method, timedelta(minutes=minutes), timedelta(seconds=every_s), **more)


def of(given_rule: Rule, history: Readings, start_us: int = 0, n: int = 4) -> Floats:
    """The values of events, from the buckets that they need and no others."""
    part = given_rule.part // timedelta(microseconds=1)
    low = start_us - given_rule.before * part
    high = start_us + n * (given_rule.step // timedelta(microseconds=1)) + given_rule.after * part
    mine = history.take(
        (history.sensor == 1) & (history.event_us >= low) & (history.event_us < high)
    )
    return values(given_rule, by_duckdb(mine, part, origin_us=start_us), start_us, n)


def shown(*rows: tuple[float, float]) -> Readings:
    """Readings of one sensor: second and value."""
    seconds, value = zip(*rows, strict=True)
    times = (np.array(seconds) * SECOND).astype(np.int64)
    ones = np.ones(len(times))
    return Readings.of({"sensor": ones, "event_us": times, "value": value, "quality": 0 * ones})


def same(found: Floats, expected: Sequence[float]) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-9)


def test_a_mean_weighs_time_and_not_how_often_was_asked() -> None:
    quick = [(i, 9.0 + 2 * (i % 2)) for i in range(60)]  # in the first minute
    slow = [(60.0 * i, 2.0) for i in (1, 2, 3, 4)]
    same(of(rule("mean", 1), shown(*quick, *slow), n=1), [(10.0 + 4 * 2.0) / 5])


def test_an_event_with_readings_in_less_than_half_of_its_minutes_has_no_value() -> None:
    history = shown((0, 1.0), (70, 3.0), (299, 5.0), (300, 4.0), (599, 8.0), (1200, 1.0))
    same(of(rule("mean"), history), [3.0, NAN, NAN, NAN])
    same(of(rule("least"), history), [1.0, NAN, NAN, NAN])
    same(of(rule("most"), history), [5.0, NAN, NAN, NAN])
    same(of(rule("last"), history), [5.0, NAN, NAN, NAN])


def test_what_is_polled_slowly_is_not_taken_for_a_gap() -> None:
    history = shown((100, 2.0), (400, 4.0), (1000, 6.0))
    same(of(rule("mean", 300), history), [2.0, 4.0, NAN, 6.0])
    assert rule("mean", 300).part == FIVE
    assert rule("mean", 10).part == timedelta(minutes=1)
    assert rule("mean", 10, minutes=15).part == timedelta(minutes=1)
    assert rule("mean", 10, minutes=60).part == FIVE
    assert rule("mean", 900, minutes=15).part == timedelta(minutes=15)


def test_a_counter_is_read_at_the_ends_of_events_between_the_readings_around_them() -> None:
    # Read every minute, 20 s past it: 3 kWh a minute at first, 6 after 620 s.
    rows = [(20 + 60 * i, 3.0 * i) for i in range(11)] + [(680 + 60 * i, 36.0 + 6 * i)
            for i in range(10)]  # fmt: skip
    found = of(rule("counter", 60), shown((-40, -3.0), *rows))
    same(found, [15.0, 15.0, 29.0, 30.0])


def test_a_counter_read_at_the_very_ends_of_events_needs_nothing_around() -> None:
    history = shown((0, 10.0), (300, 12.0), (600, 13.5))
    same(of(rule("counter", 10), history), [2.0, 1.5, NAN, NAN])


def test_what_a_counter_gains_in_a_gap_belongs_to_no_event() -> None:
    before = [(10.0 * i - 5, 1.0 * i) for i in range(28)]  # until 265 s
    after = [(635 + 10.0 * i, 500.0 + i) for i in range(60)]  # 473 kWh on
    found = of(rule("counter", 10), shown(*before, *after))
    same(found, [NAN, NAN, NAN, 30.0])
    inside = [row for row in ((10.0 * i - 5, 1.0 * i) for i in range(70)) if not 30 < row[0] < 250]
    same(of(rule("counter", 10), shown(*inside), n=2), [30.0, 30.0])


def test_a_counter_is_followed_through_a_new_beginning_and_a_turnover() -> None:
    restart = [(10.0 * i - 5, 500.0 + i if i < 15 else 0.5 + (i - 15)) for i in range(40)]
    same(of(rule("counter", 10), shown(*restart), n=1), [29.5])
    turning = [(10.0 * i - 5, (TURNS_AT - 15 + i) % TURNS_AT) for i in range(40)]
    same(of(rule("counter", 10, turns_at=TURNS_AT), shown(*turning), n=1), [30.0])
    at_the_edge = [(10.0 * i - 5, (TURNS_AT - 30.25 + i) % TURNS_AT) for i in range(70)]
    found = of(rule("counter", 10, turns_at=TURNS_AT), shown(*at_the_edge), n=2)
    same(found, [30.0, 30.0])


def test_a_counter_that_stands_still_in_slow_polls_gains_nothing() -> None:
    history = shown((-400, 5.0), (200, 5.0), (800, 5.0), (1400, 11.0))
    same(of(rule("counter", 600), history), [0.0, 0.0, 1.0, 3.0])


def test_a_state_is_what_was_shown_last_until_the_moment() -> None:
    history = shown((-1000, 9.0), (-20, 1.0), (1, 2.0), (240, 3.0), (300, 4.0), (530, 5.0),
                    (900, 7.0))  # fmt: skip
    same(of(rule("state", 10), history), [1.0, 4.0, NAN, 7.0])
    same(of(rule("state", 30), history), [1.0, 4.0, 5.0, 7.0])
    same(of(rule("state", 400), history, -STEP), [9.0, 1.0, 4.0, 5.0])
    same(of(rule("state"), Readings.empty()), [NAN] * 4)


def test_the_example_of_the_docs() -> None:
    """docs/store-readings.md: away from the second minute to the eleventh."""
    polls = [10 * i for i in range(-40, 400) if not 120 <= 10 * i < 660]
    power = shown(*((second, 6.0) for second in polls))
    energy = shown(*((second, 10.0 + second / 600) for second in polls))
    same(of(rule("mean"), power, -STEP, 5), [6.0, NAN, NAN, 6.0, 6.0])
    same(of(rule("counter"), energy, -STEP, 5), [0.5, NAN, NAN, NAN, 0.5])
    same(of(rule("mean", minutes=60), power, n=1), [6.0])
    same(of(rule("counter", minutes=60), energy, n=1), [6.0])


def test_the_resolution_of_states_is_that_of_instants() -> None:
    assert rule("state").resolution == INSTANT
    assert rule("counter").resolution == FIVE
    assert rule("mean", 1).stands == timedelta(minutes=1)
    assert rule("mean", 60).stands == timedelta(minutes=3)
    assert rule("counter", 60).settled == timedelta(minutes=3)
    assert rule("mean", 60).settled == timedelta(0)


@given(histories(), st.sampled_from(METHODS), st.sampled_from((1.0, 60.0, 400.0)))
def test_values_are_the_same_however_they_are_asked(
    history: Readings, method: Method, every_s: float
) -> None:
    how = rule(method, every_s, turns_at=TURNS_AT)
    whole = of(how, history, -20 * STEP, 40)
    pieces = [of(how, history, (at - 20) * STEP, n) for at, n in ((0, 7), (7, 1), (8, 32))]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


@given(histories(), st.sampled_from((1.0, 60.0, 400.0)))
def test_counted_values_are_differences_of_what_the_counter_showed(
    history: Readings, every_s: float
) -> None:
    how = rule("counter", every_s, turns_at=TURNS_AT)
    edges = [(i - 20) * STEP for i in range(41)]
    usable = np.isin(history.quality, (0, 3)) & np.isfinite(history.value) & (history.sensor == 1)
    rows = list(zip(history.event_us[usable].tolist(), history.value[usable].tolist(), strict=True))
    register = [_register(rows, edge, how.stands // timedelta(microseconds=1)) for edge in edges]
    expected = [b - a for a, b in pairwise(register)]
    same(of(how, history, edges[0], 40), expected)


def _register(rows: list[tuple[int, float]], at: int, stands: int) -> float:
    """What a counter that never turns or begins anew would show at a moment."""
    total, before = 0.0, None
    for moment, value in rows:
        gain = 0.0
        if before is not None:
            gain = _gain(before[1], value)
        if moment >= at:
            if moment == at:
                return total + gain
            if before is None or moment - before[0] > stands:
                return NAN
            return total + gain * (at - before[0]) / (moment - before[0])
        total, before = total + gain, (moment, value)
    return NAN


def _gain(before: float, after: float) -> float:
    if after >= before:
        return after - before
    if 0.9 * TURNS_AT < before <= TURNS_AT and after < 0.1 * TURNS_AT:
        return TURNS_AT - before + max(after, 0.0)
    return 0.0 if after >= 0.9 * before else max(after, 0.0)


@given(histories(), st.sampled_from((1.0, 400.0)))
def test_counted_values_add_up_to_those_of_longer_events(history: Readings, every_s: float) -> None:
    short = of(rule("counter", every_s), history, -12 * STEP, 24).reshape(-1, 3).sum(axis=1)
    long = of(rule("counter", every_s, minutes=15), history, -12 * STEP, 8)
    told = ~np.isnan(short)
    same(short[told], long[told].tolist())
