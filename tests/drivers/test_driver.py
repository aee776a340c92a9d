import inspect

import pytest

from flexedge.drivers.driver import Driver
from flexedge.drivers.modbus.driver import ModbusDriver
from flexedge.drivers.mqtt.driver import MqttDriver


@pytest.mark.parametrize("built_in", [ModbusDriver, MqttDriver])
def test_the_built_in_drivers_speak_the_protocol(built_in: type) -> None:
    for name, member in vars(Driver).items():
        if name.startswith("_"):
            continue
        own = getattr(built_in, name)
        if inspect.isfunction(member):
            assert inspect.signature(own) == inspect.signature(member), name
        else:
            assert isinstance(own, property), name
