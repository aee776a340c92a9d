"""A plan as JSON: outputs by sensor, costs by FlexMeasures' names, and why."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from flexedge.domain.series import FloatArray, Series, TimeGrid
from flexedge.optim.breaches import unit_of
from flexedge.optim.conflict import Contradiction
from flexedge.optim.device import Storage
from flexedge.optim.reasons import reasons
from flexedge.optim.reference import net_cost
from flexedge.optim.request.outputs import Output
from flexedge.optim.request.places import place
from flexedge.optim.request.site import Asked
from flexedge.optim.request.source import Sensor, parse_unit
from flexedge.optim.solution import Solution

Json = dict[str, Any]
_DECIMALS = 6
_NOTICED = 1e-5  # kWh
_KINDS = ("soc-minima", "soc-maxima", "soc-targets")


def answer(asked: Asked, solution: Solution, *, explain: bool = True) -> Json:
    """All that is told of a plan."""
    unresolved, resolved = _resolutions(asked, solution)
    told: Json = {
        "status": solution.status,
        "currency": asked.currency,
        "outputs": outputs(asked, solution),
        "commitment-costs": commitment_costs(solution),
        "objective": solution.objective,
        "cost": solution.total_cost,
        "soc": {store.name: _rounded(_path(storage, solution)) for store, storage in asked.stores},
        "unresolved": unresolved,
        "resolved": resolved,
        "culprits": list(dict.fromkeys(place(asked.places, one) for one in solution.culprits)),
        "contradictions": [_contradiction(asked, solution, one) for one in solution.contradictions],
        "breaches": [breach.sentence(asked.zone) for breach in solution.breaches],
        "notes": list(asked.notes),
        "solver": {
            "build-seconds": solution.build_seconds,
            "solve-seconds": solution.solve_seconds,
            "total-seconds": solution.build_seconds + solution.solve_seconds,
            "lp-bound": _known(_bound(solution)),
            "gap": _known(solution.gap),
            "binaries": solution.binaries,
        },
    }
    if solution.futures:
        told |= _futures(solution)
    if explain:
        told["explanation"] = _explanation(asked, solution)
    return told


def _bound(solution: Solution) -> float:
    """What no plan costs less than, but for tie-breakers: those of this plan are taken out."""
    return min(solution.bound - solution.tie_break, solution.total_cost)


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _futures(solution: Solution) -> Json:
    """What each scenario costs with the common first step, what is expected, and the worst."""
    every = solution.futures
    return {
        "scenarios": [
            {"name": one.name, "probability": one.probability, "cost": one.cost} for one in every
        ],
        "expected-cost": sum(one.probability * one.cost for one in every),
        "worst-cost": max(one.cost for one in every),
    }


def _contradiction(asked: Asked, solution: Solution, found: Contradiction) -> Json:
    """What cannot be kept together: the request's fields, and which of them give way."""
    fields, physics = (
        list(dict.fromkeys(place(asked.places, one) for one in some))
        for some in (found.limits, found.physics)
    )
    gives: dict[str, tuple[float, str]] = {}
    for limit in found.limits:
        by = solution.given_way.get(limit, 0.0)
        if by > gives.get(path := place(asked.places, limit), (0.0, ""))[0]:
            gives[path] = (by, unit_of(limit))
    told = (
        f"{_listed(fields)} contradict each other"
        if len(fields) > 1 else f"{_listed(fields)} cannot be kept"
    )  # fmt: skip
    if physics:
        told += f", given {_listed(physics)}"
    for path, (by, unit) in gives.items():
        told += f"; {path} gives way by up to {round(by, 4):g} {unit}"
    return {
        "fields": fields,
        "given": physics,
        "gives-way": [
            {"field": path, "by": round(by, _DECIMALS), "unit": unit}
            for path, (by, unit) in gives.items()
        ],
        "text": f"{told}.",
    }


def _listed(words: list[str]) -> str:
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)


def commitment_costs(solution: Solution) -> dict[str, float]:
    """Commitments and tie-breakers together, as FlexMeasures lists them."""
    return dict(sorted({**solution.commitment_costs, **solution.preferences}.items()))


def outputs(asked: Asked, solution: Solution) -> Json:
    """What is written to each sensor."""
    told: Json = {}
    for output in asked.outputs:
        told[output.sensor.name] = _power(asked, output, solution)
    for store, storage in asked.stores:
        if store.soc_sensor is not None:
            told[store.soc_sensor.name] = _soc(asked, storage, store.soc_sensor, solution)
    return told


def _power(asked: Asked, output: Output, solution: Solution) -> Json:
    grid, sensor = asked.problem.grid, output.sensor
    kw = sum((solution.power_kw[name] for name in output.devices), start=output.fixed_kw)
    if output.part == "up":
        kw = np.maximum(kw, 0.0)
    elif output.part == "down":
        kw = np.minimum(kw, 0.0)
    return series(grid, kw, sensor, asked)


