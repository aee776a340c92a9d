from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flexedge.domain.asset import Knowable, Sensor, Source
from flexedge.errors import StoreError
from flexedge.store.state import State
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.placed import PlacedSensor
from flexedge.store.words import sensor_words, source_words

NOW = datetime(2026, 11, 26, tzinfo=UTC)
POWER = Sensor("battery.power", "kW", timedelta(minutes=15))
PRICE = Sensor(
    "price", "EUR/MWh", timedelta(hours=1), Knowable(days_before=1, hour=13.5, zone="CET")
)
PLANNER = Source("flexedge", "scheduler", "storage", "3", "home")


def test_a_sensor_keeps_its_number(state: State, where: Path | str) -> None:
    first, second = state.sensor_id(POWER), state.sensor_id(PRICE)
    assert first != second
    assert state.sensor_id(POWER) == first
    state.close()
    again = State(where)
    assert again.sensor_id(PRICE) == second
    assert again.sensors() == {first: POWER, second: PRICE}
    again.close()


@pytest.mark.parametrize(
    "changed",
    [
        replace(POWER, unit="W"),
        replace(POWER, resolution=timedelta(0)),
        replace(POWER, knowable=Knowable(timedelta(hours=-1))),
        replace(POWER, turns_at=99_999.9),
    ],
)
def test_a_sensor_that_changed_is_the_same_one(
    state: State, where: Path | str, changed: Sensor
) -> None:
    number = state.sensor_id(POWER)
    assert state.sensor_id(changed) == number
    assert state.sensors() == {number: changed}
    again = State(where)
    assert again.sensors() == {number: changed}
    again.close()


@pytest.mark.parametrize("part", ["name", "kind", "model", "version", "account"])
def test_a_source_that_differs_in_anything_is_another(
    state: State, where: Path | str, part: str
) -> None:
    number = state.source_id(PLANNER)
    other = replace(PLANNER, **{part: "other"})
    second = state.source_id(other)
    assert second != number
    assert state.source_id(replace(PLANNER)) == number
    again = State(where)
    assert again.sources() == {number: PLANNER, second: other}
    again.close()


def test_a_source_that_lacks_something_is_the_same_again(state: State, where: Path | str) -> None:
    meter = Source("meter", "sensor")
    number = state.source_id(meter)
    again = State(where)
    assert again.source_id(Source("meter", "sensor")) == number
    assert again.sources() == {number: meter}
    again.close()


def test_numbers_that_an_archive_knows_are_put_back(state: State, where: Path | str) -> None:
    state.sensor_id(POWER)
    state.reinstate("sensor", 40, sensor_words(PRICE))
    state.reinstate("source", 9, source_words(PLANNER))
    again = State(where)
    assert again.sensors()[40] == PRICE
    assert again.sources() == {9: PLANNER}
    assert again.sensor_id(PRICE) == 40
    assert again.source_id(PLANNER) == 9
    assert again.sensor_id(Sensor("new", "kW")) == 41
    assert again.source_id(Source("new", "sensor")) == 10
    again.close()


def test_what_is_known_already_stays_as_it_is_now(state: State) -> None:
    number = state.sensor_id(replace(POWER, unit="W"))
    source = state.source_id(PLANNER)
    state.reinstate("sensor", number, sensor_words(POWER))
    state.reinstate("source", source, source_words(PLANNER))
    assert state.sensors() == {number: replace(POWER, unit="W")}
    assert state.sources() == {source: PLANNER}


def test_the_archive_is_right_about_what_its_rows_are_of(state: State, where: Path | str) -> None:
    number = state.sensor_id(replace(POWER, name="bauuery.power"))  # a bit was lost
    source = state.source_id(replace(PLANNER, name="flexedgf"))
    state.reinstate("sensor", number, sensor_words(POWER))
    state.reinstate("source", source, source_words(PLANNER))
    again = State(where)
    for one in (state, again):
        assert one.sensors() == {number: POWER}
        assert one.sources() == {source: PLANNER}
        assert one.sensor_id(POWER) == number
        assert one.source_id(PLANNER) == source
    again.close()


