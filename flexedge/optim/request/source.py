"""Where sensors and their data come from: here, out of the asked file itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import numpy as np

from flexedge.domain import units
from flexedge.domain.series import FloatArray, Series, TimeGrid
from flexedge.optim.request import believed
from flexedge.optim.request.believed import Believer, Filter
from flexedge.optim.request.fields import Fields

_SENSOR = ("asset-type", "asset", "on", "unit", "resolution", "attributes", "timezone", "name")
_SERIES = ("start", "resolution", "unit", "values", "source", "source-type", "source-account",
           "belief-time")  # fmt: skip
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
Span = tuple[datetime, datetime]
"""From a moment on, to before another."""
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
    """Its own, and those of its asset."""
    consumption_is_positive: bool | None = None
    """As its own attribute says, if it says it."""

    def contradicts(self, *, consumption: bool) -> bool:
        """Whether its sign is another than a field wants that counts consumption, or production."""
        return self.consumption_is_positive not in {None, consumption}


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

    def points(
        self,
        sensor: str,
        prior: datetime | None,
        only: Filter = believed.ALL,
        span: Span | None = None,
    ) -> Points | None:
        """Values known of a sensor at ``prior`` from some sources; None where there are none.

        Of several the one believed last counts. ``span``: what is needed (None: all); there may be
        more.
        """


class FileSource:
    """The ``sensors``, ``series`` and ``assets`` of a file."""

    def __init__(self, whole: Fields) -> None:
        self._sensors: dict[str, Sensor] = {}
        self._assets: dict[str, Asset] = {}
        self._beliefs: dict[str, list[tuple[Believer, Points]]] = {}
        listed, assets = whole.object("sensors"), whole.object("assets")
        for name in listed.data:
            self._sensors[name] = _sensor(name, listed.object(name), listed, assets)
        stored = whole.object("series")
        for name in stored.data:
            if name not in self.sensors:
                stored.fail(name, "is the series of a sensor that is not among 'sensors'")
            listed_one = isinstance(stored.data[name], list)
            every = stored.objects(name) if listed_one else [stored.object(name)]
            beliefs = [(_believer(one), _points(one, self.sensors[name])) for one in every]
            self._beliefs[name] = sorted(beliefs, key=lambda belief: belief[0].at or _LONG_AGO)
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

    def points(
        self,
        sensor: str,
        prior: datetime | None,
        only: Filter = believed.ALL,
        span: Span | None = None,  # noqa: ARG002 (all of it is here)
    ) -> Points | None:
        """What some sources believed of a sensor at a moment; of several the last one counts."""
        known = [
            points for who, points in self._beliefs.get(sensor, [])
            if only.admits(who) and not (prior and who.at and who.at > prior)
        ]  # fmt: skip
        return _together(known) if known else None


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
    own = fields.object("attributes").data
    positive = own.get("consumption_is_positive")
    zero = fields.data.get("resolution") in ("PT0M", "PT0S", "PT0H", "P0D")
    return Sensor(
        name,
        unit,
        timedelta(0) if zero else fields.duration("resolution"),
        asset,
        fields.data.get("asset-type"),
        {**assets.object(asset).object("attributes").data, **own},
        None if positive is None else bool(positive),
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


def _believer(fields: Fields) -> Believer:
    """Who says what a series says, and when."""
    name, kind, account = (
        fields.name(key) if fields.has(key) else None
        for key in ("source", "source-type", "source-account")
    )
    at = fields.moment("belief-time") if fields.has("belief-time") else None
    return Believer(name, kind, account, at)


def _together(beliefs: Sequence[Points]) -> Points:
    """One series of several: what a later one knows stands in for what an earlier one says."""
    first, *others = beliefs
    if not others:
        return first
    if first.resolution <= timedelta(0):
        values = {
            start: value * _between(one, first)
            for one in beliefs
            for start, value in zip(one.starts, one.values, strict=True)
            if not np.isnan(value)
        }
        moments = sorted(values)
        return Points(
            tuple(moments), np.array([values[t] for t in moments]), timedelta(0), first.unit
        )
    known = [one for one in beliefs if one.starts]
    resolution = min(one.resolution for one in known)
    start = min(one.starts[0] for one in known)
    end = max(one.starts[-1] + one.resolution for one in known)
    grid = TimeGrid.covering(start, end, resolution)
    whole = np.full(grid.n, np.nan)
    for one in known:
        said = on_grid(one, grid) * _between(one, first)
        whole = np.where(np.isnan(said), whole, said)
    return Points(tuple(grid.times()), whole, resolution, first.unit)


def _between(one: Points, other: Points) -> float:
    """The factor from the unit of some values to that of others."""
    mine, theirs = parse_unit(one.unit), parse_unit(other.unit)
    if one.unit == other.unit or mine is None or theirs is None:
        return 1.0
    return mine.factor / theirs.factor


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
