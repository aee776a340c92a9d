"""From the installer's files to drivers on lines. Opens no connection."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from flexedge.config import site as config
from flexedge.config.profile import ModbusProfile, MqttProfile, Profile
from flexedge.drivers.driver import Driver
from flexedge.drivers.line import Line, Report
from flexedge.drivers.modbus.client import ModbusClient, Wire
from flexedge.drivers.mqtt.broker import Broker
from flexedge.drivers.registry import driver_class
from flexedge.errors import ConfigError, Problem


@dataclass(frozen=True, slots=True)
class Assembly:
    """Everything that talks to devices. ``line_of`` says which line a device is on."""

    lines: tuple[Line, ...]
    brokers: Mapping[str, Broker]

    @property
    def line_of(self) -> Mapping[str, Line]:
        """The line of each device."""
        return {device: line for line in self.lines for device in line.drivers}

    @property
    def drivers(self) -> Mapping[str, Driver]:
        """The driver of each device."""
        return {name: driver for line in self.lines for name, driver in line.drivers.items()}

    def close(self) -> None:
        """Close all connections; to be called when no line is stepped any more."""
        for line in self.lines:
            line.close()
        for broker in self.brokers.values():
            broker.close()


def assemble(
    site: config.Site,
    profiles: Mapping[str, Profile],
    report: Report,
    wake: Callable[[str], None],
    speed: float = 1.0,
) -> Assembly:
    """Drivers, lines and brokers for the site's devices; ``profiles`` by the device's name.

    Modbus devices behind the same host and port share a line named "host:port", with the patience
    and the gap of the device that needs most; each MQTT device
    has one of its own, named after it. ``wake`` is called with the line's name when something was
    submitted to it. ``speed`` is how fast time runs: pauses inside an operation are shorter by
    it. Raises ``ConfigError``.
    """
    brokers = {name: _broker(name, broker) for name, broker in site.brokers.items()}
    lines: list[Line] = []
    for (host, port), names in _shared(site.devices, profiles).items():
        second = timedelta(seconds=1)
        timeout = max(profile.connection.timeout for profile in names.values())
        gap = max(profile.connection.gap for profile in names.values())
        wire = Wire(host, port, timeout / second, gap / second / speed)
        drivers = _on(wire, names, site.devices)
        line_name = f"{host}:{port}"
        # In faster time the wire alone keeps the gap, in wall time: a line that waited for it would
        # wait for a whole step of the shared clock.
        line_gap = gap if speed <= 1 else timedelta(0)
        lines.append(Line(line_name, drivers, report, partial(wake, line_name), line_gap))
    for name, profile in profiles.items():
        if isinstance(profile, MqttProfile):
            device = site.devices[name]
            broker = brokers.get(device.broker or "")
            if broker is None:
                raise _problem(name, f"needs a broker; known are {', '.join(brokers) or 'none'}")
            driver = driver_class(profile.driver)(name, profile, device, broker)
            lines.append(Line(name, {name: driver}, report, partial(wake, name)))
    return Assembly(tuple(lines), brokers)


def _shared(
    devices: Mapping[str, config.Device], profiles: Mapping[str, Profile]
) -> dict[tuple[str, int], dict[str, ModbusProfile]]:
    """The Modbus devices by where they are."""
    shared: dict[tuple[str, int], dict[str, ModbusProfile]] = {}
    for name, profile in profiles.items():
        if not isinstance(profile, ModbusProfile):
            continue
        device = devices[name]
        if device.host is None:
            raise _problem(name, "needs a host, the address it has in the network")
        port = profile.connection.port if device.port is None else device.port
        shared.setdefault((device.host, port), {})[name] = profile
    return shared


def _on(
    wire: Wire, mine: Mapping[str, ModbusProfile], devices: Mapping[str, config.Device]
) -> dict[str, Driver]:
    """The drivers of the devices that share a wire."""
    drivers: dict[str, Driver] = {}
    for name, profile in mine.items():
        unit = devices[name].unit
        client = ModbusClient(name, wire, profile.connection.unit if unit is None else unit)
        drivers[name] = driver_class(profile.driver)(name, profile, devices[name], client)
    return drivers


def _broker(name: str, broker: config.Broker) -> Broker:
    credentials = None
    if broker.username is not None:
        credentials = (broker.username, _password(name, broker.password_file))
    return Broker(name, broker.host, broker.port, credentials)


def _password(name: str, file: str | None) -> str | None:
    if file is None:
        return None
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        message = f"its password file cannot be read: {error}"
        raise ConfigError([Problem(f"brokers.{name}", None, None, message)]) from error


def _problem(device: str, message: str) -> ConfigError:
    return ConfigError([Problem(f"devices.{device}", None, None, message)])
