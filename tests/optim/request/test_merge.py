"""Stored and sent."""

from typing import Any

from tests.optim.request.asking import BATTERY, PRICE, answer, asked

PLACES = {"battery": "store", "car": "garage", "load": "house"}
SENSORS = {
    name: {"unit": "kW", "resolution": "PT1H", "asset": asset} for name, asset in PLACES.items()
}
STORED = {"load": {"start": "2026-11-24T00:00:00+01:00", "resolution": "PT1H", "unit": "kW",
                   "values": [1, 1, 1, 1]}}  # fmt: skip
ASSETS: dict[str, Any] = {
    "town": {"flex-context": {**PRICE, "site-power-capacity": "9 kW"}},
    "house": {"parent": "town", "flex-context": {
        "inflexible-consumption": [{"sensor": "load"}], "site-power-capacity": "8 kW"}},
    "store": {"parent": "house", "flex-model": {"soc-max": "20 kWh", "power-capacity": "3 kW"}},
    "garage": {"parent": "house", "flex-model": {
        "consumption": {"sensor": "car"}, "power-capacity": "7 kW", "production-capacity": "0 kW"}},
}  # fmt: skip


def read(model: Any, context: Any = None) -> Any:
    return asked(
        model, {} if context is None else context, sensors=SENSORS, stored=dict(STORED),
        assets=ASSETS, asset="house",
    ).problem  # fmt: skip


def test_what_is_sent_wins_field_by_field() -> None:
    problem = read([{"sensor": "battery", "soc-at-start": "5 kWh", "power-capacity": "2 kW"}])
    by_name = {device.name: device for device in problem.devices}
    assert by_name["battery"].max_kw[0] == 2.0
    assert by_name["battery"].storage.soc_max_kwh == 20.0
    assert by_name["car"].max_kw[0] == 7.0  # stored below the asset, and not sent


def test_contexts_are_inherited_down_the_tree() -> None:
    site = read([BATTERY]).site
    assert site.import_price[0] == 0.3
    assert site.connection.power_capacity_kw[0] == 8.0
    assert site.inflexible_kw[0] == 1.0


def test_inflexible_devices_are_overridden_as_a_block() -> None:
    site = read([BATTERY], {"inflexible-production": [{"sensor": "load"}]}).site
    assert site.inflexible_kw[0] == -1.0


def test_a_list_of_contexts_is_one_per_commodity() -> None:
    gas = {"commodity": "gas", "consumption-price": "0.1 EUR/kWh"}
    boiler = {"sensor": "boiler", "commodity": "gas", "power-capacity": "2 kW", "soc-max": "0 kWh", "soc-min": "0 kWh",
              "soc-at-start": "0 kWh", "soc-usage": ["1 kW"]}  # fmt: skip
    told = answer([boiler, BATTERY], [{"commodity": "electricity", **PRICE}, gas])
    assert told["commitment-costs"]["gas net energy"] > 0.39


def test_one_entry_may_be_an_object() -> None:
    assert len(read(BATTERY).devices) == 2
