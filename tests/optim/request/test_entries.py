"""Who is who in a flex-model."""

from typing import Any

import pytest

from flexedge.errors import BadField
from tests.optim.request.asking import BATTERY, answer, asked, series

PV = {"sensor": "pv", "consumption-capacity": "0 kW", "production-capacity": "3 kW"}
IN = {"group": {"sensor": "inverter"}}
INVERTER = {"sensor": "inverter", "power-capacity": "2 kW"}


def test_a_group_limits_its_members_and_tells_their_sum() -> None:
    told = answer([{**BATTERY, **IN}, {**PV, **IN}, INVERTER])
    assert min(told["outputs"]["inverter"]["values"]) == -2.0
    both = zip(*(told["outputs"][name]["values"] for name in ("battery", "pv")), strict=True)
    assert [sum(one) for one in both] == told["outputs"]["inverter"]["values"]


def test_groups_nest_and_hold_what_cannot_be_controlled() -> None:
    load = {"inflexible-consumption": {"sensor": "load"}, "group": {"asset": "cellar"}}
    model = [{**BATTERY, **IN}, {**INVERTER, "group": {"asset": "cellar"}}, load,
             {"asset": "cellar", "consumption-capacity": "3 kW"}]  # fmt: skip
    problem = asked(model, stored={"load": series(1, 1, 1, 1)}).problem
    by_name = {group.name: group for group in problem.groups}
    assert by_name["asset:cellar"].devices == ("battery",)
    assert list(by_name["asset:cellar"].fixed_kw) == [1, 1, 1, 1]  # type: ignore[arg-type]
    assert problem.site.inflexible_kw.tolist() == [1, 1, 1, 1]


def test_a_stock_may_be_described_apart_from_what_feeds_it() -> None:
    soc = {"state-of-charge": {"sensor": "soc"}}
    pump = {"sensor": "battery", "power-capacity": "2 kW", "charging-efficiency": "300%", **soc}
    heater = {"sensor": "boiler", "power-capacity": "5 kW", "production-capacity": "0 kW", **soc}
    tank = {"soc-at-start": "2 kWh", "soc-min": "0 kWh", "soc-max": "9 kWh",
            "soc-usage": ["7 kW"], **soc}  # fmt: skip
    told = answer([{**pump, "production-capacity": "0 kW"}, heater, tank])
    assert told["outputs"]["battery"]["values"] == [2.0] * 4
    assert sum(told["outputs"]["boiler"]["values"]) == pytest.approx(7 * 4 - 2 - 6 * 4)
    assert told["outputs"]["soc"]["values"][0] == 2.0
    assert len(told["outputs"]["soc"]["values"]) == 5


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ([{**BATTERY, "soc_max": "5 kWh"}], "flex-model[0].soc_max: there is no such field; did"),
        ([BATTERY, BATTERY], "flex-model[1].sensor: 'battery' is used by two entries"),
        ([{**BATTERY, "sensor": "nobody"}], "flex-model[0].sensor: there is no sensor 'nobody'"),
        ([{**BATTERY, **IN}], "flex-model[0].group: there is no entry for the sensor 'inverter'"),
        ([{**BATTERY, **IN}, {**INVERTER, **IN}], "groups contain each other"),
        ([{**BATTERY, **IN}, {"sensor": "inverter"}], "power-capacity: is missing: a group"),
        ([{**BATTERY, **IN}, {**INVERTER, "soc-max": "5 kWh"}], "a group only has power-capacity"),
        ([{**BATTERY, **IN}, {**PV, **IN, "commodity": "gas"}, INVERTER], "need one commodity"),
        ([{**BATTERY, "group": {"asset": "a", "x": 1}}], "group.x: there is no such field"),
        ([], "flex-model: names no device to be scheduled"),
    ],
)
def test_what_is_wrong_is_told_by_its_path(model: Any, told: str) -> None:
    with pytest.raises(BadField) as caught:
        asked(model)
    assert told in str(caught.value)


def test_a_single_device_needs_no_sensor_of_its_own() -> None:
    model = {key: value for key, value in BATTERY.items() if key != "sensor"}
    told = answer([{**model, "consumption": {"sensor": "out"}}])
    assert told["outputs"]["out"]["values"][0] == -2.0
    assert list(told["soc"]) == ["out"]
