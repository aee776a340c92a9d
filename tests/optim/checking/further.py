"""What flexedge's further fields forbid, and what they cost: from the request and powers alone."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby, pairwise
from typing import Any

import numpy as np

from tests.optim.checking.amounts import amount, span
from tests.optim.checking.devices import Device, Model
from tests.optim.checking.plan import Plan
from tests.optim.checking.stocks import Stock, drift
from tests.optim.checking.timeline import Floats, Timeline, moment
from tests.optim.checking.violation import Violation, broken

FIELDS = {
    "soc-value-at-end", "wear-cost", "start-up-cost", "minimum-up-time", "minimum-down-time",
    "maximum-starts-per-day", "on-at-start", "last-switched", "starts-today", "ramp-up-limit",
    "ramp-down-limit", "power-at-start", "minimum-power", "power-steps", "charging-power-curve",
    "discharging-power-curve", "part-load-efficiency", "phases", "priority", "power", "duration",
    "process-type", "time-restrictions", "optimization-sense", "runs", "deadline",
}  # fmt: skip

_STARTING = ("start-up-cost", "minimum-up-time", "minimum-down-time", "maximum-starts-per-day")


def forbidden(plan: Plan) -> Iterator[Violation]:
    for device in plan.cast.devices:
        if device.fixed is not None:
            continue
        power = plan.read.power[device.index]
        if "power" in device.model:
            yield from _task(plan.line, device, power, plan.kw)
            continue
        yield from _ramps(plan.line, device, power, plan.kw)
        yield from _switching(plan.line, device, power)
    for stock in plan.stocks:
        if stock.start is not None:
            for device in stock.members:
                yield from _tapers(plan, stock, device)
    yield from _phases(plan)


def _on(power: Floats) -> list[bool]:
    return [bool(abs(kw) > 1e-3) for kw in power]


def _at_start(model: Model) -> float | None:
    return amount(model["power-at-start"]) if model.get("power-at-start") is not None else None


def _least(device: Device, sign: float) -> float:
    """What a device jumps to when it starts in a direction."""
    ends = [lo if sign > 0 else -hi for lo, hi in device.bands]
    return min((end for end in ends if end > 0), default=0.0)


def _ramps(line: Timeline, device: Device, power: Floats, kw: float) -> Iterator[Violation]:
    before = _at_start(device.model)
    path = [np.nan if before is None else before, *power]
    for key, sign in (("ramp-up-limit", 1.0), ("ramp-down-limit", -1.0)):
        said = device.model.get(key)
        if said is None:
            continue
        above, below = said.rsplit("/", 1)
        most = amount(above) * line.hours * (60.0 if below.strip() == "min" else 1.0)
        over = np.zeros(line.n)
        for j, (a, b) in enumerate(pairwise(path)):
            room = most
            if abs(a) < 1e-3 or abs(b) < 1e-3:  # from off, or to off
                way = sign if abs(a) < 1e-3 else -sign
                room = max(room, _least(device, way))
            over[j] = sign * (b - a) - room
        if before is not None and (power[0] >= device.high[0] or power[0] <= device.low[0]):
            over[0] = 0.0  # the capacities do not let it follow
        yield from broken(f"{device.name}: its {key}", over, 3 * kw, law=False)


def _switching(line: Timeline, device: Device, power: Floats) -> Iterator[Violation]:
    model, on = device.model, _on(power)
    was = bool(model.get("on-at-start", bool(_at_start(model))))
    ago = timedelta(days=999)
    if model.get("last-switched") is not None:
        ago = line.start - moment(model["last-switched"])
    first = True
    place = 0
    for state, group in groupby(on):
        length = len(list(group))
        lasted = length * line.step + (ago if first and state == was else timedelta(0))
        key = "minimum-up-time" if state else "minimum-down-time"
        least = span(model[key]) if key in model else timedelta(0)
        ends_inside = place + length < line.n
        if ends_inside and lasted < least and not _shut(device, place + length):
            yield Violation(f"{device.name}: its {key}", place, float(length), law=False)
        if first and state != was:
            other = "minimum-up-time" if was else "minimum-down-time"
            if other in model and ago < span(model[other]) and not _shut(device, 0):
                yield Violation(f"{device.name}: its {other}", 0, 0.0, law=False)
        first, place = False, place + length
    yield from _starts_of_days(line, device, on, was=was)


def _shut(device: Device, step: int) -> bool:
    """Whether a device cannot be on in a step at all."""
    reach = [lo <= device.high[step] and hi >= device.low[step] and (lo or hi)
             for lo, hi in device.bands]  # fmt: skip
    return not any(reach)


def _starts(on: list[bool], *, was: bool) -> list[int]:
    return [j for j, now in enumerate(on) if now and not (on[j - 1] if j else was)]


def _starts_of_days(
    line: Timeline, device: Device, on: list[bool], *, was: bool
) -> Iterator[Violation]:
    most = device.model.get("maximum-starts-per-day")
    if most is None:
        return
    zone = moment(line.case["request"]["start"]).tzinfo
    first = line.start.astimezone(zone).date()
    days = [(line.start + j * line.step).astimezone(zone).date() for j in _starts(on, was=was)]
    for day in sorted(set(days)):
        count = days.count(day)
        before = int(device.model.get("starts-today", 0)) if day == first else 0
        if count > max(most - before, 0):
            yield Violation(f"{device.name}: its maximum-starts-per-day", 0, count, law=False)


def _tapers(plan: Plan, stock: Stock, device: Device) -> Iterator[Violation]:
    """The power of each step is possible at its start and at its end."""
    kwh = drift(plan.line, stock, plan.kw)
    for way, sign in (("charging", 1.0), ("discharging", -1.0)):
        points = device.model.get(f"{way}-power-curve")
        if not points:
            continue
        soc = [_stored(point["soc"], stock.high) for point in points]
        power = [amount(point["power"]) for point in points]
        slopes = np.diff(power) / np.diff(soc)
        inside = np.clip(stock.path, stock.low, stock.high)
        lines = [y + m * (inside - x) for m, x, y in zip(slopes, soc, power, strict=False)]
        most = np.clip(np.min(lines, axis=0), 0.0, max(power))
        over = sign * plan.read.power[device.index] - np.minimum(most[:-1], most[1:])
        slack = 3 * plan.kw + 2 * kwh * float(np.max(np.abs(slopes)))
        yield from broken(f"{device.name}: its {way}-power-curve", over, slack, law=False)


def _stored(said: Any, whole: float) -> float:
    share = isinstance(said, str) and said.strip().endswith("%")
    return amount(said) * (whole if share else 1.0)


def _phases(plan: Plan) -> Iterator[Violation]:
    fields = plan.context.commodities.get("electricity", {})
    said = fields.get("site-phase-capacity")
    if said is None:
        return
    most = plan.line.flow(said, "min")
    anyway = fields.get("inflexible-phases") or [1 / 3] * 3
    for number, phase in enumerate(("L1", "L2", "L3")):
        flow = np.zeros(plan.line.n)
        for device in plan.cast.devices:
            if device.commodity != "electricity":
                continue
            used = device.model.get("phases", "L1L2L3")
            share = (phase in used) / (len(used) // 2)
            if device.fixed is not None:
                share = anyway[number]
            flow += share * plan.read.power[device.index]
        over = np.abs(flow) - np.where(np.isnan(most), np.inf, most)
        what = f"electricity site-phase-capacity {phase}"
        yield from broken(what, over, plan.kw * len(plan.cast.devices), law=False)


def _task(line: Timeline, device: Device, power: Floats, kw: float) -> Iterator[Violation]:
    model = device.model
    full = device.high if device.high.any() else device.low
    away = np.minimum(np.abs(power), np.abs(power - full))
    yield from broken(f"{device.name}: its constant power", away, kw, law=True)
    on = _on(power)
    slots = int(np.ceil(span(model["duration"]) / line.step - 1e-9))
    wanted = slots * int(model.get("runs", 1))
    if sum(on) != wanted:
        yield Violation(f"{device.name}: its duration", 0, float(sum(on) - wanted), law=False)
    if model.get("process-type", "INFLEXIBLE") != "BREAKABLE":
        lengths = [len(list(group)) for state, group in groupby(on) if state]
        if any(length % slots for length in lengths):
            yield Violation(f"{device.name}: it is interrupted", 0, float(slots), law=True)
    for j, running in enumerate(on):
        if running and _forbidden(line, model, j):
            yield Violation(f"{device.name}: its times", j, 1.0, law=True)


def _forbidden(line: Timeline, model: Model, step: int) -> bool:
    begin = line.start + step * line.step
    end = begin + line.step
    if model.get("deadline") is not None and end > moment(model["deadline"]):
        return True
    for one in model.get("time-restrictions") or []:
        since = moment(one["start"])
        until = moment(one["end"]) if "end" in one else since + span(one["duration"])
        if begin < until and end > since:
            return True
    return False


def costs(plan: Plan) -> dict[str, tuple[float, float]]:
    """By name: what wear, starts and stored energy cost, and by how much roundings may do."""
    found: dict[str, tuple[float, float]] = {}
    for device in plan.cast.devices:
        if device.fixed is not None or "power" in device.model:
            continue
        power, model = plan.read.power[device.index], device.model
        if model.get("wear-cost") is not None and amount(model["wear-cost"]):
            price = amount(model["wear-cost"]) * plan.line.hours
            noise = price * plan.grain * plan.line.n
            found[f"wear {device.name}"] = price * float(np.abs(power).sum()), noise
        if _counts_starts(plan.line, device):
            was = bool(model.get("on-at-start", bool(_at_start(model))))
            said = model.get("start-up-cost", 0)
            price = float(str(said).split()[0])
            found[f"starts {device.name}"] = price * len(_starts(_on(power), was=was)), 0.0
    for stock in plan.stocks:
        said = stock.model.get("soc-value-at-end")
        if said is not None and stock.start is not None:
            parts = said if isinstance(said, list) else [{"value": said}]
            noise = drift(plan.line, stock, plan.grain) * max(
                abs(amount(part["value"])) for part in parts
            )
            worth = _worth(parts, float(stock.path[-1]), stock.high)
            found[f"value of stored energy {stock.called}"] = -worth, noise
    return found


def _counts_starts(line: Timeline, device: Device) -> bool:
    if any(device.model.get(key) is not None for key in _STARTING):
        return True
    slowest = np.inf
    for key in ("ramp-up-limit", "ramp-down-limit"):
        if device.model.get(key) is not None:
            above, below = device.model[key].rsplit("/", 1)
            most = amount(above) * line.hours * (60.0 if below.strip() == "min" else 1.0)
            slowest = min(slowest, most)
    least = min((min(abs(lo), abs(hi)) for lo, hi in device.bands if lo or hi), default=0.0)
    return least > slowest


def _worth(parts: list[dict[str, Any]], stored: float, whole: float) -> float:
    worth = since = 0.0
    for number, part in enumerate(parts):
        until = _stored(part["up-to"], whole) if "up-to" in part else np.inf
        inside = min(stored, until) - since
        if number and inside < 0:
            break
        worth += inside * amount(part["value"])
        since = until
        if stored <= until:
            return worth
    last = amount(parts[-1]["value"])
    return worth + (min(last, 0.0) * (stored - since) if np.isfinite(since) else 0.0)
