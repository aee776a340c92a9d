"""Modes, ramps, starts, curves."""

from typing import Any

import pytest

from flexedge.errors import BadField
from flexedge.optim.device import Curve, Device
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
    assert device(minimum_power="5 kW").modes == ((0, 0),)
    assert device(minimum_power="0 kW").modes == ()
    steps = ["1 kW", "2 kW", "-1 kW", "2 kW"]
    assert device(power_steps=steps).modes == ((-1, -1), (0, 0), (1, 1), (2, 2))


def test_a_least_power_holds_in_both_directions_where_there_are_two() -> None:
    assert device(minimum_power="1.4 kW").modes == ((0, 0), (1.4, 2.0), (-2.0, -1.4))
    assert device(minimum_power="1.4 kW", production_capacity="1 kW",
                  consumption_capacity="2 kW").modes == ((0, 0), (1.4, 2.0))  # fmt: skip
    told = asked([{**BATTERY, "minimum-power": "5 kW"}]).notes
    assert told == (
        "flex-model[0].minimum-power: the device can draw 2 kW at most: it never does",
        "flex-model[0].minimum-power: the device can give 2 kW at most: it never does",
    )


def test_ramps_are_powers_per_time() -> None:
    found = device(ramp_up_limit="3 kW/h", ramp_down_limit="10 W/min", power_at_start="1 kW")
    assert (found.max_rise_kw, found.max_fall_kw) == pytest.approx((3.0, 0.6))
    assert found.power_before_kw == 1.0


def test_a_power_at_the_start_that_nothing_can_follow_is_moved() -> None:
    entry = {**BATTERY, "ramp-down-limit": "1 kW/h", "power-at-start": "9 kW"}
    found = asked([entry])
    assert found.problem.devices[0].power_before_kw == 3.0
    assert "9 kW is more than the capacities and ramps can follow: taken as 3 kW" in found.notes[0]
    assert device(ramp_up_limit="1 kW/h", power_at_start="-9 kW").power_before_kw == -3.0
    assert device(ramp_up_limit="1 kW/h", power_at_start="9 kW").power_before_kw == 9.0


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


def test_curves_cap_the_power_and_may_be_shares() -> None:
    points = [{"soc": "80%", "power": "1.5 kW"}, {"soc": "100 %", "power": "0 kW"}]
    rising = [points[0], {"soc": "90%", "power": "1.8 kW"}]
    found = device(charging_power_curve=points, discharging_power_curve=rising)
    assert found.charge_taper == Curve((8, 10), (1.5, 0))
    assert (found.max_kw[0], found.min_kw[0]) == (1.5, -1.8)


def test_wear_and_phases_and_priority() -> None:
    found = device(wear_cost="0.04 EUR/kWh", phases="L2", priority=2)
    assert (found.wear_price, found.phases, found.priority) == (0.04, (0, 1, 0), 2)
    assert device(phases="L1L3").phases == (0.5, 0, 0.5)
    assert device(phases="L1L2L3").phases == pytest.approx((1 / 3, 1 / 3, 1 / 3))


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
        ({"ramp_up_limit": "-3 kW/h"}, "ramp-up-limit: should be above 0"),
        ({"power_steps": ["0.5 kW", "2 kW"], "ramp_up_limit": "1 kW/h"},
         "ramp-up-limit: is 1 kW in one step, but power-steps are 1.5 kW apart"),
        ({"power_steps": ["1 kW"], "minimum_power": "1 kW"}, "minimum-power: and power-steps excl"),
        ({"minimum_power": "-1 kW"}, "should not be negative: it holds in both directions"),
        ({"charging_power_curve": [{"soc": "90%", "power": "-1 kW"}]}, "[0].power: should not be"),
        ({"charging_power_curve": [{"soc": "90%", "power": "1 kW"}], "soc_max": None},
         "charging-power-curve[0].soc: is a share: of what? Say soc-max"),
        ({"charging_power_curve": [{"soc": "1 kWh", "power": "0 kW"},
                                   {"soc": "2 kWh", "power": "0 kW"}]}, "is nowhere above 0 kW"),
        ({"part_load_efficiency": [{"power": "0 kW", "efficiency": 1}]}, "should be above 0: from"),
        ({"part_load_efficiency": [{"power": "1 kW", "efficiency": 1}],
          "charging_efficiency": "90%"}, "takes the place of charging-efficiency"),
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


@pytest.mark.parametrize(
    ("field", "value", "place"),
    [
        ("minimum-power", "1e200 kW", ""),
        ("power-at-start", "1e200 kW", ""),
        ("power-steps", ["1 kW", "1e200 kW"], "[1]"),
        ("operation-modes", [{"consumption-range": ["0 kW", "1e200 kW"]}], "[0].consumption-range"),
        ("charging-power-curve", [{"soc": "0 kWh", "power": "1e200 kW"}], "[0].power"),
        ("part-load-efficiency", [{"power": "1e200 kW", "efficiency": 1}], "[0].power"),
    ],
)  # fmt: skip
def test_quantities_are_of_this_world(field: str, value: Any, place: str) -> None:
    with pytest.raises(BadField, match="beyond all measure") as caught:
        asked([{**BATTERY, field: value}])
    assert caught.value.path == f"flex-model[0].{field}{place}"
