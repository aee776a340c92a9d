import pytest

from flexedge.domain.measures import measure
from flexedge.gateway.sync.naming import (
    external_id,
    free_name,
    sensor_name,
    type_name,
    unit_name,
)
from flexedge.store.tables.assets import Asset

TYPES = ("solar", "wind", "one-way_evse", "two-way_evse", "battery", "building", "process",
         "heat-storage")  # fmt: skip
GATEWAY = "0b2f3c5e-97c8-4a52-8c1f-5f6d1c3a9b77"


@pytest.mark.parametrize(
    ("defined_as", "told"),
    [
        ("", "site"), ("battery", "battery"), (None, "7"), ("site", "7"), ("12", "7"),
        ("x" * 43, "x" * 43), ("x" * 44, "7"),
    ],
)  # fmt: skip
def test_external_ids_are_told_apart_and_fit(defined_as: str | None, told: str) -> None:
    asset = Asset("Some", "battery", defined_as=defined_as)
    found = external_id(GATEWAY, 7, asset)
    assert found == f"{GATEWAY}/{told}"
    assert len(found) <= 80


def test_what_sources_believe_has_a_sensor_of_its_own() -> None:
    assert [sensor_name("power", role) for role in ("", "forecast", "schedule")] == [
        "power", "power forecast", "power schedule"
    ]  # fmt: skip
    assert sensor_name("p" * 130, "forecast") == "p" * 111 + " forecast"


def test_a_name_that_is_taken_is_counted() -> None:
    assert free_name("power", {"soc"}, 120) == "power"
    assert free_name("power", {"power", "power (2)"}, 120) == "power (3)"
    assert free_name("power", {"powe", "power"}, 9) == "power (2)"
    assert free_name("power", {"power"}, 8) == "powe (2)"


@pytest.mark.parametrize(
    ("kind", "known", "told"),
    [
        ("battery", TYPES, "battery"), ("group", TYPES, "building"),
        ("converter", TYPES, "process"), ("heat-storages", TYPES, "heat-storage"),
        ("group", ("group", *TYPES), "group"), ("what", TYPES, "building"),
        ("what", ("b", "a"), "a"), ("what", (), None),
    ],
)  # fmt: skip
def test_types_are_those_that_are_known(
    kind: str, known: tuple[str, ...], told: str | None
) -> None:  # fmt: skip
    assert type_name(kind, known) == told


@pytest.mark.parametrize(
    ("unit", "told"),
    [
        ("kW", "kW"), ("", "dimensionless"), ("kvar", "kVA"), ("kvarh", "kVA*h"),
        ("m3/h", "m³/h"), ("EUR/MWh", "EUR/MWh"), ("°C", "°C"), ("m2", "m²"),
    ],
)  # fmt: skip
def test_units_are_what_flexmeasures_knows_and_numbers_stay(unit: str, told: str) -> None:
    assert unit_name(unit) == told
    assert measure(told) == measure(unit)
