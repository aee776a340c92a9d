"""Machines that run once a day: when their hours cost least, inside their window."""

from datetime import date, datetime, time, timedelta

import numpy as np

from flexedge.config.site import Process
from flexedge.domain.schedule import Schedule
from flexedge.domain.series import FloatArray, Series, TimeGrid, floor
from flexedge.gateway.latest import Latest
from flexedge.gateway.plant import Plant, Unit
from flexedge.optim.process import place
from flexedge.store.beliefs import Beliefs

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Processes:
    """Places the runs of every process that is controlled. For the planner's thread."""

    def __init__(self, plant: Plant, latest: Latest, beliefs: Beliefs) -> None:
        self._plant = plant
        self._latest = latest
        self._beliefs = beliefs

    def schedules(self, grid: TimeGrid, price: FloatArray, now: datetime) -> dict[str, Schedule]:
        """The power of every process in each step."""
        placed = {}
        for unit in self._plant.controlled:
            process = unit.asset.process
            if process is not None:
                power = self._runs(unit, process, grid, price, now)
                placed[unit.name] = Schedule(unit.name, Series(grid, power))
        return placed

    def _runs(
        self, unit: Unit, process: Process, grid: TimeGrid, price: FloatArray, now: datetime
    ) -> FloatArray:
        power = np.zeros(grid.n)
        day = now.astimezone(self._plant.zone).date()
        for offset in range(-1, int(grid.n * grid.hours / 24) + 2):
            window = self._window(process, day + timedelta(days=offset))
            if window is None or window[1] <= now or window[0] >= grid.end:
                continue
            needed = process.duration - self._ran(unit, process, window[0], now)
            slots = -int(-needed // grid.resolution)
            running = now >= window[0] and self._running(unit, process, now)
            power[self._slots(process, window, grid, (slots, running), price)] = process.power
        return power

    def _window(self, process: Process, day: date) -> tuple[datetime, datetime] | None:
        """The first and last moment of the window that begins on a local day."""
        start = datetime.combine(day, process.since, self._plant.zone)
        if _DAYS[start.weekday()] not in process.days:
            return None
        until = datetime.combine(day, process.until, self._plant.zone)
        if process.until <= process.since or process.until == time(0, 0):
            until += timedelta(days=1)
        return start, until

    def _slots(
        self,
        process: Process,
        window: tuple[datetime, datetime],
        grid: TimeGrid,
        run: tuple[int, bool],
        price: FloatArray,
    ) -> list[int]:
        slots, running = run
        if slots <= 0:
            return []
        if running and process.process_type != "BREAKABLE":
            return list(range(min(slots, grid.n)))  # what has begun goes on
        allowed = np.array([window[0] <= moment < window[1] for moment in grid.times()])
        if window[1] > grid.end and allowed.sum() < slots:
            return []  # most of the window lies beyond the horizon: later
        chosen = place(process.process_type, slots, price, allowed)
        return [] if chosen is None else [int(i) for i in np.flatnonzero(chosen)]

    def _ran(self, unit: Unit, process: Process, since: datetime, now: datetime) -> timedelta:
        """How long it ran since its window began, by its power meter."""
        if now <= since or process.power == 0:
            return timedelta(0)
        grid = TimeGrid.covering(since, floor(now, timedelta(minutes=1)), timedelta(minutes=1))
        means = self._beliefs.mean(unit.power, grid).filled(0.0).values
        return int((means > process.power / 2).sum()) * grid.resolution

    def _running(self, unit: Unit, process: Process, now: datetime) -> bool:
        power = self._latest.value(unit.power, now, self._plant.max_age(unit.power))
        return power is not None and power > process.power / 2
