"""The devices, stocks and groups of a request, as numbers on its steps."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.optim.checking.amounts import amount
from tests.optim.checking.context import Context
from tests.optim.checking.timeline import Floats, Timeline

Model = dict[str, Any]
Key = tuple[str, str]
SAID = ("soc-at-start", "soc-min", "soc-max", "soc-minima", "soc-maxima", "soc-targets",
        "soc-gain", "soc-usage", "soc-unit", "storage-efficiency", "prefer-charging-sooner",
        "prefer-curtailing-later", "soc-value-at-end")  # fmt: skip


@dataclass(frozen=True)
class Device:
    """A device with its hard and its agreed limits; ``fixed`` is what nobody schedules."""

    index: int
    name: str
    model: Model
    commodity: str
    low: Floats
    high: Floats
    agreed_up: Floats | None = None
    agreed_down: Floats | None = None
    charging: Floats = field(default_factory=lambda: np.ones(1))
    discharging: Floats = field(default_factory=lambda: np.ones(1))
    bands: tuple[tuple[float, float], ...] = ()
    stores: tuple[tuple[float, float], ...] = ()
    """Power drawn and stored, where efficiency depends on the power."""
    fixed: Floats | None = None


@dataclass(frozen=True)
class Group:
    """An intermediate limit on the sum of its members."""

    label: str
    model: Model
    members: tuple[int, ...]


@dataclass(frozen=True)
class Cast:
    """Everyone in a request: scheduled devices, then what nobody schedules."""

    devices: tuple[Device, ...]
    stocks: dict[str, tuple[int, ...]]
    """Indices of the devices on each stock."""
    said: dict[str, Model]
    """What is said of each stock, collected from all entries of it."""
    groups: tuple[Group, ...]

    def of(self, commodity: str) -> tuple[int, ...]:
        return tuple(d.index for d in self.devices if d.commodity == commodity)


def models(case: dict[str, Any]) -> list[Model]:
    """The entries; one that stands alone belongs to the sensor the problem is about."""
    raw = case["request"].get("flex-model", [])
    if isinstance(raw, list):
        return raw
    target = case.get("sensor") or case["request"].get("sensor")
    return [{"sensor": target, **raw}] if target and "sensor" not in raw else [raw]


def reference(raw: Any) -> Key:
    return next((kind, raw[kind]) for kind in ("sensor", "asset") if kind in raw)


def name_of(model: Model) -> str | None:
    """The sensor (or output, or asset) a device goes by."""
    if "sensor" in model:
        return str(model["sensor"])
    for output in ("consumption", "production"):
        if output in model:
            return str(model[output]["sensor"])
    return None


def _stock(model: Model) -> str | None:
    place = model.get("state-of-charge")
    return str(place["sensor"]) if isinstance(place, dict) else None


def cast(case: dict[str, Any], line: Timeline, context: Context) -> Cast:
    """Everyone, in FlexMeasures' order."""
    every = models(case)
    heads = {reference(m["group"]) for m in every if "group" in m}
    devices: list[Device] = []
    known = [m for m in every if not _is_head(m, heads)]
    outside = [m for m in known if "inflexible-consumption" in m or "inflexible-production" in m]
    scheduled = [
        m for m in known
        if m not in outside and (name_of(m) or ("asset" in m and "state-of-charge" not in m))
    ]  # fmt: skip
    for model in scheduled:
        devices.append(_device(len(devices), model, line, context))
    for model in outside:
        devices.extend(_inflexible(len(devices), model, line, model.get("commodity")))
    for commodity, one in context.commodities.items():
        for sign, key in ((1.0, "inflexible-consumption"), (-1.0, "inflexible-production")):
            for place in one.get(key) or []:
                values = sign * np.nan_to_num(line.flow(place))
                devices.append(_fixed(len(devices), place["sensor"], {}, commodity, values))
    stocks, said = _stocks(every, devices)
    return Cast(tuple(devices), stocks, said, _groups(every, heads, devices))


def _is_head(model: Model, heads: set[Key]) -> bool:
    return any((kind, model.get(kind)) in heads for kind in ("sensor", "asset"))


def _fixed(index: int, name: str, model: Model, commodity: str, values: Floats) -> Device:
    return Device(index, name, model, commodity, values, values, fixed=values)


def _inflexible(index: int, model: Model, line: Timeline, commodity: str | None) -> list[Device]:
    found: list[Device] = []
    for sign, key in ((1.0, "inflexible-consumption"), (-1.0, "inflexible-production")):
        if key in model:
            values = sign * np.nan_to_num(line.flow(model[key]))
            name = model[key]["sensor"]
            where = commodity or "electricity"
            found.append(_fixed(index + len(found), name, model, where, values))
    return found


def _stocks(
    every: list[Model], devices: list[Device]
) -> tuple[dict[str, tuple[int, ...]], dict[str, Model]]:
    stocks: dict[str, tuple[int, ...]] = {}
    said: dict[str, Model] = {}
    for device in devices:
        if device.fixed is None:
            key = _stock(device.model) or f"stock of {device.name}"
            stocks[key] = (*stocks.get(key, ()), device.index)
            said.setdefault(key, {}).update(_of_the_stock(device.model))
    for model in every:
        shared = _stock(model)
        if shared in stocks and shared is not None:
            said[shared] = {**_of_the_stock(model), **said[shared]}
    return stocks, said


