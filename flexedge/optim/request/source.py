"""Where sensors and their data come from: here, out of the asked file itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import numpy as np

from flexedge.domain import units
from flexedge.domain.series import FloatArray, Series, TimeGrid
from flexedge.optim.request.fields import Fields

_SENSOR = ("asset-type", "asset", "on", "unit", "resolution", "attributes", "timezone", "name")
_SERIES = ("start", "resolution", "unit", "values", "source", "source-type", "belief-time")
_ASSET = ("parent", "flex-model", "flex-context", "attributes", "asset-type", "name")


@dataclass(frozen=True, slots=True)
class Sensor:
    """A sensor: what it measures, how often, and on what."""

    name: str
    unit: str
    resolution: timedelta
    """Zero for instantaneous values."""
    asset: str
    asset_type: str | None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset with what is stored about its flexibility, and the asset above it."""

    name: str
    parent: str | None
    flex_model: Fields
    flex_context: Fields
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Values of a sensor: the start of each event, in order, and what was known of it."""

    starts: tuple[datetime, ...]
    values: FloatArray
    resolution: timedelta
    unit: str


class Source(Protocol):
    """What a request needs to know about the site."""

    @property
    def sensors(self) -> Mapping[str, Sensor]:
        """All sensors by name."""

    @property
    def assets(self) -> Mapping[str, Asset]:
        """All assets about which something is stored, by name."""

    def points(self, sensor: str, prior: datetime | None) -> Points | None:
        """All values known of a sensor at ``prior``, or None where there are none."""


class FileSource:
    """The ``sensors``, ``series`` and ``assets`` of a file."""

    def __init__(self, whole: Fields) -> None:
        self._sensors: dict[str, Sensor] = {}
        self._assets: dict[str, Asset] = {}
        self._points: dict[str, Points] = {}
        listed, assets = whole.object("sensors"), whole.object("assets")
        for name in listed.data:
            self._sensors[name] = _sensor(name, listed.object(name), listed, assets)
        stored = whole.object("series")
        for name in stored.data:
            if name not in self.sensors:
                stored.fail(name, "is the series of a sensor that is not among 'sensors'")
            self._points[name] = _points(stored.object(name), self.sensors[name])
        for name in assets.data:
            self._assets[name] = _asset(name, assets.object(name))
        for name, asset in self.assets.items():
            if asset.parent is not None and asset.parent not in self.assets:
                assets.object(name).fail("parent", f"there is no asset {asset.parent!r}")

    @property
    def sensors(self) -> Mapping[str, Sensor]:
        """All sensors by name."""
        return self._sensors

    @property
    def assets(self) -> Mapping[str, Asset]:
        """All assets by name."""
        return self._assets

    def points(self, sensor: str, prior: datetime | None) -> Points | None:  # noqa: ARG002
        """A file knows one belief of each event, whatever the moment."""
        return self._points.get(sensor)


def _sensor(name: str, fields: Fields, listed: Fields, assets: Fields) -> Sensor:
    fields.refuse_unknown(_SENSOR)
    asset = name
    if fields.has("asset"):
        asset = fields.name("asset")
    elif fields.has("on"):
        asset = _root(fields.text("on"), listed, fields)
    unit = fields.data.get("unit", "")
    if not isinstance(unit, str):
        fields.fail("unit", "should be a unit such as 'kW'")
    zero = fields.data.get("resolution") in ("PT0M", "PT0S", "PT0H", "P0D")
    return Sensor(
        name,
        unit,
        timedelta(0) if zero else fields.duration("resolution"),
        asset,
        fields.data.get("asset-type"),
        {**assets.object(asset).object("attributes").data, **fields.object("attributes").data},
    )


def _root(name: str, listed: Fields, fields: Fields) -> str:
    """The sensor after which the shared asset is called."""
    seen = set()
    while name not in seen:
        seen.add(name)
        if name not in listed.data:
            fields.fail("on", f"there is no sensor {name!r}")
        above = listed.object(name)
        if above.has("asset"):
            return above.name("asset")
        if not above.has("on"):
            return name
        name = above.text("on")
    return name


def _points(fields: Fields, sensor: Sensor) -> Points:
    fields.refuse_unknown(_SERIES)
    raw = fields.items("values")
    values = np.full(len(raw), np.nan)
    for i, value in enumerate(raw):
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            fields.fail("values", f"number {i} should be a number or null, not {value!r}")
        values[i] = value
    values[~np.isfinite(values)] = np.nan
    resolution = sensor.resolution
    if fields.data.get("resolution") not in (None, "PT0M", "PT0S"):
        resolution = fields.duration("resolution")
    if len(raw) > 1 and resolution <= timedelta(0):
        fields.fail("resolution", "several values need a distance between them")
    start = fields.moment("start").astimezone(UTC)
    unit = fields.data.get("unit", sensor.unit)
    if not isinstance(unit, str):
        fields.fail("unit", "should be a unit such as 'kW'")
    starts = tuple(start + i * resolution for i in range(len(raw)))
    return Points(starts, values, resolution if sensor.resolution else timedelta(0), unit)


def _asset(name: str, fields: Fields) -> Asset:
    fields.refuse_unknown(_ASSET)
    parent = fields.name("parent") if fields.has("parent") else None
    model, context = fields.object("flex-model"), fields.object("flex-context")
    return Asset(name, parent, model, context, fields.object("attributes").data)


def on_grid(points: Points, grid: TimeGrid) -> FloatArray:
    """Values on a grid: time-weighted means, held where the grid is finer; NaN where unknown.

    Of instantaneous values those on its ticks count (FlexMeasures' rule).
    """
    if not points.starts:
        return np.full(grid.n, np.nan)
    if points.resolution <= timedelta(0):
        values = np.full(grid.n, np.nan)
        for start, value in zip(points.starts, points.values, strict=True):
            slot = grid.slot(start)
            if slot is not None and start == grid.start + slot * grid.resolution:
                values[slot] = value
        return values
    theirs = TimeGrid(points.starts[0], points.resolution, len(points.starts))
    return Series(theirs, points.values).on(grid).values


def parse_unit(symbol: str) -> units.Unit | None:
    """The unit, or None for one that flexedge does not know."""
    try:
        return units.parse_unit(symbol)
    except ValueError:
        return None
