"""Control as data: what profiles may and may not say."""

import pytest
from pydantic import TypeAdapter, ValidationError

from flexedge.config.profile import ModbusControl, ModbusWrite, MqttWrite, Setpoint, Written

_WRITE = {"address": 1, "setpoint": {}}


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        (ModbusWrite, {"address": 1}, "give one of value, setpoint and when"),
        (ModbusWrite, {"address": 1, "value": 1, "setpoint": {}}, "give one of"),
        (ModbusWrite, {"address": 1, "value": 1, "table": "input"}, "only holding"),
        (ModbusWrite, {"address": 1, "value": 1, "type": "int32", "function": 6}, "use 16"),
        (ModbusWrite, {"address": 1, "value": "on"}, "a register takes a number"),
        (ModbusWrite, {"address": 1, "when": {"zero": "off", "positive": 1}}, "takes a number"),
        (MqttWrite, {"topic": "t", "value": "on", "retain": True}, "retain"),
        (Setpoint, {"unit": "kWh"}, "a setpoint is in W, kW, A or %"),
        (Setpoint, {"unit": "%"}, "go together"),
        (Setpoint, {"unit": "W", "relative-to": "pv.rated"}, "go together"),
    ],
)
def test_writes_that_cannot_be(kind: type, fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(fields)
    assert said in str(caught.value)


def test_a_message_may_be_text_chosen_by_sign() -> None:
    write = MqttWrite.model_validate({"topic": "t", "when": {"zero": "off", "positive": "on,120"}})
    assert write.when is not None
    assert (write.when.negative, write.when.zero, write.when.positive) == (None, "off", "on,120")
    assert Written(value=0).value == 0


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"refresh": "31s", "device-timeout": "60s"}, "at most half of device-timeout"),
        ({"wear": "nonvolatile"}, "needs writes-per-day"),
        ({"release": []}, "at least 1 item"),
        ({"write": []}, "at least 1 item"),
        ({"refresh": "0s"}, "greater than"),
        ({"range": ["5 kW", "-5 kW"]}, "first the smaller one"),
    ],
)
def test_controls_that_cannot_be_kept(fields: dict[str, object], said: str) -> None:
    whole = {
        "readback": "battery.power",
        "write": [_WRITE],
        "release": [{"address": 1, "value": 0}],
    }
    ModbusControl.model_validate(whole)
    with pytest.raises(ValidationError) as caught:
        ModbusControl.model_validate(whole | fields)
    assert said in str(caught.value)
