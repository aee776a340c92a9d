"""The plan: what every asset shall do over the next day and a half, made anew all the time."""

import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import structlog

from flexedge.config.prices import Prices
from flexedge.domain.asset import Source
from flexedge.domain.belief import Belief
from flexedge.domain.schedule import Schedule
from flexedge.domain.series import FloatArray, Series, TimeGrid
from flexedge.errors import PlanError, SolverGaveUp, StoreError
from flexedge.gateway.foresee import FORECASTER
from flexedge.gateway.health import Health
from flexedge.gateway.plant import GRID, Plant
from flexedge.gateway.problem import Gathered, Gatherer
from flexedge.gateway.simpler import simpler
from flexedge.gateway.view import Rung
from flexedge.optim import explain
from flexedge.optim.device import per_step
from flexedge.optim.problem import Problem
from flexedge.optim.solution import Solution
from flexedge.optim.solve import solve
from flexedge.store.beliefs import Beliefs

_log = structlog.get_logger()
SCHEDULER = Source("flexedge", "scheduler")
FRESH_FOR = timedelta(minutes=15)
VALID_FOR = timedelta(hours=6)
_SIMPLER = "the solver found no plan in its time: this one heeds neither starts nor minimum times"
_ENOUGH = timedelta(seconds=1)  # for a simpler plan
_DECIMALS = 6  # of kW: what a solver leaves beyond is rounding
PATIENCE = timedelta(seconds=20)
"""How long the first plan waits for every state of charge, and devices for the first plan."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """One plan: schedules by asset, the grid power they lead to, and why."""

    made_at: datetime
    valid_until: datetime
    schedules: Mapping[str, Schedule]
    grid_kw: Series
    can_produce_kw: Mapping[str, Series]
    """What each solar asset could produce, by asset."""
    import_price: Series
    export_price: Series
    stored_value: Mapping[str, Series]
    """What a stored kWh is worth in each step, by asset."""
    efficiencies: Mapping[str, tuple[Series, Series]]
    """Of charging and of discharging, by asset."""
    cost: float
    seconds: float
    status: str
    headline: str
    why: Mapping[str, str]
    breaches: tuple[str, ...]
    outputs: Mapping[str, Series]
    """Powers that are also written to other sensors, by sensor."""
    problem: Problem
    solution: Solution
    """What was asked of the solver and what it found: to explain the plan from."""


class Planner:
    """Makes plans and says which one is in force. ``step`` is for one thread at a time."""

    def __init__(
        self, plant: Plant, gatherer: Gatherer, prices: Prices, beliefs: Beliefs, health: Health
    ) -> None:
        self._plant = plant
        self._gatherer = gatherer
        self._prices = prices
        self._beliefs = beliefs
        self._health = health
        self._lock = threading.Lock()
        self._plan: Plan | None = None
        self._solution: Solution | None = None
        self._inputs: object = None
        self._began: datetime | None = None
        self.trouble = ""
        """Why there is no newer plan; empty when the last attempt succeeded."""

    def meanwhile(self, change: Callable[[], None]) -> None:
        """Do something while no plan is being made."""
        with self._lock:
            change()

    def changed(self, now: datetime) -> bool:
        """Whether a price, a plug or what is known of a storage changed since the last plan."""
        prices = self._prices.changed()
        return prices or self._gatherer.signature(now) != self._inputs

    def begin(self, now: datetime) -> None:
        """The gateway starts: give devices a moment to say what they hold."""
        self._began = now

    def starting(self, now: datetime) -> bool:
        """Whether the first plan may still be waited for."""
        return (
            self._health.time_known
            and self._plan is None
            and self._began is not None
            and now - self._began < PATIENCE
        )

    def step(self, now: datetime, horizon: timedelta, time_limit: timedelta) -> None:
        """Make a plan. When none comes out, the last one stays and ``trouble`` says why."""
        with self._lock:
            if not self._health.time_known:
                self.trouble = "the clock is not trusted"
                return
            if self.starting(now) and not self._gatherer.complete(now):
                return
            self._prices.changed()
            self._inputs = self._gatherer.signature(now)
            with contextlib.suppress(StoreError):  # told by who flushes every 5 s
                self._beliefs.flush()  # forecasts shall know the newest readings
            try:
                gathered = self._gatherer.gather(now, horizon)
                solution, notes = self._solve(gathered, time_limit)
            except (PlanError, StoreError, ValueError) as error:
                self._health.count(infeasible=1)
                if not self.trouble:
                    _log.warning("no new plan", why=str(error))
                self.trouble = str(error)
                self._health.alarm("plan", f"no new plan: {error}")
                return
            self._solution = solution
            self._plan = plan = self._read_back(gathered, solution, now)
            self.trouble = ""
            self._health.planned(plan.seconds)
            self._health.alarm("plan", "; ".join((*plan.breaches, *gathered.notes, *notes)))
            self._keep(plan, gathered.expected)

    def _solve(self, gathered: Gathered, time_limit: timedelta) -> tuple[Solution, tuple[str, ...]]:
        """The best plan within the time; a simpler one, and a note on that, where there is none."""
        try:
            return solve(gathered.problem, time_limit, self._solution), ()
        except SolverGaveUp:
            easy = simpler(gathered.problem, gathered.owners)
            return solve(easy, max(time_limit, _ENOUGH), self._solution), (_SIMPLER,)

    def _read_back(self, gathered: Gathered, solution: Solution, now: datetime) -> Plan:
        """Undo what shortened the first step and put names and times to the numbers."""
        problem, grid = gathered.whole, gathered.whole.grid

        def whole(values: FloatArray) -> FloatArray:
            stretched = values.copy()
            stretched[0] /= gathered.first_share
            return np.round(stretched, _DECIMALS)

        solution = replace(
            solution,
            power_kw={name: whole(power) for name, power in solution.power_kw.items()},
            net_kw={name: whole(power) for name, power in solution.net_kw.items()},
        )
        words = explain.explain(problem, solution, 0, self._plant.zone, self._plant.currency)
        return Plan(
            made_at=now,
            valid_until=min(now + VALID_FOR, grid.end),
            schedules=_schedules(gathered, solution),
            grid_kw=Series(grid, solution.grid_kw),
            can_produce_kw={
                device.name: Series(grid, -device.min_kw)
                for device in problem.devices
                if device.storage is None and device.process is None
            },
            import_price=Series(grid, problem.site.import_price),
            export_price=Series(grid, problem.site.export_price),
            stored_value={
                device.name: Series(grid, solution.stored_value[device.storage.name])
                for device in problem.devices
                if device.storage is not None
            },
            efficiencies={
                device.name: (
                    Series(grid, per_step(device.charging_efficiency, grid.n)),
                    Series(grid, per_step(device.discharging_efficiency, grid.n)),
                )
                for device in problem.devices
            },
            cost=solution.cost,
            seconds=solution.build_seconds + solution.solve_seconds,
            status=solution.status,
            headline=words.headline,
            why=_why(gathered, words.by_device, solution) | dict(gathered.theirs),
            breaches=tuple(breach.sentence(self._plant.zone) for breach in solution.breaches),
            outputs=_outputs(gathered, solution),
            problem=problem,
            solution=solution,
        )

    def _keep(self, plan: Plan, expected: Mapping[str, Series]) -> None:
        """Save schedules and forecasts as beliefs; a plan that cannot be saved still holds."""
        series = {GRID: plan.grid_kw} | {
            name: schedule.power_kw for name, schedule in plan.schedules.items()
        }
        beliefs = [
            Belief(f"{name}.power", SCHEDULER.name, plan.made_at, values)
            for name, values in series.items()
            if f"{name}.power" in self._plant.sensors
        ]
        beliefs += [
            Belief(sensor, SCHEDULER.name, plan.made_at, values)
            for sensor, values in plan.outputs.items()
        ]
        for name, schedule in plan.schedules.items():
            sensor = self._plant.unit(name).sensors.get("soc")
            if sensor is not None and schedule.soc_kwh is not None:
                beliefs.append(self._soc_belief(name, sensor, schedule.soc_kwh, plan.made_at))
        forecasts = [
            Belief(sensor, FORECASTER.name, plan.made_at, series)
            for sensor, series in expected.items()
            if sensor in self._plant.sensors
        ]
        try:
            self._beliefs.save(beliefs, SCHEDULER)
            self._beliefs.save(forecasts, FORECASTER)
        except StoreError as error:
            self._health.alarm("plan-store", f"the plan could not be saved: {error}")
        else:
            self._health.alarm("plan-store", "")

    def _soc_belief(self, name: str, sensor: str, soc: Series, made_at: datetime) -> Belief:
        """The planned state at the end of each step, in the sensor's unit, as instants."""
        full = self._plant.unit(name).full_kwh or 1.0
        factor = 100.0 / full if self._plant.sensors[sensor].unit == "%" else 1.0
        grid = TimeGrid(soc.grid.start + soc.grid.resolution, soc.grid.resolution, soc.grid.n)
        return Belief(sensor, SCHEDULER.name, made_at, Series(grid, soc.values * factor))

    def in_force(self, now: datetime) -> tuple[Rung, Plan | None]:
        """The rung of the ladder and the plan to follow on it.

        Fresh plan, then the last plan while it is valid, then the local rule.
        """
        plan = self._plan
        if plan is None or now >= plan.valid_until or not self._health.time_known:
            return "local-rule", None
        return ("fresh-plan" if now - plan.made_at <= FRESH_FOR else "last-plan"), plan


