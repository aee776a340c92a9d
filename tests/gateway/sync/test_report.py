"""What a centre is told: at its resolution, all of it or what changed, the same however often."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.config.centre import Report
from flexedge.domain.asset import Knowable, Sensor
from flexedge.gateway.sync.report import (
    LATE,
    Thin,
    Way,
    kept,
    lacking,
    reported,
    stretches,
    way_of,
    wholes,
    with_next,
)
from flexedge.gateway.sync.runs import Shape, Told
from flexedge.store.rows import micros

START = datetime(2026, 1, 1, tzinfo=UTC)
ZERO = micros(START)
MINUTE_US = 60_000_000
MINUTE = timedelta(minutes=1)
FIVE, QUARTER = 5 * MINUTE, 15 * MINUTE
POWER = Sensor("battery.power", "kW", FIVE)
ENERGY = Sensor("grid.energy", "kWh", FIVE)
SOC = Sensor("battery.soc", "%")
NONE = Told(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float64))
Row = tuple[float, float, float]
"""Minutes from the start to the event and to the belief, and a value."""


def told(*some: Row) -> Told:
    if not some:
        return NONE
    event, belief = (
        np.array([ZERO + int(row[place] * MINUTE_US) for row in some], np.int64) for place in (0, 1)
    )
    return Told(event, belief, np.array([value for _, _, value in some], np.float64))


def said(some: Told) -> list[Row]:
    return sorted(
        ((event - ZERO) / MINUTE_US, (belief - ZERO) / MINUTE_US, value)
        for event, belief, value in zip(
            some.event_us.tolist(), some.belief_us.tolist(), some.value.tolist(), strict=True
        )
    )


def quarter(sensor: Sensor = POWER, role: str = "", report: Report | None = None) -> Way:
    return way_of(sensor, QUARTER, sensor.unit, role, report or Report())


SOON = START + timedelta(hours=1)
MUCH_LATER = START + QUARTER + LATE


def test_the_same_resolution_is_told_as_it_is() -> None:
    way = way_of(POWER, FIVE, "kW", "", Report())
    assert (way.parts, way.needs_history) == (1, False)
    assert way.shape == Shape("kW", FIVE, FIVE)
    assert said(reported(told((0, 5, 1.0)), NONE, way, SOON)) == [(0, 5, 1.0)]


def test_forecasts_go_with_their_belief_times() -> None:
    assert way_of(POWER, FIVE, "kW", "forecast", Report()).shape.at_once is None
    known = Sensor("price", "EUR/MWh", FIVE, Knowable(days_before=1, hour=12))
    assert way_of(known, FIVE, "EUR/MWh", "", Report()).shape.at_once is None


def test_what_is_finer_there_or_no_multiple_is_told_as_ours() -> None:
    for there in (MINUTE, 7 * MINUTE):
        way = way_of(POWER, there, "kW", "", Report())
        assert (way.parts, way.shape.lasting) == (1, FIVE)


def test_power_is_a_mean_and_energy_a_sum() -> None:
    rows = told((0, 5, 1.0), (5, 10, 2.0), (10, 15, 6.0))
    assert said(wholes(rows, rows, quarter(), SOON)) == [(0, 15, 3.0)]
    assert said(wholes(rows, rows, quarter(ENERGY), SOON)) == [(0, 15, 9.0)]


def test_an_event_is_told_once_all_of_it_is_there() -> None:
    rows = told((0, 5, 1.0), (5, 10, 2.0))
    assert len(wholes(rows, rows, quarter(), SOON)) == 0
    last = told((10, 15, 6.0))
    assert said(wholes(last, Told.joined([rows, last]), quarter(), SOON)) == [(0, 15, 3.0)]


def test_a_correction_tells_the_whole_event_again() -> None:
    rows = told((0, 5, 1.0), (5, 10, 2.0), (10, 15, 6.0))
    new = told((5, 61, 5.0))
    assert said(wholes(new, Told.joined([rows, new]), quarter(), SOON)) == [
        pytest.approx((0, 61 + 1 / 60, 4.0))
    ]


def test_a_part_that_comes_last_tells_what_was_waited_for() -> None:
    rows = told((0, 5, 1.0), (10, 15, 6.0))
    new = told((5, 10, 2.0))
    assert said(wholes(new, Told.joined([rows, new]), quarter(), SOON)) == [(0, 15, 3.0)]


def test_what_stays_away_is_told_late_and_makes_room_for_the_whole() -> None:
    rows = told((0, 5, 1.0), (10, 15, 6.0))
    assert len(wholes(rows, rows, quarter(), MUCH_LATER - MINUTE)) == 0
    (late,) = said(wholes(rows, rows, quarter(), MUCH_LATER))
    assert late == pytest.approx((0, 15 - 1 / 60, 3.5))
    both = Told.joined([rows, told((5, 10, 2.0))])
    (whole,) = said(wholes(both, both, quarter(), MUCH_LATER))
    assert whole == pytest.approx((0, 15, 3.0))
    assert whole[1] > late[1]


def test_less_than_half_is_never_told() -> None:
    rows = told((0, 5, 1.0))
    assert len(wholes(rows, rows, quarter(), MUCH_LATER)) == 0


def test_a_sum_of_which_parts_are_missing_is_made_whole() -> None:
    rows = told((0, 5, 1.0), (10, 15, 3.0))
    assert said(wholes(rows, rows, quarter(ENERGY), MUCH_LATER))[0][2] == 6.0


def test_lacking_are_events_without_all_of_their_parts() -> None:
    rows = told(
        (0, 5, 1.0), (5, 10, 1.0), (10, 15, 1.0), (10, 60, 2.0), (15, 20, 1.0), (15, 50, 3.0)
    )
    assert {event for event, _, _ in said(lacking(rows, quarter()))} == {15}


def test_a_forecast_of_which_a_part_changed_is_told_with_the_rest_as_it_was() -> None:
    rows = told((0, -60, 1.0), (5, -60, 2.0), (10, -60, 3.0), (5, -30, 5.0))
    new = told((5, -30, 5.0))
    assert said(wholes(new, rows, quarter(role="forecast"), SOON)) == [(0, -30, 3.0)]


def test_instants_are_told_at_multiples_of_the_resolution() -> None:
    way = way_of(SOC, timedelta(0), "%", "", Report(resolution=QUARTER))
    rows = told((0, 0, 1.0), (5, 5, 2.0), (15, 15, 3.0))
    assert said(reported(rows, NONE, way, SOON)) == [(0, 0, 1.0), (15, 15, 3.0)]


def test_instants_for_a_sensor_with_longer_events_are_believed_before_these_end() -> None:
    way = way_of(SOC, QUARTER, "%", "", Report())
    assert way.shape.horizon == QUARTER
    assert said(reported(told((15, 15, 3.0), (20, 20, 4.0)), NONE, way, SOON)) == [(15, 15, 3.0)]


def test_what_is_believed_next_is_told_again() -> None:
    held = told((0, 5, 1.0), (0, 10, 2.0), (0, 20, 1.0), (0, 30, 3.0), (5, 50, 9.0))
    assert said(with_next(told((0, 10, 2.0)), held)) == [(0, 10, 2.0), (0, 20, 1.0)]


def test_on_change_tells_the_first_of_a_day_what_differs_and_what_the_heart_beats() -> None:
    values = [1.0, 1.05, 1.2, 1.2, 1.2, 1.1]
    rows = told(*((5 * n, 5 * n + 5, v) for n, v in enumerate(values)))
    assert kept(rows, Thin(0.1, None)).tolist() == [True, False, True, False, False, False]
    assert kept(rows, Thin(0.1, QUARTER)).tolist() == [True, False, True, False, False, True]
    days = told((0, 5, 1.0), (1435, 1440, 1.0), (1440, 1445, 1.0))
    assert kept(days, Thin(0.1, None)).tolist() == [True, False, True]


ON_CHANGE = Report(strategy="on-change", dead_band=0.1)


def test_a_correction_is_told_though_its_event_was_not_and_what_follows_it_too() -> None:
    way = way_of(POWER, FIVE, "kW", "", ON_CHANGE)
    rows = told((0, 5, 1.0), (5, 10, 1.0), (10, 15, 1.0))
    assert said(reported(rows, rows, way, SOON)) == [(0, 5, 1.0)]
    new = told((5, 61, 2.0))
    found = said(reported(new, Told.joined([rows, new]), way, SOON))
    assert found == [(5, 61, 2.0), (10, 15, 1.0)]


def test_stretches_are_whole_events_or_days() -> None:
    rows = told((7, 12, 1.0), (20, 25, 1.0))
    assert stretches(rows, quarter()) == [(ZERO, ZERO + 30 * MINUTE_US)]
    day = way_of(POWER, FIVE, "kW", "", ON_CHANGE)
    assert stretches(rows, day) == [(ZERO, ZERO + 1440 * MINUTE_US)]


@pytest.mark.parametrize("report", [Report(), ON_CHANGE])
def test_what_lies_between_events_far_apart_is_no_stretch(report: Report) -> None:
    """One event of two years ago and two of today are two stretches, not two years."""
    way = way_of(POWER, FIVE, "kW", "", report)
    length = 1440 * MINUTE_US if way.thin else 5 * MINUTE_US
    years = 730 * 1440
    some = stretches(told((years + 1500, 0, 1.0), (0, 0, 1.0), (years, 0, 1.0)), way)
    first, last = some
    assert first == (ZERO, ZERO + length)
    assert last[0] == ZERO + years * MINUTE_US
    assert last[1] - last[0] == 1440 * MINUTE_US + (
        1440 * MINUTE_US if way.thin else 65 * MINUTE_US
    )


@given(
    values=st.lists(st.integers(0, 6), min_size=1, max_size=40),
    cuts=st.sets(st.integers(0, 39), max_size=6),
    order=st.sampled_from([1, -1]),
)
def test_on_change_says_the_same_in_whatever_pieces(
    values: list[int], cuts: set[int], order: int
) -> None:
    report = Report(strategy="on-change", dead_band=1.0, heartbeat=timedelta(hours=2))
    way = way_of(POWER, FIVE, "kW", "", report)
    rows = told(*((60 * n, 60 * n + 5, float(v)) for n, v in enumerate(values)))
    whole = said(reported(rows, rows, way, SOON))
    edges = [0, *sorted(cut for cut in cuts if 0 < cut < len(values)), len(values)]
    parts = list(pairwise(edges))
    found: list[Row] = []
    for first, last in parts[::order]:
        portion = rows.take(np.arange(first, last))
        found += said(reported(portion, rows, way, SOON))
    assert sorted(set(found)) == whole


def naive(rows: Sequence[Row]) -> dict[int, float]:
    """The newest mean of each quarter of an hour that has all of its parts."""
    newest: dict[float, tuple[float, float]] = {}
    for event, belief, value in rows:
        if event not in newest or belief >= newest[event][0]:
            newest[event] = belief, value
    wholes_of: dict[int, list[float]] = {}
    for event in sorted(newest):
        wholes_of.setdefault(int(event // 15), []).append(newest[event][1])
    return {one: sum(some) / 3 for one, some in wholes_of.items() if len(some) == 3}


@given(
    some=st.lists(
        st.tuples(st.integers(0, 11), st.integers(0, 8), st.integers(-9, 9)),
        max_size=40, unique_by=lambda row: row[:2],
    ),
    portion=st.integers(1, 10),
)  # fmt: skip
def test_in_the_end_each_event_is_what_its_parts_say(
    some: list[tuple[int, int, int]], portion: int
) -> None:
    rows = [(5.0 * e, 5.0 * e + 5 + 60.0 * b, float(v)) for e, b, v in some]
    centre: dict[float, tuple[float, float]] = {}
    for first in range(0, len(rows), portion):
        new = told(*rows[first : first + portion])
        held = told(*rows[: first + portion])
        for event, belief, value in said(wholes(new, held, quarter(), SOON)):
            if event not in centre or belief >= centre[event][0]:
                centre[event] = belief, value
    assert {int(event // 15): value for event, (_, value) in centre.items()} == naive(rows)
