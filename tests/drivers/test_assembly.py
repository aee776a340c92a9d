from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flexedge.config.profile import ModbusProfile, MqttProfile, Profile
from flexedge.config.site import Site
from flexedge.domain.schedule import Outcome
from flexedge.drivers.assembly import Assembly, assemble
from flexedge.drivers.driver import Sample
from flexedge.drivers.line import Write
from flexedge.drivers.modbus.driver import ModbusDriver
from flexedge.drivers.mqtt.driver import MqttDriver
from flexedge.errors import ConfigError, DeviceError

DESCRIBED = {"profile": "test", "title": "Test", "provides": [], "source": "made up"}
CONTROL = {
    "battery.power": {
        "readback": "battery.power",
        "write": [{"address": 1, "setpoint": {"unit": "W"}}],
        "release": [{"address": 1, "value": 0}],
    }
}


def modbus(**connection: object) -> ModbusProfile:
    return ModbusProfile.model_validate(
        {
            **DESCRIBED,
            "driver": "modbus",
            "connection": connection,
            "points": {"battery.power": {"address": 0, "unit": "W"}},
            "control": CONTROL,
        }
    )


MQTT = MqttProfile.model_validate(
    {**DESCRIBED, "driver": "mqtt", "points": {"ev.power": {"topic": "ev", "unit": "W"}}}
)
PROFILES: Mapping[str, Profile] = {
    "battery": modbus(gap="50ms", timeout="1s"),
    "meter": modbus(gap="10ms", timeout="2s", unit=7),
    "pump": modbus(port=1502),
    "car": MQTT,
}
DEVICES: Mapping[str, Mapping[str, object]] = {
    "battery": {"profile": "test", "host": "192.0.2.1", "unit": 3},
    "meter": {"profile": "test", "host": "192.0.2.1"},
    "pump": {"profile": "test", "host": "192.0.2.1"},
    "car": {"profile": "test", "broker": "home"},
}


class Deaf:
    """A report nobody reads."""

    def read(
        self, device: str, samples: Sequence[Sample], shown: Mapping[str, float], now: datetime
    ) -> None: ...

    def failed(self, device: str, error: DeviceError, now: datetime) -> None: ...

    def wrote(self, device: str, control: str, outcome: Outcome, now: datetime) -> None: ...


def site(devices: Mapping[str, Any], **broker: str) -> Site:
    return Site.model_validate(
        {
            "site": {
                "name": "Home",
                "timezone": "Europe/Amsterdam",
                "location": {"latitude": 52, "longitude": 5},
            },
            "brokers": {"home": {"host": "192.0.2.2", **broker}},
            "devices": devices,
            "grid-connection": {"device": "meter"},
            "assets": {},
            "flex-context": {"consumption-price": "0.29 EUR/kWh"},
        }
    )


def put_together(woken: list[str] | None = None, **changes: Any) -> Assembly:
    devices = {**DEVICES, **changes}
    heard = [] if woken is None else woken
    return assemble(site(devices), PROFILES, Deaf(), heard.append)


@pytest.mark.usefixtures("installed")
class TestWithDriversInstalled:
    def test_devices_behind_one_address_share_a_line(self) -> None:
        assembly = put_together()
        assert {line.name: set(line.drivers) for line in assembly.lines} == {
            "192.0.2.1:502": {"battery", "meter"},
            "192.0.2.1:1502": {"pump"},
            "car": {"car"},
        }
        assert assembly.line_of["meter"] is assembly.line_of["battery"]
        assert isinstance(assembly.drivers["battery"], ModbusDriver)
        assert isinstance(assembly.drivers["car"], MqttDriver)

    def test_a_shared_line_has_the_patience_and_gap_of_the_neediest(self) -> None:
        assembly = put_together()
        assert assembly.line_of["meter"]._gap == timedelta(milliseconds=50)
        battery, meter = assembly.drivers["battery"], assembly.drivers["meter"]
        assert isinstance(battery, ModbusDriver)
        assert isinstance(meter, ModbusDriver)
        assert battery._client._wire is meter._client._wire
        assert meter._client._wire._timeout_s == 2.0
        assert (battery._client._unit, meter._client._unit) == (3, 7)

    def test_each_line_wakes_by_its_own_name(self) -> None:
        woken: list[str] = []
        line = put_together(woken).line_of["battery"]
        line.submit(Write("battery", "battery.power", 1.0))
        assert woken == ["192.0.2.1:502"]

    def test_nothing_is_connected_before_it_is_used_and_closing_is_harmless(self) -> None:
        assembly = put_together()
        assert not assembly.brokers["home"].connected
        assembly.close()

    def test_a_modbus_device_needs_a_host(self) -> None:
        with pytest.raises(ConfigError, match=r"devices\.pump: needs a host"):
            put_together(pump={"profile": "test"})

    def test_an_mqtt_device_needs_a_broker_that_exists(self) -> None:
        with pytest.raises(ConfigError, match=r"devices\.car: needs a broker; known are home"):
            put_together(car={"profile": "test", "broker": "work"})

    def test_a_dead_address_does_not_stop_the_line(self) -> None:
        line = put_together(battery={"profile": "test", "host": "a..b"}).line_of["battery"]
        now = datetime(2026, 11, 22, tzinfo=UTC)
        second = timedelta(seconds=1)
        assert [line.step(now), line.step(now), line.step(now + second)] == [
            now,
            now + second,
            now + second,
        ]

    def test_the_password_comes_from_its_file(self, tmp_path: Path) -> None:
        file = tmp_path / "password"
        file.write_text("secret\n")
        described = site(DEVICES, **{"username": "me", "password-file": str(file)})
        assembly = assemble(described, PROFILES, Deaf(), lambda _name: None)
        assert assembly.brokers["home"]._credentials == ("me", "secret")

    def test_a_password_file_that_is_away_is_named(self, tmp_path: Path) -> None:
        described = site(DEVICES, **{"username": "me", "password-file": str(tmp_path / "gone")})
        with pytest.raises(ConfigError, match=r"brokers\.home: its password file cannot be read"):
            assemble(described, PROFILES, Deaf(), lambda _name: None)