def series(grid: TimeGrid, kw: FloatArray, sensor: Sensor, asked: Asked) -> Json:
    """A power in the unit, the resolution and the ticks of a sensor."""
    resolution = sensor.resolution or grid.resolution
    theirs = TimeGrid.covering(grid.start, grid.end, resolution)
    if resolution == grid.resolution:
        theirs = grid
    values = Series(grid, kw).on(theirs).values
    unit = parse_unit(sensor.unit)
    if unit is not None and unit.dimension == "energy":
        values = values * theirs.hours
    if unit is not None:
        values = values / unit.factor
    return {
        "start": _time(theirs.start, asked),
        "resolution": iso(resolution),
        "unit": sensor.unit,
        "sign": "consumption-positive",
        "values": _rounded(values),
    }


def _soc(asked: Asked, storage: Storage, sensor: Sensor, solution: Solution) -> Json:
    grid, path, unit = asked.problem.grid, _path(storage, solution), parse_unit(sensor.unit)
    if unit is not None and unit.dimension == "share":
        whole = storage.soc_max_kwh if np.isfinite(storage.soc_max_kwh) else np.nan
        path = path / (whole * unit.factor)
    elif unit is not None:
        path = path / unit.factor
    return {
        "start": _time(grid.start, asked),
        "resolution": iso(grid.resolution),
        "unit": sensor.unit,
        "values": _rounded(path),
    }


def _path(storage: Storage, solution: Solution) -> FloatArray:
    """The stock at the start and at the end of each step, in kWh."""
    return np.concatenate(([storage.soc_start_kwh], solution.soc_kwh[storage.name]))


def _resolutions(asked: Asked, solution: Solution) -> tuple[list[Json], list[Json]]:
    """Which states of charge that were asked for are missed and which are met, by asset."""
    missed, met = [], []
    for store, storage in asked.stores:
        place = store.feeders[0].asset or store.name
        path = _path(storage, solution)
        bad: Json = {}
        good: Json = {}
        for kind, bounds in zip(
            _KINDS, (storage.minima, storage.maxima, storage.targets), strict=True
        ):
            room = {}
            for bound in bounds:
                step = (bound.at - asked.problem.grid.start) // asked.problem.grid.resolution
                if bound.derived or not 0 < step < len(path):
                    continue
                over = float(path[step]) - bound.soc_kwh
                room[bound.at] = {"soc-minima": over, "soc-maxima": -over}.get(kind, -abs(over))
            short = {at: -by for at, by in room.items() if by < -_NOTICED}
            if short:
                bad[kind] = [_at(at, "violation", by) for at, by in short.items()]
            elif room and kind != "soc-targets":
                good[kind] = [_at(at, "margin", max(by, 0.0)) for at, by in room.items()]
        bad |= _outside(asked, storage, path)
        if bad:
            missed.append({"asset": place, **bad})
        if good:
            met.append({"asset": place, **good})
    return missed, met


def _outside(asked: Asked, storage: Storage, path: FloatArray) -> Json:
    """When a storage holds less than soc-min or more than soc-max."""
    grid, found = asked.problem.grid, {}
    for field, by in (
        ("soc-min", storage.soc_min_kwh - path), ("soc-max", path - storage.soc_max_kwh)
    ):  # fmt: skip
        beyond = [_at(grid.start + int(step) * grid.resolution, "violation", float(by[step]))
                  for step in np.flatnonzero(by > _NOTICED) if step > 0]  # fmt: skip
        if beyond:
            found[field] = beyond
    return found


def _at(moment: datetime, word: str, kwh: float) -> Json:
    return {"datetime": moment.isoformat(), word: f"{round(kwh, _DECIMALS) + 0.0} kWh"}


def _explanation(asked: Asked, solution: Solution) -> Json:
    told = reasons(asked.problem, solution)
    return {
        "steps": [
            {
                "start": _time(reason.start, asked),
                "energy-value": reason.energy_value,
                "binding": [
                    {"limit": bound.limit, "shadow-price": bound.price, "per": bound.unit}
                    for bound in reason.bounds
                ],
                "alternatives": [
                    {
                        "device": other.device,
                        "start": _time(other.start, asked),
                        "extra-cost": other.extra_cost,
                    }
                    for other in reason.alternatives
                ],
                "text": reason.sentence(asked.currency, asked.zone),
            }
            for reason in told.steps
        ],
        "versus": {
            "plan": net_cost(asked.problem, solution.grid_kw),
            **{reference.name: reference.cost for reference in told.references},
        },
    }


def _rounded(values: FloatArray) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), _DECIMALS) + 0.0 for value in values]


def _time(moment: datetime, asked: Asked) -> str:
    return moment.astimezone(asked.zone).isoformat()


def iso(duration: timedelta) -> str:
    """An ISO 8601 duration in hours, minutes and seconds: as FlexMeasures writes resolutions."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts: Mapping[str, int] = {"H": hours, "M": minutes, "S": seconds}
    return "PT" + ("".join(f"{n}{letter}" for letter, n in parts.items() if n) or "0M")
