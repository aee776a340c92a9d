"""From what is known now to a problem that can be solved."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from flexedge.config.prices import Prices
from flexedge.domain.flex import PowerFromSensor, VariablePrice
from flexedge.domain.schedule import Schedule
from flexedge.domain.series import FloatArray, Series, TimeGrid, floor
from flexedge.domain.units import Price
from flexedge.errors import PlanError
from flexedge.gateway.plant import Plant, Unit
from flexedge.gateway.predict import RESOLUTION, Predictor
from flexedge.gateway.processes import Processes
from flexedge.gateway.storages import Storages
from flexedge.optim.device import SOC_BREACH_PRICE, Amount, Device, Storage
from flexedge.optim.market import SITE_BREACH_PRICE, Connection, Market
from flexedge.optim.problem import Problem

_QUARTER = timedelta(minutes=15)  # what storage-efficiency refers to
_SHORTEST_SHARE = 1 / 60  # of the first step: at least a quarter minute is left of it


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """A problem and how it was made.

    The first step has begun already: its powers are scaled by ``first_share``, the part of it
    that is left; ``whole`` is the same problem without that. ``fixed`` holds schedules that were
    placed beforehand (processes); ``notes`` says who could not be planned, and why.
    """

    problem: Problem
    whole: Problem
    first_share: float
    fixed: Mapping[str, Schedule]
    expected: Mapping[str, Series]
    """What the sensors of uncontrolled flows will probably show."""
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Parts:
    """A problem in the making."""

    grid: TimeGrid
    inflexible_kw: FloatArray
    devices: list[Device] = field(default_factory=list)
    expected: dict[str, Series] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Gatherer:
    """Puts latest readings, forecasts, prices and flex-models together. For one thread."""

    def __init__(
        self,
        plant: Plant,
        storages: Storages,
        predictor: Predictor,
        processes: Processes,
        prices: Prices,
    ) -> None:
        self._plant = plant
        self._storages = storages
        self._predictor = predictor
        self._processes = processes
        self._prices = prices

    def signature(self, now: datetime) -> tuple[object, ...]:
        """What makes a new plan worth while, besides the passing of time."""
        return self._storages.signature(now)

    def complete(self, now: datetime) -> bool:
        """Whether every controlled storage that is there has a known state of charge."""
        return all(
            self._storages.soc_kwh(unit, now) is not None
            or self._storages.plugged(unit, now) is False
            for unit in self._plant.controlled
            if unit.stores
        )

    def gather(self, now: datetime, horizon: timedelta) -> Gathered:
        """The problem from now to ``horizon``. Raises ``PlanError`` when prices are unknown."""
        start = floor(now, RESOLUTION)
        grid = TimeGrid.covering(start, now + horizon, RESOLUTION)
        share = max(1.0 - (now - start) / RESOLUTION, _SHORTEST_SHARE)
        context = self._plant.context
        bought = self.price(context.consumption_price, grid)
        sold = bought
        if context.production_price is not None:
            sold = self.price(context.production_price, grid)
        parts = _Parts(grid, np.zeros(grid.n))
        self._add_inflexible(parts, now)
        for unit in self._plant.units:
            self._add_unit(parts, unit, now)
        fixed = self._processes.schedules(grid, bought, now)
        for schedule in fixed.values():
            parts.inflexible_kw += schedule.power_kw.values
        whole = Problem(
            grid=grid,
            devices=tuple(parts.devices),
            markets=(Market(parts.inflexible_kw, bought, sold, self._connection(grid)),),
        )
        problem = _shortened(whole, share)
        return Gathered(problem, whole, share, fixed, parts.expected, tuple(parts.notes))

    def price(self, wanted: VariablePrice, grid: TimeGrid) -> FloatArray:
        """A price per kWh in every step; unknown ones take the nearest known one.

        (FlexMeasures does the same.) Raises ``PlanError`` when none is known at all.
        """
        if isinstance(wanted, Price):
            return np.full(grid.n, wanted.value)
        series = self._prices.series(wanted.sensor, grid)
        series = series.filled(None if wanted.default is None else wanted.default.value)
        known = np.flatnonzero(~np.isnan(series.values))
        if known.size == 0:
            raise PlanError(f"the price {wanted.sensor!r} is not known for the time ahead")
        after = np.minimum(np.searchsorted(known, np.arange(grid.n)), known.size - 1)
        before = np.maximum(after - 1, 0)
        steps = np.arange(grid.n)
        nearer = np.where(
            np.abs(known[before] - steps) < np.abs(known[after] - steps), before, after
        )
        return series.values[known[nearer]]

    def _expected(
        self, wanted: float | PowerFromSensor, grid: TimeGrid, now: datetime, sign: float = 1.0
    ) -> FloatArray:
        """A power in every step: fixed, forecast, its default, or 0 (as FlexMeasures has it).

        Sensors have the sign they have everywhere inside: consumption positive. ``sign`` is that
        of quantities people write down, which are positive for production, too.
        """
        if isinstance(wanted, float):
            return np.full(grid.n, sign * wanted)
        default = 0.0 if wanted.default is None else sign * wanted.default
        return self._predictor.forecast(wanted.sensor, grid, now, default).values

    def _add_inflexible(self, parts: _Parts, now: datetime) -> None:
        """What the context lists, and what the building uses if it does not list that."""
        context, house = self._plant.context, self._plant.remainder
        consumption = context.inflexible_consumption
        if house is not None and house.power not in {one.sensor for one in consumption}:
            consumption = (*consumption, PowerFromSensor(sensor=house.power))
        for sign, references in ((1.0, consumption), (-1.0, context.inflexible_production)):
            for reference in references:
                flow = self._expected(reference, parts.grid, now, sign)
                parts.inflexible_kw += flow
                parts.expected[reference.sensor] = Series(parts.grid, flow)

    def _add_unit(self, parts: _Parts, unit: Unit, now: datetime) -> None:
        if unit.asset.type == "solar":
            can = self._predictor.production(unit, parts.grid, now).values
            listed = {reference.sensor for reference in self._plant.context.inflexible_production}
            if unit.control is not None:
                parts.expected[unit.power] = Series(parts.grid, can)
                parts.devices.append(Device(unit.name, can, np.zeros(parts.grid.n)))
            elif unit.power not in listed:
                parts.expected[unit.power] = Series(parts.grid, can)
                parts.inflexible_kw += can
        elif unit.stores and unit.control is not None:
            self._add_storage(parts, unit, now)

    def _add_storage(self, parts: _Parts, unit: Unit, now: datetime) -> None:
        if unit.vehicle and not self._storages.plugged(unit, now):
            return
        soc, full, grid = self._storages.soc_kwh(unit, now), unit.soc_max_kwh, parts.grid
        if soc is None or full is None:
            parts.notes.append(f"{unit.name} is not planned: its state of charge is not known")
            return
        low, high = unit.range_kw
        if not np.isfinite([low, high]).all():
            parts.notes.append(f"{unit.name} is not planned: it has no power-capacity")
            return
        minima = self._storages.minima(unit, grid, now)
        most = np.full(grid.n, high)
        least = np.full(grid.n, low)
        if unit.vehicle and unit.asset.ready_by and minima:
            gone = np.array([moment >= minima[0].at for moment in grid.times()])
            most[gone], least[gone] = 0.0, 0.0
        usage = [self._expected(usage, grid, now) for usage in unit.model.soc_usage]
        gain = [self._expected(gain, grid, now) for gain in unit.model.soc_gain]
        charging, discharging = unit.model.efficiencies()
        kept = unit.model.storage_efficiency
        price = self._plant.context.soc_minima_breach_price
        storage = Storage(
            unit.name,
            soc_start_kwh=soc,
            soc_min_kwh=unit.soc_min_kwh,
            soc_max_kwh=full,
            minima=minima,
            usage_kw=np.sum(usage, axis=0) - np.sum(gain, axis=0) + np.zeros(grid.n),
            minima_price=_amount(price, SOC_BREACH_PRICE),
            storage_efficiency=1.0 if kept is None else kept ** (RESOLUTION / _QUARTER),
            prefer_charging_sooner=unit.model.prefer_charging_sooner,
        )
        parts.devices.append(Device(unit.name, least, most, storage, charging, discharging))

    def _connection(self, grid: TimeGrid) -> Connection:
        """The limits of the grid connection, kept below by the guard's margin."""
        context, margin = self._plant.context, self._plant.site.grid_connection.guard_margin

        def capacity(limit_kw: float | None) -> FloatArray | None:
            if limit_kw is None:
                return None
            return np.full(grid.n, max(limit_kw - margin, 0.0))

        return Connection(
            power_capacity_kw=capacity(context.site_power_capacity),
            consumption_capacity_kw=capacity(context.site_consumption_capacity),
            production_capacity_kw=capacity(context.site_production_capacity),
            consumption_breach_price=_amount(
                context.site_consumption_breach_price, SITE_BREACH_PRICE
            ),
            production_breach_price=_amount(
                context.site_production_breach_price, SITE_BREACH_PRICE
            ),
            peak_consumption_kw=context.site_peak_consumption,
            peak_price=_amount(context.site_peak_consumption_price, None),
        )