def test_what_has_another_number_can_be_found_under_both(state: State) -> None:
    number, source = state.sensor_id(POWER), state.source_id(PLANNER)
    state.reinstate("sensor", 99, sensor_words(POWER))
    state.reinstate("source", 99, source_words(PLANNER))
    assert state.sensors() == {
        number: POWER,
        99: replace(POWER, name="battery.power (number 99)"),
    }
    assert state.sources() == {
        source: PLANNER,
        99: replace(PLANNER, name="flexedge (number 99)"),
    }
    assert state.sensor_id(POWER) == number


def test_numbers_that_were_mixed_up_are_refused(state: State) -> None:
    first, second = state.sensor_id(POWER), state.sensor_id(PRICE)
    words = f"number {first} is price in the archive, but battery.power in the state"
    with pytest.raises(StoreError, match=words):
        state.reinstate("sensor", first, sensor_words(PRICE))
    assert state.sensors() == {first: POWER, second: PRICE}


def test_a_number_whose_words_are_lost_is_not_given_again(state: State) -> None:
    number = state.sensor_id(POWER)
    state.reinstate("sensor", number, "no words")
    state.reinstate("sensor", number + 1, "no words")
    state.reinstate("source", 7, "no words")
    assert state.sensors() == {number: POWER, number + 1: Sensor(f"sensor {number + 1}", "")}
    assert state.sources() == {7: Source("source 7", "")}
    assert state.sensor_id(PRICE) == number + 2


def test_a_sensor_is_placed_under_an_asset(state: State, where: Path | str) -> None:
    battery = state.assets.add(Asset("garage", "battery"))
    number = state.sensor_id(POWER)
    state.placed.place(number, battery, "power", "Europe/Amsterdam", {"note": 1})
    placed = PlacedSensor("battery.power", battery, "power", "kW", timedelta(minutes=15),
                          "Europe/Amsterdam", attributes={"note": 1})  # fmt: skip
    assert placed.sensor == POWER
    assert state.placed.get(number) == placed
    assert state.placed.of(battery) == state.placed.all() == {number: placed}
    assert state.placed.of(battery + 1) == {}
    again = State(where)
    assert again.sensor_id(POWER) == number
    again.close()
    with pytest.raises(StoreError, match="no sensor 77"):
        state.placed.place(77, battery, "soc", "UTC", {})
    other = state.sensor_id(PRICE)
    with pytest.raises(StoreError, match=r"(?i)unique"):
        state.placed.place(other, battery, "power", "UTC", {})


def test_a_deleted_sensor_leaves_its_name_to_another(state: State, where: Path | str) -> None:
    asset = state.assets.add(Asset("garage", "battery"))
    number, other = state.sensor_id(POWER), state.sensor_id(PRICE)
    state.placed.place(number, asset, "power", "UTC", {})
    state.placed.remove(number, NOW)
    gone = replace(POWER, name=f"battery.power (deleted {number})")
    assert state.sensors() == {number: gone, other: PRICE}
    state.reinstate("sensor", number, sensor_words(POWER))  # of the archive, from before
    assert state.sensors()[number] == gone
    new = state.sensor_id(POWER)
    assert new not in {number, other}
    state.reinstate("sensor", number, sensor_words(POWER))
    state.placed.place(new, asset, "power", "UTC", {})
    with pytest.raises(StoreError, match=f"no sensor {number}"):
        state.placed.place(number, asset, "again", "UTC", {})
    again = State(where)
    assert again.sensors() == state.sensors() == {number: gone, other: PRICE, new: POWER}
    assert list(again.placed.all()) == [new]
    again.close()


def test_a_sensor_that_means_something_else_loses_its_asset(state: State) -> None:
    asset = state.assets.add(Asset("garage", "battery"))
    number = state.sensor_id(POWER)
    state.placed.place(number, asset, "power", "UTC", {})
    state.reinstate("sensor", number, sensor_words(replace(POWER, name="of old")))
    assert state.placed.get(number) is None
    assert state.sensors() == {number: replace(POWER, name="of old")}
