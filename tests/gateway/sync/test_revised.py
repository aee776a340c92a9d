"""Of forecasts and schedules a centre is told what is news, and in the end what counts here."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.config.centre import Report
from flexedge.gateway.sync.report import way_of
from flexedge.gateway.sync.revised import changed, newest, standing
from flexedge.gateway.sync.runs import Told
from tests.gateway.sync.test_report import FIVE, NONE, POWER, Row, said, told

PLANNED = way_of(POWER, FIVE, "kW", "schedule", Report())
HOURLY = replace(PLANNED, within=timedelta(hours=1))


def test_a_plan_that_says_the_same_but_for_rounding_is_not_told() -> None:
    before: dict[int, tuple[float, bool]] = {}
    assert len(changed(told((0, -5, 1.0), (5, -5, 2.0)), before, PLANNED)) == 2
    again = changed(told((0, -4, 1.0 + 1e-9), (5, -4, 2.1)), before, PLANNED)
    assert said(again) == [(5, -4, 2.1)]


def test_what_creeps_is_told_in_the_end() -> None:
    before: dict[int, tuple[float, bool]] = {}
    found = [len(changed(told((0, n - 9, n * 0.4e-6)), before, PLANNED)) for n in range(5)]
    assert found == [1, 0, 0, 1, 0]


def test_what_is_said_after_an_event_is_told_though_it_was_said_before_it() -> None:
    before: dict[int, tuple[float, bool]] = {}
    assert len(changed(told((0, -5, 1.0)), before, PLANNED)) == 1
    assert len(changed(told((0, 5, 1.0)), before, PLANNED)) == 1


def test_of_each_event_the_newest_is_what_was_believed_last() -> None:
    rows = told((0, -5, 1.0), (5, -4, 2.0), (5, -5, 9.0), (0, -9, 9.0))
    assert said(newest(rows)) == [(0, -5, 1.0), (5, -4, 2.0)]


def test_of_each_hour_only_what_was_believed_last_is_told() -> None:
    rows = told(*((600, minute, float(minute)) for minute in range(0, 180, 5)))
    assert said(standing(rows, rows, HOURLY)) == [
        (600, 55, 55.0),
        (600, 115, 115.0),
        (600, 175, 175.0),
    ]
    assert len(standing(rows, rows, PLANNED)) == 36
    # the rest of the hour is in another portion, or has arrived
    assert len(standing(rows.take(np.arange(11)), rows, HOURLY)) == 0


def test_what_says_the_same_as_before_is_not_told() -> None:
    rows = told(
        (600, 0, 1.0), (600, 60, 1.0), (600, 120, 1.0 + 1e-9), (600, 180, 2.0), (605, 60, 1.0)
    )
    some = [(600, 0, 1.0), (600, 180, 2.0), (605, 60, 1.0)]
    assert said(standing(rows, rows, PLANNED)) == said(standing(rows, rows, HOURLY)) == some


def test_what_creeps_is_a_change_in_the_end() -> None:
    way = replace(PLANNED, tolerance=0.25)
    rows = told(*((600, 60 * n, 1.0 + 0.1 * n) for n in range(6)))
    assert [belief for _, belief, _ in said(standing(rows, rows, way))] == [0, 180]


def test_what_counts_next_is_told_again() -> None:
    """The centre knew the 0 of before, dropped that of after the 3, and hears of the 3 only now."""
    held = told((600, 0, 0.0), (600, 60, 3.0), (600, 120, 0.0), (600, 180, 5.0), (605, 180, 9.0))
    assert said(standing(held.take(np.array([1])), held, HOURLY)) == [
        (600, 60, 3.0),
        (600, 120, 0.0),
    ]
    assert len(standing(NONE, held, HOURLY)) == 0


def test_what_takes_back_what_was_told_when_it_was_new_is_told() -> None:
    """The 1 went up at once; within its hour it gave way to what had counted in the hour before."""
    held = told((600, 10, 0.0), (600, 60, 1.0), (600, 61, 0.0))
    assert said(standing(held.take(np.array([2])), held, HOURLY)) == [(600, 61, 0.0)]


def test_what_was_said_after_an_event_counts_though_it_is_the_same() -> None:
    rows = told((0, -5, 1.0), (0, 5, 1.0), (0, 6, 1.0))
    assert said(standing(rows, rows, PLANNED)) == [(0, -5, 1.0), (0, 5, 1.0)]


class Centre:
    """Drops what says the same as the belief before it, as FlexMeasures does."""

    def __init__(self) -> None:
        self.held: dict[float, dict[float, float]] = {}

    def take(self, some: Told) -> None:
        for event, belief, value in sorted(said(some), key=lambda row: row[1]):
            of = self.held.setdefault(event, {})
            before = [one for one in of if one < belief]
            if not before or of[max(before)] != value:
                of[belief] = value

    def believed(self, event: float, until: float) -> float | None:
        of = {
            belief: value for belief, value in self.held.get(event, {}).items() if belief <= until
        }
        return of[max(of)] if of else None


@pytest.mark.parametrize("hours", [0, 1, 3])
@given(
    values=st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3), min_size=1, max_size=12),
    minutes=st.lists(st.integers(1, 50), min_size=12, max_size=12),
    live=st.sets(st.integers(0, 11)),
    cuts=st.sets(st.integers(1, 35)),
    order=st.sampled_from([1, -1]),
)
def test_whatever_goes_up_first_the_centre_ends_with_what_counts_here(
    values: list[list[int]],
    minutes: list[int],
    live: set[int],
    cuts: set[int],
    hours: int,
    order: int,
) -> None:
    """Plans for three events; some went up at once, what waited goes in pieces from either end."""
    way = replace(PLANNED, within=timedelta(hours=hours))
    made = [sum(minutes[: n + 1]) for n in range(len(values))]
    plans = [[(9000 + 5 * k, at, float(value)) for k, value in enumerate(plan)]
             for at, plan in zip(made, values, strict=True)]  # fmt: skip
    every = told(*(row for plan in plans for row in plan))
    centre, memory = Centre(), dict[int, tuple[float, bool]]()
    waits: list[Row] = []
    for n, plan in enumerate(plans):
        if n in live:
            centre.take(changed(newest(told(*plan)), memory, way))
        else:
            waits += plan
    edges = [0, *sorted(cut for cut in cuts if cut < len(waits)), len(waits)]
    pieces = [waits[first:last] for first, last in pairwise(edges)]
    for piece in pieces[::order]:
        centre.take(standing(told(*piece), every, way))
    for event in (9000, 9005, 9010):
        rows = {at: value for e, at, value in said(every) if e == event}
        assert centre.believed(event, made[-1]) == rows[made[-1]]
        if not live or not hours:  # also as of then
            ends = {at // (60 * hours): at for at in made}.values() if hours else made
            assert [centre.believed(event, at) for at in ends] == [rows[at] for at in ends]
