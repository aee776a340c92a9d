"""What devices do while there is no plan."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.optim.rule import Situation, rule

BATTERY = Situation("battery", 0.0, 5.0, -3.0, 3.0, 1.0, 10.0)
CAR = Situation("ev", 2.0, None, 0.0, 11.0)


@pytest.mark.parametrize(
    ("grid", "now", "expected"),
    [(2.0, 0.0, -2.0), (-2.0, 0.0, 2.0), (0.5, -2.0, -2.5), (9.0, 0.0, -3.0), (-9.0, 1.0, 3.0)],
)
def test_a_battery_brings_the_grid_to_zero(grid: float, now: float, expected: float) -> None:
    answer = rule({"b": replace(BATTERY, power_kw=now)}, grid)
    assert answer["b"] == pytest.approx(expected)


def test_an_empty_battery_gives_nothing_and_a_full_one_takes_nothing() -> None:
    assert rule({"b": replace(BATTERY, soc_kwh=1.0)}, 2.0)["b"] == 0.0
    assert rule({"b": replace(BATTERY, soc_kwh=10.0)}, -2.0)["b"] == 0.0
    assert rule({"b": replace(BATTERY, soc_kwh=10.0)}, 2.0)["b"] == pytest.approx(-2.0)


def test_what_is_unknown_is_released() -> None:
    assert rule({"b": BATTERY}, None) == {"b": None}
    assert rule({"b": replace(BATTERY, soc_kwh=None)}, 1.0) == {"b": None}
    assert rule({"b": replace(BATTERY, power_kw=None), "c": BATTERY}, 1.0) == {"b": None, "c": None}


def test_cars_charge_unless_full_and_the_rest_is_left_alone() -> None:
    heat = Situation("heat", 1.0, 5.0, 0.0, 3.0)
    pv = Situation("pv", -4.0, None, -5.0, 0.0)
    full = replace(CAR, soc_kwh=52.0, soc_max_kwh=52.0)
    answer = rule({"car": CAR, "full": full, "heat": heat, "pv": pv}, None)
    assert answer == {"car": 11.0, "full": 0.0, "heat": None, "pv": None}


def test_a_battery_that_is_not_commanded_stays_in_the_rest() -> None:
    """Its power is part of what the others answer to."""
    answer = rule({"a": BATTERY, "b": replace(BATTERY, power_kw=1.5, soc_kwh=None)}, 2.0)
    assert answer == {"a": pytest.approx(-2.0), "b": None}


@given(
    st.lists(st.tuples(st.floats(-3, 3), st.floats(0, 11)), min_size=1, max_size=4),
    st.floats(-20, 20),
)
def test_several_batteries_together_follow_without_overshooting(
    states: list[tuple[float, float]], grid: float
) -> None:
    devices = {
        f"b{i}": replace(BATTERY, power_kw=power, soc_kwh=soc)
        for i, (power, soc) in enumerate(states)
    }
    answer = rule(devices, grid)
    rest = grid - sum(power for power, _ in states)
    after = rest + sum(kw or 0.0 for kw in answer.values())
    assert abs(after) <= abs(rest) + 1e-9
    assert after * rest >= -1e-6
    assert all(-3 <= (kw or 0.0) <= 3 for kw in answer.values())
