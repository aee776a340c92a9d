"""Forecasts that are asked for: understood at once, made as jobs, kept as beliefs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from flexedge.domain.asset import Source
from flexedge.domain.convert import factor
from flexedge.domain.series import FloatArray, TimeGrid, floor
from flexedge.domain.units import duration
from flexedge.errors import BadField, PlanError
from flexedge.forecast.candidates import Known, calendar
from flexedge.forecast.outlook import Outlook, filled, outlook, shaped
from flexedge.gateway.service.pasts import Pasts, Reference
from flexedge.gateway.service.work import FORECASTING, NAME, Work
from flexedge.store.beliefs import Beliefs
from flexedge.store.placing import us
from flexedge.store.rows import Beliefs as Rows
from flexedge.store.rows import micros
from flexedge.store.state import State
from flexedge.store.tables.jobs import Job
from flexedge.store.tables.placed import PlacedSensor

Json = dict[str, Any]
FORECASTER = Source(NAME, "forecaster", "TrainPredictPipeline")
_DAY, _TRAIN, _AHEAD = timedelta(days=1), timedelta(days=30), timedelta(hours=48)
_MOST_PAST, _MOST_AHEAD, _MOST_CYCLES = 200_000, 50_000, 400  # steps, steps of all cycles, cycles


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request for forecasts, understood; all times in steps of the sensor."""

    sensor: int
    start: datetime
    step: timedelta
    steps: int
    horizon: int
    every: int
    cycles: int
    believed: datetime
    """Of the first cycle."""
    prior: datetime | None
    save: int


