import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from flexedge.config.profile import ModbusProfile
from flexedge.config.site import Device
from flexedge.domain.asset import Sensor
from flexedge.domain.belief import Quality
from flexedge.drivers.driver import Driver, Poll, Sample
from flexedge.drivers.modbus.client import ModbusClient, Wire
from flexedge.drivers.modbus.driver import ModbusDriver
from flexedge.errors import DeviceGarbled, DeviceRefused, DeviceUnreachable

if TYPE_CHECKING:
    from tests.drivers.modbus.conftest import Slave

NOW = datetime(2026, 11, 22, tzinfo=UTC)
BATTERY: dict[str, Any] = {
    "profile": "test-battery",
    "title": "Battery",
    "driver": "modbus",
    "provides": ["battery"],
    "source": "made up",
    "points": {
        "battery.power": {
            "table": "input", "address": 10, "type": "int16", "unit": "W", "scale": -1,
            "every": "1s",
        },
        "battery.soc": {
            "table": "input", "address": 11, "unit": "%", "scale": 0.1, "every": "10s",
            "valid": [0, 100],
        },
    },
    "control": {
        "battery.power": {
            "readback": "battery.power",
            "range": ["-5 kW", "4 kW"],
            "refresh": "20s",
            "device-timeout": "60s",
            "fallback": [{"address": 200, "value": 1, "function": 6}],
            "enable": [{"address": 201, "value": 2, "function": 6}],
            "write": [
                {"address": 202, "type": "int32", "setpoint": {"unit": "W", "scale": -1}},
                {"address": 204, "when": {"negative": 2, "zero": 0, "positive": 1}},
            ],
            "release": [{"address": 201, "value": 0, "function": 6}],
        }
    },
}  # fmt: skip
INVERTER: dict[str, Any] = {
    "profile": "test-inverter",
    "title": "Inverter",
    "driver": "modbus",
    "provides": ["pv"],
    "source": "made up",
    "points": {
        "pv.power": {
            "sunspec": 103, "offset": 2, "exponent": 3, "type": "int16", "unit": "W", "scale": -1,
        },
        "pv.rating": {"sunspec": 120, "offset": 3, "exponent": 4, "unit": "W", "every": "1h"},
        "pv.limit": {
            "sunspec": 123, "offset": 2, "exponent": 4, "unit": "%", "relative-to": "pv.rating",
            "scale": -1,
        },
        "pv.share": {"sunspec": 123, "offset": 2, "exponent": 4, "unit": "%"},
        "pv.on": {"sunspec": 123, "offset": 3, "unit": ""},
    },
    "control": {
        "pv.power": {
            "kind": "limit",
            "readback": "pv.limit",
            "write": [
                {
                    "sunspec": 123, "offset": 2, "exponent": 4,
                    "setpoint": {
                        "unit": "%", "scale": -1, "relative-to": "pv.rating", "round": "down",
                    },
                },
                {"sunspec": 123, "offset": 3, "value": 1},
            ],
            "release": [{"sunspec": 123, "offset": 3, "value": 0}],
        }
    },
}  # fmt: skip


@pytest.fixture
def battery(slave: "Slave", client: ModbusClient) -> ModbusDriver:
    slave.put("input", 10, 0xF830, 505)  # -2000 W, discharging as the device counts
    slave.put("holding", 200, 0, 0, 0, 0, 0)
    profile = ModbusProfile.model_validate(BATTERY)
    return ModbusDriver("battery", profile, Device(profile="test-battery"), client)


@pytest.fixture
def inverter(slave: "Slave", wire: Wire) -> ModbusDriver:
    slave.put("holding", 40000, 0x5375, 0x6E53)
    slave.put("holding", 40002, 103, 2, 4000, 0)
    slave.put("holding", 40006, 120, 3, 0, 500, 1)
    slave.put("holding", 40011, 123, 3, 10000, 0, 0xFFFE)
    slave.put("holding", 40016, 0xFFFF, 0)
    profile = ModbusProfile.model_validate(INVERTER)
    client = ModbusClient("inverter", wire, 1)
    return ModbusDriver("inverter", profile, Device(profile="test-inverter"), client)


