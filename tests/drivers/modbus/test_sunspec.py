from typing import TYPE_CHECKING

import pytest

from flexedge.drivers.modbus.client import ModbusClient
from flexedge.drivers.modbus.sunspec import walk
from flexedge.errors import DeviceGarbled, DeviceUnreachable

if TYPE_CHECKING:
    from tests.drivers.modbus.conftest import Slave

SUNS = (0x5375, 0x6E53)
BASES = (40000, 50000, 0)


def chain(slave: "Slave", base: int, *models: tuple[int, int], end: bool = True) -> None:
    slave.put("holding", base, *SUNS)
    address = base + 2
    for model, length in models:
        slave.put("holding", address, model, length)
        address += 2 + length
    if end:
        slave.put("holding", address, 0xFFFF, 0)


@pytest.mark.parametrize("base", BASES)
def test_the_chain_is_found_at_each_base(slave: "Slave", client: ModbusClient, base: int) -> None:
    chain(slave, base, (1, 66), (103, 50), (120, 26))
    found = walk("inverter", client, BASES)
    assert found == {1: base + 2, 103: base + 70, 120: base + 122}


def test_registers_before_the_marker_do_no_harm(slave: "Slave", client: ModbusClient) -> None:
    slave.put("holding", 40000, 0, 0)
    chain(slave, 50000, (1, 65))
    assert walk("inverter", client, BASES) == {1: 50002}


def test_of_models_that_repeat_the_first_counts(slave: "Slave", client: ModbusClient) -> None:
    chain(slave, 40000, (160, 10), (160, 10))
    assert walk("inverter", client, BASES) == {160: 40002}


def test_a_chain_without_end_marker_ends_where_the_registers_do(
    slave: "Slave", client: ModbusClient
) -> None:
    chain(slave, 40000, (1, 66), end=False)
    assert walk("inverter", client, BASES) == {1: 40002}


@pytest.mark.parametrize("length", [0, 0xFFFE])
def test_an_absurd_length_is_garbled(slave: "Slave", client: ModbusClient, length: int) -> None:
    slave.put("holding", 40000, *SUNS, 103, length)
    with pytest.raises(DeviceGarbled, match=r"model 103 at 40002 claims"):
        walk("inverter", client, BASES)


def test_an_endless_chain_ends(slave: "Slave", client: ModbusClient) -> None:
    chain(slave, 40000, *[(1, 1)] * 120)
    with pytest.raises(DeviceGarbled, match="no end"):
        walk("inverter", client, BASES)


def test_no_marker_is_garbled_and_no_answer_unreachable(
    slave: "Slave", client: ModbusClient
) -> None:
    with pytest.raises(DeviceGarbled, match="no SunSpec marker at 40000, 50000, 0"):
        walk("inverter", client, BASES)
    slave.fault = lambda _asked: b""
    with pytest.raises(DeviceUnreachable):
        walk("inverter", client, BASES)
