import pytest
from pydantic import ValidationError

from flexedge.wire.gateway import AskLimit, AskOverride, Since

OVERRIDE = '{"asset": "battery", "action": "charge", "power": "%s", "until": "%s"}'
UNTIL = "2026-04-14T12:00:00Z"


@pytest.mark.parametrize(("text", "kw"), [("2 kW", 2.0), ("2500 W", 2.5), ("0.001 MW", 1.0)])
def test_a_power_has_a_unit(text: str, kw: float) -> None:
    assert AskOverride.model_validate_json(OVERRIDE % (text, UNTIL)).power == kw


@pytest.mark.parametrize(
    ("text", "until"),
    [("2", UNTIL), ("2 kWh", UNTIL), ("nan kW", UNTIL), ("2 kW", "2026-04-14T12:00:00"),
     ("2 kW", "soon")],
)  # fmt: skip
def test_what_has_no_unit_or_no_time_zone_is_refused(text: str, until: str) -> None:
    with pytest.raises(ValidationError):
        AskOverride.model_validate_json(OVERRIDE % (text, until))


def test_an_override_has_an_end() -> None:
    with pytest.raises(ValidationError):
        AskOverride.model_validate_json('{"asset": "battery", "action": "idle"}')


def test_limits_are_told_without_a_sign() -> None:
    text = '{"most_production": "%s", "until": "2026-04-14T12:00:00Z"}'
    assert AskLimit.model_validate_json(text % "1.5 kW").most_production == 1.5
    with pytest.raises(ValidationError):
        AskLimit.model_validate_json(text % "-1.5 kW")


def test_nobody_waits_longer_than_a_minute() -> None:
    assert Since.model_validate({}).wait == 30.0
    with pytest.raises(ValidationError):
        Since.model_validate({"wait": 61})