def read(driver: Driver, *points: str) -> dict[str, Sample]:
    samples = driver.read(Poll(points, timedelta(seconds=1)), NOW)
    return {sample.point: sample for sample in samples}


def test_it_describes_itself_without_asking_the_device(
    battery: ModbusDriver, slave: "Slave"
) -> None:
    assert battery.sensors["battery.power"] == Sensor("battery.power", "kW")
    assert battery.sensors["battery.soc"] == Sensor("battery.soc", "%")
    assert battery.polls == [
        Poll(("battery.power",), timedelta(seconds=1)),
        Poll(("battery.soc",), timedelta(seconds=10)),
    ]
    control = battery.controls["battery.power"]
    assert (control.range_kw, control.least_kw) == ((-5.0, 4.0), 0.0)
    assert control.refresh == timedelta(seconds=20)
    assert slave.connections == 0


def test_it_reads_in_our_units_and_signs(battery: ModbusDriver) -> None:
    samples = read(battery, "battery.power", "battery.soc")
    assert samples["battery.power"] == Sample("battery.power", 2.0)
    assert samples["battery.soc"].value == pytest.approx(50.5)
    assert battery.shown_kw("battery.power") == 2.0


def test_the_first_write_is_led_by_fallback_and_enable(
    battery: ModbusDriver, slave: "Slave"
) -> None:
    battery.write("battery.power", 1.5)
    setpoint = (202, (0xFFFF, 0xFA24))  # -1500
    assert slave.written == [(200, (1,)), (201, (2,)), setpoint, (204, (1,))]
    battery.write("battery.power", 1.5)
    assert slave.written[4:] == [setpoint, (204, (1,))]


def test_after_a_release_or_a_new_connection_it_is_armed_again(
    battery: ModbusDriver, slave: "Slave"
) -> None:
    battery.write("battery.power", 0.0)
    battery.release("battery.power")
    assert slave.written[-1] == (201, (0,))
    slave.written.clear()
    battery.write("battery.power", 0.0)
    assert [address for address, _ in slave.written] == [200, 201, 202, 204]
    battery.close()
    slave.written.clear()
    battery.write("battery.power", -2.0)
    assert slave.written == [(200, (1,)), (201, (2,)), (202, (0, 2000)), (204, (2,))]


def test_a_device_that_falls_silent_while_being_armed_is_armed_again(
    battery: ModbusDriver, slave: "Slave"
) -> None:
    slave.fault = lambda asked: b"" if asked.address == 201 else None
    with pytest.raises(DeviceUnreachable):
        battery.write("battery.power", 1.0)
    slave.fault = None
    slave.written.clear()
    battery.write("battery.power", 1.0)
    assert [address for address, _ in slave.written] == [200, 201, 202, 204]


def test_release_may_come_first_and_twice(battery: ModbusDriver, slave: "Slave") -> None:
    battery.release("battery.power")
    battery.release("battery.power")
    assert slave.written == [(201, (0,)), (201, (0,))]


@pytest.mark.parametrize(("asked_kw", "words"), [(99.0, (0xFFFF, 0xF060)), (-99.0, (0, 5000))])
def test_nothing_beyond_the_profiles_range_is_ever_written(
    battery: ModbusDriver, slave: "Slave", asked_kw: float, words: tuple[int, int]
) -> None:
    battery.write("battery.power", asked_kw)
    assert (202, words) in slave.written


@pytest.mark.parametrize("power_kw", [math.nan, math.inf])
def test_what_is_no_power_is_not_written(
    battery: ModbusDriver, slave: "Slave", power_kw: float
) -> None:
    with pytest.raises(DeviceRefused, match="is not a power"):
        battery.write("battery.power", power_kw)
    assert slave.written == []


