"""What a plan costs by FlexMeasures' names, from the powers and the states of charge alone."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np

from tests.optim.checking import further
from tests.optim.checking.amounts import kind
from tests.optim.checking.context import Context
from tests.optim.checking.devices import Group, reference
from tests.optim.checking.plan import Plan
from tests.optim.checking.stocks import Stock, drift
from tests.optim.checking.timeline import Floats, Timeline

Costs = dict[str, float]
GROUP_PRICE = 10_000.0
"""Money per kW; FlexMeasures does not let it be chosen."""
TINY = 1e-4


class Bill:
    """Adds up what deviations cost, by name; same names are added together."""

    def __init__(self, line: Timeline) -> None:
        self.line = line
        self.costs: Costs = defaultdict(float)
        self.noise: Costs = defaultdict(float)
        self.grain = 0.0
        """By how much roundings may have changed what is looked at now, in kW or kWh."""

    def each(self, name: str, over: Floats, price: Floats) -> None:
        """Every step's deviation at its price."""
        price = np.where(np.isnan(over), 0.0, np.nan_to_num(price))
        self.costs[name] += float(np.sum(np.nan_to_num(over) * price))
        self.noise[name] += float(np.sum(np.abs(price))) * self.grain

    def above(self, values: Floats, limit: Floats) -> Floats:
        """By how much, where roundings do not explain it; NaN where no limit is, or none near."""
        over = values - np.where(np.isfinite(limit), limit, np.inf)
        return np.where(over > self.grain, over, np.where(over < -self.grain, np.nan, 0.0))

    def any(self, name: str, over: Floats, prices: Iterable[Floats], baseline: Floats) -> None:
        """The largest deviation of each run of equal prices and baseline, at the first price."""
        price, *others = [np.nan_to_num(one) for one in prices]
        self.costs[name] += 0.0
        for run in runs([price, *others, baseline]):
            inside = over[run]
            if not np.isnan(inside).all():
                self.costs[name] += float(price[run][0]) * float(np.nanmax(inside))
                self.noise[name] += abs(float(price[run][0])) * self.grain

    def breach(self, name: str, over: Floats, price: Floats, baseline: Floats) -> None:
        """Once for the largest, once for all of them by the hour."""
        self.any(name.format("any", ""), over, [price], baseline)
        self.each(name.format("all", "es"), over, price * self.line.hours)


def runs(series: list[Floats]) -> list[slice]:
    """Runs of equal values; all of it when each series has one value only, gaps aside."""
    n = len(series[0])
    if all(len(np.unique(one[~np.isnan(one)])) == 1 for one in series):
        return [slice(0, n)]
    change = np.zeros(n, dtype=bool)
    for one in series:
        change[1:] |= ~(one[1:] == one[:-1])
    edges = [0, *np.flatnonzero(change).tolist(), n]
    return [slice(a, b) for a, b in pairwise(edges)]


def bill(plan: Plan, *, compat: bool) -> Bill:
    """All costs of a plan."""
    line, cast, context, grain = plan.line, plan.cast, plan.context, plan.grain
    made = Bill(line)
    frame: Floats | None = None
    for commodity, fields in context.commodities.items():
        members = cast.of(commodity)
        if not members or fields.get("internal"):
            continue
        flow = plan.flow(members)
        made.grain = grain * len(members)
        prices = _site(made, commodity, fields, flow)
        if frame is None or commodity == "electricity":
            frame = prices
    for group in cast.groups:
        made.grain = grain * len(group.members)
        _group(made, group, plan.flow(group.members))
    made.grain = grain
    _devices(made, plan)
    for stock in plan.stocks:
        made.grain = drift(line, stock, grain)
        _stock(made, context, stock, compat=compat)
        _full(made, stock, frame)
    for name, (cost, noise) in further.costs(plan).items():
        made.costs[name] += cost
        made.noise[name] += noise
    custom = Bill(line)
    custom.grain = grain * len(cast.devices)
    _commitments(custom, plan, compat=compat)
    renamed = {name: f"{name} (custom)" if name in made.costs else name for name in custom.costs}
    for name, cost in custom.costs.items():
        made.costs[renamed[name]] += cost
        made.noise[renamed[name]] += custom.noise[name]
    return made


def _devices(made: Bill, plan: Plan) -> None:
    for device in plan.cast.devices:
        for side, sign, agreed in (("consumption", 1.0, device.agreed_up),
                                   ("production", -1.0, device.agreed_down)):  # fmt: skip
            if agreed is not None:
                price = plan.line.flow(plan.context.device_breach[side], edges=True)
                over = made.above(sign * plan.read.power[device.index], sign * agreed)
                name = f"{{}} {side} breach{{}} device {device.index}"
                made.breach(name, over, price, agreed)


