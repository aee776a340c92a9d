"""The flex-model: FlexMeasures' field names and our own, checked."""

import json

import pytest
from pydantic import ValidationError

from flexedge.domain.flex import FlexModel
from flexedge.domain.variable import CapacityFromSensor, PowerFromSensor
from flexedge.optim.request.entries import ENTRY_FIELDS

WHOLE: dict[str, object] = {
    "commodity": "electricity",
    "consumption": {"sensor": "meter.grid.power"},
    "production": {"sensor": "meter.grid.power"},
    "group": {"asset": "feeder"},
    "inflexible-consumption": {"sensor": "shed.power"},
    "inflexible-production": {"sensor": "shed.power", "default": "1 kW"},
    "power-capacity": {"sensor": "car.allowed", "default": "11 kW"},
    "consumption-capacity": "11 kW",
    "production-capacity": {"sensor": "car.allowed", "source": "dso"},
    "operation-modes": [
        {"name": "off", "consumption-range": ["0 kW", "0 kW"]},
        {"production-range": ["2 kW", "4 kW"]},
    ],
    "coupling": "chp",
    "coupling-coefficient": 0.5,
    "state-of-charge": {"sensor": "car.soc"},
    "soc-at-start": "3 kWh",
    "soc-min": "1 kWh",
    "soc-max": "10 kWh",
    "soc-minima": "2 kWh",
    "soc-maxima": {"sensor": "car.soc", "default": "9 kWh"},
    "soc-targets": {"sensor": "car.soc", "sources": ["planner", "dso"]},
    "soc-gain": ["0.5 kW"],
    "soc-usage": [{"sensor": "heating.heat-demand", "default": "1.2 kW"}],
    "soc-value-at-end": [
        {"up-to": "5 kWh", "value": "0.3 EUR/kWh"},
        {"value": "0.1 EUR/kWh"},
    ],
    "charging-efficiency": {"sensor": "heating.cop", "default": "350%"},
    "discharging-efficiency": "95%",
    "storage-efficiency": "99%",
    "prefer-charging-sooner": False,
    "prefer-curtailing-later": False,
    "wear-cost": "0.04 EUR/kWh",
    "start-up-cost": "0.5 EUR",
    "minimum-up-time": "30 min",
    "minimum-down-time": "PT1H",
    "maximum-starts-per-day": 4,
    "ramp-up-limit": "10 kW/h",
    "ramp-down-limit": "500 W/min",
    "minimum-power": "1 kW",
    "power-steps": ["2 kW", "4 kW"],
    "charging-power-curve": [
        {"soc": "8 kWh", "power": "5 kW"},
        {"soc": "10 kWh", "power": "1 kW"},
    ],
    "discharging-power-curve": [
        {"soc": "0 kWh", "power": "1 kW"},
        {"soc": "2 kWh", "power": "5 kW"},
    ],
    "phases": "L1",
    "priority": 2,
}


def model(**fields: object) -> FlexModel:
    return FlexModel.model_validate(
        {name.replace("_", "-"): value for name, value in fields.items()},
        by_alias=True,
        by_name=False,
    )


def test_every_field_that_a_request_knows_can_be_stored_or_says_where_it_belongs() -> None:
    known = {str(field.alias) for field in FlexModel.model_fields.values()}
    assert set(ENTRY_FIELDS) - known == set()
    elsewhere = known - set(FlexModel.model_json_schema(by_alias=True)["properties"])
    told = {*WHOLE, "roundtrip-efficiency", "part-load-efficiency"}
    assert told | elsewhere == known
    for name in sorted(elsewhere):
        with pytest.raises(ValidationError) as caught:
            model(**{name: "PT1H"})
        assert "remove" in str(caught.value) or "under" in str(caught.value), name


def test_what_is_stored_is_written_as_it_was_read() -> None:
    text = json.dumps(WHOLE)
    read = FlexModel.model_validate_json(text, strict=True, by_alias=True, by_name=False)
    written = read.model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert list(written) == [name for name in (f.alias for f in FlexModel.model_fields.values())
                             if name in WHOLE]  # fmt: skip
    assert FlexModel.model_validate_json(json.dumps(written), strict=True) == read
    assert written["ramp-down-limit"] == "30.0 kW/h"
    assert written["start-up-cost"] == "0.5 EUR"
    assert written["charging-efficiency"] == {"sensor": "heating.cop", "default": "3.5"}