def test_a_failed_read_shows_nothing(battery: ModbusDriver, slave: "Slave") -> None:
    read(battery, "battery.power")
    slave.fault = lambda _asked: b""
    with pytest.raises(DeviceUnreachable):
        read(battery, "battery.power")
    assert battery.shown_kw("battery.power") is None


def test_sunspec_points_are_found(inverter: ModbusDriver) -> None:
    samples = read(inverter, "pv.power", "pv.rating", "pv.share")
    assert {name: sample.value for name, sample in samples.items()} == {
        "pv.power": -4.0, "pv.rating": 5.0, "pv.share": 100.0,
    }  # fmt: skip


def test_a_share_is_told_as_power_and_its_rating_read_along_while_it_is_not_known(
    inverter: ModbusDriver, slave: "Slave"
) -> None:
    assert inverter.sensors["pv.limit"] == Sensor("pv.limit", "kW")
    assert read(inverter, "pv.limit") == {"pv.limit": Sample("pv.limit", -5.0)}
    slave.asked.clear()
    assert read(inverter, "pv.limit") == {"pv.limit": Sample("pv.limit", -5.0)}
    assert slave.reads == [(40013, 3)]
    inverter.close()
    slave.put("holding", 40009, 700)  # another inverter
    assert read(inverter, "pv.limit") == {"pv.limit": Sample("pv.limit", -7.0)}


def test_a_share_of_an_unknown_rating_is_missing(inverter: ModbusDriver, slave: "Slave") -> None:
    slave.put("holding", 40010, 0x8000)
    missing = {"pv.limit": Sample("pv.limit", None, Quality.MISSING)}
    assert read(inverter, "pv.limit") == missing
    assert inverter.shown_kw("pv.power") is None
    slave.put("holding", 40010, 1)
    assert read(inverter, "pv.limit")["pv.limit"].value == -5.0, "looked at again at once"


def test_a_limit_in_percent_of_the_rating(inverter: ModbusDriver, slave: "Slave") -> None:
    inverter.write("pv.power", -3.0)  # the rating was never read: it is now
    assert slave.written == [(40013, (6000,)), (40014, (1,))]
    assert inverter.shown_kw("pv.power") is None
    read(inverter, "pv.limit")
    assert inverter.shown_kw("pv.power") == pytest.approx(-3.0)


def test_a_limit_is_rounded_toward_zero(inverter: ModbusDriver, slave: "Slave") -> None:
    inverter.write("pv.power", -1.999)
    assert slave.written[0] == (40013, (3900,))


@pytest.mark.parametrize("rating", [0, None])
def test_a_limit_needs_a_usable_rating(
    inverter: ModbusDriver, slave: "Slave", rating: int | None
) -> None:
    slave.put("holding", 40009, rating or 0)
    if rating is None:
        slave.put("holding", 40010, 0x8000)
    with pytest.raises(DeviceRefused, match=r"value of pv\.rating"):
        inverter.write("pv.power", -3.0)
    assert slave.written == []


def test_an_unknown_scale_factor_stops_a_write(inverter: ModbusDriver, slave: "Slave") -> None:
    slave.put("holding", 40015, 0x8000)
    with pytest.raises(DeviceGarbled, match="no scale factor at 40015"):
        inverter.write("pv.power", -3.0)


def test_the_models_are_looked_for_again_on_a_new_connection(
    inverter: ModbusDriver, slave: "Slave"
) -> None:
    read(inverter, "pv.power")
    inverter.close()
    slave.put("holding", 40006, 7, 1, 0, 120, 3, 0, 500, 1, 123, 3, 10000, 0, 0xFFFE, 0xFFFF, 0)
    assert read(inverter, "pv.rating")["pv.rating"].value == pytest.approx(5.0)


def test_a_missing_model_is_named(inverter: ModbusDriver, slave: "Slave") -> None:
    slave.put("holding", 40006, 0xFFFF, 0)
    with pytest.raises(DeviceGarbled, match="no SunSpec model 120"):
        read(inverter, "pv.power")


