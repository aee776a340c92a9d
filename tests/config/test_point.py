"""Points: what a raw number means."""

import pytest
from pydantic import ValidationError

from flexedge.config.point import ModbusPoint, MqttPoint, Register


def point(**fields: object) -> ModbusPoint:
    return ModbusPoint.model_validate({"address": 1, "unit": "W", **fields})


def test_factors_lead_to_the_sensors_unit() -> None:
    assert point(scale=-1).factor == -1e-3
    assert point(scale=-1).sensor_unit == "kW"
    assert (point(unit="%", scale=0.1).factor, point(unit="%").sensor_unit) == (0.1, "%")
    rated = point(**{"unit": "%", "relative-to": "pv.rated", "scale": -1})
    assert (rated.factor, rated.sensor_unit) == (-0.01, "kW")
    three = point(unit="A", amps={"volts": 230, "phases": 3})
    assert three.factor == pytest.approx(0.69)
    assert three.sensor_unit == "kW"
    assert point(unit="A").sensor_unit == "A"


def test_a_turnover_is_told_in_the_sensors_unit() -> None:
    wh = point(**{"unit": "Wh", "scale": 0.1, "turns-at": 100_000_000})
    assert (wh.turnover, wh.sensor_unit) == (100_000.0, "kWh")
    assert point(**{"unit": "kWh", "turns-at": 99_999.9}).turnover == 99_999.9
    assert point(unit="kWh").turnover is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"unit": "kw"}, "did you mean 'kW'"),
        ({"every": "0s"}, "greater than"),
        ({"valid": [5, 1]}, "first is above the second"),
        ({"relative-to": "pv.rated"}, 'relative-to is for unit "%"'),
        ({"amps": {}}, 'amps is for unit "A"'),
        ({"turns-at": 100}, "turns-at is for what counts energy, in kWh or Wh"),
        ({"unit": "kWh", "turns-at": 0}, "greater than 0"),
        ({"unit": "kWh", "turns-at": float("inf")}, "finite"),
        ({"sunspec": 103, "offset": 2}, "either address, or sunspec and offset"),
        ({"offset": 2}, "sunspec and offset go together"),
        ({"address": 70000}, "less than or equal to 65535"),
    ],
)
def test_points_that_contradict_themselves(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        point(**fields)
    assert said in str(caught.value)


def test_a_register_needs_a_place() -> None:
    with pytest.raises(ValidationError, match="give either address"):
        Register()


def test_a_topic_is_not_empty() -> None:
    with pytest.raises(ValidationError, match="at least 1 character"):
        MqttPoint(unit="W", topic="")
