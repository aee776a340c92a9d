"""Even grids of time and series on them: UTC, interval starts, NaN where nothing is known."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
_TINY = 1e-9  # of a step: less than rounding leaves


def floor(moment: datetime, resolution: timedelta) -> datetime:
    """The last tick of ``resolution`` (counted in UTC) at or before ``moment``."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + ((moment - epoch) // resolution) * resolution


@dataclass(frozen=True, slots=True)
class TimeGrid:
    """``n`` steps of ``resolution`` from ``start`` on.

    ``start`` is turned to UTC: steps are counted in real time, also where clocks change.
    """

    start: datetime
    resolution: timedelta
    n: int

    def __post_init__(self) -> None:
        if self.start.tzinfo is None:
            raise ValueError("a grid starts at an aware time")
        if self.resolution <= timedelta(0) or self.n < 0:
            raise ValueError("a grid has a positive resolution and no negative length")
        object.__setattr__(self, "start", self.start.astimezone(UTC))

    @classmethod
    def covering(cls, start: datetime, end: datetime, resolution: timedelta) -> "TimeGrid":
        """The grid on ticks of ``resolution`` that covers [start, end)."""
        first = floor(start, resolution)
        return cls(first, resolution, -((first - end) // resolution))

    @property
    def end(self) -> datetime:
        """The first moment after the last step."""
        return self.start + self.n * self.resolution

    @property
    def hours(self) -> float:
        """The length of one step in hours."""
        return self.resolution / timedelta(hours=1)

    def times(self) -> list[datetime]:
        """The start of each step."""
        return [self.start + i * self.resolution for i in range(self.n)]

    def slot(self, moment: datetime) -> int | None:
        """The step that holds ``moment``, or None outside the grid."""
        i = (moment - self.start) // self.resolution
        return i if 0 <= i < self.n else None


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Values on a grid; NaN is missing. ``values`` has shape (grid.n,) and is never written to.

    What is given is copied, so that nobody who still holds it can change the series.
    """

    grid: TimeGrid
    values: FloatArray

    def __post_init__(self) -> None:
        if self.values.shape != (self.grid.n,):
            raise ValueError(f"{self.values.shape} values on a grid of {self.grid.n} steps")
        values = np.array(self.values, dtype=np.float64)
        values.flags.writeable = False
        object.__setattr__(self, "values", values)

    @classmethod
    def constant(cls, grid: TimeGrid, value: float) -> "Series":
        """The same value in every step."""
        return cls(grid, np.full(grid.n, value, dtype=np.float64))

    def at(self, moment: datetime) -> float | None:
        """The value of the step that holds ``moment``; None where missing or outside."""
        i = self.grid.slot(moment)
        if i is None or np.isnan(self.values[i]):
            return None
        return float(self.values[i])

    def on(self, grid: TimeGrid) -> "Series":
        """Resample to ``grid``: time-weighted mean of what is known inside each step.

        Finer grids hold the value, coarser grids average; a step without any known value is NaN.
        Works for grids that are not aligned with each other.
        """
        if grid == self.grid:
            return self
        if grid.n == 0 or self.grid.n == 0:
            return Series.constant(grid, np.nan)
        offset = (grid.start - self.grid.start) / self.grid.resolution
        edges = offset + np.arange(grid.n + 1) * (grid.resolution / self.grid.resolution)
        known = ~np.isnan(self.values)
        ticks = np.arange(self.grid.n + 1, dtype=np.float64)
        weight = np.concatenate(([0.0], np.cumsum(known)))
        total = np.concatenate(([0.0], np.cumsum(np.where(known, self.values, 0.0))))
        covered = np.diff(np.interp(edges, ticks, weight))
        summed = np.diff(np.interp(edges, ticks, total))
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.where(covered > _TINY, summed / covered, np.nan)
        return Series(grid, values)

    def filled(self, default: float | None) -> "Series":
        """The same series with missing values replaced by ``default`` (None leaves them)."""
        if default is None:
            return self
        return Series(self.grid, np.where(np.isnan(self.values), default, self.values))

    def or_else(self, other: "Series") -> "Series":
        """The same series with missing values taken from ``other``."""
        filler = other.on(self.grid).values
        return Series(self.grid, np.where(np.isnan(self.values), filler, self.values))
