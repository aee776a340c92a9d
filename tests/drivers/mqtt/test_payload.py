import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.config.profile import MqttWrite
from flexedge.drivers.mqtt.payload import NotJson, raw_number, text


@pytest.mark.parametrize(
    ("payload", "path", "number"),
    [
        (b"12.5", (), 12.5),
        (b" 12 ", (), 12.0),
        (b'"12.5"', (), 12.5),
        (b"+12.5", (), 12.5),
        (b"true", (), 1.0),
        (b"false", (), 0.0),
        (b'{"nrg": [1, 2, {"p": "-3e2"}]}', ("nrg", 2, "p"), -300.0),
        (b"[1, 2, 3]", (-1,), 3.0),
        (b'{"0": 7}', (0,), 7.0),
        (b'{"a": 1, "a": 2}', ("a",), 2.0),
        (b"1e400", (), math.inf),
        (b"9" * 400, (), math.inf),
    ],
)
def test_numbers_are_found(payload: bytes, path: tuple[str | int, ...], number: float) -> None:
    assert raw_number(payload, path) == number


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        (b"", ()),
        (b"null", ()),
        (b"idle", ()),
        (b"1_000", ()),
        (b'"nan"', ()),
        (b"\xff\xfe", ()),
        (b"[" * 60000, ()),
        (b"9" * 5000, ()),
        (b"{}", ("a",)),
        (b"[1]", (1,)),
        (b"[1]", (-2,)),
        (b"[1]", ("a",)),
        (b"5", ("a",)),
        (b'{"a": {"b": 1}}', ("a",)),
        (b'{"a": null}', ("a",)),
    ],
)
def test_where_there_is_none_it_is_missing(payload: bytes, path: tuple[str | int, ...]) -> None:
    found = raw_number(payload, path)
    assert found is None or math.isinf(found)
    assert found is None or payload[:1] == b"9"


@pytest.mark.parametrize("payload", [b"", b"{", b"idle", b"\xff", b"[" * 60000, b'{"a": 1}}'])
def test_what_should_be_json_and_is_not_is_told(payload: bytes) -> None:
    with pytest.raises(NotJson):
        raw_number(payload, ("a",))


def test_nan_in_json_is_no_number_anyone_could_use() -> None:
    found = raw_number(b'{"a": NaN}', ("a",))
    assert found is not None
    assert math.isnan(found)


@given(st.binary(max_size=200), st.lists(st.text(max_size=3) | st.integers(-2, 2), max_size=3))
def test_any_payload_is_a_number_missing_or_not_json(payload: bytes, path: list[str | int]) -> None:
    try:
        found = raw_number(payload, path)
    except NotJson:
        assert path
    else:
        assert found is None or isinstance(found, float)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_json_numbers_survive(number: float) -> None:
    assert raw_number(json.dumps({"x": [number]}).encode(), ("x", 0)) == number


@pytest.mark.parametrize(
    ("written", "number", "payload"),
    [
        ({"value": "on"}, "on", "on"),
        ({"value": 2}, 2, "2"),
        ({"when": {"zero": 1, "positive": 2}}, 2, "2"),
        ({"setpoint": {"unit": "A"}}, 16.0, "16"),
        ({"setpoint": {"unit": "W"}}, 1234.5678, "1235"),
        ({"setpoint": {"unit": "kW"}}, 1.2345678, "1.235"),
        ({"setpoint": {"unit": "kW"}}, -0.0001, "0"),
        ({"setpoint": {"unit": "%", "relative-to": "pv.rating"}}, 59.7, "60"),
    ],
)
def test_commands_are_plain_numbers(
    written: dict[str, object], number: float | str, payload: str
) -> None:
    assert text(MqttWrite.model_validate({"topic": "x", **written}), number) == payload
