import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from flexedge.domain.runs import Run
from flexedge.domain.schedule import Schedule
from flexedge.gateway.sync.verified import (
    LONGEST,
    MOST_VALUES,
    ROUNDING_KWH,
    Body,
    Stock,
    Unfit,
    verified,
)

NOW = datetime(2026, 4, 14, 10, 6, tzinfo=UTC)
START = NOW - timedelta(minutes=1)
STEP = timedelta(minutes=5)
UNTIL = START + timedelta(hours=6)
STOCK = Stock(5.0, 1.0, 10.0, 0.9, 0.9)
BODY = Body("battery", (-5.0, 5.0), stock=STOCK)


def run(*values: float | None, n: int = 72) -> Run:
    """Values, of which the last one goes on for six hours."""
    return Run(START, STEP, (*values, *(values[-1:] * (n - len(values)))), "kW")


def why(made: Run, body: Body = BODY, until: datetime = UNTIL) -> str:
    answer = verified(made, body, until, NOW)
    return answer.why if isinstance(answer, Unfit) else ""


def test_a_fit_schedule_is_used_as_far_as_it_is_valid() -> None:
    made = verified(run(2.0, -1.0, 0.0, n=100), BODY, UNTIL, NOW)
    assert isinstance(made, Schedule)
    assert made.asset == "battery"
    assert made.power_kw.grid.start == START
    assert made.power_kw.grid.n == 72
    assert list(made.power_kw.values[:4]) == [2.0, -1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"unit": "MW"}, "it is in 'MW', not in kW"),
        ({"unit": ""}, "it is in '', not in kW"),
        ({"values": ()}, "it has 0 values; 1 to 100000 would be right"),
        ({"values": (0.0,) * (MOST_VALUES + 1)}, "it has 100001 values"),
        ({"step": timedelta(0)}, "each value holds for 0:00:00"),
        ({"step": timedelta(minutes=-5)}, "each value holds for"),
        ({"step": timedelta(hours=2)}, "each value holds for 2:00:00; 1 s to 1:00:00"),
        ({"values": (0.0,) * 2500}, "it is longer than 8 days"),
        ({"start": START.replace(tzinfo=None)}, "its start has no offset from UTC"),
        ({"start": NOW + timedelta(seconds=1)}, "it begins only at 14 Apr 2026 10:06 UTC"),
        ({"start": NOW - timedelta(hours=6)}, "it is over since 14 Apr 2026 10:06 UTC"),
        ({"start": datetime(1, 1, 1, tzinfo=UTC)}, "it is over since 01 Jan"),
    ],
)
def test_a_schedule_of_the_wrong_form_is_none(change: dict[str, object], words: str) -> None:
    assert why(replace(run(0.0), **change)).startswith(words)  # type: ignore[arg-type]


@pytest.mark.parametrize("hole", [None, math.nan, math.inf, -math.inf, 1e300, 10**400])
def test_a_gap_where_it_is_used_makes_the_whole_of_it_unfit(hole: float | None) -> None:
    values: list[float | None] = [0.0] * 72
    assert not why(run(*values, hole, 0.0, n=80))  # after what is used
    values[-1] = hole
    assert why(run(*values)) == "it has no value at 14 Apr 16:00 UTC"


def test_one_power_too_much_makes_the_whole_of_it_unfit() -> None:
    assert not why(run(5.06, 0.0))
    assert why(run(0.0, 5.08, 0.0)) == ("it wants 5.08 kW at 14 Apr 10:10 UTC; -5 to 5 kW can be")
    assert why(run(0.0, -5.08, 0.0)).startswith("it wants -5.08 kW")


def test_what_rounding_left_is_cut_off() -> None:
    made = verified(run(5.05, -5.05, 0.0), BODY, UNTIL, NOW)
    assert isinstance(made, Schedule)
    assert list(made.power_kw.values[:2]) == [5.0, -5.0]


def test_a_storage_is_neither_overfilled_nor_emptied() -> None:
    room = ROUNDING_KWH + 0.09
    hour = [5.0] * 12
    assert not why(run(*hour, 0.0))  # 9.5 kWh
    assert not why(run(*hour, *[6 * (0.5 + room - 0.01) / 0.9] * 2, 0.0))
    assert why(run(*hour, *[6 * (0.5 + room + 0.01) / 0.9] * 2, 0.0)) == (
        "it leads to 10.15 kWh at 14 Apr 11:10 UTC; 1 to 10 kWh can be"
    )
    assert not why(run(*[-3.6] * 12, 0.0))  # all 4 kWh that are there
    assert why(run(*[-3.6] * 12, -3.6, 0.0)).startswith("it leads to 0.666667 kWh")


