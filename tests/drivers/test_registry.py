from importlib.metadata import EntryPoint

import pytest

from flexedge.drivers.modbus.driver import ModbusDriver
from flexedge.drivers.mqtt.driver import MqttDriver
from flexedge.drivers.registry import GROUP, declared, driver_class
from flexedge.errors import ConfigError

MODBUS = EntryPoint("modbus", "flexedge.drivers.modbus.driver:ModbusDriver", GROUP)


def test_the_built_in_drivers_are_declared_like_any_other(installed: dict[str, str]) -> None:
    assert {name: point.value for name, point in declared().items()} == installed
    assert driver_class("modbus") is ModbusDriver
    assert driver_class("mqtt") is MqttDriver


def test_two_drivers_of_one_name_are_refused() -> None:
    other = EntryPoint("modbus", "acme.drivers:Modbus", GROUP)
    with pytest.raises(ConfigError, match=r"'modbus' is declared twice: .*ModbusDriver and acme"):
        declared([MODBUS, other])
    assert list(declared([MODBUS, MODBUS])) == ["modbus"], "seen twice is not declared twice"


def test_an_unknown_driver_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="no driver 'knx'; installed are modbus"):
        driver_class("knx", [MODBUS])
    with pytest.raises(ConfigError, match="not installed as a package"):
        driver_class("knx", [])


@pytest.mark.parametrize("value", ["no.such.module:Driver", "flexedge.drivers.registry:NoDriver"])
def test_a_driver_that_cannot_be_loaded_is_named(value: str) -> None:
    with pytest.raises(ConfigError, match="driver 'acme' cannot be loaded"):
        driver_class("acme", [EntryPoint("acme", value, GROUP)])
