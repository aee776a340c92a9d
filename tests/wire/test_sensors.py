from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from flexedge.wire.sensors import NewSensor, SensorsAsked, SensorTold, resolution_text

NEW = {"name": "power", "unit": "kW", "event_resolution": "PT15M", "generic_asset_id": 1}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("PT15M", "PT15M"), ("PT0M", "P0D"), ("PT24H", "P1D"), ("P1D", "P1D"), ("PT1H", "PT1H"),
        ("P0DT0H5M0S", "PT5M"), ("PT90M", "PT1H30M"), ("PT5S", "PT5S"), ("P1DT6H", "P1DT6H"),
    ],
)  # fmt: skip
def test_resolutions_are_written_as_flexmeasures_does(given: str, told: str) -> None:
    body = NewSensor.model_validate(NEW | {"event_resolution": given})
    assert resolution_text(body.event_resolution) == told


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"unit": "parrots"}, "Unit 'parrots' cannot be handled."),
        ({"timezone": "Europe/Amsterdm"},
         "Invalid timezone 'Europe/Amsterdm'. Did you mean 'Europe/Amsterdam'?"),
        ({"timezone": "?"}, "Invalid timezone '?'. Example: Europe/Amsterdam."),
        ({"event_resolution": "-PT1H"}, "An event cannot last less than no time"),
        ({"event_resolution": "P40D"}, "An event of a sensor lasts 31 days at most."),
        ({"event_resolution": "P1M"}, "Months and years differ in length"),
        ({"attributes": "[]"}, "Should be a JSON object."),
        ({"name": "x" * 121}, "at most 120"),
        ({"id": 3}, "Extra inputs"),
    ],
)  # fmt: skip
def test_what_no_sensor_can_have_is_refused(body: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        NewSensor.model_validate(NEW | body)
    assert message in str(wrong.value)


@pytest.mark.parametrize("unit", ["kW", "EUR/MWh", "°C", "%", "", "m³/h", "W/m²", "dimensionless"])
def test_units_of_all_kinds_are_taken(unit: str) -> None:
    assert NewSensor.model_validate(NEW | {"unit": unit}).unit == unit


def test_an_answer_has_text_in_it() -> None:
    told = SensorTold(
        attributes={"a": 1}, entity_address="ea1", event_resolution=timedelta(0),
        generic_asset_id=1, id=2, name="soc", timezone="UTC", unit="kWh",
    )  # fmt: skip
    dumped = told.model_dump(mode="json")
    assert (dumped["attributes"], dumped["event_resolution"]) == ('{"a": 1}', "P0D")
    assert list(dumped) == sorted(dumped)


def test_queries_have_old_and_new_names() -> None:
    for query in ({"asset": "3", "account": "1"}, {"asset_id": "3", "account_id": "1"}):
        asked = SensorsAsked.model_validate(query)
        assert (asked.asset, asked.account) == (3, 1)