def test_what_flows_out_anyway_and_what_is_lost_counts() -> None:
    leaking = replace(BODY, stock=replace(STOCK, usage_kw=1.0))
    assert why(run(0.0), leaking).startswith("it leads to 0.833333 kWh at 14 Apr 14:10")
    losing = replace(BODY, stock=replace(STOCK, keep=0.9))
    # 5 kWh last for 15 quarters of an hour until 1 kWh is left.
    assert why(run(0.0), losing).startswith("it leads to 0.8")
    assert not why(run(0.0), losing, START + timedelta(hours=3))


def test_a_storage_that_is_outside_its_band_may_come_back() -> None:
    empty = replace(BODY, stock=replace(STOCK, soc_kwh=0.2))
    assert not why(run(1.0, 0.0), empty)
    assert why(run(-3.0, 0.0), empty).startswith("it leads to")


def test_it_changes_no_faster_than_the_asset_can() -> None:
    slow = replace(BODY, rise_kw_per_h=12.0, fall_kw_per_h=24.0)
    assert not why(run(0.0, 1.0, 2.0, 0.0), slow)
    assert why(run(0.0, 1.2, 0.0), slow).startswith("it changes by 14.4 kW/h at 14 Apr 10:10")
    assert why(run(0.0, 1.0, 2.0, -0.2), slow).startswith("it changes by 26.4 kW/h")


def test_without_a_storage_only_the_powers_count() -> None:
    assert not why(run(5.0), replace(BODY, stock=None))


VALUES = st.one_of(
    st.floats(-6.0, 6.0), st.floats(), st.none(), st.integers(-(10**40), 10**40), st.just(0.0)
)
RUNS = st.builds(
    Run,
    start=st.datetimes(timezones=st.just(UTC)) | st.just(START) | st.just(NOW),
    step=st.timedeltas() | st.just(STEP) | st.just(timedelta(hours=1)),
    values=st.lists(VALUES, max_size=300).map(tuple)
    | st.lists(st.floats(-1.0, 1.0), min_size=1, max_size=100).map(tuple),
    unit=st.sampled_from(("kW", "kW", "kW", "MW", "EUR/MWh", "")),
)
BODIES = st.builds(
    Body,
    asset=st.just("battery"),
    range_kw=st.tuples(st.floats(-20.0, 0.0), st.floats(0.0, 20.0)),
    rise_kw_per_h=st.none() | st.floats(0.1, 100.0),
    fall_kw_per_h=st.none() | st.floats(0.1, 100.0),
    stock=st.none()
    | st.builds(
        Stock,
        soc_kwh=st.floats(0.0, 30.0),
        low_kwh=st.floats(0.0, 5.0),
        high_kwh=st.floats(5.0, 20.0),
        charging=st.floats(0.1, 4.0),
        discharging=st.floats(0.1, 1.0),
        usage_kw=st.floats(-2.0, 2.0),
        keep=st.floats(0.5, 1.0),
    ),
)


@given(made=RUNS, body=BODIES, hours=st.floats(-1.0, 400.0))
@example(made=run(0.5, -0.5), body=BODY, hours=6.0)
def test_whatever_comes_what_is_used_is_possible(made: Run, body: Body, hours: float) -> None:
    answer = verified(made, body, NOW + timedelta(hours=hours), NOW)
    if isinstance(answer, Unfit):
        assert answer.why
        return
    grid, power = answer.power_kw.grid, answer.power_kw.values
    low, high = body.range_kw
    assert grid.start <= NOW
    assert grid.n * grid.resolution <= LONGEST
    assert np.isfinite(power).all()
    assert ((power >= low) & (power <= high)).all()
    if body.stock is not None:
        stock, soc = body.stock, body.stock.soc_kwh
        slack = ROUNDING_KWH + 0.01 * (stock.high_kwh - stock.low_kwh) + 1e-6
        cut = 0.02 + 0.01 * max(-low, high)  # what was cut off, for as long as it is
        for one in power:
            flow = one * stock.charging if one > 0 else one / stock.discharging
            kept = stock.keep ** (grid.hours / 0.25)
            soc = soc * kept + (flow - stock.usage_kw) * grid.hours
            slack += cut * max(stock.charging, 1 / stock.discharging) * grid.hours
            assert min(stock.low_kwh, stock.soc_kwh) - slack <= soc
            assert soc <= max(stock.high_kwh, stock.soc_kwh) + slack


@given(values=st.lists(st.floats(-1.0, 1.0), min_size=72, max_size=72), hole=st.integers(0, 71))
def test_one_wrong_value_is_enough(values: list[float], hole: int) -> None:
    assume(not why(run(*values)))
    for wrong in (None, math.nan, 7.0, -7.0):
        spoilt: list[float | None] = [*values]
        spoilt[hole] = wrong
        assert why(run(*spoilt))