class Forecasts:
    """Takes requests for forecasts, and does the jobs. Raises ``BadField``, ``StoreError``."""

    def __init__(self, state: State, beliefs: Beliefs, work: Work) -> None:
        self._state = state
        self._beliefs = beliefs
        self._work = work
        work.serve(FORECASTING, self.run)

    def ask(self, sensor: int, request: Json, now: datetime, *, user_id: int | None = None) -> Job:
        """A job that forecasts a sensor. ``request`` as ``wire.forecasts`` has it, as JSON."""
        placed = self._placed(sensor, "sensor")
        self._shape(request.get("config") or {}, self._check_save(sensor, request))
        _wanted(sensor, placed, request, now)
        payload = {"sensor": sensor, "request": request}
        if request.get("start") is None:  # from now on: another request at another time
            payload["now"] = floor(now, _step(placed)).isoformat()
        return self._work.ask(
            FORECASTING, payload, asset_id=placed.asset_id, sensor_id=sensor, user_id=user_id,
            anew=request.get("prior") is not None,
        )  # fmt: skip

    def run(self, job: Job, now: datetime) -> Json:
        """Do a job: learn and look ahead from each viewpoint, keep, and tell."""
        began = perf_counter()
        sensor, request = job.payload["sensor"], job.payload["request"]
        placed = self._placed(sensor, "sensor")
        asked_at = datetime.fromisoformat(job.payload["now"]) if "now" in job.payload else now
        wanted = _wanted(sensor, placed, request, asked_at)
        config = request.get("config") or {}
        shape = self._shape(config, self._placed(wanted.save, "sensor-to-save"))
        whole, made = np.full(wanted.steps, np.nan), []
        for cycle in range(wanted.cycles):
            found, at = self._cycle(wanted, placed, config, cycle)
            values = {q: shape(one) for q, one in found.quantiles.items()}
            made.append((cycle, values, found))
            whole[at : at + len(values[0.5])] = values[0.5]
        number = self._keep(wanted, made, probabilistic=bool(request.get("probabilistic")))
        known = np.flatnonzero(~np.isnan(whole))
        first, last = int(known[0]), int(known[-1]) + 1
        return {
            "told": perf_counter() - began,
            "source": number,
            "start": (wanted.start + first * _step(placed)).isoformat(),
            "resolution": us(_step(placed)),
            "unit": self._placed(wanted.save, "sensor-to-save").unit,
            "values": [None if math.isnan(one) else one for one in whole[first:last].tolist()],
            "ways": [list(found.chosen) for _, _, found in made],
            "errors": [[dict(one) for one in found.errors] for _, _, found in made],
        }

    def _cycle(
        self, wanted: Wanted, placed: PlacedSensor, config: Json, cycle: int
    ) -> tuple[Outlook, int]:
        """The forecast from one viewpoint, and from which step of all on."""
        step = _step(placed)
        at = cycle * wanted.every
        view = wanted.start + at * step
        n = min(wanted.horizon, wanted.steps - at)
        pasts = Pasts(self._state, self._beliefs, wanted.prior)
        grid, past = _seen(pasts, wanted, view, wanted.believed + at * step, config)
        skipped = (view - grid.end) // step  # steps between what is known and what is asked for
        missing, most = float(np.isnan(past).mean()), config.get("missing-threshold")
        if most is not None and missing > most:
            raise PlanError(
                f"{missing:.0%} of the past of sensor {wanted.sensor} are missing, more than the"
                f" missing-threshold of {most:.0%}"
            )
        both = _references(config, "regressors")
        long = TimeGrid(grid.start, step, grid.n + skipped + n)
        ahead = [pasts.expected(one, long)
                 for one in (*_references(config, "future-regressors"), *both)]  # fmt: skip
        ahead += [pasts.remarked(one, long) for one in config.get("annotation-regressors", ())]
        behind = [filled(pasts.realised(one, grid))
                  for one in (*_references(config, "past-regressors"), *both)]  # fmt: skip
        hours, weekdays = calendar(grid.start, step, long.n, ZoneInfo(placed.timezone))
        per_day = _DAY // step
        known = Known(per_day, filled(past), hours, weekdays, ahead, behind)
        try:
            found = outlook(known, skipped + n)
        except ValueError as error:
            raise PlanError(
                f"nothing is known of sensor {wanted.sensor} from {grid.start.isoformat()} to"
                f" {grid.end.isoformat()}: post data first"
            ) from error
        cut = {q: one[skipped:] for q, one in found.quantiles.items()}
        return Outlook(cut[0.5], cut, found.chosen, found.errors), at

    def _keep(
        self, wanted: Wanted, made: Sequence[tuple[int, Mapping[float, FloatArray], Outlook]],
        *, probabilistic: bool,
    ) -> int:  # fmt: skip
        """Keep forecasts of all viewpoints, each with its belief time; the source's number."""
        number, step = self._beliefs.source(FORECASTER), _step(self._placed(wanted.save, ""))
        parts = []
        for cycle, quantiles, _ in made:
            begin = wanted.start + cycle * wanted.every * step
            believed = micros(wanted.believed + cycle * wanted.every * step)
            for q, values in quantiles.items():
                if q != 0.5 and not probabilistic:  # noqa: PLR2004
                    continue
                n = len(values)
                events = micros(begin) + np.arange(n, dtype=np.int64) * us(step)
                parts.append(Rows.of({
                    "sensor": np.full(n, wanted.save), "source": np.full(n, number),
                    "event_us": events, "belief_us": np.full(n, believed),
                    "probability": np.full(n, q), "value": values,
                }))  # fmt: skip
        self._beliefs.post(Rows.joined(parts), overwriting=True)
        return number

    def _placed(self, number: int, field: str) -> PlacedSensor:
        placed = self._state.placed.get(number)
        if placed is None:
            raise BadField(field, f"No sensor found with ID {number}.")
        return placed

    def _check_save(self, sensor: int, request: Json) -> PlacedSensor:
        """Where forecasts go: somewhere with the same unit and resolution."""
        placed = self._placed(sensor, "sensor")
        save = self._placed(request.get("sensor-to-save") or sensor, "sensor-to-save")
        if (save.unit, save.resolution) != (placed.unit, placed.resolution):
            raise BadField("sensor-to-save", "needs the unit and resolution of the sensor")
        return save

    def _shape(self, config: Json, placed: PlacedSensor) -> "_Shape":
        return _Shape.read(config, placed)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is done to forecasts before they are kept."""

    snaps: tuple[tuple[float, float, float], ...]
    low: float
    high: float

    @classmethod
    def read(cls, config: Json, placed: PlacedSensor) -> "_Shape":
        """Of bounds in any unit that fits."""

        def bound(raw: Any, field: str) -> float:
            return _in_unit(raw, placed.unit, f"config.{field}")

        snaps = tuple(
            (bound(target, "snap"), bound(first, "snap"), bound(second, "snap"))
            for target, (first, second) in (config.get("snap") or {}).items()
        )
        for target, first, second in snaps:
            if not min(first, second) <= target <= max(first, second):
                raise BadField("config.snap", "a target should lie within its interval")
        low = -math.inf if config.get("lower") is None else bound(config["lower"], "lower")
        high = math.inf if config.get("upper") is None else bound(config["upper"], "upper")
        if config.get("ensure-positive"):
            low = max(low, 0.0)
        if low > high:
            raise BadField("config.lower", "should not be above upper")
        return cls(snaps, low, high)

    def __call__(self, values: FloatArray) -> FloatArray:
        return shaped(values, self.snaps, self.low, self.high)


def _in_unit(raw: Any, unit: str, field: str) -> float:
    """A bound in the unit of a sensor: a bare number is in it already."""
    number, _, symbol = str(raw).strip().partition(" ")
    try:
        value = float(number) * (factor(symbol.strip(), unit) if symbol else 1.0)
    except ValueError as error:
        raise BadField(
            field, "Must be a number or a parseable quantity string (e.g. 0 or '0 kW')."
        ) from error
    if not math.isfinite(value):
        raise BadField(field, "should be a finite number")
    return value


def _step(placed: PlacedSensor) -> timedelta:
    return placed.resolution


def _references(config: Json, key: str) -> tuple[Reference, ...]:
    return tuple(
        Reference.read(one, f"config.{key}[{number}]")
        for number, one in enumerate(config.get(key, ()))
    )


def _seen(
    pasts: Pasts, wanted: Wanted, view: datetime, believed: datetime, config: Json
) -> tuple[TimeGrid, FloatArray]:
    """What came of the sensor until a viewpoint, or where that is far ahead, until now."""
    step = wanted.step
    for end in (view, floor(min(view, believed), step)):
        grid = _past(end, step, config)
        past = pasts.realised(Reference(wanted.sensor), grid)
        known = np.flatnonzero(~np.isnan(past))
        if known.size:
            n = int(known[-1]) + 1
            return TimeGrid(grid.start, step, n), past[:n]
    return grid, past


def _past(view: datetime, step: timedelta, config: Json) -> TimeGrid:
    """What is learnt from: to the viewpoint, from train-start or so long before."""
    given = config.get("train-period")
    period = _TRAIN if given is None else duration(given)
    start = view - period
    if config.get("train-start") is not None:
        start = max(start, datetime.fromisoformat(config["train-start"]))
    start = floor(min(start, view - step), step)
    n = min((view - start) // step, _MOST_PAST)
    return TimeGrid(view - n * step, step, n)


def _wanted(sensor: int, placed: PlacedSensor, request: Json, now: datetime) -> Wanted:
    """What is asked for, in steps. Raises ``BadField``."""
    step = _step(placed)
    if step <= timedelta(0) or _DAY % step:
        raise BadField("sensor", "forecasts need a sensor whose events last a part of a day, such"
                       " as 15 minutes")  # fmt: skip
    given = {key: request.get(key) for key in ("start", "end", "prior")}
    start, end, prior = (
        None if one is None else datetime.fromisoformat(one).astimezone(UTC)
        for one in given.values()
    )
    length = request.get("duration")
    span = _AHEAD if length is None else duration(length)
    if start is not None and end is not None and length is not None:
        raise BadField("duration", "Provide 'duration' with either 'start' or 'end', but not with"
                       " both.")  # fmt: skip
    if start is None:
        start = end - span if end is not None and length is not None else now
    start = floor(start, step)
    steps = -((start - end) // step) if end is not None else -(-span // step)
    if steps <= 0:
        raise BadField("start", "start must be before end")
    horizon = _in_steps(request, "max-forecast-horizon", step) or steps
    if horizon > steps:
        raise BadField(
            "max-forecast-horizon", "max-forecast-horizon must be less than or equal to"
            " predict-period",
        )  # fmt: skip
    every = _in_steps(request, "forecast-frequency", step)
    if every is None:
        if horizon < steps and length is not None:
            raise BadField("max-forecast-horizon", "This combination of parameters will not yield"
                           " forecasts for the entire prediction window.")  # fmt: skip
        every, steps = horizon, horizon
    cycles = max(steps // every, 1)
    if cycles > _MOST_CYCLES or cycles * horizon > _MOST_AHEAD:
        raise BadField("duration", f"is too much at once: {cycles} forecasts of {horizon} steps")
    believed = prior or (now if request.get("start") is None else min(start, now))
    save = request.get("sensor-to-save") or sensor
    return Wanted(sensor, start, step, steps, horizon, every, cycles, believed, prior, save)


def _in_steps(request: Json, key: str, step: timedelta) -> int | None:
    given = request.get(key)
    if given is None:
        return None
    span = duration(given)
    if span % step:
        raise BadField(key, f"{key} must be a multiple of the sensor resolution ({step})")
    return span // step
