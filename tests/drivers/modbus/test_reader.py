from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from flexedge.config.profile import ModbusProfile
from flexedge.domain.belief import Quality
from flexedge.drivers.meaning import MISSING, Judged
from flexedge.drivers.modbus.client import ModbusClient
from flexedge.drivers.modbus.reader import Place, Reader, locate
from flexedge.errors import DeviceGarbled, DeviceRefused

if TYPE_CHECKING:
    from tests.drivers.modbus.conftest import Asked, Slave


def profile(points: Mapping[str, Mapping[str, object]], **connection: object) -> ModbusProfile:
    return ModbusProfile.model_validate(
        {
            "profile": "test",
            "title": "Test",
            "driver": "modbus",
            "provides": [],
            "source": "made up",
            "connection": connection,
            "points": {name: {"unit": "", **point} for name, point in points.items()},
        }
    )


def reader(client: ModbusClient, described: ModbusProfile, **models: int) -> Reader:
    places = {int(name.removeprefix("m")): address for name, address in models.items()}
    return Reader("battery", described, places, client)


def good(*values: float) -> dict[str, Judged]:
    names = ("a.x", "a.y")
    return {name: (value, Quality.GOOD) for name, value in zip(names, values, strict=False)}


def test_one_request_reads_what_lies_together(slave: "Slave", client: ModbusClient) -> None:
    slave.put("holding", 0, 11, 0, 22)
    points = reader(client, profile({"a.x": {"address": 0}, "a.y": {"address": 2}}))
    assert points.read(["a.x", "a.y"]) == good(11.0, 22.0)
    assert slave.reads == [(0, 3)]


def test_a_refused_hole_is_left_out_from_then_on(slave: "Slave", client: ModbusClient) -> None:
    slave.put("holding", 0, 11)
    slave.put("holding", 2, 22)
    points = reader(client, profile({"a.x": {"address": 0}, "a.y": {"address": 2}}))
    for _ in range(2):
        assert points.read(["a.x", "a.y"]) == good(11.0, 22.0)
    assert slave.reads == [(0, 3), (0, 1), (2, 1), (0, 1), (2, 1)]


def test_an_optional_point_that_is_refused_is_dropped_and_the_rest_go_on(
    slave: "Slave", client: ModbusClient
) -> None:
    slave.put("holding", 0, 11, 22)
    points = reader(
        client,
        profile(
            {
                "a.x": {"address": 0},
                "a.y": {"address": 1},
                "a.z": {"address": 2, "optional": True},
            }
        ),
    )
    for _ in range(2):
        assert points.read(["a.x", "a.y", "a.z"]) == good(11.0, 22.0)
    assert slave.reads[-2:] == [(0, 1), (1, 1)], "the refused register is not asked for again"


def test_a_refused_block_does_not_take_the_others_with_it(
    slave: "Slave", client: ModbusClient
) -> None:
    slave.put("holding", 0, 11)
    slave.put("holding", 500, 22)

    def busy(asked: "Asked") -> bytes | None:
        return asked.refusal(6) if asked.address == 500 else None

    slave.fault = busy
    points = reader(client, profile({"a.x": {"address": 0}, "a.y": {"address": 500}}))
    assert points.read(["a.x", "a.y"]) == good(11.0) | {"a.y": MISSING}
    slave.fault = None
    assert points.read(["a.x", "a.y"]) == good(11.0, 22.0)


def test_refusing_everything_is_a_refusal(client: ModbusClient) -> None:
    points = reader(client, profile({"a.x": {"address": 0}, "a.y": {"address": 500}}))
    with pytest.raises(DeviceRefused, match="no register"):
        points.read(["a.x", "a.y"])


def test_exponents_are_read_along(slave: "Slave", client: ModbusClient) -> None:
    slave.put("holding", 100, 103, 4, 1234, 7, 0xFFFF, 0)
    described = profile({"pv.power": {"sunspec": 103, "offset": 2, "exponent": 4, "unit": "W"}})
    told = reader(client, described, m103=100).read(["pv.power"])
    assert told["pv.power"][0] == pytest.approx(0.1234)
    assert slave.reads == [(102, 3)]


def test_a_model_that_must_be_there_is_named(client: ModbusClient) -> None:
    needed = {"pv.power": {"sunspec": 103, "offset": 2}}
    with pytest.raises(DeviceGarbled, match=r"no SunSpec model 103, needed for pv\.power"):
        reader(client, profile(needed))
    optional = {"pv.power": {"sunspec": 103, "offset": 2, "optional": True}}
    assert reader(client, profile(optional)).read(["pv.power"]) == {}


def test_points_that_must_be_read_alone_are(slave: "Slave", client: ModbusClient) -> None:
    slave.put("holding", 0, 11, 22)
    lonely = {
        "a.x": {"address": 0, "only-read-alone": True},
        "a.y": {"address": 1, "only-read-alone": True},
    }
    reader(client, profile(lonely)).read(["a.x", "a.y"])
    assert slave.reads == [(0, 1), (1, 1)]


def test_places() -> None:
    described = profile({"a.x": {"sunspec": 1, "offset": 5, "exponent": 6}, "a.y": {"address": 3}})
    sunspec, plain = described.points["a.x"], described.points["a.y"]
    assert locate(sunspec, sunspec.exponent, {1: 40002}) == Place(40007, 40008)
    assert locate(sunspec, sunspec.exponent, {2: 40002}) is None
    assert locate(plain, 9, {}) == Place(3, 9)
