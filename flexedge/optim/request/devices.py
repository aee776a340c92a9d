"""Devices of a flex-model: their limits, efficiencies and what else they can and cannot do."""

from dataclasses import dataclass, replace

import numpy as np

from flexedge.domain import units
from flexedge.domain.series import FloatArray
from flexedge.optim.device import Coupling, Device, Process, Soft, Storage
from flexedge.optim.request import abilities, starting
from flexedge.optim.request.amounts import MOST, Reader
from flexedge.optim.request.entries import PROCESS_FIELDS, Entry
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.terms import Terms, power

_HIGHEST_PRIORITY = 1000.0
_KINDS = ("INFLEXIBLE", "BREAKABLE", "SHIFTABLE")
_PHASES = ("L1", "L2", "L3", "L1L2", "L1L3", "L2L3", "L1L2L3")
_OF_STORAGES = ("charging-power-curve", "discharging-power-curve", "part-load-efficiency")
_OF_TASKS = (*PROCESS_FIELDS, "sensor", "asset", "commodity", "consumption", "production", "group",
             "phases", "priority")  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """What a device can draw and give in each step, and which of that is only agreed."""

    consumption_kw: FloatArray
    production_kw: FloatArray
    whole_kw: FloatArray
    soft_consumption: bool
    soft_production: bool


def limits(entry: Entry, terms: Terms, reader: Reader) -> Limits:
    """The capacities of a device by FlexMeasures' rules. Raises ``BadField``."""
    fields = entry.fields
    up, down = (power(fields, f"{way}-capacity", reader) for way in ("consumption", "production"))
    up_given, down_given = up is not None, down is not None
    zero = np.zeros(reader.grid.n)
    if up is not None and down is None and _flows(fields, "consumption-capacity"):
        down, down_given = zero, True
    elif down is not None and up is None and _flows(fields, "production-capacity"):
        up, up_given = zero, True
    whole = _whole(fields, up, down, terms, reader)
    most_up, most_down = (
        whole if way is None else np.clip(np.where(np.isnan(way), whole, way), 0.0, whole)
        for way in (up, down)
    )
    consumes, produces = _ways(entry)
    if not produces:
        most_down = zero
    if not consumes:
        most_up = zero
    return Limits(
        most_up,
        most_down,
        whole,
        up_given and terms.consumption_breach_price is not None and bool(most_up.max() > 0),
        down_given and terms.production_breach_price is not None and bool(most_down.max() > 0),
    )


def _ways(entry: Entry) -> tuple[bool, bool]:
    """Whether the attributes of its sensor let a device consume, and produce."""
    said = {} if entry.sensor is None else entry.sensor.attributes
    consumer, producer = bool(said.get("is_consumer")), bool(said.get("is_producer"))
    only_consumes = consumer and not said.get("is_producer", True)
    only_produces = producer and not said.get("is_consumer", True)
    return (
        not (only_produces or said.get("is_strictly_non_negative")),
        not (only_consumes or said.get("is_strictly_non_positive")),
    )


def _flows(fields: Fields, key: str) -> bool:
    """Whether a capacity says more than that there is none; data of a sensor may."""
    raw = fields.data[key]
    if isinstance(raw, str):
        return bool(units.quantity(raw, "power"))
    if isinstance(raw, list):
        return any(_flows(Fields(one, key), "value") for one in raw)
    return True


def _whole(
    fields: Fields,
    up: FloatArray | None,
    down: FloatArray | None,
    terms: Terms,
    reader: Reader,
) -> FloatArray:
    """power-capacity, or the larger of the directions, or that of the site."""
    values = power(fields, "power-capacity", reader)
    if values is None and (up is not None or down is not None):
        unknown = np.full(reader.grid.n, np.nan if up is None or down is None else 0.0)
        most = [power(fields, f"{way}-capacity", reader, "max")
                for way in ("consumption", "production")]  # fmt: skip
        values = np.fmax(*(unknown if one is None else np.maximum(one, 0.0) for one in most))
        one_way = up is None or down is None
        if np.isnan(values).all() or (one_way and not np.nan_to_num(values).any()):
            values = None
    if values is None:
        for site in terms.by_commodity.values():
            values = power(site, "site-power-capacity", reader) if values is None else values
    if values is None:
        fields.fail("power-capacity", "is missing: say how much the device can draw or give, such "
                    "as '5 kW'")  # fmt: skip
    if np.isnan(values).any():
        known = values[~np.isnan(values)]
        values = np.where(np.isnan(values), known.max() if known.size else 0.0, values)
    whole: FloatArray = np.maximum(values, 0.0)
    return whole


