"""The site's own values."""

from datetime import time

import pytest
from pydantic import TypeAdapter, ValidationError

from flexedge.config.site import Asset, ClockTime, FilePrice, HeatBuffer, Place

_CLOCK: TypeAdapter[time] = TypeAdapter(ClockTime)


def test_clock_times() -> None:
    assert _CLOCK.validate_python("07:30") == time(7, 30)
    assert _CLOCK.validate_python(time(7)) == time(7)
    for wrong in ("7.30", "25:00", 730, "07:30+01:00", None):
        with pytest.raises(ValidationError, match="is not a time of day"):
            _CLOCK.validate_python(wrong)


def test_a_heat_buffers_capacity_follows_from_water() -> None:
    buffer = HeatBuffer.model_validate({"volume": "500 l", "min": "35 degC", "max": "55 degC"})
    assert buffer.kwh_per_kelvin == pytest.approx(0.5815)
    assert buffer.capacity_kwh == pytest.approx(11.63)


def test_roles_follow_from_types() -> None:
    assert Asset(type="heat-storage").role == "heat-pump"
    assert Asset(type="two-way_evse").role == "ev"
    assert Asset(type="building").role is None


def test_zones_and_units_are_checked() -> None:
    with pytest.raises(ValidationError, match="is no price of energy"):
        FilePrice(file="a.csv", unit="EUR/kW")
    place = Place.model_validate(
        {
            "name": "x",
            "timezone": "Europe/Berlin",
            "location": {"latitude": 1.0, "longitude": 2.0},
        }
    )
    assert place.zone.key == "Europe/Berlin"


def test_a_centre_plans_what_has_a_choice_of_its_own() -> None:
    Asset.model_validate({"type": "battery", "planner": "central"})
    Asset.model_validate({"type": "solar", "planner": "local"})
    with pytest.raises(ValidationError, match="leave planner out for solar"):
        Asset.model_validate({"type": "solar", "planner": "central"})
