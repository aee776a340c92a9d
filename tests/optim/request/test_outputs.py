"""Sensors that powers are written to."""

from datetime import timedelta

import numpy as np

from flexedge.optim.request.outputs import split
from flexedge.optim.request.source import Sensor

UP, DOWN = (Sensor(name, "kW", timedelta(hours=1), "house", None) for name in ("in", "out"))
FIXED = np.zeros(4)


def parts(up: Sensor | None, down: Sensor | None) -> list[tuple[str, str]]:
    return [(one.sensor.name, one.part) for one in split(up, down, ("battery",), FIXED)]


def test_one_sensor_gets_all_and_two_get_a_direction_each() -> None:
    assert parts(UP, None) == [("in", "all")]
    assert parts(None, DOWN) == [("out", "all")]
    assert parts(UP, DOWN) == [("in", "up"), ("out", "down")]
    assert parts(None, None) == []
