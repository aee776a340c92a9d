"""Prices as the installer wrote them down, as series.

Fixed, by time of day, from a file, or from a central server.
"""

import csv
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np

from flexedge.config.coming import received
from flexedge.config.site import (
    CentrePrice,
    FilePrice,
    FixedPrice,
    PriceSource,
    Zone,
    ZonedPrice,
)
from flexedge.domain.series import FloatArray, Series, TimeGrid
from flexedge.domain.units import parse_unit
from flexedge.errors import ConfigError, Problem

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MIDNIGHT = time(0, 0)


def _in_zone(zone: Zone, local: datetime) -> bool:
    clock = local.time()
    if zone.until == _MIDNIGHT:
        return _DAYS[local.weekday()] in zone.days and zone.since <= clock
    if zone.since < zone.until:
        return _DAYS[local.weekday()] in zone.days and zone.since <= clock < zone.until
    # Over midnight: the early hours belong to the day on which the zone began.
    began = local if clock >= zone.since else local - timedelta(days=1)
    return _DAYS[began.weekday()] in zone.days and (clock >= zone.since or clock < zone.until)


def _zoned(price: ZonedPrice, grid: TimeGrid, place: ZoneInfo) -> FloatArray:
    def at(moment: datetime) -> float:
        local = moment.astimezone(place)
        fitting = (zone.price.value for zone in price.zones if _in_zone(zone, local))
        return next(fitting, price.otherwise.value)

    return np.array([at(moment) for moment in grid.times()], np.float64)


def read_price_file(path: Path) -> Series:
    """Read a CSV file with the columns ``start`` (ISO 8601 with offset) and ``value``.

    The rows are in order of time; the smallest distance between two is the resolution, and a
    value holds until the next row, at most one hour. Raises ``ConfigError`` naming the line.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Problem(str(path), None, None, f"cannot be read: {error}")]) from error
    if not rows or [cell.strip() for cell in rows[0][:2]] != ["start", "value"]:
        raise ConfigError([Problem(str(path), 1, 1, "should begin with the line: start,value")])
    starts: list[datetime] = []
    values: list[float] = []
    for line, row in enumerate(rows[1:], start=2):
        try:
            start, value = _price_row(row, starts[-1] if starts else None)
        except (ValueError, IndexError) as error:
            raise ConfigError([Problem(str(path), line, 1, str(error))]) from error
        starts.append(start)
        values.append(value)
    if not starts:
        raise ConfigError([Problem(str(path), 1, 1, "has no prices")])
    return _even(starts, values)


def _price_row(row: list[str], previous: datetime | None) -> tuple[datetime, float]:
    start, value = datetime.fromisoformat(row[0].strip()), float(row[1])
    if start.tzinfo is None:
        raise ValueError("the time has no offset; write it as 2026-04-14T00:00+02:00")
    if not np.isfinite(value):
        raise ValueError("the value is not a finite number")
    if previous is not None and start <= previous:
        raise ValueError("the times are not in order")
    return start.astimezone(UTC), value


def _even(starts: list[datetime], values: list[float]) -> Series:
    hour = timedelta(hours=1)
    gaps = [after - before for before, after in pairwise(starts)]
    resolution = min([*gaps, hour])
    grid = TimeGrid(starts[0], resolution, -((starts[0] - starts[-1] - hour) // resolution))
    even = np.full(grid.n, np.nan)
    for i, (start, value) in enumerate(zip(starts, values, strict=True)):
        end = min(start + hour, starts[i + 1] if i + 1 < len(starts) else start + hour)
        first = (start - grid.start) // resolution
        even[first : -((grid.start - end) // resolution)] = value
    return Series(grid, even)


class Arrivals(Protocol):
    """What came from central servers, by the names of sensors."""

    def known(self, sensor: str, grid: TimeGrid) -> Series:
        """The last word on each step, in the sensor's unit; NaN where there is none."""

    def version(self, sensor: str) -> int:
        """Another one after each time that something new came."""


class Nothing:
    """No central server tells anything."""

    def known(self, sensor: str, grid: TimeGrid) -> Series:  # noqa: ARG002
        """Nothing is known."""
        return Series.constant(grid, np.nan)

    def version(self, sensor: str) -> int:  # noqa: ARG002
        """Nothing ever comes."""
        return 0


class Prices:
    """All prices of a site, by name; files are read again when they change.

    ``series`` leaves NaN where a price is not known (yet). ``arrivals``: where prices are from
    that central servers know.
    """

    def __init__(
        self,
        sources: Mapping[str, PriceSource],
        place: ZoneInfo,
        arrivals: Arrivals | None = None,
    ) -> None:
        self._sources = sources
        self._place = place
        self._arrivals = arrivals or Nothing()
        self._seen: dict[str, int] = {}
        self._read: dict[str, tuple[tuple[int, int], Series]] = {}
        self.problems: dict[str, str] = {}
        """What is wrong with a file now, by price; its last good content stays in use."""

    def names(self) -> tuple[str, ...]:
        """The names of all prices."""
        return tuple(self._sources)

    def changed(self) -> bool:
        """Read files that changed since the last call; whether any price did, or has come."""
        changed = False
        for name, source in self._sources.items():
            if isinstance(source, FilePrice):
                changed |= self._refresh(name, Path(source.file))
            elif isinstance(source, CentrePrice):
                version = self._arrivals.version(received(name))
                changed |= self._seen.get(name, 0) != version
                self._seen[name] = version
        return changed

    def _refresh(self, name: str, path: Path) -> bool:
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if name in self._read and self._read[name][0] == stamp:
                return False
            self._read[name] = (stamp, read_price_file(path))
        except OSError as error:
            self.problems[name] = f"{path}: {error.strerror}"
            return False
        except ConfigError as error:
            self.problems[name] = str(error)
            return False
        self.problems.pop(name, None)
        return True

    def series(self, name: str, grid: TimeGrid) -> Series:
        """A price per kWh on a grid. Raises ``StoreError``; ``KeyError`` for no known name."""
        source = self._sources[name]
        if isinstance(source, FixedPrice):
            return Series.constant(grid, source.fixed.value)
        if isinstance(source, ZonedPrice):
            return Series(grid, _zoned(source, grid, self._place))
        raw = self._raw(name, source, grid)
        add = 0.0 if source.add is None else source.add.value
        per_kwh = parse_unit(source.unit).factor
        return Series(grid, raw.values * per_kwh * source.factor + add)

    def _raw(self, name: str, source: FilePrice | CentrePrice, grid: TimeGrid) -> Series:
        """A price in its own unit, without what is added."""
        if isinstance(source, CentrePrice):
            return self._arrivals.known(received(name), grid)
        if name not in self._read:
            self._refresh(name, Path(source.file))
        if name not in self._read:
            return Series.constant(grid, np.nan)
        return self._read[name][1].on(grid)
