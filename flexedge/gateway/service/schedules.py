"""Schedules that are asked for: understood at once, solved as jobs, kept as beliefs."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np

from flexedge.domain.asset import Source
from flexedge.domain.belief import Belief
from flexedge.domain.series import Series, TimeGrid
from flexedge.domain.units import duration
from flexedge.errors import BadField, Infeasible, PlanError
from flexedge.gateway.service import packed
from flexedge.gateway.service.stored import Sensors, Stored
from flexedge.gateway.service.work import NAME, SCHEDULING, Work
from flexedge.optim.request import merge, site
from flexedge.optim.request.answer import answer
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.places import place
from flexedge.optim.request.site import Asked
from flexedge.optim.request.source import parse_unit
from flexedge.optim.request.task import task
from flexedge.optim.sequence import one_by_one
from flexedge.optim.solve import solve
from flexedge.store.beliefs import Beliefs
from flexedge.store.state import State
from flexedge.store.tables.jobs import Job
from flexedge.store.tables.placed import PlacedSensor

Json = dict[str, Any]
Scheduler = Literal["StorageScheduler", "ProcessScheduler"]
STORAGE: Scheduler = "StorageScheduler"
PROCESS: Scheduler = "ProcessScheduler"
TIME_LIMIT = timedelta(seconds=5)
MOST = 50_000
"""Devices x steps that are planned at once."""
_TASKS = ("process", "load")  # kinds of assets
_STRICT = ("relax-constraints", "relax-soc-constraints")
_READY = 16  # requests that are understood and wait for their turn, in memory
_HAS_A_SIGN = "consumption_is_positive"


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A request that was understood: what is left to solve, or (of a task alone) what was told."""

    source: Stored
    scheduler: Scheduler
    asked: Asked | None = None
    told: Json | None = None
    strict: bool = False
    """Whether a plan that cannot keep all limits is none."""


class Schedules:
    """Takes requests for schedules, and does the jobs. Raises ``BadField`` and ``StoreError``."""

    def __init__(
        self,
        state: State,
        beliefs: Beliefs,
        work: Work,
        *,
        compat: str | None = None,
        time_limit: timedelta = TIME_LIMIT,
    ) -> None:
        self._state = state
        self._beliefs = beliefs
        self._work = work
        self._compat = compat
        self._time_limit = time_limit
        self._ready: OrderedDict[str, Ready] = OrderedDict()
        work.serve(SCHEDULING, self.run)

    def ask(
        self,
        asset: int,
        sensor: int | None,
        request: Json,
        *,
        anew: bool = False,
        user_id: int | None = None,
    ) -> Job:
        """A job that makes a schedule. ``request`` is FlexMeasures' trigger, all of it as JSON.

        What is wrong with it is said here. Where it is understood, data and all, the job plans with
        what was known at this moment; ``prior`` goes back further, and is always planned anew.
        """
        ready = self._understand(asset, sensor, request, self._work.now())
        payload = {"asset": asset, "sensor": sensor, "request": request}
        job = self._work.ask(
            SCHEDULING, payload, asset_id=asset, sensor_id=sensor, user_id=user_id,
            anew=anew or request.get("prior") is not None,
        )  # fmt: skip
        if job.status == "queued":
            self._ready[job.id] = ready
            while len(self._ready) > _READY:
                self._ready.popitem(last=False)
        return job

    def number(self, name: str) -> int | None:
        """The number of a sensor that a request calls by it, or by its key."""
        return Sensors(self._state, {}, ()).number(name)

    def run(self, job: Job, now: datetime) -> Json:
        """Do a job: solve, keep, and tell. Raises ``PlanError``, ``StoreError``."""
        payload = job.payload
        ready = self._ready.pop(job.id, None) or self._understand(
            payload["asset"], payload["sensor"], payload["request"], job.queued
        )
        told = _solved(ready, self._time_limit) if ready.told is None else ready.told
        if ready.strict and told["status"] == "relaxed":
            raise Infeasible(told["culprits"])
        prior = payload["request"].get("prior")
        believed = now if prior is None else datetime.fromisoformat(prior)
        source = Source(NAME, "scheduler", ready.scheduler)
        counts = {} if ready.asked is None else {
            output.sensor.name: output.counts for output in ready.asked.outputs
        }  # fmt: skip
        outputs = {
            name: self._output(ready.source, name, one, counts.get(name))
            for name, one in told["outputs"].items()
        }
        self._beliefs.save(
            [_belief(ready.source.placed(name).key, one, source, believed)
             for name, one in outputs.items()],
            source,
        )  # fmt: skip
        return {
            "num-beliefs": sum(len(one["values"]) for one in outputs.values()),
            "resolved": _numbered(told["resolved"]),
            "unresolved": _numbered(told["unresolved"]),
            "scheduler": ready.scheduler,
            "source": self._beliefs.source(source),
            "commitment-costs": told["commitment-costs"],
            "outputs": outputs,
            "plan": packed.pack({key: value for key, value in told.items() if key != "outputs"}),
        }

    def _understand(self, asset: int, sensor: int | None, request: Json, now: datetime) -> Ready:
        source = Stored(
            self._state, self._beliefs, asset,
            [request.get("flex-model"), request.get("flex-context")], now,
        )  # fmt: skip
        scheduler = _scheduler(source, asset, sensor)
        asked = dict(request)
        if sensor is not None:
            asked["flex-model"] = _of_sensor(request.get("flex-model"), sensor)
        fields = Fields({k: v for k, v in asked.items() if v is not None}, "")
        whole = Fields({"asset": asset}, "")
        alone = _alone(fields, source, asset, scheduler)
        if alone is not None:
            told = task(whole, alone, source)
            if told is not None:
                return Ready(source, PROCESS, told=told)
        if not merge.entries(fields, source, str(asset)):
            fields.fail("flex-model", "is missing: neither is one sent, nor is one stored with the "
                        "asset or one below it")  # fmt: skip
        context = merge.context(fields, source, str(asset))
        strict = any(context.data.get(key) is False for key in _STRICT)
        planned = site.site(whole, fields, source, self._compat)
        site.demand_size(planned, MOST)
        return Ready(source, STORAGE, planned, strict=strict)

    def _output(self, source: Stored, name: str, told: Json, counts: str | None) -> Json:
        """What is told of a sensor, and with which sign it is stored."""
        placed, said = source.placed(name), source.sensors[name].attributes
        unit = parse_unit(placed.unit)
        stored = 1
        if "sign" in told and unit is not None and unit.dimension == "power":
            if counts == "consumption" and _HAS_A_SIGN not in placed.attributes:
                self._count(source.number(name), placed)
            elif not said.get(_HAS_A_SIGN, False):
                stored = -1
        return {key: told[key] for key in ("start", "resolution", "unit", "values")} | {
            "stored": stored, "power": "sign" in told,
        }  # fmt: skip

    def _count(self, number: int, placed: PlacedSensor) -> None:
        """Let a sensor that is the output for consumption say so, as FlexMeasures does."""
        attributes = {**placed.attributes, _HAS_A_SIGN: True}
        self._state.placed.place(
            number, placed.asset_id, placed.name, placed.timezone, attributes
        )  # fmt: skip


