"""Limits and efficiencies by FlexMeasures' rules."""

from typing import Any

import pytest

from flexedge.errors import BadField
from flexedge.optim.device import Device
from tests.optim.request.asking import BATTERY, PRICE, answer, asked, at, series

BARE = {"sensor": "battery"}


def device(entry: Any, context: Any = None, **more: Any) -> Device:
    return asked([{**BARE, **entry}], context, **more).problem.devices[0]


@pytest.mark.parametrize(
    ("given", "least", "most"),
    [
        ({"power-capacity": "2 kW"}, -2, 2),
        ({"power-capacity": "2 kW", "consumption-capacity": "1 kW"}, 0, 1),
        ({"power-capacity": "2 kW", "production-capacity": "5 kW"}, -2, 0),
        ({"power-capacity": "2 kW", "production-capacity": "0 kW"}, 0, 2),
        ({"consumption-capacity": "3 kW"}, 0, 3),
        ({"consumption-capacity": "3 kW", "production-capacity": "1 kW"}, -1, 3),
        ({}, -9, 9),
    ],
)
def test_capacities(given: Any, least: float, most: float) -> None:
    found = device(given, {**PRICE, "site-power-capacity": "9 kW"})
    assert (found.min_kw[0], found.max_kw[0]) == (least, most)


def test_where_the_only_capacity_is_not_known_nothing_flows() -> None:
    sensors = {"sun": {"unit": "kW", "resolution": "PT1H"}}
    found = device({"production-capacity": {"sensor": "sun"}}, sensors=sensors,
                   stored={"sun": series(3, None, 1, 2)})  # fmt: skip
    assert found.min_kw.tolist() == [-3, 0, -1, -2]


def test_negative_forecasts_are_no_capacity() -> None:
    stored = {"sun": series(-1, 2, 3, 4)}
    found = device({"consumption-capacity": "0 kW", "production-capacity": {"sensor": "sun"}},
                   stored=stored)  # fmt: skip
    assert found.min_kw.tolist() == [0, -2, -3, -4]


def test_one_way_sensors() -> None:
    for attribute, expected in (("is_strictly_non_positive", (0, 2)),
                                ("is_strictly_non_negative", (-2, 0))):  # fmt: skip
        sensors = {"battery": {"unit": "kW", "resolution": "PT1H", "attributes": {attribute: True}}}
        found = device({"power-capacity": "2 kW"}, sensors=sensors)
        assert (found.min_kw[0], found.max_kw[0]) == expected


def test_efficiencies() -> None:
    both = device({**BATTERY, "roundtrip-efficiency": "81%"})
    assert (both.charging_efficiency[0], both.discharging_efficiency[0]) == pytest.approx(  # type: ignore[index]
        (0.9, 0.9)
    )
    stored = {"cop": series(300, None, 200, 100, unit="%")}
    pump = device({**BATTERY, "charging-efficiency": {"sensor": "cop"}}, stored=stored)
    assert list(pump.charging_efficiency) == [3.0, 1.0, 2.0, 1.0]  # type: ignore[arg-type]
    assert device({**BATTERY, "discharging-efficiency": 0.5}).discharging_efficiency[0] == 0.5  # type: ignore[index]


def test_coupled_devices_have_a_direction() -> None:
    burner = device({"consumption-capacity": "5 kW", "coupling": "chp"})
    maker = device({"production-capacity": "5 kW", "coupling": "chp", "coupling-coefficient": 0.5})
    assert burner.coupling is not None
    assert maker.coupling is not None
    assert (burner.coupling.coefficient, maker.coupling.coefficient) == (1.0, -0.5)


def test_a_task_among_devices_uses_the_sun() -> None:
    stored = {"sun": series(0, 0, 3, 0)}
    context = {**PRICE, "inflexible-production": [{"sensor": "sun"}]}
    wash = {"sensor": "car", "power": "2 kW", "duration": "PT1H", "process-type": "SHIFTABLE"}
    told = answer([wash, {**BATTERY, "power-capacity": "0 kW"}], context, stored=stored)
    assert told["outputs"]["car"]["values"] == [0, 0, 2, 0]
    due = {**wash, "deadline": at(2), "power": 1, "runs": 2}
    assert answer([due, BATTERY], context, stored=stored)["outputs"]["car"]["values"][:2] == [1, 1]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({}, "power-capacity: is missing: say how much"),
        ({**BATTERY, "roundtrip-efficiency": "120%"}, "above 0 and up to 100%"),
        ({**BATTERY, "roundtrip-efficiency": "90%", "charging-efficiency": "90%"}, "exclude each"),
        ({**BATTERY, "discharging-efficiency": "0%"}, "should be at least 0.001"),
        ({**BATTERY, "coupling": "x"}, "needs exactly one directional capacity"),
        ({"consumption-capacity": "1 kW", "coupling": "x", "coupling-coefficient": 0}, "above 0"),
        ({**BATTERY, "phases": "L4"}, "should be one of L1, L2, L3, L1L2, "),
        ({"power": "2 kW", "duration": "PT1H", "runs": 0}, "should be at least 1"),
        ({"power": "2 kW", "duration": "PT1H", "time-restrictions": [{"start": at(0)}]},
         "time-restrictions[0].duration"),
        ({**BATTERY, "operation-modes": [{"consumption-range": ["5 kW", "6 kW"]}]},
         "operation-modes: none lies between -2 and 2 kW"),
        ({"power": "2 kW", "duration": "PT1H", "soc-max": "9 kWh"}, "no meaning for a process"),
        ({"power-capacity": "2 kW", "charging-power-curve": [{"soc": "1 kWh", "power": "1 kW"}]},
         "charging-power-curve: needs a state of charge: give soc-at-start"),
        ({**BATTERY, "wear-cost": "-1 EUR/kWh"}, "should be a fixed price that is not negative"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_its_path(entry: Any, told: str) -> None:
    with pytest.raises(BadField) as caught:
        device(entry)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("attributes", "least", "most"),
    [
        ({"is_strictly_non_positive": True}, 0, 2),
        ({"is_strictly_non_negative": True}, -2, 0),
        ({"is_consumer": True, "is_producer": False}, 0, 2),
        ({"is_consumer": False, "is_producer": True}, -2, 0),
        ({"is_consumer": True}, -2, 2),
        ({"is_consumer": True, "is_producer": True}, -2, 2),
    ],
)
def test_attributes_may_leave_one_way_only(attributes: Any, least: float, most: float) -> None:
    sensors = {"battery": {"unit": "kW", "resolution": "PT1H", "attributes": attributes}}
    found = device({"power-capacity": "2 kW"}, sensors=sensors)
    assert (found.min_kw[0], found.max_kw[0]) == (least, most)


def test_the_largest_of_overlapping_capacities_is_the_power_capacity() -> None:
    listed = [{"start": at(0), "duration": "PT4H", "value": f"{kw} kW"} for kw in (3, 5)]
    found = device({"consumption-capacity": listed, "production-capacity": "1 kW"},
                   {**PRICE, "relax-capacity-constraints": True})  # fmt: skip
    assert (found.min_kw[0], found.max_kw[0]) == (-5, 5)


def test_a_task_is_of_this_world() -> None:
    task = {"sensor": "boiler", "duration": "PT1H", "power": "1 kW"}
    for field, value in (("power", 1e300), ("power", "1e300 kW"), ("priority", 1e300)):
        with pytest.raises(BadField) as caught:
            asked([BATTERY, {**task, field: value}])
        assert caught.value.path == f"flex-model[1].{field}"
