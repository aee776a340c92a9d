"""Charts in Vega-Lite 5, over the records of ``charts`` in their longer shape."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from flexedge.gateway.service.panels import Panel, Shown
from flexedge.store.tables.placed import PlacedSensor

Json = dict[str, Any]
SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v5.json"
HEIGHT: Final = 300
_MS: Final = timedelta(milliseconds=1)
_HEATMAPS: Final = {"daily_heatmap": "yearmonthdate", "weekly_heatmap": "yearweek"}
_ACROSS: Final = {"daily_heatmap": "hoursminutes", "weekly_heatmap": "dayhours"}
_TOOLTIP: Final = [
    {"field": "sensor.description", "type": "nominal", "title": "Sensor"},
    {"field": "event_value", "type": "quantitative", "title": "Value", "format": ".3~f"},
    {"field": "event_start", "type": "temporal", "title": "Start", "format": "%Y-%m-%d %H:%M"},
    {"field": "source.description", "type": "nominal", "title": "Source"},
]


def of_asset(
    shown: Shown, dataset: str, *, combined: bool = True, notes: bool = False, height: int = HEIGHT
) -> Json:
    """One chart below the other with a common axis of time. ``notes``: with a layer of remarks.

    The data are the dataset ``dataset``, the remarks ``dataset`` with "_annotations" behind it.
    """
    charts = [_panel(panel, shown, height) for panel in shown.panels]
    if notes:
        charts = [_noted(chart, dataset) for chart in charts]
    legend = "shared" if combined else "independent"
    return {
        "$schema": SCHEMA,
        "data": {"name": dataset},
        "vconcat": charts,
        "resolve": {"scale": {"x": "shared", "color": legend}},
        "config": {"legend": {"orient": "bottom", "columns": 1}},
        "datasets": {dataset: []},
    }


def of_sensor(
    sensor: PlacedSensor, number: int, dataset: str, kind: str, *,
    notes: bool = False, height: int = HEIGHT,
) -> Json:  # fmt: skip
    """One chart of a sensor: bars or a line, a histogram, or a heatmap of days or weeks."""
    title = _axis_title([sensor.name], [sensor.unit])
    if kind == "histogram":
        chart = _histogram(title)
    elif kind in _HEATMAPS:
        chart = _heatmap(kind, title)
    else:
        mark = "line" if kind == "line_chart" or not sensor.resolution else "bar"
        chart = {"layer": [_series(mark, [number], sensor.resolution / _MS)]}
        chart["layer"][0]["encoding"]["y"] = _y(title, "zero")
        if notes:
            chart = _noted(chart, dataset)
    whole = {"$schema": SCHEMA, "data": {"name": dataset}, "height": height, "width": "container"}
    return {**whole, **chart, "datasets": {dataset: []}}


def sized(spec: Json, width: int | None) -> Json:
    """A chart of a width in pixels, rather than that of the page."""
    if width is None:
        return spec
    parts = [part | {"width": width} for part in spec.get("vconcat", ())]
    return spec | ({"vconcat": parts} if parts else {"width": width})


def _panel(panel: Panel, shown: Shown, height: int) -> Json:
    steps: dict[tuple[bool, float], list[int]] = {}
    named: dict[int, tuple[str, str]] = {}
    for number in panel.numbers:
        sensor = shown.sensors.get(number)
        if sensor is None:
            named[number] = (shown.fixed[number].name, shown.fixed[number].unit)
            steps.setdefault((False, 0.0), []).append(number)
        else:
            named[number] = (sensor.name, sensor.unit)
            length = sensor.resolution / _MS
            steps.setdefault((bool(length), length), []).append(number)
    title = _axis_title(*zip(*named.values(), strict=True))
    layers = [_series("line", numbers, length) for (_, length), numbers in steps.items()]
    for layer in layers:
        layer["encoding"]["y"] = _y(title, panel.axis)
    chart: Json = {"layer": layers, "height": height, "width": "container"}
    if panel.title:
        chart["title"] = panel.title
    return chart


def _axis_title(names: Sequence[str], units: Sequence[str]) -> str:
    unit = units[0] if len(set(units)) == 1 else "a.u."
    name = names[0].capitalize() if len(set(names)) == 1 else ""
    return f"{name} ({unit})".strip() if unit else name


def _series(mark: str, numbers: Sequence[int], length_ms: float) -> Json:
    """Some sensors as lines or bars; steps where events last."""
    drawn: Json = {"type": mark, "clip": True}
    encoding: Json = {
        "x": {"field": "event_start", "type": "temporal", "title": None},
        "y": {},
        "color": {"field": "sensor.description", "type": "nominal", "title": None},
        "tooltip": _TOOLTIP,
    }
    if mark == "bar":
        encoding |= {"x2": {"field": "event_end"}, "y2": {"datum": 0}}
    else:
        drawn |= {"interpolate": "step-after" if length_ms else "linear"}
        encoding["strokeDash"] = {
            "field": "source.display_type", "type": "nominal", "title": None,
        }  # fmt: skip
        encoding["detail"] = {"field": "source.id", "type": "nominal"}
    return {
        "transform": [
            {"filter": {"field": "sensor.id", "oneOf": list(numbers)}},
            {"calculate": f"toNumber(datum.event_start) + {length_ms:.0f}", "as": "event_end"},
            {
                "calculate": "datum.event_value * (isValid(datum.scale_factor)"
                " ? datum.scale_factor : 1)",
                "as": "scaled_value",
            },
        ],
        "mark": drawn,
        "encoding": encoding,
    }  # fmt: skip


def _y(title: str, axis: Any) -> Json:
    scale: Json = {"zero": axis == "zero"}
    if isinstance(axis, Mapping):
        scale = {"domain": [axis["min"], axis["max"]], "clamp": True}
    elif isinstance(axis, list):
        scale = {"domain": {"unionWith": axis}}
    return {"field": "scaled_value", "type": "quantitative", "title": title, "scale": scale}


def _histogram(title: str) -> Json:
    return {
        "mark": "bar",
        "encoding": {
            "x": {"field": "event_value", "type": "quantitative", "bin": {"maxbins": 40},
                  "title": title},
            "y": {"aggregate": "count", "type": "quantitative", "title": "Count"},
            "color": {"field": "source.description", "type": "nominal", "title": "Source"},
        },
    }  # fmt: skip


def _heatmap(kind: str, title: str) -> Json:
    return {
        "mark": "rect",
        "encoding": {
            "x": {"field": "event_start", "type": "ordinal", "timeUnit": _ACROSS[kind],
                  "title": None, "axis": {"labelOverlap": True}},
            "y": {"field": "event_start", "type": "ordinal", "timeUnit": _HEATMAPS[kind],
                  "title": None},
            "color": {"field": "event_value", "type": "quantitative", "aggregate": "mean",
                      "title": title, "scale": {"scheme": "blueorange", "domainMid": 0}},
            "tooltip": [{"field": "event_start", "type": "temporal", "title": "Start"},
                        {"field": "event_value", "type": "quantitative", "aggregate": "mean",
                         "title": title}],
        },
    }  # fmt: skip


def _noted(chart: Json, dataset: str) -> Json:
    """A chart with remarks behind it."""
    layer = {
        "data": {"name": f"{dataset}_annotations"},
        "mark": {"type": "rect", "opacity": 0.15, "clip": True},
        "encoding": {
            "x": {"field": "start", "type": "temporal"},
            "x2": {"field": "end"},
            "tooltip": [{"field": "content", "type": "nominal", "title": "Remark"}],
        },
    }
    return chart | {"layer": [layer, *chart["layer"]]}