def _of_the_stock(model: Model) -> Model:
    return {key: value for key, value in model.items() if key in (*SAID, "state-of-charge")}


def _groups(every: list[Model], heads: set[Key], devices: list[Device]) -> tuple[Group, ...]:
    found = []
    for key in sorted(heads):
        head = next((m for m in every if m.get(key[0]) == key[1]), None)
        if head is None:
            continue
        inside = {key}
        for _ in every:
            inside |= {
                (kind, m[kind]) for m in every for kind in ("sensor", "asset")
                if kind in m and "group" in m and reference(m["group"]) in inside
            }  # fmt: skip
        members = tuple(
            d.index for d in devices
            if "group" in d.model and reference(d.model["group"]) in inside
        )  # fmt: skip
        found.append(Group(f"{key[0]}:{key[1]}", head, members))
    return tuple(found)


def _capacities(model: Model, line: Timeline, context: Context) -> tuple[Floats, Floats, Floats]:
    """Power capacity, and the directional capacities with their defaults (NaN: none)."""
    up, down = (
        np.maximum(line.flow(model.get(f"{side}-capacity"), "min", "MW"), 0.0)
        for side in ("consumption", "production")
    )
    said_up, said_down = "consumption-capacity" in model, "production-capacity" in model
    if said_up and not said_down and _opens(model["consumption-capacity"]):
        down = np.zeros(line.n)
    if said_down and not said_up and _opens(model["production-capacity"]):
        up = np.zeros(line.n)
    largest = np.fmax(up, down)
    lone_zero = said_up != said_down and not np.nan_to_num(largest).any()
    if "power-capacity" in model:
        both = line.flow(model["power-capacity"], "min", "MW")
    elif (said_up or said_down) and not lone_zero and not np.isnan(largest).all():
        both = largest
    else:
        both = line.flow(context.shared.get("site-power-capacity"), "min", "MW")
    both = np.where(np.isnan(both), np.inf, np.maximum(both, 0.0))
    return both, np.fmin(up, both), np.fmin(down, both)


def _opens(capacity: Any) -> bool:
    if isinstance(capacity, list):
        return any(_opens(one["value"]) for one in capacity)
    return isinstance(capacity, dict) or amount(capacity, "MW") != 0


def _task(index: int, model: Model, line: Timeline) -> Device:
    """A process: off, or at its power."""
    bare = line.case["sensors"].get(model.get("sensor"), {}).get("unit", "kW")
    full = np.full(line.n, amount(model["power"], bare))
    return Device(
        index, name_of(model) or str(model.get("asset")), model,
        model.get("commodity", "electricity"), np.minimum(full, 0.0), np.maximum(full, 0.0),
    )  # fmt: skip


def _device(index: int, model: Model, line: Timeline, context: Context) -> Device:
    if "power" in model:
        return _task(index, model, line)
    both, up, down = _capacities(model, line, context)
    soft = {
        side: context.device_breach[side] is not None
        and f"{side}-capacity" in model and bool(values.max() > 0)
        for side, values in (("consumption", up), ("production", down))
    }  # fmt: skip
    charging, discharging = (
        np.nan_to_num(line.flow(model.get(f"{side}-efficiency")), nan=1.0)
        for side in ("charging", "discharging")
    )
    if "roundtrip-efficiency" in model:
        charging = discharging = np.full(line.n, amount(model["roundtrip-efficiency"]) ** 0.5)
    low, high = -(both if soft["production"] else down), both if soft["consumption"] else up
    stores = _stores(model)
    if stores:
        high = np.minimum(high, stores[-1][0])
    for key, sign in (("charging-power-curve", 1.0), ("discharging-power-curve", -1.0)):
        if model.get(key):
            most = max(amount(point["power"]) for point in model[key])
            low, high = (
                (low, np.minimum(high, most)) if sign > 0 else (np.maximum(low, -most), high)
            )
    return Device(
        index, name_of(model) or str(model.get("asset")), model,
        model.get("commodity", "electricity"), low, high,
        up if soft["consumption"] else None,
        -down if soft["production"] else None,
        charging, discharging, _bands(model, low, high), stores,
    )  # fmt: skip


def _stores(model: Model) -> tuple[tuple[float, float], ...]:
    points = [(amount(one["power"]), amount(one["efficiency"]))
              for one in model.get("part-load-efficiency") or []]  # fmt: skip
    return ((0.0, 0.0), *((kw, kw * share) for kw, share in points)) if points else ()


def _bands(model: Model, low: Floats, high: Floats) -> tuple[tuple[float, float], ...]:
    """Permitted ranges of power, consumption positive."""
    if model.get("power-steps"):
        steps = {0.0, *(amount(step) for step in model["power-steps"])}
        return tuple((step, step) for step in sorted(steps))
    least = amount(model["minimum-power"]) if model.get("minimum-power") is not None else 0.0
    if least:
        up, down = float(high.max()), float(-low.min())
        return (
            (0.0, 0.0), *([(least, up)] if up >= least else []),
            *([(-down, -least)] if down >= least else []),
        )  # fmt: skip
    found = []
    for mode in model.get("operation-modes") or []:
        up_, down_ = ([amount(v, "MW") for v in mode.get(f"{side}-range", [])]
                      for side in ("consumption", "production"))  # fmt: skip
        if up_ and down_:
            found.append((-down_[1], up_[1]))
        else:
            found.append((up_[0], up_[1]) if up_ else (-down_[1], -down_[0]))
    return tuple(found)