def efficiencies(entry: Entry, reader: Reader) -> tuple[FloatArray, FloatArray]:
    """Stored per energy drawn, and given per energy taken from the stock; gaps are lossless."""
    fields, n = entry.fields, reader.grid.n
    if fields.has("roundtrip-efficiency"):
        for key in ("charging-efficiency", "discharging-efficiency"):
            if fields.has(key):
                fields.fail(key, "and roundtrip-efficiency exclude each other")
        amount = reader.amount(
            fields.data["roundtrip-efficiency"], fields.at("roundtrip-efficiency"), ["share"],
            bare=1.0,
        )  # fmt: skip
        if amount.fixed is None or not 0 < amount.fixed <= 1:
            fields.fail("roundtrip-efficiency", "should be a fixed share above 0 and up to 100%")
        one_way = np.full(n, amount.fixed**0.5)
        return one_way, one_way
    found = []
    for key, least in (("charging-efficiency", 0.0), ("discharging-efficiency", 1e-3)):
        values = np.ones(n)
        if fields.has(key):
            amount = reader.amount(fields.data[key], fields.at(key), ["share"], bare=1.0)
            values = reader.values(amount)
            values = np.where(np.isnan(values), 1.0, values)
            if (values < least).any():
                fields.fail(key, f"should be at least {least:g}")
        found.append(values)
    return found[0], found[1]


def device(entry: Entry, terms: Terms, reader: Reader, storage: Storage | None) -> Device:
    """A device as the optimiser takes it."""
    limit = limits(entry, terms, reader)
    charging, discharging = efficiencies(entry, reader)
    fields = entry.fields
    min_kw = -(limit.whole_kw if limit.soft_production else limit.production_kw)
    max_kw = limit.whole_kw if limit.soft_consumption else limit.consumption_kw
    if storage is None:
        for key in _OF_STORAGES:
            if fields.has(key):
                fields.fail(key, "needs a state of charge: give soc-at-start")
    whole = np.inf if storage is None else storage.soc_max_kwh
    load = abilities.part_load(fields, reader)
    charge, discharge = (
        abilities.curve(fields, f"{way}-power-curve", whole) for way in ("charging", "discharging")
    )
    if load is not None:
        max_kw = np.minimum(max_kw, load.x[-1])
    if charge is not None:
        max_kw = np.minimum(max_kw, max(charge.y))
    if discharge is not None:
        min_kw = np.maximum(min_kw, -max(discharge.y))
    ramps = abilities.ramps(fields, reader, (min_kw, max_kw))
    bands = abilities.modes(fields, reader, (min_kw, max_kw))
    _check_modes(fields, bands, min_kw, max_kw)
    abilities.check_gaps(fields, bands, ramps)
    return Device(
        entry.name,
        min_kw + 0.0,
        max_kw,
        storage,
        charging,
        discharging,
        entry.commodity,
        _soft(limit.consumption_kw, terms.consumption_breach_price, limit.soft_consumption),
        _soft(limit.production_kw, terms.production_breach_price, limit.soft_production),
        bands,
        _coupling(fields),
        fields.boolean("prefer-curtailing-later", default=True),
        wear_price=_money(fields, "wear-cost", reader),
        running=starting.running(fields, reader, bands, ramps),
        max_rise_kw=ramps.rise,
        max_fall_kw=ramps.fall,
        power_before_kw=ramps.before,
        charge_taper=charge,
        discharge_taper=discharge,
        part_load=load,
        phases=_on_phases(fields),
        priority=_priority(fields),
    )


def _check_modes(
    fields: Fields, bands: tuple[tuple[float, float], ...], min_kw: FloatArray, max_kw: FloatArray
) -> None:
    """There has to be a mode that the device can keep to in every step."""
    reach = [(low <= max_kw) & (high >= min_kw) for low, high in bands]
    if bands and not np.any(reach, axis=0).all():
        step = int(np.argmin(np.any(reach, axis=0)))
        key = "operation-modes" if fields.has("operation-modes") else "power-steps"
        between = f"{min_kw[step]:g} and {max_kw[step]:g} kW"
        fields.fail(key, f"none lies between {between}: what the capacities allow in step {step}")


def _soft(limit: FloatArray, price: FloatArray | None, wanted: bool) -> Soft | None:  # noqa: FBT001
    return Soft(limit, price) if wanted and price is not None else None


def _money(fields: Fields, key: str, reader: Reader) -> float:
    if not fields.has(key):
        return 0.0
    amount = reader.amount(fields.data[key], fields.at(key), ["energy-price"])
    if amount.fixed is None or amount.fixed < 0:
        fields.fail(key, "should be a fixed price that is not negative, such as '0.04 EUR/kWh'")
    return amount.fixed


