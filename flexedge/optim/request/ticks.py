"""States of charge asked for between two ticks, put on the ticks around them.

As FlexMeasures 1.0.1 does it: a target holds on the tick after, and on the tick before only what
keeps it within reach; a minimum or maximum holds on both, loosened by what can still be charged
or discharged in between.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.optim.device import SocBound
from flexedge.optim.request.amounts import Segment

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """How fast a stock can rise and fall in each step (kW of stored energy), and its band."""

    grid: TimeGrid
    rise_kw: FloatArray
    fall_kw: FloatArray
    soc_min_kwh: float
    soc_max_kwh: float
    takes: frozenset[str] = frozenset(("minima", "maxima"))
    """Which kinds of bounds may be added to; those of a sensor stay as they are."""

    def moved(self, rates: FloatArray, start: datetime, end: datetime) -> float:
        """The energy that can be moved from one moment to another in the same step."""
        step = self.grid.slot(start)
        return 0.0 if step is None else float(rates[step]) * ((end - start) / _HOUR)


@dataclass(slots=True)
class Asked:
    """What is asked of a stock at each tick."""

    minima: dict[datetime, float]
    maxima: dict[datetime, float]
    targets: dict[datetime, float]
    wanted: dict[str, set[datetime]] = field(default_factory=dict)
    """The ticks of each kind that somebody asked for; others only keep those within reach."""

    @classmethod
    def nothing(cls) -> "Asked":
        """Nothing so far."""
        return cls({}, {}, {})

    def bounds(self, kind: str) -> tuple[SocBound, ...]:
        """What is asked of one kind, in the order of time."""
        asked: dict[datetime, float] = getattr(self, kind)
        wanted = self.wanted.get(kind, set())
        return tuple(SocBound(tick, asked[tick], tick not in wanted) for tick in sorted(asked))

    def at_least(self, tick: datetime, soc_kwh: float) -> None:
        """Ask for a minimum; the higher of two counts."""
        self.minima[tick] = max(soc_kwh, self.minima.get(tick, soc_kwh))

    def at_most(self, tick: datetime, soc_kwh: float) -> None:
        """Ask for a maximum; the lower of two counts."""
        self.maxima[tick] = min(soc_kwh, self.maxima.get(tick, soc_kwh))

    def exactly(self, tick: datetime, soc_kwh: float) -> None:
        """Ask for a target; the first of two counts."""
        self.targets.setdefault(tick, soc_kwh)


def put(
    asked: Asked, kind: str, segments: Iterable[Segment], reach: Reach, *, project: bool
) -> None:
    """Put minima, maxima or targets on ticks; points between ticks are left out or projected."""
    ask = {"minima": asked.at_least, "maxima": asked.at_most, "targets": asked.exactly}[kind]
    for segment in segments:
        if segment.start == segment.end and not _on_tick(segment.start, reach.grid):
            if project:
                _project(asked, kind, segment, reach)
            continue
        for tick in _ticks(segment, reach.grid):
            ask(tick, segment.value)
            asked.wanted.setdefault(kind, set()).add(tick)


def put_start(asked: Asked, moment: datetime, soc_kwh: float, reach: Reach) -> None:
    """Bound the first tick by a start that was measured after the schedule begins."""
    grid = reach.grid
    if not grid.start < moment < grid.start + grid.resolution:
        return
    after = grid.start + grid.resolution
    up = soc_kwh + reach.moved(reach.rise_kw, moment, after)
    down = soc_kwh - reach.moved(reach.fall_kw, moment, after)
    _bound(asked, "maxima", after, up, reach)
    _bound(asked, "minima", after, down, reach)


def _bound(asked: Asked, kind: str, tick: datetime, soc_kwh: float, reach: Reach) -> None:
    """Add a bound within the band, where that kind takes any."""
    if kind not in reach.takes:
        return
    if kind == "minima":
        asked.at_least(tick, max(soc_kwh, reach.soc_min_kwh))
    else:
        asked.at_most(tick, min(soc_kwh, reach.soc_max_kwh))


def _on_tick(moment: datetime, grid: TimeGrid) -> bool:
    return (moment - grid.start) % grid.resolution == timedelta(0)


def _ticks(segment: Segment, grid: TimeGrid) -> list[datetime]:
    """The ends of steps within a segment, both of its ends included."""
    first = max(-((grid.start - segment.start) // grid.resolution), 1)
    last = min((segment.end - grid.start) // grid.resolution, grid.n)
    return [grid.start + k * grid.resolution for k in range(first, last + 1)]


def _project(asked: Asked, kind: str, segment: Segment, reach: Reach) -> None:
    grid, moment, soc = reach.grid, segment.start, segment.value
    before = grid.start + ((moment - grid.start) // grid.resolution) * grid.resolution
    after = before + grid.resolution
    if kind != "maxima":
        soonest = soc - reach.moved(reach.rise_kw, before, moment)
        _bound(asked, "minima", before, soonest, reach)
    if kind != "minima":
        latest = soc + reach.moved(reach.fall_kw, before, moment)
        _bound(asked, "maxima", before, latest, reach)
    if kind == "minima":
        _bound(asked, kind, after, soc - reach.moved(reach.fall_kw, moment, after), reach)
    elif kind == "maxima":
        _bound(asked, kind, after, soc + reach.moved(reach.rise_kw, moment, after), reach)
    else:
        asked.exactly(after, soc)
        asked.wanted.setdefault(kind, set()).add(after)
