from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flexedge.gateway.service.wholes import between
from flexedge.store.state import State
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.placed import PlacedSensor


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state.db")
    yield state
    state.close()


@pytest.mark.parametrize(
    ("one", "other", "asset", "expected"),
    [
        ("%", "kWh", {"flex_model": {"soc-max": "12 kWh"}}, 12.0),
        ("MWh", "%", {"flex_model": {"soc-max": "12 kWh"}}, 12.0),
        ("%", "kW", {"flex_model": {"power-capacity": "5 kW"}}, 5.0),
        ("%", "kW", {"attributes": {"capacity_in_mw": 0.5}}, 500.0),
        ("", "kWh", {"attributes": {"max_soc_in_mwh": 1}}, 1000.0),
        ("%", "kW", {"flex_model": {"power-capacity": {"sensor": 3}}}, None),
        ("%", "kW", {"attributes": {"capacity_in_mw": "much"}}, None),
        ("%", "kW", {}, None),
        ("%", "", {"flex_model": {"soc-max": "12 kWh"}}, None),
        ("kW", "kWh", {"flex_model": {"soc-max": "12 kWh"}}, None),
        ("%", "°C", {"flex_model": {"soc-max": "12 kWh"}}, None),
        ("%", "parsec", {"flex_model": {"soc-max": "12 kWh"}}, None),
    ],
)
def test_an_asset_says_what_100_percent_is(
    state: State, one: str, other: str, asset: dict[str, Any], expected: float | None
) -> None:
    number = state.assets.add(Asset("battery", "battery", **asset))
    placed = PlacedSensor("1/s", number, "s", "kW", timedelta(0), "UTC")
    assert between(one, other, placed, state) == expected


def test_what_the_sensor_says_counts_more(state: State) -> None:
    number = state.assets.add(Asset("battery", "battery", attributes={"capacity_in_mw": 1}))
    own = {"capacity_in_mw": 2}
    placed = PlacedSensor("1/s", number, "s", "kW", timedelta(0), "UTC", attributes=own)
    assert between("%", "kW", placed, state) == 2000.0