def _site(made: Bill, commodity: str, fields: dict[str, Any], flow: Floats) -> Floats:
    line = made.line
    buy = line.flow(fields["consumption-price"], edges=True)
    sell = line.flow(fields.get("production-price", fields["consumption-price"]), edges=True)
    made.each(f"{commodity} net energy", np.maximum(flow, 0.0), buy * line.hours)
    made.each(f"{commodity} net energy", np.minimum(flow, 0.0), sell * line.hours)
    whole = line.flow(fields.get("site-power-capacity"), "min", "MW")
    for side, sign in (("consumption", 1.0), ("production", -1.0)):
        if fields.get(f"site-peak-{side}-price") is not None:
            peak = line.flow(fields.get(f"site-peak-{side}", "0 kW"), edges=True)
            price = line.flow(fields[f"site-peak-{side}-price"], edges=True)
            over = made.above(sign * flow, peak)
            made.any(f"{commodity} {side} peak", over, [price], peak)
        if fields.get(f"site-{side}-breach-price") is not None:
            agreed = np.fmin(line.flow(fields.get(f"site-{side}-capacity"), "min", "MW"), whole)
            price = line.flow(fields[f"site-{side}-breach-price"], edges=True)
            name = f"{commodity} {{}} {side} breach{{}}"
            made.breach(name, made.above(sign * flow, agreed), price, agreed)
    return buy


def _group(made: Bill, group: Group, flow: Floats) -> None:
    line = made.line
    whole = line.flow(group.model.get("power-capacity"), "min", "MW")
    for side, sign in (("consumption", 1.0), ("production", -1.0)):
        if f"{side}-capacity" in group.model:
            agreed = np.fmin(line.flow(group.model[f"{side}-capacity"], "min", "MW"), whole)
            over = made.above(sign * flow, agreed)
            name = f"group {group.label} {{}} {side} breach{{}}"
            made.breach(name, over, np.full(line.n, GROUP_PRICE), agreed)


def _stock(made: Bill, context: Context, stock: Stock, *, compat: bool) -> None:
    """Missed minima and targets, exceeded maxima and targets, where they are soft."""
    line, path = made.line, stock.path[1:]
    per_any = 1.0 / line.hours if compat else 1.0
    at_end = Timeline(line.case, line.start + line.step, line.step, line.n)
    short, over = (at_end.flow(context.soc_breach[s] or "0 EUR/kWh", edges=True)
                   for s in ("minima", "maxima"))  # fmt: skip
    asked = (
        ("minima", stock.minima, ((-1.0, short),)),
        ("maxima", stock.maxima, ((1.0, over),)),
        ("targets", stock.targets, ((-1.0, short), (1.0, over))),
    )
    for name, limit, sides in asked:
        said = f"soc-{name}" in stock.model or not np.isnan(limit).all()
        if stock.start is None or not stock.soft[name] or not said:
            continue
        for sign, price in sides:
            miss = made.above(sign * path, sign * limit)
            others = [side[1] for side in sides]
            made.any(f"any soc {name}", miss, [price * per_any, *others], limit)
            made.each(f"all soc {name}", miss, price * (1.0 if compat else stock.lasting[name]))


def _full(made: Bill, stock: Stock, frame: Floats | None) -> None:
    """The tiny price of room left in a storage, falling over the window."""
    line, model = made.line, stock.model
    if frame is None or stock.start is None or "soc-max" not in model:
        return
    if not model.get("prefer-charging-sooner", True):
        return
    spread = float(frame.max() - frame.min())
    most = (spread if spread > 0 else 1e-3) * TINY / line.n
    falling = np.linspace(most, 0.0, line.n)
    price = falling if model.get("prefer-curtailing-later", True) else np.full(line.n, most)
    name = f"prefer a full storage {stock.members[0].index} sooner"
    made.each(name, np.maximum(stock.high - stock.path[1:], 0.0), price / line.hours)


def _commitments(made: Bill, plan: Plan, *, compat: bool) -> None:
    cast, context = plan.cast, plan.context
    said = [(one, one.get("commodity", "electricity"))
            for one in context.shared.get("commitments") or []]  # fmt: skip
    for commodity, fields in context.commodities.items():
        if fields.get("commitments") is not context.shared.get("commitments"):
            said += [(one, commodity) for one in fields.get("commitments") or []]
    for one, commodity in said:
        if "group" in one:
            key = ":".join(reference(one["group"]))
            members = next((g.members for g in cast.groups if g.label == key), ())
        elif "sensors" in one:
            names = {s["sensor"] if isinstance(s, dict) else s for s in one["sensors"]}
            members = tuple(d.index for d in cast.devices if d.name in names)
        else:
            members = cast.of(commodity)
        if not members:
            continue
        flow = plan.flow(members)
        away = flow - made.line.flow(one.get("baseline", "0 kW"))
        sides = ((np.maximum(away, 0.0), "up-price"), (np.minimum(away, 0.0), "down-price"))
        for part, key in sides:
            if key in one:
                price = made.line.flow(one[key])
                energy = _per_energy(made.line, one[key])
                per_step = 1.0 if compat and not energy else made.line.hours
                made.each(one["name"], part, price * per_step)


def _per_energy(line: Timeline, price: Any) -> bool:
    if isinstance(price, dict):
        return kind(line.case["sensors"][price["sensor"]]["unit"]) == "per-energy"
    return kind(str(price[0]["value"] if isinstance(price, list) else price)) == "per-energy"
