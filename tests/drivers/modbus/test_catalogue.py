"""Every shipped Modbus profile through its driver, against the registers its vendor describes."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from flexedge.config.profile import ModbusProfile
from flexedge.config.profiles import catalogue, load_profile
from flexedge.config.site import Device
from flexedge.domain.belief import Quality
from flexedge.drivers.modbus.client import ModbusClient, Wire
from flexedge.drivers.modbus.driver import ModbusDriver

if TYPE_CHECKING:
    from tests.drivers.modbus.conftest import Slave

NOW = datetime(2026, 11, 22, tzinfo=UTC)
Words = tuple[int, ...]


def packed(form: str, *numbers: float) -> Words:
    """Numbers as the device lays them out, most significant word first."""
    octets = struct.pack(f">{form}", *numbers)
    return struct.unpack(f">{len(octets) // 2}H", octets)


@dataclass(frozen=True)
class Golden:
    """``registers`` by table and first address; ``shows`` is what they mean.

    ``first`` is all that goes to a device on the first write of ``powers_kw[0]``, ``again`` what
    goes to it on the next of the same, ``released`` on a release.
    """

    registers: Mapping[tuple[str, int], Words]
    shows: Mapping[str, float]
    powers_kw: tuple[float, ...] = ()
    first: tuple[tuple[int, Words], ...] = ()
    again: tuple[tuple[int, Words], ...] = ()
    released: tuple[tuple[int, Words], ...] = ()


def sunspec() -> Mapping[tuple[str, int], Words]:
    """Models 1, 103, 120 and 123 at 40000; what is not given is 0."""
    models = {
        1: (66, {}),
        103: (50, {
            14: packed("h", 4321), 15: packed("h", -1), 24: packed("I", 1234567),
            26: packed("h", 1), 38: (5,),
        }),
        120: (26, {3: (820,), 4: packed("h", 1)}),
        123: (24, {5: (4000,), 9: (1,), 23: packed("h", -2)}),
    }  # fmt: skip
    words = [0x5375, 0x6E53]  # "SunS"
    for model, (length, content) in models.items():
        block = [model, length] + [0] * length
        for offset, value in content.items():
            block[offset : offset + len(value)] = value
        words += block
    return {("holding", 40000): (*words, 0xFFFF, 0)}


CONTROLS = 40000 + 2 + (2 + 66) + (2 + 50) + (2 + 26)  # where SunSpec model 123 begins
GOLDEN = {
    "foxess-h3": Golden(
        registers={
            ("holding", 31026): packed("3h", -200, 300, 0),  # exporting is positive
            ("holding", 31036): packed("h", 2000),  # discharging is positive
            ("holding", 31038): (57,),
            ("holding", 41000): (1,),
            ("holding", 44000): (0, 0, *packed("i", -1500)),
        },
        shows={
            "battery.power": -2.0, "battery.soc": 57.0, "battery.setpoint": 1.5,
            "grid.power-l1": 0.2, "grid.power-l2": -0.3, "grid.power-l3": 0.0,
        },
        powers_kw=(3.0, -10.0, 0.0, 0.001, 9.9995),
        first=((41000, (0,)), (44001, (60,)), (44000, (1,)), (44002, packed("i", -3000))),
        again=((44002, packed("i", -3000)),),
        released=((44002, (0, 0)), (44000, (0,))),
    ),
    "eastron-sdm630": Golden(
        registers={
            ("input", 0): packed("9f", 230.5, 231.0, 229.25, 1.5, 2.25, 3.5, 345.75, -519.5, 800.0),
            ("input", 52): packed("f", 626.25),  # importing is positive
            ("input", 70): packed("3f", 49.98, 12345.5, 678.25),
        },
        shows={
            "grid.power": 0.62625,
            "grid.power-l1": 0.34575, "grid.power-l2": -0.5195, "grid.power-l3": 0.8,
            "grid.voltage-l1": 230.5, "grid.voltage-l2": 231.0, "grid.voltage-l3": 229.25,
            "grid.current-l1": 1.5, "grid.current-l2": 2.25, "grid.current-l3": 3.5,
            "grid.frequency": 49.98,
            "grid.energy-import": 12345.5, "grid.energy-export": 678.25,
        },
    ),
    "lambda-heat-pump": Golden(
        registers={
            ("holding", 2): packed("h", -52),
            ("holding", 102): packed("h", 1800),
            ("holding", 1004): packed("h", 3525),
            ("holding", 1012): packed("2h", 2150, 412),
            ("holding", 3002): packed("h", 481),
        },
        shows={
            "heat-pump.power": 2.15, "heat-pump.cop": 4.12, "heat-pump.surplus": 1.8,
            "heat-pump.flow-temperature": 35.25, "heat-pump.buffer-temperature": 48.1,
            "heat-pump.outdoor-temperature": -5.2,
        },
        powers_kw=(2.5, 0.0, 0.4, 12.0),
        first=((102, (2500,)),),
        again=((102, (2500,)),),
        released=((102, (0,)),),
    ),
    "sunspec-pv": Golden(
        registers=sunspec(),
        shows={
            "pv.power": -0.4321, "pv.energy": 12345.67, "pv.state": 5.0, "pv.rated": 8.2,
            "pv.limit": -3.28, "pv.limit-active": 1.0,
        },
        powers_kw=(-4.1, 0.0, -8.2, -0.05, -3.333),
        first=((CONTROLS + 7, (60,)), (CONTROLS + 5, (5000,)), (CONTROLS + 9, (1,))),
        again=((CONTROLS + 5, (5000,)), (CONTROLS + 9, (1,))),
        released=((CONTROLS + 9, (0,)),),
    ),
}  # fmt: skip
CONTROLLED = [name for name, golden in GOLDEN.items() if golden.powers_kw]


def shipped() -> dict[str, ModbusProfile]:
    profiles = {name: load_profile(path) for name, path in catalogue().items()}
    return {name: one for name, one in profiles.items() if isinstance(one, ModbusProfile)}


@pytest.fixture
def driver(name: str, slave: "Slave") -> Iterator[ModbusDriver]:
    for (table, address), words in GOLDEN[name].registers.items():
        slave.put(table, address, *words)
    profile = shipped()[name]
    wire = Wire("127.0.0.1", slave.port, timeout_s=2.0)
    client = ModbusClient(name, wire, profile.connection.unit)
    yield ModbusDriver(name, profile, Device(profile=name, host="127.0.0.1"), client)
    wire.close()


def read(driver: ModbusDriver) -> dict[str, float | None]:
    samples = [sample for poll in driver.polls for sample in driver.read(poll, NOW)]
    assert all(sample.quality is Quality.GOOD for sample in samples), samples
    return {sample.point: sample.value for sample in samples}


def test_every_shipped_profile_has_its_registers_here() -> None:
    assert GOLDEN.keys() == shipped().keys()
    assert [name for name in GOLDEN if shipped()[name].control] == CONTROLLED


@pytest.mark.parametrize("name", GOLDEN)
def test_every_point_says_what_its_registers_mean(name: str, driver: ModbusDriver) -> None:
    shown = read(driver)
    assert shown.keys() == driver.sensors.keys()
    assert shown == {point: pytest.approx(value) for point, value in GOLDEN[name].shows.items()}


@pytest.mark.parametrize("name", CONTROLLED)
def test_a_written_power_is_shown(name: str, driver: ModbusDriver) -> None:
    (control,) = driver.controls.values()
    for power_kw in GOLDEN[name].powers_kw:
        driver.write(control.name, power_kw)
        read(driver)
        shown_kw = driver.shown_kw(control.name)
        assert shown_kw == pytest.approx(power_kw, abs=control.readback_tolerance_kw / 10), (
            "the register that was written is the read-back: only rounding is between them"
        )


@pytest.mark.parametrize("name", CONTROLLED)
def test_fallback_and_enable_come_first_and_once(
    name: str, driver: ModbusDriver, slave: "Slave"
) -> None:
    (control,), golden = driver.controls, GOLDEN[name]
    driver.write(control, golden.powers_kw[0])
    driver.write(control, golden.powers_kw[0])
    assert slave.written == [*golden.first, *golden.again]


@pytest.mark.parametrize("name", CONTROLLED)
def test_a_release_leaves_the_device_to_itself(
    name: str, driver: ModbusDriver, slave: "Slave"
) -> None:
    (control,), golden = driver.controls, GOLDEN[name]
    driver.write(control, golden.powers_kw[0])
    slave.written.clear()
    driver.release(control)
    read(driver)
    assert slave.written == list(golden.released), "and reading writes nothing"
    left = {("holding", at + i): word for at, words in golden.released
            for i, word in enumerate(words)}  # fmt: skip
    assert slave.words | left == slave.words
