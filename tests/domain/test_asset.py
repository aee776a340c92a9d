"""Sensors and sources are values."""

from datetime import timedelta

from flexedge.domain.asset import INSTANT, Sensor, Source


def test_sensors_are_instants_unless_they_say_otherwise() -> None:
    assert Sensor("battery.power", "kW").resolution == INSTANT
    quarter = timedelta(minutes=15)
    assert Sensor("import", "EUR/kWh", quarter) != Sensor("import", "EUR/kWh")


def test_equal_values_are_the_same_key() -> None:
    assert len({Source("hybrid", "sensor"), Source("hybrid", "sensor")}) == 1


def test_a_source_is_described_as_flexmeasures_does() -> None:
    assert Source("anna", "user").description == "anna"
    assert Source("S", "scheduler", "Storage", "9").description == "S's Storage scheduler v9"
    assert Source("S", "scheduler", "StorageScheduler").description == "S's StorageScheduler model"
