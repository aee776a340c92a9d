"""Machines that run for a fixed time inside a window of the day: what is left of it to plan."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np

from flexedge.config.site import Process
from flexedge.domain.series import TimeGrid
from flexedge.gateway.past import Past
from flexedge.gateway.plant import Plant, Unit
from flexedge.optim.process import BoolArray

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Task:
    """Something that a process has still to do within the horizon, in the words of a request."""

    name: str
    unit: str
    model: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Window:
    """When a process may run: from the beginning of a day's window to its end."""

    start: datetime
    end: datetime
    allowed: BoolArray


class Processes:
    """Says what every process that is controlled has still to do. For the planner's thread."""

    def __init__(self, plant: Plant, past: Past) -> None:
        self._plant = plant
        self._past = past

    def tasks(self, grid: TimeGrid, now: datetime) -> tuple[list[Task], list[str]]:
        """What is to be planned, and notes on what does not fit any more."""
        tasks: list[Task] = []
        notes: list[str] = []
        for unit in self._plant.controlled:
            process = unit.asset.process
            for window in self._windows(process, grid, now) if process is not None else ():
                found, left = self._of_window(unit, window, grid, now)
                tasks += found
                if left > timedelta(0) and window.end <= grid.end:
                    notes.append(self._too_late(unit, left, window))
        return tasks, notes

    def _windows(self, process: Process, grid: TimeGrid, now: datetime) -> Iterator[_Window]:
        day = now.astimezone(self._plant.zone).date()
        for offset in range(-1, int(grid.n * grid.hours / 24) + 2):
            ends = self._ends(process, day + timedelta(days=offset))
            if ends is not None and ends[1] > now and ends[0] < grid.end:
                allowed = np.array([ends[0] <= moment < ends[1] for moment in grid.times()])
                yield _Window(*ends, allowed)

    def _ends(self, process: Process, day: date) -> tuple[datetime, datetime] | None:
        """The first and last moment of the window that begins on a local day."""
        start = datetime.combine(day, process.since, self._plant.zone)
        if _DAYS[start.weekday()] not in process.days:
            return None
        until = datetime.combine(day, process.until, self._plant.zone)
        if process.until <= process.since or process.until == time(0, 0):
            until += timedelta(days=1)
        return start, until

    def _of_window(
        self, unit: Unit, window: _Window, grid: TimeGrid, now: datetime
    ) -> tuple[list[Task], timedelta]:
        """The runs of one window that are still to do, and how much of them does not fit."""
        process = _process(unit)
        ran = self._ran(unit, window, now)
        left = max(process.duration * process.runs - ran, timedelta(0))
        name = unit.name
        if window.start > now:
            name += f" on {window.start.astimezone(self._plant.zone):%d %B}"
        tasks, allowed = [], window.allowed.copy()
        begun = self._begun(unit, ran, left, window, now)
        if begun:  # one run is not over: it comes first
            slots = min(-(-begun // grid.resolution), grid.n)
            at = 0 if self._running(unit, now) else _first(allowed, slots)
            if at is None:
                return [], left
            piece = np.zeros_like(allowed)
            piece[at : at + slots] = True
            tasks.append(_task(unit, name, (slots, 1), piece, grid))
            allowed[: at + slots] = False
            left, name = left - begun, f"{name}, next"
        if not left:
            return tasks, left
        each = left if process.process_type == "BREAKABLE" else process.duration
        slots, runs = -(-each // grid.resolution), left // each
        if not _fits(process, allowed, slots, runs):
            return tasks, left
        return [*tasks, _task(unit, name, (slots, runs), allowed, grid)], timedelta(0)

    def _ran(self, unit: Unit, window: _Window, now: datetime) -> timedelta:
        if now <= window.start or _process(unit).power == 0:
            return timedelta(0)
        return self._past.ran(unit, window.start, now)

    def _begun(
        self, unit: Unit, ran: timedelta, left: timedelta, window: _Window, now: datetime
    ) -> timedelta:
        """What is left of a run that has begun and may not pause."""
        process = _process(unit)
        if process.process_type == "BREAKABLE" or now < window.start or not left:
            return timedelta(0)
        if not ran and self._running(unit, now):
            return process.duration
        return left % process.duration

    def _too_late(self, unit: Unit, left: timedelta, window: _Window) -> str:
        until = window.end.astimezone(self._plant.zone)
        return (
            f"{unit.name} is not planned: {left / timedelta(hours=1):.2g} h of its run are left, "
            f"which do not fit before {until:%H:%M} any more"
        )

    def _running(self, unit: Unit, now: datetime) -> bool:
        power = self._past.power_kw(unit, now)
        return power is not None and power > unit.least_kw / 2


def _process(unit: Unit) -> Process:
    process = unit.asset.process
    if process is None:  # pragma: no cover - only processes come here
        raise ValueError(f"{unit.name} is no process")
    return process


def _task(unit: Unit, name: str, run: tuple[int, int], allowed: BoolArray, grid: TimeGrid) -> Task:
    process = _process(unit)
    minutes = run[0] * grid.resolution / timedelta(minutes=1)
    model = {
        "power": f"{process.power!r} kW",
        "duration": f"PT{minutes:g}M",
        "process-type": process.process_type,
        "runs": run[1],
        "time-restrictions": [
            {"start": (grid.start + first * grid.resolution).isoformat(),
             "end": (grid.start + end * grid.resolution).isoformat()}
            for first, end in _runs_of(~allowed)
        ],
    }  # fmt: skip
    return Task(name, unit.name, model)


def _runs_of(steps: BoolArray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], steps.astype(np.int8), [0]))))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def _first(allowed: BoolArray, slots: int) -> int | None:
    """The first step from which on ``slots`` of them are allowed."""
    return next((first for first, end in _runs_of(allowed) if end - first >= slots), None)


def _fits(process: Process, allowed: BoolArray, slots: int, runs: int) -> bool:
    """Whether a number of runs has room."""
    if process.process_type == "BREAKABLE":
        return int(allowed.sum()) >= slots * runs
    return sum((end - first) // slots for first, end in _runs_of(allowed)) >= runs
