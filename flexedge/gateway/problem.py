"""From what is known now to a problem that can be solved.

What is stored about flexibility is read as ``optim.request`` reads any request. What only a gateway
knows is added here: what is stored in which storage, who is away, when who shall be ready, what a
device can do, what runs already, and that the first step has begun.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from flexedge.config.settings import Plan
from flexedge.domain.series import FloatArray, Series, TimeGrid, floor
from flexedge.errors import BadField
from flexedge.gateway import stored
from flexedge.gateway.begun import shortened
from flexedge.gateway.connection import guarded
from flexedge.gateway.elsewhere import Elsewhere
from flexedge.gateway.feeds import ROOT, Feed, Feeds
from flexedge.gateway.past import Past, threshold_kw
from flexedge.gateway.pinned import pinned
from flexedge.gateway.plant import Plant, Unit
from flexedge.gateway.processes import Processes
from flexedge.gateway.storages import Storages
from flexedge.optim.device import Device, SocBound, Storage
from flexedge.optim.problem import Problem
from flexedge.optim.request import site
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.outputs import Output

_SHORTEST_SHARE = 1 / 60  # of the first step: at least a quarter minute is left of it
_ANYWAY = "all that is not planned"
_STARTING = ("start_up_cost", "minimum_up_time", "minimum_down_time", "maximum_starts_per_day")


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """A problem and how it was made.

    The first step has begun already: its powers are scaled by ``first_share``, the part of it
    that is left; ``whole`` is the same problem without that. ``notes`` says who could not be
    planned, and why.
    """

    problem: Problem
    whole: Problem
    first_share: float
    owners: Mapping[str, str]
    """The asset that each device of the problem belongs to; a process may be several."""
    expected: Mapping[str, Series]
    """What the sensors of uncontrolled flows will probably show."""
    theirs: Mapping[str, str]
    """Assets whose power a centre planned, and when it did."""
    outputs: tuple[Output, ...]
    """Powers that the installer wants written to sensors of his own choice."""
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Parts:
    """A problem in the making."""

    grid: TimeGrid
    share: float
    now: datetime
    refused: Mapping[str, str]
    """Assets that are left out, and why."""
    owners: dict[str, str] = field(default_factory=dict)
    minima: dict[str, tuple[SocBound, ...]] = field(default_factory=dict)
    """When which storage shall be ready, by the asset that describes it."""
    expected: dict[str, Series] = field(default_factory=dict)
    theirs: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Gatherer:
    """Puts latest readings, forecasts, prices and flex-models together. For one thread."""

    def __init__(
        self,
        plant: Plant,
        storages: Storages,
        feeds: Feeds,
        past: Past,
        elsewhere: Elsewhere,
        settings: Plan,
    ) -> None:
        self._plant = plant
        self._storages = storages
        self._feeds = feeds
        self._past = past
        self._elsewhere = elsewhere
        self._processes = Processes(plant, past)
        self._resolution = settings.resolution
        self._compat = settings.compat

    def signature(self, now: datetime) -> tuple[object, ...]:
        """What makes a new plan worth while, besides the passing of time."""
        now_held, theirs = self._storages.signature(now), self._elsewhere.signature(now)
        return (self._plant.edition, self._feeds.signature(), theirs, *now_held)

    def complete(self, now: datetime) -> bool:
        """Whether every controlled storage that is there has a known state of charge."""
        return all(
            self._storages.soc_kwh(unit, now) is not None
            or self._storages.plugged(unit, now) is False
            for unit in self._plant.controlled
            if unit.stores
        )

    def gather(self, now: datetime, horizon: timedelta) -> Gathered:
        """The problem from now to ``horizon``, without assets whose fields are refused.

        Raises ``PlanError`` when prices are unknown, or a field that is not of one asset is wrong.
        """
        refused: dict[str, str] = {}
        while True:
            try:
                return self._gather(now, horizon, refused)
            except BadField as error:
                place, _, name = error.path.partition(".")
                name = name.partition(".")[0]
                shared = place != "assets" or self._plant.unit(name).asset.type == "group"
                if shared or name in refused:
                    raise
                refused[name] = f"{name} is not planned: {error}"

    def _gather(self, now: datetime, horizon: timedelta, refused: Mapping[str, str]) -> Gathered:
        start = floor(now, self._resolution)
        grid = TimeGrid.covering(start, now + horizon, self._resolution)
        share = max(1.0 - (now - start) / self._resolution, _SHORTEST_SHARE)
        parts = _Parts(grid, share, now, refused, notes=[*refused.values()])
        feeds = self._feeds
        context: dict[str, Any] = {}
        feeds.begin(grid, now, context)
        parts.notes += feeds.check_prices(self._plant.context.electricity)
        feeds.power(_ANYWAY, self._anyway(parts))
        context |= stored.context(self._plant.context, self._plant, feeds, _ANYWAY)
        self._add_units(parts)
        self._add_processes(parts)
        request = {
            "start": start.astimezone(self._plant.zone).isoformat(),
            "duration": f"PT{grid.n * self._resolution / timedelta(minutes=1):g}M",
            "resolution": f"PT{self._resolution / timedelta(minutes=1):g}M",
            "asset": ROOT,
        }
        asked = site.site(Fields({}, ""), Fields(request, "request"), feeds, self._compat)
        whole = self._completed(asked.problem, parts)
        problem = self._with_used(shortened(whole, share), start, now)
        outputs = tuple(one for one in asked.outputs if one.sensor.name in self._plant.sensors)
        notes = tuple(parts.notes)
        told = parts.owners, parts.expected, parts.theirs, outputs, notes
        return Gathered(problem, whole, share, *told)

    def _anyway(self, parts: _Parts) -> FloatArray:
        """What flows without being planned; what the context lists is only remembered."""
        context = self._plant.context.electricity
        total = np.zeros(parts.grid.n)
        listed: set[str] = set()
        for sign, references in (
            (1.0, context.inflexible_consumption),
            (-1.0, context.inflexible_production),
        ):
            for one in references:
                values = self._feeds.values(Feed(one.sensor, "as-is", one.believers))
                flow = np.where(np.isnan(values), sign * (one.default or 0.0), values)
                parts.expected[one.sensor] = Series(parts.grid, flow)
                listed.add(one.sensor)
        for unit in self._plant.units:
            if unit.power in listed or not self._plant.happens(unit):
                continue
            feed = Feed(unit.power, sky=unit.asset.type == "solar")
            values = np.nan_to_num(self._feeds.values(feed))
            parts.expected[unit.power] = Series(parts.grid, values)
            total += values
        return total

    def _add_units(self, parts: _Parts) -> None:
        for unit in self._plant.units:
            path = f"assets.{unit.name}.flex-model"
            if unit.name in parts.refused:
                continue
            if unit.model.inflexible_consumption or unit.model.inflexible_production:
                told = stored.said(unit.model, self._plant, self._feeds)
                parts.owners[unit.name] = unit.name
                self._feeds.plan(unit.name, {**told, "sensor": unit.name}, path)
            elif unit.planned and unit.asset.process is None:
                asked = self._told(parts, unit)
                if asked is not None:
                    parts.owners[unit.name] = unit.name
                    self._feeds.plan(unit.name, asked, path)
                    if unit.asset.type == "solar":
                        can = self._feeds.values(Feed(unit.power, sky=True))
                        parts.expected[unit.power] = Series(parts.grid, can)

    def _told(self, parts: _Parts, unit: Unit) -> dict[str, Any] | None:
        """What is asked of the optimisation for an asset; None where it cannot be planned now."""
        away = unit.vehicle and not self._storages.plugged(unit, parts.now)
        if away or self._elsewhere.left_out(unit, parts.now):
            return None
        told = stored.model(unit, self._plant, self._feeds)
        if unit.asset.type == "group":
            return told
        told["sensor"] = unit.name
        told |= self._running(unit, parts.now)
        if unit.stores:
            soc = self._storages.soc_kwh(unit, parts.now)
            if soc is None or unit.soc_max_kwh is None:
                parts.notes.append(f"{unit.name} is not planned: its state of charge is not known")
                return None
            if unit.keeper is unit.asset:
                told |= stored.storage(unit, soc)
                parts.minima[unit.name] = self._storages.minima(unit, parts.grid, parts.now)
        if not stored.sized(told) and not unit.virtual:
            parts.notes.append(f"{unit.name} is not planned: it has no power-capacity")
            return None
        return told

    def _running(self, unit: Unit, now: datetime) -> dict[str, Any]:
        """What an asset does now, where the plan depends on it."""
        model, power = unit.model, self._past.power_kw(unit, now)
        told: dict[str, Any] = {}
        if power is None:
            return {}
        if any(getattr(model, key) is not None for key in _STARTING):
            told["on-at-start"] = abs(power) > threshold_kw(unit)
        if model.ramp_up_limit is not None or model.ramp_down_limit is not None:
            told["power-at-start"] = f"{power!r} kW"
        return told

    def _add_processes(self, parts: _Parts) -> None:
        tasks, notes = self._processes.tasks(parts.grid, parts.now)
        parts.notes += notes
        for task in (one for one in tasks if one.unit not in parts.refused):
            parts.owners[task.name] = task.unit
            more = stored.said(self._plant.unit(task.unit).model, self._plant, self._feeds)
            told = {**more, **task.model, "sensor": task.name}
            self._feeds.plan(task.name, told, f"assets.{task.unit}.process")

    def _completed(self, asked: Problem, parts: _Parts) -> Problem:
        """The problem with what only the gateway knows."""
        kept = {id(one): self._ready(one, feeders, parts) for one, feeders in asked.storages}
        devices = tuple(self._device(device, kept, parts) for device in asked.devices)
        margin = self._plant.site.grid_connection.guard_margin
        asked_of = asked.site.connection
        connection = guarded(asked_of, margin, lambda: self._past.peaks_kw(parts.now))
        first = replace(asked.site, connection=connection)
        markets = (first, *asked.markets[1:])
        return replace(asked, devices=devices, markets=markets)

    def _ready(self, storage: Storage, feeders: tuple[Device, ...], parts: _Parts) -> Storage:
        minima = storage.minima
        for device in feeders:
            minima += parts.minima.get(parts.owners[device.name], ())
        return replace(storage, minima=minima)

    def _device(self, device: Device, kept: dict[int, Storage], parts: _Parts) -> Device:
        unit = self._plant.unit(parts.owners[device.name])
        if device.process is not None or unit.virtual:
            low, high = -np.inf, np.inf
        else:
            low, high = unit.range_kw
        most, least = np.minimum(device.max_kw, high), np.maximum(device.min_kw, low)
        modes, leaves = device.modes, parts.minima.get(unit.name, ())
        if unit.vehicle and unit.asset.ready_by and leaves:
            gone = np.array([moment >= leaves[0].at for moment in parts.grid.times()])
            most[gone], least[gone] = 0.0, 0.0
            if modes and (0.0, 0.0) not in modes:
                modes = (*modes, (0.0, 0.0))
        free = replace(
            device,
            min_kw=np.minimum(least, most),
            max_kw=most,
            modes=modes,
            storage=None if device.storage is None else kept[id(device.storage)],
            running=self._held(device, unit, parts),
        )
        return self._pinned(free, unit, parts)

    def _pinned(self, device: Device, unit: Unit, parts: _Parts) -> Device:
        """The device as a centre planned it, for as long as that is in force."""
        given = self._elsewhere.of(unit, parts.now)
        if given is None:
            return device
        parts.theirs[unit.name] = given.sentence(self._plant.zone)
        wanted = given.power_kw(parts.grid)
        return pinned(device, wanted, unit.least_kw, parts.grid.hours, parts.share)

    def _held(self, device: Device, unit: Unit, parts: _Parts) -> Any:
        """What it has to do from before, and how often it started today."""
        running, model, now = device.running, unit.model, parts.now
        if running is None:
            return None
        wanted = model.minimum_up_time if running.on_before else model.minimum_down_time
        steps = 0
        if wanted is not None:
            left = wanted - self._past.unchanged(unit, now, wanted)
            steps = -(-(left + (now - parts.grid.start)) // self._resolution) if left else 0
        starts = 0 if model.maximum_starts_per_day is None else self._past.starts(unit, now)
        return replace(running, held_steps=steps, starts_before=starts)

    def _with_used(self, problem: Problem, start: datetime, now: datetime) -> Problem:
        """Let what flowed in the step that has begun count for its peak."""
        connection = problem.site.connection
        if connection.peak_price is None and connection.peak_production_price is None:
            return problem
        used = np.zeros(problem.grid.n)
        used[0] = self._past.used_kw(start, now) * ((now - start) / problem.grid.resolution)
        first = replace(problem.site, connection=replace(connection, used_kw=used))
        return replace(problem, markets=(first, *problem.markets[1:]))