def _schedules(gathered: Gathered, solution: Solution) -> dict[str, Schedule]:
    """The power of each asset, which may be that of several tasks, and what it stores."""
    grid = gathered.whole.grid
    powers: dict[str, FloatArray] = {}
    stocks: dict[str, Series] = {}
    for device in gathered.whole.devices:
        asset = gathered.owners[device.name]
        powers[asset] = powers.get(asset, np.zeros(grid.n)) + solution.power_kw[device.name]
        if device.storage is not None:
            stocks[asset] = Series(grid, solution.soc_kwh[device.storage.name])
    return {
        name: Schedule(name, Series(grid, power), stocks.get(name))
        for name, power in powers.items()
    }


def _why(gathered: Gathered, by_device: Mapping[str, str], solution: Solution) -> dict[str, str]:
    """One sentence for each asset: of a process, that of the task that runs, or of the first."""
    why: dict[str, str] = {}
    for device in gathered.whole.devices:
        asset = gathered.owners[device.name]
        if asset not in why or solution.power_kw[device.name][0] > 0:
            why[asset] = by_device[device.name].replace(f"The {device.name} ", f"The {asset} ", 1)
    return why


def _outputs(gathered: Gathered, solution: Solution) -> dict[str, Series]:
    """What is written to further sensors; consumption is positive in all of them."""
    grid, told = gathered.whole.grid, {}
    for output in gathered.outputs:
        power = sum((solution.power_kw[name] for name in output.devices), start=output.fixed_kw)
        if output.part == "up":
            power = np.maximum(power, 0.0)
        elif output.part == "down":
            power = np.minimum(power, 0.0)
        told[output.sensor.name] = Series(grid, power)
    return told
