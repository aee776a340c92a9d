"""What a plan may not do: the laws of physics, and limits that are hard."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.optim.checking import outputs
from tests.optim.checking.devices import Device, Model
from tests.optim.checking.plan import Plan
from tests.optim.checking.stocks import Stock, drift, told_path
from tests.optim.checking.timeline import Floats, Timeline
from tests.optim.checking.violation import Violation, broken


def of_devices(plan: Plan) -> Iterator[Violation]:
    kw = plan.kw
    for device in plan.cast.devices:
        if device.fixed is not None:
            continue
        p = plan.read.power[device.index]
        yield from broken(f"{device.name}: its highest power", p - device.high, kw, law=True)
        yield from broken(f"{device.name}: its lowest power", device.low - p, kw, law=True)
        if device.bands:
            away = [np.maximum(np.maximum(lo - p, p - hi), 0.0) for lo, hi in device.bands]
            least = np.asarray(np.min(away, axis=0))
            yield from broken(f"{device.name}: its operation modes", least, kw, law=True)
    yield from _coupled(plan)


def _coupled(plan: Plan) -> Iterator[Violation]:
    sets: dict[str, list[Device]] = {}
    for device in plan.cast.devices:
        if "coupling" in device.model:
            sets.setdefault(device.model["coupling"], []).append(device)
    for name, ports in sets.items():
        levels = [plan.read.power[d.index] / _coefficient(d) for d in ports]
        size = min(abs(_coefficient(d)) for d in ports)
        apart = np.ptp(np.array(levels), axis=0)
        yield from broken(f"coupling {name}: its ratio", apart * size, 3 * plan.kw, law=True)


def _coefficient(device: Device) -> float:
    """Positive for what takes in, negative for what gives out."""
    size = abs(float(device.model.get("coupling-coefficient", 1.0)))
    return -size if not device.high.any() else size


def of_sites(plan: Plan) -> Iterator[Violation]:
    """The connections to the grid, internal nodes and groups."""
    line, cast, context, kw = plan.line, plan.cast, plan.context, plan.kw
    for commodity, fields in context.commodities.items():
        members = cast.of(commodity)
        if not members:
            continue
        flow = plan.flow(members)
        slack = kw * len(members)
        if fields.get("internal"):
            yield from broken(f"{commodity} node", np.abs(flow), slack, law=False)
            continue
        yield from _connection(line, commodity, fields, flow, slack)
    lone = {d.commodity for d in cast.devices} - set(context.commodities)
    for commodity in lone - {"electricity"}:
        flow = plan.flow(cast.of(commodity))
        yield from broken(f"{commodity} node", np.abs(flow), kw * len(cast.devices), law=False)
    for group in cast.groups:
        flow = plan.flow(group.members)
        whole = line.flow(group.model.get("power-capacity"), "min", "MW")
        over = np.abs(flow) - np.where(np.isnan(whole), np.inf, whole)
        what = f"group {group.label} power-capacity"
        yield from broken(what, over, kw * len(group.members), law=False)


def _connection(
    line: Timeline, commodity: str, fields: dict[str, Any], flow: Floats, slack: float
) -> Iterator[Violation]:
    whole = line.flow(fields.get("site-power-capacity"), "min", "MW")
    for side, sign in (("consumption", 1.0), ("production", -1.0)):
        limit, name = whole, "power-capacity"
        if fields.get(f"site-{side}-breach-price") is None:
            limit = np.fmin(line.flow(fields.get(f"site-{side}-capacity"), "min", "MW"), whole)
            name = f"{side}-capacity"
        over = sign * flow - np.where(np.isnan(limit), np.inf, limit)
        yield from broken(f"{commodity} site-{name} ({side})", over, slack, law=False)


def of_stocks(plan: Plan) -> Iterator[Violation]:
    """Hard bounds of the states of charge."""
    for stock in plan.stocks:
        if stock.start is None:
            continue
        kwh, path = drift(plan.line, stock, plan.kw), stock.path[1:]
        yield from broken(f"{stock.name}: soc-max", path - stock.high, kwh, law=False)
        yield from broken(f"{stock.name}: soc-min", stock.low - path, kwh, law=False)
        hard = (
            ("minima", _inside(stock, stock.minima) - path),
            ("maxima", path - _inside(stock, stock.maxima)),
            ("targets", np.abs(path - stock.targets)),
        )
        for kind, over in hard:
            if not stock.soft[kind]:
                yield from broken(f"{stock.name}: soc-{kind}", over, kwh, law=False)


def _inside(stock: Stock, bound: Floats) -> Floats:
    """Hard bounds never reach beyond soc-min and soc-max."""
    return np.where(np.isnan(bound), np.nan, np.clip(bound, stock.low, stock.high))


def of_books(plan: Plan) -> Iterator[Violation]:
    """What is told twice must be told alike: states of charge, sums, split outputs."""
    line, cast, answer, kw = plan.line, plan.cast, plan.answer, plan.kw
    for stock in plan.stocks:
        place = stock.model.get("state-of-charge")
        if isinstance(place, dict) and stock.start is not None:
            yield from _told(plan, stock, place["sensor"])
    sums: list[tuple[Model, tuple[int, ...]]]
    sums = [(d.model, (d.index,)) for d in cast.devices if d.fixed is None]
    sums += [(g.model, g.members) for g in cast.groups]
    prefixed = [("", model, members) for model, members in sums]
    prefixed += [("aggregate-", fields, cast.of(commodity))
                 for commodity, fields in plan.context.commodities.items()]  # fmt: skip
    for prefix, model, members in prefixed:
        if not members:
            continue
        total = plan.flow(members)
        for name, part in outputs.places(model, prefix):
            if name not in answer["outputs"]:
                if name in line.case["sensors"]:
                    yield Violation(f"output {name}: its presence", 0, float("nan"), law=True)
                continue
            told = outputs.profile(line, answer, name)
            over = np.abs(told - outputs.part_of(total, part))
            yield from broken(f"output {name}: its sum", over, kw * (1 + len(members)), law=True)


def _told(plan: Plan, stock: Stock, name: str) -> Iterator[Violation]:
    line, answer, kw = plan.line, plan.answer, plan.kw
    if name not in answer["outputs"]:
        yield Violation(f"output {name}: its presence", 0, float("nan"), law=True)
        return
    start, step, values = told_path(answer, name, stock.high)
    if start != line.start or step != line.step or len(values) != line.n + 1:
        yield Violation(f"output {name}: its times", 0, float(len(values)), law=True)
        return
    over = np.abs(values - stock.path)
    yield from broken(f"output {name}: the state of charge", over, drift(line, stock, kw), law=True)
