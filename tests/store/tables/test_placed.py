from datetime import UTC, datetime, timedelta

import pytest

from flexedge.domain.asset import Knowable, Sensor
from flexedge.errors import StoreError
from flexedge.store.state import State
from flexedge.store.tables.assets import Asset

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
PRICE = Sensor("1/price", "EUR/MWh", timedelta(hours=1), Knowable(days_before=1, hour=12.0))


def test_a_sensor_is_renamed_in_its_place(state: State) -> None:
    home = state.assets.add(Asset("home", "building"))
    number = state.sensor_id(PRICE)
    assert state.placed.get(number) is None
    state.placed.place(number, home, "price", "Europe/Paris", {"a": 1})
    state.placed.place(number, home, "tariff", "UTC", {})
    found = state.placed.get(number)
    assert found is not None
    assert (found.key, found.name, found.timezone) == ("1/price", "tariff", "UTC")
    assert (found.attributes, found.sensor) == ({}, PRICE)
    with pytest.raises(StoreError, match="no sensor 99"):
        state.placed.place(99, home, "other", "UTC", {})


def test_a_removed_sensor_is_nowhere_and_its_number_stays(state: State) -> None:
    home = state.assets.add(Asset("home", "building"))
    number = state.sensor_id(PRICE)
    state.placed.place(number, home, "price", "UTC", {})
    state.placed.remove(number, NOW)
    assert state.placed.get(number) is None
    assert state.placed.all() == {}
    other = state.sensor_id(Sensor("1/price~2", "EUR/MWh"))
    state.placed.place(other, home, "price", "UTC", {})
    assert other > number


def test_sensors_are_found_by_their_assets_and_numbers(state: State) -> None:
    home, shed = (state.assets.add(Asset(name, "building")) for name in ("home", "shed"))
    numbers = []
    for asset, name in ((home, "price"), (shed, "load"), (home, "power")):
        numbers.append(state.sensor_id(Sensor(f"{asset}/{name}", "kW")))
        state.placed.place(numbers[-1], asset, name, "UTC", {})
    first, second, third = numbers
    assert state.placed.names([home, 99]) == {home: [(first, "price"), (third, "power")]}
    assert list(state.placed.some([third, second, 99])) == [second, third]
    assert state.placed.some([]) == {}