def _scheduler(source: Stored, asset: int, sensor: int | None) -> Scheduler:
    """Which of FlexMeasures' schedulers would do it: by the attribute, or by the kind of asset."""
    target = source.assets[str(asset)]
    attributes: Mapping[str, Any] = target.attributes
    if sensor is not None:
        attributes = source.placed(str(sensor)).attributes
    named = attributes.get("custom-scheduler")
    if named is not None:
        name = named.get("class") if isinstance(named, Mapping) else named
        for known in (STORAGE, PROCESS):
            if name == known:
                return known
        raise BadField(
            "custom-scheduler",
            f"there is no scheduler {name!r} here, only {STORAGE} and {PROCESS}: change or delete"
            " that attribute",
        )
    return PROCESS if source.kind in _TASKS else STORAGE


def _of_sensor(sent: Any, sensor: int) -> Any:
    """The flex-model of a trigger for one sensor, naming that."""
    if sent is None:
        return [{"sensor": sensor}]
    if isinstance(sent, list):
        raise BadField("flex-model", "should be an object: the schedule is for one sensor")
    return [{"sensor": sensor, **sent}] if isinstance(sent, Mapping) else sent


def _alone(fields: Fields, source: Stored, asset: int, scheduler: Scheduler) -> Fields | None:
    """A request for one task on an asset for such, as FlexMeasures' ProcessScheduler takes it."""
    sent = fields.data.get("flex-model")
    listed = [sent] if isinstance(sent, Mapping) else sent
    if not isinstance(listed, list) or len(listed) != 1 or not isinstance(listed[0], Mapping):
        return None
    entry = Fields(listed[0], "flex-model")
    kind = scheduler
    if entry.has("sensor") and entry.name("sensor") in source.sensors:
        sensor = source.sensors[entry.name("sensor")]
        if sensor.asset_type in _TASKS:
            kind = PROCESS
    if kind != PROCESS:
        return None
    return Fields({**fields.data, "flex-model": {"asset": asset, **entry.data}}, "")


def _solved(ready: Ready, time_limit: timedelta) -> Json:
    asked = ready.asked
    if asked is None:
        raise PlanError("there is nothing to be solved")
    plan = one_by_one if asked.sequential else solve
    try:
        return answer(asked, plan(asked.problem, time_limit))
    except Infeasible as error:
        raise Infeasible([place(asked.places, one) for one in error.culprits]) from error


def _belief(key: str, told: Json, source: Source, believed: datetime) -> Belief:
    values = np.array([np.nan if one is None else one for one in told["values"]], np.float64)
    signed = values * told["stored"] + 0.0
    grid = TimeGrid(
        datetime.fromisoformat(told["start"]), duration(told["resolution"]), len(values)
    )
    return Belief(key, source.name, believed, Series(grid, signed))


def _numbered(told: list[Json]) -> list[Json]:
    """Assets as their numbers."""
    return [one | {"asset": int(one["asset"])} if str(one["asset"]).isdigit() else one
            for one in told]  # fmt: skip
