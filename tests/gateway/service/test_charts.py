import json
import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flexedge.domain.asset import Source
from flexedge.gateway.service import charts
from flexedge.gateway.service.charted import Window
from flexedge.gateway.service.charts import Shape, data, scales, source_told
from flexedge.gateway.service.panels import Fixed, Panel, Shown
from tests.web.api.asking import NOW, USER, Platform, platform

HOUR = timedelta(hours=1)
T = int(NOW.timestamp() * 1000)
WINDOW = Window(NOW, NOW + HOUR)
ANNA = {"name": "anna", "model": "", "version": "", "type": "other", "raw_type": "user",
        "display_type": "user", "description": "anna"}  # fmt: skip


def told(here: Platform, shown: Shown, shape: Shape, window: Window = WINDOW) -> Any:
    return json.loads(data(here.parts.state, here.parts.beliefs, shown, window, shape))


def alone(here: Platform, *numbers: int) -> Shown:
    found = {one: here.parts.state.placed.get(one) for one in numbers}
    return Shown((Panel(None, numbers),), {n: one for n, one in found.items() if one is not None})


def test_an_asset_tells_horizons_and_scales(tmp_path: Path) -> None:
    with platform(tmp_path) as here:
        site = here.asset("site")
        below = here.asset("100% battery", parent_id=site)
        power, price = here.sensor(below, "power"), here.sensor(site, "grid", "MW", HOUR)
        here.believe(power, NOW, [1, 2.5], NOW - HOUR)
        here.believe(price, NOW, [0.1], NOW)
        shown, source = alone(here, power, price), here.parts.beliefs.source(USER)
        compact = told(here, shown, Shape(compact=True, of_asset=True))
        assert compact["data"] == [
            {"ts": T, "sid": power, "val": 1.0, "sf": 1.0, "src": source, "bh": 4_500_000},
            {"ts": T + 900_000, "sid": power, "val": 2.5, "sf": 1.0, "src": source,
             "bh": 5_400_000},
            *({"ts": T + i * 900_000, "sid": price, "val": 0.1, "sf": 1000.0, "src": source,
               "bh": 3_600_000 + i * 900_000} for i in range(4)),
        ]  # fmt: skip
        assert compact["sensors"][str(power)] == {
            "name": "power", "unit": "kW", "event_resolution": 900.0,
            "description": "power (100% battery)", "asset_id": below,
            "asset_description": "100% battery (site)",
        }  # fmt: skip
        assert compact["sources"] == {str(source): ANNA}
        first, *_ = told(here, shown, Shape(compact=False, of_asset=True))
        assert first == {
            "event_start": T, "event_value": 1.0, "belief_horizon": 4_500_000,
            "source": {"id": source, **ANNA}, "sensor_unit": "kW", "scale_factor": 1.0,
            "sensor": {
                "asset_id": below, "id": power, "name": "power", "sensor_unit": "kW",
                "event_resolution": 900.0, "description": "power (100% battery)",
                "asset_description": "100% battery (site)",
            },
        }  # fmt: skip
        every = Window(NOW, NOW + HOUR, most_recent=False)
        assert told(here, shown, Shape(compact=True, of_asset=True), every)["data"][0]["bt"] == (
            T - 3_600_000)  # fmt: skip


def test_a_sensor_tells_belief_times_and_probabilities(tmp_path: Path) -> None:
    with platform(tmp_path) as here:
        power = here.sensor(here.asset("site"), "power")
        here.believe(power, NOW, [1], NOW)
        shown, source = alone(here, power), here.parts.beliefs.source(USER)
        compact = told(here, shown, Shape(compact=True, of_asset=False))
        assert compact["data"] == [
            {"ts": T, "sid": power, "val": 1.0, "src": source, "bt": T, "cp": 0.5}]  # fmt: skip
        (one,) = told(here, shown, Shape(compact=False, of_asset=False))
        assert one.keys() == {"event_start", "belief_time", "source", "cumulative_probability",
                              "event_value", "sensor"}  # fmt: skip
        finer = Window(NOW, NOW + HOUR, resolution=timedelta(minutes=5))
        assert len(told(here, shown, Shape(compact=False, of_asset=False), finer)) == 3


def test_a_fixed_value_is_told_from_the_start_to_the_end(tmp_path: Path) -> None:
    with platform(tmp_path) as here:
        fixed = Fixed("soc-max (site)", "kWh", 12.0, "flex-model", 1, "site")
        shown = Shown((Panel(None, (-1,)),), {}, {-1: fixed})
        compact = told(here, shown, Shape(compact=True, of_asset=True))
        assert compact["data"] == [
            {"ts": ts, "sid": -1, "val": 12.0, "bt": T, "sf": 1.0, "src": -1, "bh": 0}
            for ts in (T, T + 3_600_000)
        ]  # fmt: skip
        assert compact["sources"]["-1"]["description"] == "Configured in the asset's flex-model"
        power = here.sensor(here.asset("site"), "power")
        both = Shown(shown.panels, alone(here, power).sensors, shown.fixed)
        assert len(told(here, both, Shape(compact=False, of_asset=True))) == 5
        open_ended = Window(NOW)
        assert told(here, shown, Shape(compact=False, of_asset=True), open_ended) == []


@pytest.mark.parametrize(("units", "factors"), [
    (["MW", "kW"], [1000.0, 1.0]), (["kW", "EUR"], [1.0, 1.0]), ([], []), (["°C"], [1.0]),
])  # fmt: skip
def test_values_are_scaled_to_the_smallest_unit(units: list[str], factors: list[float]) -> None:
    assert list(scales(units).values()) == pytest.approx(factors)


def test_no_value_is_null() -> None:
    assert charts._values([1.0, math.nan, math.inf]) == [1.0, "null", "null"]


def test_sources_are_told_by_what_they_do() -> None:
    one = source_told(3, Source("Seita", "forecasting script", "naive", "1"))
    assert (one["type"], one["display_type"], one["raw_type"], one["description"]) == (
        "forecaster", "forecaster", "forecasting script",
        "Seita's naive forecasting script v1")  # fmt: skip
