"""States of charge between two ticks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from flexedge.domain.series import TimeGrid
from flexedge.optim.device import SocBound
from flexedge.optim.request import ticks
from flexedge.optim.request.amounts import Segment

START = datetime(2026, 11, 24, tzinfo=UTC)
HOUR = timedelta(hours=1)
REACH = ticks.Reach(TimeGrid(START, HOUR, 4), np.full(4, 2.0), np.full(4, 1.0), 0.0, 9.0)


def put(kind: str, start: float, soc: float, end: float | None = None) -> ticks.Asked:
    asked = ticks.Asked.nothing()
    segment = Segment(START + start * HOUR, START + (start if end is None else end) * HOUR, soc)
    ticks.put(asked, kind, [segment], REACH, project=True)
    return asked


def hours(asked: dict[datetime, SocBound]) -> dict[float, Any]:
    return {(tick - START) / HOUR: pytest.approx(one.soc_kwh) for tick, one in asked.items()}


def test_a_target_holds_after_and_is_within_reach_before() -> None:
    asked = put("targets", 1.25, 5.0)
    assert hours(asked.targets) == {2.0: 5.0}
    assert hours(asked.minima) == {1.0: 5.0 - 0.25 * 2}
    assert hours(asked.maxima) == {1.0: 5.0 + 0.25 * 1}


def test_a_minimum_and_a_maximum_are_loosened_on_both_sides() -> None:
    assert hours(put("minima", 1.25, 5.0).minima) == {1.0: 5.0 - 0.5, 2.0: 5.0 - 0.75}
    assert hours(put("maxima", 1.25, 5.0).maxima) == {1.0: 5.0 + 0.25, 2.0: 5.0 + 1.5}
    assert hours(put("maxima", 1.25, 9.0).maxima) == {1.0: 9.0, 2.0: 9.0}  # no more than full


def test_spans_hold_at_every_tick_within() -> None:
    assert hours(put("minima", 0.5, 5.0, 2.5).minima) == {1.0: 5.0, 2.0: 5.0}
    assert hours(put("minima", 1.0, 5.0).minima) == {1.0: 5.0}
    assert hours(put("minima", 0.0, 5.0).minima) == {}
    assert hours(put("minima", 3.0, 5.0, 99.0).minima) == {3.0: 5.0, 4.0: 5.0}


def test_points_between_ticks_may_be_left_out() -> None:
    asked = ticks.Asked.nothing()
    moment = START + 1.5 * HOUR
    ticks.put(asked, "minima", [Segment(moment, moment, 5.0)], REACH, project=False)
    assert asked.minima == {}


def test_of_several_the_stricter_counts_and_of_targets_the_first() -> None:
    asked = ticks.Asked.nothing()
    for soc in (5.0, 6.0, 4.0):
        for kind in ("minima", "maxima", "targets"):
            segment = Segment(START + HOUR, START + HOUR, soc)
            ticks.put(asked, kind, [segment], REACH, project=True)
    assert (hours(asked.minima), hours(asked.maxima)) == ({1.0: 6.0}, {1.0: 4.0})
    assert [bound.soc_kwh for bound in asked.bounds("targets", REACH.grid)] == [5.0]


def test_a_start_that_was_measured_late_bounds_the_first_tick() -> None:
    asked = ticks.Asked.nothing()
    ticks.put_start(asked, START + 0.75 * HOUR, 5.0, REACH)
    assert (hours(asked.maxima), hours(asked.minima)) == ({1.0: 5.5}, {1.0: 4.75})
    other = ticks.Asked.nothing()
    ticks.put_start(other, START - HOUR, 5.0, REACH)
    assert other.maxima == {}


def test_nothing_is_added_to_bounds_that_a_sensor_tells() -> None:
    fixed = ticks.Reach(REACH.grid, REACH.rise_kw, REACH.fall_kw, 0.0, 9.0, frozenset(("maxima",)))
    asked = ticks.Asked.nothing()
    moment = START + 1.25 * HOUR
    ticks.put(asked, "targets", [Segment(moment, moment, 5.0)], fixed, project=True)
    assert (hours(asked.minima), hours(asked.maxima)) == ({}, {1.0: 5.25})


def test_what_only_keeps_a_target_within_reach_is_derived() -> None:
    asked = put("targets", 1.25, 5.0)
    assert [bound.derived for bound in asked.bounds("targets", REACH.grid)] == [False]
    assert [bound.derived for bound in asked.bounds("minima", REACH.grid)] == [True]
    assert [bound.derived for bound in put("minima", 1.0, 5.0).bounds("minima", REACH.grid)] == [
        False
    ]


def test_what_is_asked_for_some_time_stands_for_all_of_it_and_a_moment_for_a_quarter() -> None:
    def standing(*some: tuple[str, float, float]) -> list[float]:
        asked = ticks.Asked.nothing()
        for kind, since, until in some:
            segment = Segment(START + since * HOUR, START + until * HOUR, 5.0)
            ticks.put(asked, kind, [segment], REACH, project=True)
        return [bound.hours for bound in asked.bounds("minima", REACH.grid)]

    assert standing(("minima", 1, 4)) == [0.5, 1.0, 1.0, 0.5]
    assert standing(("minima", 0, 2)) == [1.5, 0.5]
    assert standing(("minima", 1, 2), ("minima", 2, 3)) == [0.5, 1.0, 0.5]
    assert standing(("minima", 1, 1), ("minima", 3, 3)) == [0.25, 0.25]
    assert standing(("targets", 2.5, 2.5), ("minima", 3, 3)) == [0.25, 0.25]