def _priority(fields: Fields) -> float:
    value = fields.number("priority", 0.0)
    if abs(value) > _HIGHEST_PRIORITY:
        fields.fail("priority", f"should lie between ±{_HIGHEST_PRIORITY:g}, not {value:g}")
    return value


def _coupling(fields: Fields) -> Coupling | None:
    if not fields.has("coupling"):
        return None
    coefficient = fields.number("coupling-coefficient", 1.0)
    if coefficient <= 0:
        fields.fail("coupling-coefficient", "should be above 0")
    flows = {
        way: fields.has(f"{way}-capacity") and _flows(fields, f"{way}-capacity")
        for way in ("consumption", "production")
    }
    drawn = flows["consumption"] or (fields.has("production-capacity") and not flows["production"])
    given = flows["production"] or (fields.has("consumption-capacity") and not flows["consumption"])
    if drawn == given:
        fields.fail("coupling", "needs exactly one directional capacity: consumption-capacity for "
                    "what goes in, production-capacity for what comes out")  # fmt: skip
    return Coupling(fields.text("coupling"), coefficient if drawn else -coefficient)


def _on_phases(fields: Fields) -> tuple[float, float, float] | None:
    if not fields.has("phases"):
        return None
    name = fields.text("phases")
    if name not in _PHASES:
        fields.fail("phases", f"should be one of {', '.join(_PHASES)}, not {name!r}")
    used = [float(phase in name) for phase in ("L1", "L2", "L3")]
    return used[0] / sum(used), used[1] / sum(used), used[2] / sum(used)


def process(entry: Entry, reader: Reader) -> Device:
    """A task that is planned together with everything else.

    One longer than the schedule fills it; what finds no room gives way.
    """
    fields, grid = entry.fields, reader.grid
    for key in fields.data:
        if key not in _OF_TASKS and fields.has(key):
            fields.fail(key, "has no meaning for a process: it has power and duration")
    task = task_of(fields, entry, reader)
    task = replace(task, slots=min(task.slots, grid.n))
    kw, n = task.power_kw, grid.n
    low, high = min(kw, 0.0), max(kw, 0.0)
    return Device(
        entry.name, np.full(n, low), np.full(n, high), commodity=entry.commodity, process=task,
        phases=_on_phases(fields), priority=_priority(fields),
    )  # fmt: skip


def _usual_kind(entry: Entry | None, reader: Reader) -> str:
    """What the attributes of the sensor or of its asset say a task is, if they do."""
    sensor = None if entry is None else entry.sensor
    asset = None if sensor is None else reader.source.assets.get(sensor.asset)
    for owner in (sensor, asset):
        kind = None if owner is None else owner.attributes.get("process-type")
        if kind in _KINDS:
            return str(kind)
    return "INFLEXIBLE"


def task_of(fields: Fields, entry: Entry | None, reader: Reader) -> Process:
    """Power, length, kind and times of a task. Raises ``BadField``."""
    grid = reader.grid
    raw = fields.data.get("power")
    if isinstance(raw, str):
        kw = abilities.one(fields, "power", "power") or 0.0
    else:
        sensor = None if entry is None else entry.sensor
        kw = (
            fields.number("power")
            * units.parse_unit("kW" if sensor is None else sensor.unit).factor
        )
    if abs(kw) > MOST:
        fields.fail("power", f"{raw!r} is beyond all measure")
    slots = -(-fields.duration("duration") // grid.resolution)
    kind = fields.one_of("process-type", _KINDS, _usual_kind(entry, reader))
    allowed = np.ones(grid.n, dtype=np.bool_)
    for restriction in fields.objects("time-restrictions"):
        restriction.refuse_unknown(("start", "duration", "end"))
        start = restriction.moment("start")
        if restriction.has("end"):
            end = restriction.moment("end")
        else:
            end = start + restriction.duration("duration")
        for step, moment in enumerate(grid.times()):
            allowed[step] &= not (start < moment + grid.resolution and moment < end)
    if fields.has("deadline"):
        end = fields.moment("deadline")
        late = [moment + grid.resolution > end for moment in grid.times()]
        allowed &= ~np.array(late)
    runs = fields.number("runs", 1.0)
    if runs < 1 or runs != int(runs):
        fields.fail("runs", "should be at least 1, and whole")
    dearest = fields.one_of("optimization-sense", ("MIN", "MAX"), "MIN") == "MAX"
    return Process(kw, slots, kind, allowed, int(runs), dearest)  # type: ignore[arg-type] # one_of
