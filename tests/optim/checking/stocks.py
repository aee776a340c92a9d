"""What a stock does under given powers, and the bounds it was given."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from tests.optim.checking.amounts import amount, span, unit
from tests.optim.checking.context import Context
from tests.optim.checking.devices import Cast, Device, Model
from tests.optim.checking.ticks import Reach, project
from tests.optim.checking.timeline import Floats, Timeline, moment, segment

_ABSOLUTE = ("soc-min", "soc-max", "soc-minima", "soc-maxima", "soc-targets", "soc-value-at-end")


@dataclass(frozen=True)
class Stock:
    """A stock and what is asked of it at the end of each step; NaN: nothing."""

    name: str
    members: tuple[Device, ...]
    model: Model
    start: float | None
    """None: no absolute state of charge is known or asked for."""
    low: float
    high: float
    minima: Floats
    maxima: Floats
    targets: Floats
    soft: dict[str, bool]
    lasting: dict[str, Floats]
    """For how many hours what is asked at each tick stands, by kind."""
    path: Floats
    """The state of charge at all n + 1 ticks."""

    @property
    def called(self) -> str:
        """As answers call it: by its only device, else by its sensor."""
        return self.members[0].name if len(self.members) == 1 else self.name


def stocks(
    line: Timeline, cast: Cast, context: Context, power: dict[int, Floats]
) -> tuple[Stock, ...]:
    return tuple(_stock(line, cast, context, power, key) for key in cast.stocks)


def _bare(line: Timeline, model: Model, members: tuple[Device, ...]) -> str:
    """The unit of bare numbers."""
    if "soc-unit" in model:
        return str(model["soc-unit"])
    sensor = members[0].model.get("sensor")
    theirs = line.case["sensors"].get(sensor, {}).get("unit", "MW")
    return "kWh" if theirs == "kW" else "MWh"


def _stock(
    line: Timeline, cast: Cast, context: Context, power: dict[int, Floats], key: str
) -> Stock:
    members = tuple(cast.devices[i] for i in cast.stocks[key])
    model = cast.said[key]
    bare = _bare(line, model, members)
    low, high = (amount(model[f], bare) if f in model else edge
                 for f, edge in (("soc-min", -math.inf), ("soc-max", math.inf)))  # fmt: skip
    start = _start(line, model, bare, high)
    bounds = project(model, bare, _reach(line, members), (low, high))
    minima, maxima, targets = (
        line.points(said, overlaps, bare)
        for said, overlaps in (
            (bounds.minima, "max"), (bounds.maxima, "min"), (bounds.targets, "first")
        )
    )  # fmt: skip
    asked = not context.soc_hard_by_flag or bounds.off_tick
    priced = {side: asked and price is not None for side, price in context.soc_breach.items()}
    soft = {**priced, "targets": all(priced.values())}
    path = _path(line, members, model, power, start or 0.0)
    lasting = {kind: _lasting(line, said, bare) for kind, said in bounds.own.items()}
    return Stock(
        key, members, model, start, low, high, minima, maxima, targets, soft, lasting, path
    )


def _lasting(line: Timeline, said: Any, bare: str) -> Floats:
    """Half of the time to each tick beside at which something is asked, too; else 15 minutes."""
    ticks = ~np.isnan(line.points(said, "first", bare))
    first = said is not None and not isinstance(said, dict | list)
    if isinstance(said, list):
        first = any(since <= line.start < until for since, until, _ in said)
    asked = np.concatenate(([first], ticks, [False]))
    beside = asked[:-2].astype(float) + asked[2:]
    beside[0] += first  # all of the time since the start
    return np.where(ticks & (beside > 0), beside * line.hours / 2, 0.25)


def _reach(line: Timeline, members: tuple[Device, ...]) -> Reach:
    """By the first device of the stock, as FlexMeasures has it."""
    first = members[0]
    up = first.high if first.agreed_up is None else first.agreed_up
    down = first.low if first.agreed_down is None else first.agreed_down
    rise = up * first.charging
    if first.stores:
        kw, stored = np.array(first.stores).T
        rise = np.interp(up, kw, np.maximum.accumulate(stored))
    return Reach(line, rise, -down / first.discharging)


def _start(line: Timeline, model: Model, bare: str, high: float) -> float | None:
    if "soc-at-start" in model:
        said = model["soc-at-start"]
        share = isinstance(said, str) and said.strip().endswith("%")
        return amount(said) * high if share else amount(said, bare)
    place = model.get("state-of-charge")
    if isinstance(place, dict):
        first, step, values = line.raw(place["sensor"])
        known = [(abs(first + i * step - line.start), v)
                 for i, v in enumerate(values) if not np.isnan(v)]  # fmt: skip
        near = [one for one in known if one[0] <= 4 * line.step]
        if near:
            _, kind = unit(line.case["sensors"][place["sensor"]]["unit"])
            return float(min(near)[1]) * (high if kind == "share" else 1.0)
    if isinstance(place, list):
        holding = [segment(one, bare) for one in place]
        found = [v for since, until, v in holding if since <= line.start <= until]
        if found:
            return found[-1]
    return 0.0 if any(key in model for key in _ABSOLUTE) else None


def keep(line: Timeline, model: Model, device: Device) -> Floats:
    """The share of a stock that is left after each step."""
    said = model.get("storage-efficiency")
    if said is None:
        return np.ones(line.n)
    values = np.clip(np.nan_to_num(line.flow(said), nan=1.0), 0.0, 1.0)
    sensors: dict[str, Any] = line.case["sensors"]
    named = [said["sensor"]] if isinstance(said, dict) else []
    named += [device.model[k] for k in ("sensor",) if k in device.model]
    named += [device.model[k]["sensor"] for k in ("consumption", "production") if k in device.model]
    lengths = [span(sensors[name]["resolution"]) for name in named if name in sensors]
    theirs = next((length for length in lengths if length), line.step)
    return np.asarray(values ** (line.step / theirs))


def _path(
    line: Timeline, members: tuple[Device, ...], model: Model, power: dict[int, Floats],
    start: float,
) -> Floats:  # fmt: skip
    left = keep(line, model, members[0])
    inner = (left > 0) & (left < 1)
    safe = np.where(inner, left, 0.5)
    arrived = np.where(inner, (safe - 1) / np.log(safe), np.where(left >= 1, 1.0, 0.0))
    change = _known(line, model, "soc-gain") - _known(line, model, "soc-usage")
    for device in members:
        p = power[device.index]
        drawn = np.maximum(p, 0.0)
        if device.stores:
            kw, stored = np.array(device.stores).T
            change = change + np.interp(drawn, kw, stored)
        else:
            change = change + drawn * device.charging
        change = change + np.minimum(p, 0.0) / device.discharging
    path = np.full(line.n + 1, start)
    for j in range(line.n):
        path[j + 1] = left[j] * path[j] + arrived[j] * change[j] * line.hours
    return path


def _known(line: Timeline, model: Model, key: str) -> Floats:
    """The sum of a list of powers, what is missing counted as none."""
    total = np.zeros(line.n)
    for one in model.get(key) or []:
        total = total + np.nan_to_num(line.flow(one))
    return total


def drift(line: Timeline, stock: Stock, kw: float) -> float:
    """By how much roundings of powers may have summed up in a state of charge, in kWh."""
    factor = max(
        float(np.max(np.maximum(d.charging, 1.0 / np.maximum(d.discharging, 1e-3))))
        for d in stock.members
    )
    steepest = [(b - a) / (y - x) for d in stock.members for (x, a), (y, b) in pairwise(d.stores)]
    factor = max(factor, *steepest, 0.0)
    count = len(stock.members) * line.n
    return 2e-6 + 3.0 * kw * line.hours * factor * math.sqrt(count)


def told_path(answer: dict[str, Any], name: str, high: float) -> tuple[datetime, timedelta, Floats]:
    """A state of charge as the answer gives it, in kWh."""
    told = answer["outputs"][name]
    factor, kind = unit(told["unit"])
    values = np.array([np.nan if v is None else float(v) for v in told["values"]]) * factor
    return (
        moment(told["start"]),
        span(told["resolution"]),
        values * (high if kind == "share" else 1.0),
    )
