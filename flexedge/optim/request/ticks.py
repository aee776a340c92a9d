"""States of charge asked for between two ticks, put on the ticks around them.

As FlexMeasures 1.0.1 does it: a target holds on the tick after, and on the tick before only what
keeps it within reach; a minimum or maximum holds on both, loosened by what can still be charged
or discharged in between.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.optim.device import MOMENT_HOURS, SocBound
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

    minima: dict[datetime, SocBound]
    maxima: dict[datetime, SocBound]
    targets: dict[datetime, SocBound]
    wanted: dict[str, set[datetime]] = field(default_factory=dict)
    """The ticks of each kind that somebody asked for; others only keep those within reach."""

    @classmethod
    def nothing(cls) -> "Asked":
        """Nothing so far."""
        return cls({}, {}, {})

    def bounds(self, kind: str, grid: TimeGrid) -> tuple[SocBound, ...]:
        """What is asked of one kind, in the order of time.

        What is asked at ticks beside each other is asked from one to the other: each of them
        stands for half of the time (the first one for all of it since the start, where nothing
        can be missed), so that it adds up to the same in steps of any length.
        """
        asked: dict[datetime, SocBound] = getattr(self, kind)
        wanted, step = self.wanted.get(kind, set()), grid.resolution

        def bound(tick: datetime) -> SocBound:
            beside = {tick - step, tick + step} & wanted if tick in wanted else set()
            halves = len(beside) + (grid.start in beside)
            hours = halves * grid.hours / 2 if halves else MOMENT_HOURS
            return replace(asked[tick], derived=tick not in wanted, hours=hours)

        return tuple(bound(tick) for tick in sorted(asked))

    def at_least(self, tick: datetime, soc_kwh: float, field: str) -> None:
        """Ask for a minimum; the higher of two counts."""
        if tick not in self.minima or soc_kwh > self.minima[tick].soc_kwh:
            self.minima[tick] = SocBound(tick, soc_kwh, field)

    def at_most(self, tick: datetime, soc_kwh: float, field: str) -> None:
        """Ask for a maximum; the lower of two counts."""
        if tick not in self.maxima or soc_kwh < self.maxima[tick].soc_kwh:
            self.maxima[tick] = SocBound(tick, soc_kwh, field)

    def exactly(self, tick: datetime, soc_kwh: float, field: str) -> None:
        """Ask for a target; the first of two counts."""
        self.targets.setdefault(tick, SocBound(tick, soc_kwh, field))


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
        wanted = asked.wanted.setdefault(kind, set())
        if segment.start <= reach.grid.start < segment.end:
            wanted.add(reach.grid.start)
        for tick in _ticks(segment, reach.grid):
            ask(tick, segment.value, f"soc-{kind}{segment.place}")
            wanted.add(tick)


def put_start(asked: Asked, moment: datetime, soc_kwh: float, reach: Reach) -> None:
    """Bound the first tick by a start that was measured after the schedule begins."""
    grid = reach.grid
    if not grid.start < moment < grid.start + grid.resolution:
        return
    after = grid.start + grid.resolution
    up = soc_kwh + reach.moved(reach.rise_kw, moment, after)
    down = soc_kwh - reach.moved(reach.fall_kw, moment, after)
    _bound(asked, "maxima", SocBound(after, up, "state-of-charge"), reach)
    _bound(asked, "minima", SocBound(after, down, "state-of-charge"), reach)


def _bound(asked: Asked, kind: str, bound: SocBound, reach: Reach) -> None:
    """Add a bound within the band, where that kind takes any."""
    if kind not in reach.takes:
        return
    if kind == "minima":
        asked.at_least(bound.at, max(bound.soc_kwh, reach.soc_min_kwh), bound.asked)
    else:
        asked.at_most(bound.at, min(bound.soc_kwh, reach.soc_max_kwh), bound.asked)


def _on_tick(moment: datetime, grid: TimeGrid) -> bool:
    return (moment - grid.start) % grid.resolution == timedelta(0)


def _ticks(segment: Segment, grid: TimeGrid) -> list[datetime]:
    """The ends of steps within a segment, both of its ends included."""
    first = max(-((grid.start - segment.start) // grid.resolution), 1)
    last = min((segment.end - grid.start) // grid.resolution, grid.n)
    return [grid.start + k * grid.resolution for k in range(first, last + 1)]


def _project(asked: Asked, kind: str, segment: Segment, reach: Reach) -> None:
    grid, moment, soc = reach.grid, segment.start, segment.value
    field = f"soc-{kind}{segment.place}"
    before = grid.start + ((moment - grid.start) // grid.resolution) * grid.resolution
    after = before + grid.resolution
    if kind != "maxima":
        soonest = soc - reach.moved(reach.rise_kw, before, moment)
        _bound(asked, "minima", SocBound(before, soonest, field), reach)
    if kind != "minima":
        latest = soc + reach.moved(reach.fall_kw, before, moment)
        _bound(asked, "maxima", SocBound(before, latest, field), reach)
    if kind == "minima":
        later = soc - reach.moved(reach.fall_kw, moment, after)
        _bound(asked, kind, SocBound(after, later, field), reach)
    elif kind == "maxima":
        later = soc + reach.moved(reach.rise_kw, moment, after)
        _bound(asked, kind, SocBound(after, later, field), reach)
    else:
        asked.exactly(after, soc, field)
        asked.wanted.setdefault(kind, set()).add(after)