CHARGER: dict[str, Any] = {
    **BATTERY,
    "points": {
        "ev.allowed": {
            "address": 0, "unit": "A", "scale": 0.1, "amps": {"phases": 3},
            "zero-when": {"ev.enabled": 0},
        },
        "ev.enabled": {"address": 1, "unit": "", "every": "10s"},
    },
    "control": {
        "ev.power": {
            "readback": "ev.allowed",
            "amps": {"phases": 3, "most": "16 A"},
            "write": [
                {"address": 0, "setpoint": {"unit": "A", "scale": 0.1}},
                {"address": 1, "when": {"zero": 0, "positive": 1}},
            ],
            "release": [{"address": 1, "value": 1}],
        }
    },
}  # fmt: skip


def charger(slave: "Slave", client: ModbusClient, **control: str) -> ModbusDriver:
    slave.put("holding", 0, 0, 0)
    described = {"ev.power": {**CHARGER["control"]["ev.power"], **control}}
    profile = ModbusProfile.model_validate({**CHARGER, "control": described})
    return ModbusDriver("car", profile, Device(profile="test", options={"phases": 1}), client)


def test_a_current_is_told_as_power_on_this_devices_phases_and_zero_while_switched_off(
    slave: "Slave", client: ModbusClient
) -> None:
    driver = charger(slave, client)
    assert driver.controls["ev.power"].range_kw == pytest.approx((0.0, 3.68))
    assert driver.controls["ev.power"].least_kw == pytest.approx(1.38)
    driver.write("ev.power", 2.0)
    assert slave.written == [(0, (80,)), (1, (1,))]
    assert read(driver, "ev.allowed")["ev.allowed"].value == pytest.approx(1.84)
    assert driver.shown_kw("ev.power") == pytest.approx(1.84)
    slave.put("holding", 1, 0)
    read(driver, "ev.enabled")
    assert driver.shown_kw("ev.power") == 0.0
    assert read(driver, "ev.allowed")["ev.allowed"] == Sample("ev.allowed", 0.0)


def test_a_switch_as_read_back_stands_for_what_was_written(
    slave: "Slave", client: ModbusClient
) -> None:
    driver = charger(slave, client, readback="ev.enabled")
    slave.put("holding", 1, 1)
    read(driver, "ev.enabled")
    assert driver.shown_kw("ev.power") is None, "on, but nobody said how much"
    driver.write("ev.power", 2.0)
    assert driver.shown_kw("ev.power") == pytest.approx(1.84), "what the device can do of it"
    slave.fault = lambda asked: asked.refusal(4) if asked.address == 1 else None
    with pytest.raises(DeviceRefused):
        driver.write("ev.power", 0.0)
    assert driver.shown_kw("ev.power") == pytest.approx(1.84), "still on as before"
    slave.fault = None
    driver.write("ev.power", 0.0)
    assert driver.shown_kw("ev.power") is None, "on although it was told to be off"
    read(driver, "ev.enabled")
    assert driver.shown_kw("ev.power") == 0.0
    driver.release("ev.power")
    read(driver, "ev.enabled")
    assert driver.shown_kw("ev.power") is None


def test_after_a_release_and_close_the_device_hears_no_more(
    battery: ModbusDriver, slave: "Slave"
) -> None:
    battery.write("battery.power", 1.0)
    read(battery, "battery.power")
    battery.release("battery.power")
    heard = len(slave.asked)
    battery.close()
    assert slave.hung_up.acquire(timeout=5), "the device sees the connection end"
    assert slave.asked[heard - 1].address == 201
    assert len(slave.asked) == heard


def test_an_implausible_read_back_shows_nothing(slave: "Slave", client: ModbusClient) -> None:
    described = {
        **BATTERY,
        "points": {
            "battery.power": {"address": 10, "unit": "W", "valid": [0, 100]},
        },
    }
    slave.put("holding", 10, 101)
    profile = ModbusProfile.model_validate(described)
    driver = ModbusDriver("battery", profile, Device(profile="test"), client)
    assert read(driver, "battery.power")["battery.power"].quality is Quality.IMPLAUSIBLE
    assert driver.shown_kw("battery.power") is None
