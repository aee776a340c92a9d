import json
from typing import Any

import pytest

from flexedge.gateway.service.panels import Fixed, Panel, Shown
from flexedge.gateway.service.vega import of_asset, of_sensor, sized
from flexedge.store.tables.placed import PlacedSensor
from tests.web.api.asking import QUARTER

POWER = PlacedSensor("a", 1, "power", "kW", QUARTER, "UTC")
LEVEL = PlacedSensor("b", 1, "level", "%", 0 * QUARTER, "UTC")
SHOWN = Shown(
    (Panel("Power", (1, -1)), Panel(None, (2,), [0, 100])), {1: POWER, 2: LEVEL},
    {-1: Fixed("limit", "kW", 5.0, "flex-model", 1, "site")},
)  # fmt: skip


def test_an_asset_has_a_chart_for_each_panel_over_one_set_of_data() -> None:
    spec = of_asset(SHOWN, "asset_1", combined=False)
    first, second = spec["vconcat"]
    assert (first["title"], "title" in second) == ("Power", False)
    assert [layer["transform"][0]["filter"]["oneOf"] for layer in first["layer"]] == [[1], [-1]]
    assert [layer["mark"]["interpolate"] for layer in first["layer"]] == ["step-after", "linear"]
    assert first["layer"][0]["encoding"]["y"]["title"] == "(kW)"
    assert second["layer"][0]["encoding"]["y"]["title"] == "Level (%)"
    assert (spec["data"], spec["datasets"]) == ({"name": "asset_1"}, {"asset_1": []})
    assert spec["resolve"]["scale"] == {"x": "shared", "color": "independent"}
    json.dumps(spec)


@pytest.mark.parametrize(("axis", "scale"), [
    ("zero", {"zero": True}), ("data", {"zero": False}),
    ([0, 5], {"domain": {"unionWith": [0, 5]}}),
    ({"min": 0, "max": 5}, {"domain": [0, 5], "clamp": True}),
])  # fmt: skip
def test_an_axis_reaches_as_far_as_is_asked(axis: Any, scale: Any) -> None:
    spec = of_asset(Shown((Panel(None, (1,), axis),), {1: POWER}), "a")
    assert spec["vconcat"][0]["layer"][0]["encoding"]["y"]["scale"] == scale


def test_remarks_are_drawn_behind() -> None:
    for chart in of_asset(SHOWN, "a", notes=True)["vconcat"]:
        assert chart["layer"][0]["data"] == {"name": "a_annotations"}
    assert len(of_sensor(POWER, 1, "a", "bar_chart", notes=True)["layer"]) == 2


@pytest.mark.parametrize(("sensor", "kind", "mark"), [
    (POWER, "bar_chart", "bar"), (POWER, "line_chart", "line"), (LEVEL, "bar_chart", "line"),
])  # fmt: skip
def test_a_sensor_has_bars_where_events_last(sensor: PlacedSensor, kind: str, mark: str) -> None:
    (layer,) = of_sensor(sensor, 1, "a", kind)["layer"]
    assert layer["mark"]["type"] == mark
    assert ("x2" in layer["encoding"]) == (mark == "bar")
    assert layer["transform"][1]["calculate"].endswith("+ 900000" if sensor is POWER else "+ 0")


def test_other_charts_count_or_colour() -> None:
    assert of_sensor(POWER, 1, "a", "histogram")["encoding"]["x"]["bin"] == {"maxbins": 40}
    day, week = (of_sensor(POWER, 1, "a", f"{one}_heatmap") for one in ("daily", "weekly"))
    assert [one["encoding"]["y"]["timeUnit"] for one in (day, week)] == [
        "yearmonthdate", "yearweek"]  # fmt: skip


def test_a_width_is_that_of_every_chart() -> None:
    assert sized(of_sensor(POWER, 1, "a", "histogram"), 99)["width"] == 99
    whole = sized(of_asset(SHOWN, "a"), 99)
    assert [one["width"] for one in whole["vconcat"]] == [99, 99]
    assert sized(whole, None) is whole
