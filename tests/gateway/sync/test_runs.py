"""Rows as even runs: they say exactly what the rows say, by FlexMeasures' rules, none twice."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.domain.runs import Run
from flexedge.gateway.sync.runs import BRIDGE, Shape, Told, count, pieces, runs, told_by, told_in
from flexedge.store.rows import Beliefs, micros

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FIVE = 5 * MINUTE
MEASURED = Shape("kW", FIVE, at_once=FIVE)
STATES = Shape("%", timedelta(0), at_once=timedelta(0))
WIDER = Shape("%", FIVE, at_once=timedelta(0))
Row = tuple[int, int, float]
"""Minutes from the start to the event and to the belief, and a value."""


def rows(some: Sequence[Row], probability: float = 0.5) -> Beliefs:
    zero = micros(START)
    n = len(some)
    return Beliefs.of(
        {
            "sensor": [1] * n,
            "source": [1] * n,
            "event_us": [zero + event * 60_000_000 for event, _, _ in some],
            "belief_us": [zero + belief * 60_000_000 for _, belief, _ in some],
            "probability": [probability] * n,
            "value": [value for _, _, value in some],
        }
    )


def told(some: Sequence[Row]) -> Told:
    return told_by(rows(some), np.arange(len(some)))[0]


def expanded(some: Sequence[Run], shape: Shape) -> Mapping[tuple[datetime, datetime], float]:
    """What a server understands of runs, in the order in which they come."""
    said: dict[tuple[datetime, datetime], float] = {}
    for run in some:
        assert (run.prior is None) != (run.horizon is None)
        for place, value in enumerate(run.values):
            if value is None:
                continue
            event = run.start + place * run.step
            believed = run.prior
            if run.horizon is not None:
                believed = event + shape.lasting - run.horizon
            assert believed is not None
            assert (event, believed) not in said, "said twice"
            said[event, believed] = value
    return said


def test_values_measured_at_once_are_one_run() -> None:
    some = [(5 * n, 5 * n + 5, float(n)) for n in range(288)]
    (run,) = runs(told(some), MEASURED)
    assert (run.start, run.step, len(run.values)) == (START, FIVE, 288)
    assert (run.prior, run.horizon) == (None, timedelta(0))
    assert run.values[287] == 287.0
    assert type(run.values[0]) is float


def test_a_correction_has_its_own_belief_time() -> None:
    measured, corrected = runs(told([(0, 5, 1.0), (5, 10, 2.0), (0, 61, 1.5)]), MEASURED)
    assert measured.values == (1.0, 2.0)
    assert (corrected.values, corrected.prior) == ((1.5,), START + 61 * MINUTE)
    assert corrected.step == FIVE


def test_a_belief_comes_after_those_held_before_it() -> None:
    some = [(0, 90, 4.0), (0, 5, 1.0), (0, 61, 1.5), (0, 30, 2.0)]
    assert [run.values for run in runs(told(some), MEASURED)] == [(1.0,), (2.0,), (1.5,), (4.0,)]


def test_without_horizon_everything_has_a_prior() -> None:
    first, second = runs(told([(0, 5, 1.0), (5, 10, 2.0)]), Shape("kW", FIVE, at_once=None))
    assert (first.prior, second.prior) == (START + 5 * MINUTE, START + 10 * MINUTE)


def test_short_gaps_are_bridged_and_long_ones_are_not() -> None:
    near, far = 5 * (BRIDGE + 1), 5 * (BRIDGE + 2)
    (bridged,) = runs(told([(0, 5, 1.0), (near, near + 5, 2.0)]), MEASURED)
    assert bridged.values == (1.0, *[None] * BRIDGE, 2.0)
    assert len(list(runs(told([(0, 5, 1.0), (far, far + 5, 2.0)]), MEASURED))) == 2


def test_events_that_do_not_fit_the_step_are_runs_of_their_own() -> None:
    some = [(0, 5, 1.0), (5, 10, 2.0), (12, 17, 3.0), (17, 22, 4.0)]
    assert [run.values for run in runs(told(some), MEASURED)] == [(1.0, 2.0), (3.0, 4.0)]


def test_instants_keep_the_distance_that_most_of_them_have() -> None:
    some = [(n, n, float(n)) for n in (0, 5, 10, 20, 25, 31)]
    first, last = runs(told(some), STATES)
    assert (first.step, first.values) == (FIVE, (0.0, 5.0, 10.0, None, 20.0, 25.0))
    assert (last.step, last.values) == (timedelta(0), (31.0,))


def test_instants_are_put_off_by_a_step_where_the_centre_brings_them_forward() -> None:
    early = replace(STATES, at_once=None, early=True)
    some = told([(0, 90, 1.0), (5, 90, 2.0), (300, 91, 3.0)])
    assert [run.prior for run in runs(some, early)] == [START + 95 * MINUTE, START + 91 * MINUTE]
    whole = replace(MEASURED, at_once=None, early=True)
    assert [run.prior for run in runs(told([(0, 90, 1.0)]), whole)] == [START + 90 * MINUTE]


def test_of_one_event_and_belief_time_the_last_to_come_counts() -> None:
    made = rows([(0, 5, 1.0), (0, 5, 2.0), (5, 10, 3.0)])
    kept, left_out = told_by(made, np.array([9, 4, 2]))
    assert kept.value.tolist() == [1.0, 3.0]
    assert left_out == 0


def test_quantiles_and_infinite_values_are_left_out_and_counted() -> None:
    made = Beliefs.joined(
        [rows([(0, 5, 1.0)]), rows([(0, 5, 0.5)], 0.1), rows([(5, 10, float("inf"))])]
    )
    kept, left_out = told_by(made, np.arange(3))
    assert kept.value.tolist() == [1.0]
    assert left_out == 2


def test_nothing_makes_no_run() -> None:
    assert list(runs(told([]), MEASURED)) == []


def test_pieces_begin_and_end_with_a_value() -> None:
    run = Run(START, FIVE, (1.0, None, None, 2.0, None, None, None, None, 3.0), "kW", prior=START)
    parts = list(pieces(run, 3))
    assert [part.values for part in parts] == [(1.0,), (2.0,), (3.0,)]
    assert [part.start for part in parts] == [START, START + 3 * FIVE, START + 8 * FIVE]
    assert count(run) == 3


@pytest.mark.parametrize("shape", [MEASURED, STATES, WIDER, Shape("kW", FIVE, at_once=None)])
@given(
    some=st.lists(
        st.tuples(
            st.one_of(st.integers(0, 40).map(lambda n: 5 * n), st.integers(0, 2000)),
            st.one_of(st.just(-1), st.integers(-30, 4000)),
            st.floats(-1e6, 1e6),
        ),
        max_size=60,
    ),
    most=st.integers(1, 20),
)
def test_runs_say_what_rows_say(
    shape: Shape, some: list[tuple[int, int, float]], most: int
) -> None:
    at_once = (shape.at_once or FIVE) // MINUTE
    made = [(e, e + at_once if b == -1 else b, v) for e, b, v in some]
    said = expanded([part for run in runs(told(made), shape) for part in pieces(run, most)], shape)
    wanted = {(START + e * MINUTE, START + b * MINUTE): v for e, b, v in made}
    assert said == wanted


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("shape", [MEASURED, STATES, WIDER, Shape("kW", FIVE, at_once=None)])
@given(
    some=st.dictionaries(
        st.tuples(st.integers(0, 40).map(lambda n: 5 * n), st.sampled_from([-1, 7, 1000])),
        st.integers(-9, 9).map(float), max_size=60,
    ),
    most=st.integers(1, 20),
)  # fmt: skip
def test_what_is_in_a_run_is_what_it_was_made_of(
    shape: Shape, some: dict[tuple[int, int], float], most: int, *, early: bool
) -> None:
    shape = replace(shape, early=early)
    at_once = (FIVE if shape.at_once is None else shape.at_once) // MINUTE
    made = [(e, e + at_once if b == -1 else b, v) for (e, b), v in some.items()]
    made = list({row[:2]: row for row in made}.values())
    whole = told(made)
    parts = [part for run in runs(whole, shape) for part in pieces(run, most)]
    found = Told.joined([told_in(part, shape) for part in parts] or [whole])

    def sorted_rows(one: Told) -> list[tuple[float, ...]]:
        columns = one.event_us.tolist(), one.belief_us.tolist(), one.value.tolist()
        return sorted(zip(*columns, strict=True))

    assert sorted_rows(found) == sorted_rows(whole)
