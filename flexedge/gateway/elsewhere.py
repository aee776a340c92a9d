"""What centres planned for our assets: which of it is in force, and what is said where none is."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

import numpy as np

from flexedge.domain.schedule import Schedule
from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.gateway.asked import SLACK
from flexedge.gateway.health import Health
from flexedge.gateway.plant import Plant, Unit
from flexedge.gateway.storages import Storages


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """A schedule that a centre made for one asset, found fit for it."""

    centre: str
    made_at: datetime
    """When it was asked for: nothing later was known to who made it."""
    valid_until: datetime
    schedule: Schedule

    def sentence(self, zone: tzinfo) -> str:
        """Who planned it and when, by the clock on site."""
        return f"as {self.centre} planned at {self.made_at.astimezone(zone):%H:%M}"

    def power_kw(self, grid: TimeGrid) -> FloatArray:
        """Its power in each step of a grid, NaN from where it is not in force any more."""
        ended = np.array([moment >= self.valid_until for moment in grid.times()], np.bool_)
        return np.where(ended, np.nan, self.schedule.power_kw.on(grid).values)


class Elsewhere:
    """The last fit schedule of each asset that a centre plans. Safe to use from any thread."""

    def __init__(self, plant: Plant, storages: Storages, health: Health) -> None:
        self._zone = plant.zone
        self._storages = storages
        self._health = health
        self._lock = threading.Lock()
        self._given: dict[str, Given] = {}
        self._left: dict[str, datetime] = {}
        """When a car was seen last not to be there."""
        self._troubles: dict[str, str] = {}

    def put(self, given: Given) -> None:
        """From now on this one counts; whatever was wrong with the asset's last one is over.

        Not where what it was asked for has left since.
        """
        asset = given.schedule.asset
        with self._lock:
            left = self._left.get(asset)
            if left is None or left < given.made_at:
                self._given[asset] = given
            self._troubles.pop(asset, None)

    def trouble(self, asset: str, why: str) -> None:
        """Why there is no newer schedule for an asset; the last one stays until its end.

        Empty: nothing is wrong with that.
        """
        with self._lock:
            self._troubles[asset] = why
            if not why:
                del self._troubles[asset]

    def forget(self, asset: str, now: datetime) -> None:
        """What it was made for is not there any more."""
        with self._lock:
            self._given.pop(asset, None)
            self._left[asset] = now

    def drop(self, centre: str) -> None:
        """A centre is not to plan any more: nothing of it is in force."""
        with self._lock:
            kept = {name: one for name, one in self._given.items() if one.centre != centre}
            self._given = kept

    @property
    def troubles(self) -> Mapping[str, str]:
        """Why there is no newer schedule, by asset; nothing of those whose last one was fit."""
        with self._lock:
            return dict(self._troubles)

    def of(self, unit: Unit, now: datetime) -> Given | None:
        """The schedule of an asset that is in force; none while nobody knows what time it is."""
        given = self._given.get(unit.name)
        if given is None or unit.asset.planner == "local" or not self._health.time_known:
            return None
        in_force = given.made_at - SLACK <= now < given.valid_until
        return given if in_force and given.schedule.power_kw.at(now) is not None else None

    def left_out(self, unit: Unit, now: datetime) -> bool:
        """Whether nobody plans an asset now: it is the centre's alone, and that has not."""
        return unit.asset.planner == "central" and self.of(unit, now) is None

    def wanted(self, unit: Unit, now: datetime) -> tuple[float | None, str] | None:
        """The power an asset shall have and why; None of it: it is left to itself.

        None where the gateway decides: always, or because the centre's schedule has ended, was
        none that is fit, or was made for a car that has left.
        """
        if unit.asset.planner == "local":
            return None
        if unit.vehicle and self._storages.plugged(unit, now) is False:
            self.forget(unit.name, now)  # the next car is another one
        given = self.of(unit, now)
        power = None if given is None else given.schedule.power_kw.at(now)
        if given is not None and power is not None and not self._storages.unknown(unit, now):
            return power, given.sentence(self._zone)
        if unit.asset.planner == "central":
            return None, self._alone(unit, given, now)
        return None

    def _alone(self, unit: Unit, given: Given | None, now: datetime) -> str:
        if given is not None:
            return "left to itself: nobody knows whether it can do what its centre planned"
        why = self.troubles.get(unit.name, "")
        ended = self._given.get(unit.name)
        if ended is not None and now >= ended.valid_until:
            end = f"{ended.valid_until.astimezone(self._zone):%H:%M}"
            return f"left to itself: what {ended.centre} planned ended at {end}{_because(why)}"
        return f"left to itself: its centre has not planned it{_because(why)}"

    def words(self, unit: Unit, now: datetime) -> str:
        """Who planned what an asset does now, as a sentence; empty where that is the gateway."""
        wanted = self.wanted(unit, now)
        return "" if wanted is None else f"{wanted[1][0].upper()}{wanted[1][1:]}."

    def signature(self, now: datetime) -> tuple[object, ...]:
        """What makes a new plan of the rest worth while: another schedule, or the end of one."""
        with self._lock:
            given = dict(self._given)
        return tuple(
            (asset, one.made_at if now < one.valid_until else None)
            for asset, one in sorted(given.items())
        )


def _because(why: str) -> str:
    return f" ({why})" if why else ""
