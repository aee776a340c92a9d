from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from flexedge.domain.belief import Quality, Reading

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

KWH_PER_K = 0.5815  # 500 l
HALF_MINUTE = timedelta(seconds=30)


def newest(world: "World", sensor: str) -> Reading:
    reading = world.gateway.latest.get(sensor)
    assert reading is not None
    return reading


@pytest.fixture
def house(hut: "Hut") -> "World":
    world = hut("battery", "solar", "house")
    world.show({"battery.power": 2.0, "solar.power": -3.0, "grid.power": 1.5})
    return world


def test_the_house_uses_what_the_meter_shows_and_nothing_else_explains(house: "World") -> None:
    house.poll()
    assert newest(house, "house.power") == Reading("house.power", house.now, 2.5, Quality.DERIVED)


def test_with_a_device_lost_nobody_knows_what_the_house_uses(house: "World") -> None:
    house.poll()
    house.away.add("inverter")
    house.now += timedelta(seconds=5)
    house.poll()
    assert newest(house, "house.power").value == pytest.approx(2.5)
    house.now += timedelta(seconds=1)
    house.poll()
    assert newest(house, "house.power") == Reading("house.power", house.now, None, Quality.MISSING)


@pytest.mark.parametrize("sensor", ["grid.power", "battery.power", "solar.power"])
def test_a_missing_flow_makes_the_house_missing_never_zero(house: "World", sensor: str) -> None:
    house.show({sensor: None})
    house.poll()
    assert newest(house, "house.power").value is None


def test_what_is_not_electric_explains_nothing_at_the_meter(hut: "Hut") -> None:
    heat = "commodities: [{commodity: gas, consumption-price: 0.1 EUR/kWh}, {commodity: heat}]"
    world = hut("gas-in", "heat-out", "house", context=heat)
    world.show({"grid.power": 1.5})
    world.poll()
    assert newest(world, "house.power").value == 1.5


def test_without_a_building_nothing_is_left_over(hut: "Hut") -> None:
    world = hut("battery")
    world.show({"battery.power": 2.0, "grid.power": 1.5})
    world.poll()
    assert world.gateway.latest.get("house.power") is None


@pytest.fixture
def heating(hut: "Hut") -> "World":
    world = hut("heating")
    world.now = datetime.fromisoformat("2026-04-14T10:00:00+00:00")
    world.show({"heating.power": 0.0, "heating.buffer-temperature": 45.0})
    return world


def demands(world: "World") -> list[tuple[datetime, float | None]]:
    world.gateway.beliefs.flush()
    rows = world.gateway.beliefs.between(
        "heating.heat-demand", world.now - timedelta(days=1), world.now
    )
    return [(row.event_start, row.value) for row in rows]


def run(world: "World", minutes: float, kelvin_per_hour: float = 0.0) -> None:
    """Half a minute at a time; the buffer's temperature changes evenly."""
    for _ in range(int(minutes * 2)):
        world.now += HALF_MINUTE
        before = world.values["heating.buffer-temperature"]
        if before is not None:
            world.show({"heating.buffer-temperature": before + kelvin_per_hour / 120})
        world.poll()


def test_a_buffer_holds_what_its_temperature_says(heating: "World") -> None:
    heating.poll()
    assert newest(heating, "heating.soc").value == pytest.approx(10 * KWH_PER_K)
    heating.show({"heating.buffer-temperature": 34.0})
    heating.poll()
    assert newest(heating, "heating.soc").value == pytest.approx(-KWH_PER_K)
    heating.show({"heating.buffer-temperature": None})
    heating.poll()
    assert newest(heating, "heating.soc") == Reading(
        "heating.soc", heating.now, None, Quality.MISSING
    )


def test_what_a_buffer_loses_without_heating_is_what_was_drawn(heating: "World") -> None:
    run(heating, 46, kelvin_per_hour=-2.0)
    ten = datetime.fromisoformat("2026-04-14T10:15:00+00:00")
    # The first quarter hour was not seen from its beginning.
    assert [began for began, _ in demands(heating)] == [ten, ten + timedelta(minutes=15)]
    assert [used for _, used in demands(heating)] == pytest.approx([2.0 * KWH_PER_K] * 2)


def test_what_the_pump_puts_in_counts_by_its_measured_cop_or_the_installers(
    heating: "World",
) -> None:
    heating.show({"heating.power": 2.0, "heating.cop": 4.0})
    run(heating, 31)
    assert demands(heating)[-1][1] == pytest.approx(8.0)
    heating.show({"heating.cop": None})
    run(heating, 30)
    assert demands(heating)[-1][1] == pytest.approx(2.0 * 3.5)


def test_a_demand_is_never_negative(heating: "World") -> None:
    run(heating, 31, kelvin_per_hour=3.0)  # the sun shines on the buffer
    assert demands(heating)[-1][1] == 0.0


def test_a_gap_in_what_is_known_begins_anew(heating: "World") -> None:
    run(heating, 31, kelvin_per_hour=-2.0)
    assert len(demands(heating)) == 1
    heating.now += timedelta(minutes=5)
    run(heating, 20, kelvin_per_hour=-2.0)
    assert len(demands(heating)) == 1  # neither that of the gap nor the rest of one
    run(heating, 15, kelvin_per_hour=-2.0)
    assert len(demands(heating)) == 2


def test_without_the_pumps_power_nobody_knows_the_demand(heating: "World") -> None:
    run(heating, 16)
    heating.show({"heating.power": None})
    run(heating, 15)
    assert demands(heating) == []