def _amount(price: Price | None, default: float | None) -> float | None:
    return default if price is None else price.value


def _shortened(whole: Problem, share: float) -> Problem:
    """The problem where only a part of the first step is left."""
    market, connection = whole.site, whole.site.connection
    shorter = replace(
        market,
        inflexible_kw=_first(market.inflexible_kw, share),
        connection=replace(
            connection,
            power_capacity_kw=_limit(connection.power_capacity_kw, share),
            consumption_capacity_kw=_limit(connection.consumption_capacity_kw, share),
            production_capacity_kw=_limit(connection.production_capacity_kw, share),
        ),
    )
    devices = tuple(_shorten(device, share) for device in whole.devices)
    return replace(whole, devices=devices, markets=(shorter,))


def _first(values: FloatArray, share: float) -> FloatArray:
    shortened = values.copy()
    shortened[0] *= share
    return shortened


def _limit(amount: Amount | None, share: float) -> Amount | None:
    return _first(amount, share) if isinstance(amount, np.ndarray) else amount


def _shorten(device: Device, share: float) -> Device:
    """A device whose first step is only partly left: less power, less usage."""
    storage = device.storage
    if storage is not None and isinstance(storage.usage_kw, np.ndarray):
        storage = replace(storage, usage_kw=_first(storage.usage_kw, share))
    return replace(
        device,
        min_kw=_first(device.min_kw, share),
        max_kw=_first(device.max_kw, share),
        storage=storage,
    )
