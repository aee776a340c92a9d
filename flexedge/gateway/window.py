"""The window: what people see of the gateway, put together on demand."""

import contextlib
import math
import resource
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from flexedge import __version__
from flexedge.domain.schedule import Applied, Clamped, Outcome, Refused, Released, Unreachable
from flexedge.domain.series import Series, TimeGrid, floor
from flexedge.domain.units import Price
from flexedge.domain.variable import VariablePrice
from flexedge.errors import RequestError, StoreError
from flexedge.gateway import view
from flexedge.gateway.asked import Override
from flexedge.gateway.foresee import FORECASTER
from flexedge.gateway.gateway import Gateway
from flexedge.gateway.plan import SCHEDULER, Plan
from flexedge.gateway.plant import GRID, Unit
from flexedge.gateway.predict import RESOLUTION
from flexedge.gateway.sync.told import seen as centres_seen

_OUTCOMES: dict[type[Outcome], view.OutcomeName] = {
    Applied: "applied",
    Clamped: "clamped",
    Refused: "refused",
    Unreachable: "unreachable",
    Released: "released",
}
_LONGEST = timedelta(days=8)


def _maybe(values: Series) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(value) else round(float(value), 4) for value in values.values)


def _rss_mb() -> float:
    """Resident memory of this process."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return pages * resource.getpagesize() / 2**20


class GatewayWindow:
    """Implements ``view.Window``. Safe to use from any thread."""

    def __init__(self, gateway: Gateway, now: Callable[[], datetime], speed: float) -> None:
        self._gateway = gateway
        self._now = now
        self._speed = speed
        self._centres_seen: tuple[view.CentreView, ...] = ()

    def status(self) -> view.Status:
        """The site now."""
        gateway, now = self._gateway, self._now()
        plant = gateway.plant
        grid = gateway.latest.get(f"{GRID}.power")
        limit_kw = min(gateway.grid.limits_kw(now)[0], gateway.overrides.site(now)[0])
        bought, sold = self._price_fields()
        return view.Status(
            site=plant.site.site.name,
            version=__version__,
            now=now,
            speed=self._speed,
            timezone=plant.site.site.timezone,
            currency=plant.currency,
            import_price=self._price_at(bought, now),
            feed_in_price=self._price_at(sold, now),
            grid_kw=gateway.latest.value(f"{GRID}.power", now, plant.max_age(f"{GRID}.power")),
            grid_age_s=None if grid is None else (now - grid.event_start).total_seconds(),
            grid_limit_kw=None if math.isinf(limit_kw) else limit_kw,
            assets=tuple(
                self._asset(unit, now) for unit in plant.units if unit.asset.type != "group"
            ),
            devices=tuple(self._device(name, now) for name in plant.site.devices),
            plan=self._plan(now),
            alarms=tuple(gateway.health.alarms.values()),
            centres=self._centres(now),
        )

    def _centres(self, now: datetime) -> tuple[view.CentreView, ...]:
        """How things stand with them; while the state cannot be read, as they stood before."""
        with contextlib.suppress(StoreError):
            self._centres_seen = centres_seen(self._gateway.centres, self._gateway.state, now)
        return self._centres_seen

    def _price_fields(self) -> tuple[VariablePrice | None, VariablePrice | None]:
        """Which price is paid, and which is earned."""
        context = self._gateway.plant.context.electricity
        bought, sold = context.consumption_price, context.production_price
        return bought, bought if sold is None else sold

    def _prices(self, price: VariablePrice | None, grid: TimeGrid) -> Series:
        if isinstance(price, Price):
            return Series.constant(grid, price.value)
        if price is None:
            return Series.constant(grid, np.nan)
        series = self._gateway.prices.series(price.sensor, grid)
        return series.filled(None if price.default is None else price.default.value)

    def _price_at(self, price: VariablePrice | None, now: datetime) -> float | None:
        """A price now; None where nobody knows it, or it is kept where nothing can be read."""
        grid = TimeGrid(floor(now, RESOLUTION), RESOLUTION, 1)
        try:
            return self._prices(price, grid).at(now)
        except StoreError:
            return None

    def _asset(self, unit: Unit, now: datetime) -> view.AssetView:
        gateway = self._gateway
        reading = gateway.latest.get(unit.power)
        _, plan = gateway.planner.in_force(now)
        schedule = None if plan is None else plan.schedules.get(unit.name)
        given = gateway.elsewhere.of(unit, now)
        schedule = schedule if given is None else given.schedule
        override = gateway.overrides.of(unit.name, now)
        usable = gateway.latest.value(unit.power, now, gateway.plant.max_age(unit.power))
        return view.AssetView(
            name=unit.name,
            type=unit.asset.type,
            device=unit.asset.device,
            power_kw=usable,
            age_s=None if reading is None else (now - reading.event_start).total_seconds(),
            quality="missing" if reading is None else reading.quality.value,
            soc_kwh=gateway.storages.soc_kwh(unit, now) if unit.stores else None,
            soc_max_kwh=unit.full_kwh if unit.stores else None,
            plugged=gateway.storages.plugged(unit, now) if unit.vehicle else None,
            planned_kw=None if schedule is None else schedule.power_kw.at(now),
            control=None if unit.control is None else self._control(unit),
            why=self._why(override, plan, unit, now),
            override=None if override is None else view.OverrideView(
                override.action, override.power_kw, override.until, override.who, override.why
            ),
        )  # fmt: skip

    def _why(self, override: Override | None, plan: Plan | None, unit: Unit, now: datetime) -> str:
        if override is not None:
            return f"There is an {override.sentence(self._gateway.plant.zone)}."
        theirs = self._gateway.elsewhere.words(unit, now)
        return theirs or ("" if plan is None else plan.why.get(unit.name, ""))

    def _control(self, unit: Unit) -> view.ControlView | None:
        held = self._gateway.dispatcher.held(unit.name)
        if held.at is None:
            return None
        why = ""
        if isinstance(held.outcome, Refused | Released | Unreachable):
            why = held.outcome.why
        return view.ControlView(
            setpoint_kw=None if held.setpoint is None else held.setpoint.power_kw,
            outcome=_OUTCOMES[type(held.outcome)],
            verified=held.verified,
            reason=why,
            clamped_by=held.by if isinstance(held.outcome, Clamped) else (),
            at=held.at,
        )

    def _device(self, name: str, now: datetime) -> view.DeviceView:
        gateway = self._gateway
        health = gateway.health.device(name)
        points = []
        for (device, _), sensor in gateway.plant.sensor_of.items():
            if device != name:
                continue
            reading = gateway.latest.get(sensor)
            points.append(
                view.PointView(
                    sensor=sensor,
                    value=None if reading is None else reading.value,
                    unit=gateway.plant.sensors[sensor].unit,
                    quality="missing" if reading is None else reading.quality.value,
                    age_s=None if reading is None else (now - reading.event_start).total_seconds(),
                )
            )
        age = None if health.last_ok is None else (now - health.last_ok).total_seconds()
        return view.DeviceView(
            name=name,
            title=gateway.titles[name],
            state=health.state(now),
            age_s=age,
            error=health.error,
            polls=health.polls,
            failures=health.failures,
            points=tuple(points),
        )

    def _plan(self, now: datetime) -> view.PlanView:
        gateway = self._gateway
        _, plan = gateway.planner.in_force(now)
        counts = gateway.health.counts
        trouble = gateway.planner.trouble
        return view.PlanView(
            rung=gateway.dispatcher.rung,
            made_at=None if plan is None else plan.made_at,
            valid_until=None if plan is None else plan.valid_until,
            status=trouble or ("no plan yet" if plan is None else plan.status),
            seconds=None if plan is None else plan.seconds,
            cost=None if plan is None else plan.cost,
            explanation=() if plan is None else (plan.headline, *plan.breaches),
            count=counts.plans,
            infeasible=counts.infeasible,
            seconds_max=counts.plan_seconds_max,
        )

    def chart(self) -> view.Chart:
        """From midnight yesterday to the end of the plan."""
        gateway, now = self._gateway, self._now()
        plant = gateway.plant
        midnight = now.astimezone(plant.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        _, plan = gateway.planner.in_force(now)
        end = floor(now, RESOLUTION) + timedelta(hours=24)
        end = max(end, plan.grid_kw.grid.end) if plan is not None else end
        grid = TimeGrid.covering(midnight - timedelta(days=1), end, RESOLUTION)
        bought, sold = self._price_fields()
        return view.Chart(
            now=now,
            times=tuple(grid.times()),
            resolution_s=RESOLUTION.total_seconds(),
            currency=plant.currency,
            import_price=_maybe(self._prices(bought, grid)),
            feed_in_price=_maybe(self._prices(sold, grid)),
            grid=self._line(f"{GRID}.power", GRID, grid),
            powers=tuple(
                self._line(unit.power, unit.name, grid)
                for unit in plant.units
                if unit.power in plant.sensors
            ),
            socs=tuple(
                self._line(unit.sensors["soc"], unit.name, grid)
                for unit in plant.units
                if unit.stores and "soc" in unit.sensors
            ),
        )

    def _line(self, sensor: str, name: str, grid: TimeGrid) -> view.Line:
        beliefs = self._gateway.beliefs
        expected = beliefs.believed(sensor, FORECASTER.name, grid)
        planned = beliefs.believed(sensor, SCHEDULER.name, grid).or_else(expected)
        return view.Line(
            name=name,
            unit=self._gateway.plant.sensors[sensor].unit,
            measured=_maybe(beliefs.mean(sensor, grid)),
            planned=_maybe(planned),
        )

    def beliefs(self, sensor: str, start: datetime, end: datetime) -> tuple[view.BeliefView, ...]:
        """Readings, forecasts and schedules of a sensor; ``RequestError`` 404 if unknown."""
        if sensor not in self._gateway.beliefs.sensors:
            known = ", ".join(sorted(self._gateway.beliefs.sensors))
            raise RequestError(404, f"there is no sensor {sensor!r}; there are {known}")
        if end - start > _LONGEST:
            raise RequestError(422, f"ask for at most {_LONGEST.days} days at a time")
        rows = self._gateway.beliefs.between(sensor, start, end)
        return tuple(
            view.BeliefView(row.event_start, row.belief_time, row.source, row.value) for row in rows
        )

    def totals(self, start: datetime, end: datetime) -> view.Totals:
        """Energies and counts between two times; the counts are those since the start."""
        gateway = self._gateway
        with contextlib.suppress(StoreError):  # told by who flushes every 5 s
            gateway.beliefs.flush()
        counts = gateway.health.counts
        return view.Totals(
            energies_kwh=gateway.beliefs.energies_kwh(start, end),
            setpoints=view.SetpointCounts(
                counts.written, counts.verified, counts.clamped, counts.refused
            ),
            plans=view.PlanCounts(counts.plans, counts.infeasible, counts.plan_seconds_max),
            errors=counts.errors,
            rss_mb=round(_rss_mb(), 1),
        )