def test_efficiencies() -> None:
    assert model().efficiencies() == (1.0, 1.0)
    assert model(roundtrip_efficiency="81%").efficiencies() == pytest.approx((0.9, 0.9))
    assert model(charging_efficiency="350%").efficiencies() == (3.5, 1.0)
    assert model(discharging_efficiency=0.95).efficiencies() == (1.0, 0.95)
    told = {"sensor": "heating.cop", "default": "300%"}
    assert model(charging_efficiency=told).efficiencies() == (3.0, 1.0)
    assert model(charging_efficiency={"sensor": "heating.cop"}).efficiencies() == (1.0, 1.0)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"roundtrip_efficiency": "90%", "charging_efficiency": "95%"}, "not both"),
        ({"soc_min": "6 kWh", "soc_max": "5 kWh"}, "soc-min (6 kWh) lies above soc-max (5 kWh)"),
        ({"roundtrip_efficiency": "120%"}, "less than or equal to 1"),
        ({"roundtrip_efficiency": 0}, "greater than 0"),
        ({"storage_efficiency": "101%"}, "storage-efficiency should be above 0% and at most 100%"),
        ({"charging_efficiency": 0}, "charging-efficiency should be above 0%, not 0%"),
        ({"power_capacity": "-1 kW"}, "greater than or equal to 0"),
        ({"production_capacity": {"sensor": "x", "default": "-8 kW"}}, "than or equal to 0"),
        ({"consumption_capacity": "-8 kW"}, "greater than or equal to 0"),
        ({"soc_maximum": "5 kWh"}, "Extra inputs"),
        ({"soc_minima": [{"datetime": "2030-01-01T00:00Z", "value": "1 kWh"}]},
         "a series of values cannot be stored"),
        ({"soc_usage": [[{"start": "2030-01-01T00:00Z", "value": "1 kW"}]]},
         "a series of values cannot be stored"),
        ({"wear_cost": "-0.1 EUR/kWh"}, "should not be negative"),
        ({"start_up_cost": "0.5"}, "is not an amount of money; write it as '0.50 EUR'"),
        ({"ramp_up_limit": "3 kW"}, "should be a power per time, such as '10 kW/h'"),
        ({"ramp_up_limit": 3.0}, "should be a power per time"),
        ({"operation_modes": [{}]}, "a mode needs consumption-range or production-range"),
        ({"operation_modes": [{"consumption-range": ["2 kW", "1 kW"]}]}, "from the lower power"),
        ({"operation_modes": [{"consumption-range": ["1 kW", "2 kW"],
                               "production-range": ["0 kW", "2 kW"]}]}, "both start at 0 kW"),
        ({"charging_power_curve": [{"soc": "1 kWh", "power": "1 kW"}]}, "at least two points"),
        ({"charging_power_curve": [{"soc": "1 kWh", "power": "1 kW"},
                                   {"soc": "2 kWh", "power": "1 kW"},
                                   {"soc": "3 kWh", "power": "2 kW"}]}, "never turns upwards"),
        ({"part_load_efficiency": [{"power": "2 kW", "efficiency": "90%"},
                                   {"power": "1 kW", "efficiency": "80%"}]}, "rising power"),
        ({"part_load_efficiency": [{"power": "2 kW", "efficiency": "90%"}],
          "charging_efficiency": "90%"}, "part-load-efficiency or charging-efficiency, not both"),
        ({"soc_value_at_end": [{"value": "0.1 EUR/kWh"}, {"value": "0.2 EUR/kWh"}]},
         "should go up in 'up-to' and down in 'value'"),
        ({"coupling_coefficient": 2}, "coupling-coefficient needs coupling"),
        ({"phases": "L4"}, "Input should be 'L1'"),
    ],
)  # fmt: skip
def test_contradictions_are_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        model(**fields)
    assert said in str(caught.value)


def test_variable_quantities_are_fixed_or_from_a_sensor() -> None:
    found = model(
        production_capacity={"sensor": "solar.power"},
        soc_usage=["0.5 kW", {"sensor": "heating.heat-demand", "default": "1.2 kW"}],
    )
    assert found.production_capacity == CapacityFromSensor(sensor="solar.power")
    assert found.soc_usage == (
        0.5,
        PowerFromSensor.model_validate({"sensor": "heating.heat-demand", "default": "1.2 kW"}),
    )
