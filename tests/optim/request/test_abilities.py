"""Modes, ramps, starts, curves."""

from typing import Any

import pytest

from flexedge.errors import BadField
from flexedge.optim.device import Device
from tests.optim.request.asking import BATTERY, asked


def device(**entry: Any) -> Device:
    kebab = {key.replace("_", "-"): value for key, value in entry.items()}
    return asked([{**BATTERY, **kebab}]).problem.devices[0]


def test_modes() -> None:
    modes = [
        {"consumption-range": ["1 kW", "2 kW"]}, {"production-range": ["0.5 kW", "1 kW"]},
        {"consumption-range": ["0 kW", "0.1 kW"], "production-range": ["0 kW", "0.2 kW"]},
    ]  # fmt: skip
    assert device(operation_modes=modes).modes == ((1, 2), (-1, -0.5), (-0.2, 0.1))
    assert device(minimum_power="1.4 kW").modes == ((0, 0), (1.4, 2.0))
    assert device(minimum_power="5 kW").modes == ((0, 0),)
    assert device(power_steps=["0 kW", "1 kW", "2 kW"]).modes == ((0, 0), (1, 1), (2, 2))


def test_ramps_are_powers_per_time() -> None:
    found = device(ramp_up_limit="3 kW/h", ramp_down_limit="10 W/min", power_at_start="1 kW")
    assert (found.max_rise_kw, found.max_fall_kw) == pytest.approx((3.0, 0.6))
    assert found.power_before_kw == 1.0


def test_starts() -> None:
    running = device(
        start_up_cost="0.5 EUR", minimum_up_time="PT90M", minimum_down_time="PT2H",
        maximum_starts_per_day=3, on_at_start=True,
    ).running  # fmt: skip
    assert running is not None
    assert (running.start_price, running.min_up_steps, running.min_down_steps) == (0.5, 2, 2)
    assert (running.max_starts_per_day, running.on_before) == (3, True)
    assert device(start_up_cost=2).running is not None
    assert device().running is None


def test_curves() -> None:
    points = [{"soc": "8 kWh", "power": "2 kW"}, {"soc": "10 kWh", "power": "500 W"}]
    taper = device(charging_power_curve=points).charge_taper
    assert taper is not None
    assert (taper.x, taper.y) == ((8, 10), (2, 0.5))
    loads = [{"power": "1 kW", "efficiency": "400%"}, {"power": "2 kW", "efficiency": 3}]
    load = device(part_load_efficiency=loads, power_capacity="5 kW")
    assert load.part_load is not None
    assert (load.part_load.x, load.part_load.y) == ((0, 1, 2), (0, 4, 6))
    assert load.max_kw[0] == 2.0


def test_wear_and_phases_and_priority() -> None:
    found = device(wear_cost="0.04 EUR/kWh", phases="L2", priority=2)
    assert (found.wear_price, found.phases, found.priority) == (0.04, (0, 1, 0), 2)


BEND = [{"soc": "1 kWh", "power": "1 kW"}, {"soc": "2 kWh", "power": "1 kW"},
        {"soc": "3 kWh", "power": "2 kW"}]  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"operation_modes": [{}]}, "operation-modes[0].consumption-range: or production-range"),
        ({"operation_modes": [{"consumption-range": ["1 kW"]}]}, "should be two powers"),
        ({"operation_modes": [{"consumption-range": ["1 kW", "x"]}]}, "'x' is not a quantity"),
        ({"operation_modes": [{"consumption-range": ["2 kW", "1 kW"]}]}, "lower power to a higher"),
        ({"operation_modes": [{"consumption-range": ["1 kW", "2 kW"],
                               "production-range": ["0 kW", "1 kW"]}]}, "start at 0 kW"),
        ({"power_steps": ["x"]}, "power-steps[0]"),
        ({"ramp_up_limit": "3 kW"}, "should be a power per time"),
        ({"ramp_up_limit": "x/h"}, "'x' is not a quantity"),
        ({"start_up_cost": "cheap"}, "should be an amount of money"),
        ({"start_up_cost": "1 EURO"}, "should be an amount of money"),
        ({"maximum_starts_per_day": -1}, "should not be negative"),
        ({"charging_power_curve": [{"soc": "1 kWh"}]}, "and power are both needed"),
        ({"charging_power_curve": BEND[:1]}, "at least two points"),
        ({"charging_power_curve": BEND}, "should never turn upwards"),
        ({"part_load_efficiency": [{"power": "1 kW"}]}, "and efficiency are both needed"),
        ({"part_load_efficiency": [{"power": "2 kW", "efficiency": 1},
                                   {"power": "1 kW", "efficiency": 1}]}, "of rising power"),
        ({"power_at_start": 5}, "has no unit"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_its_path(entry: Any, told: str) -> None:
    with pytest.raises(BadField) as caught:
        device(**entry)
    assert told in str(caught.value)
