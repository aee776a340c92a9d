"""Devices of a flex-model: their limits, efficiencies and what else they can and cannot do."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from flexedge.domain import units
from flexedge.domain.series import FloatArray
from flexedge.optim.device import Coupling, Curve, Device, Process, Running, Soft, Storage
from flexedge.optim.request.amounts import Reader
from flexedge.optim.request.entries import Entry
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.terms import Terms, power

_PHASES = {
    "L1": (1.0, 0.0, 0.0), "L2": (0.0, 1.0, 0.0), "L3": (0.0, 0.0, 1.0),
    "L1L2L3": (1 / 3, 1 / 3, 1 / 3),
}  # fmt: skip
_HOUR = timedelta(hours=1)


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
    if entry.sensor is not None and entry.sensor.attributes.get("is_strictly_non_positive"):
        most_down = zero
    if entry.sensor is not None and entry.sensor.attributes.get("is_strictly_non_negative"):
        most_up = zero
    return Limits(
        most_up,
        most_down,
        whole,
        up_given and terms.consumption_breach_price is not None and bool(most_up.max() > 0),
        down_given and terms.production_breach_price is not None and bool(most_down.max() > 0),
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
        zero = np.full(reader.grid.n, np.nan)
        values = np.fmax(zero if up is None else up, zero if down is None else down)
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
    fields, hours = entry.fields, reader.grid.hours
    min_kw = -(limit.whole_kw if limit.soft_production else limit.production_kw)
    max_kw = limit.whole_kw if limit.soft_consumption else limit.consumption_kw
    rise, fall = (_ramp(fields, f"ramp-{way}-limit", hours) for way in ("up", "down"))
    part_load = _part_load(fields, reader)
    if part_load is not None:
        max_kw = np.minimum(max_kw, part_load.x[-1])
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
        modes(fields, max_kw),
        _coupling(fields),
        fields.boolean("prefer-curtailing-later", default=True),
        wear_price=_money(fields, "wear-cost", reader),
        running=_running(fields, reader),
        max_rise_kw=rise,
        max_fall_kw=fall,
        power_before_kw=_one(fields, "power-at-start", "power"),
        charge_taper=_curve(fields, "charging-power-curve", "soc", "energy"),
        discharge_taper=_curve(fields, "discharging-power-curve", "soc", "energy"),
        part_load=part_load,
        phases=_on_phases(fields),
        priority=fields.number("priority", 0.0),
    )


def _soft(limit: FloatArray, price: FloatArray | None, wanted: bool) -> Soft | None:  # noqa: FBT001
    return Soft(limit, price) if wanted and price is not None else None


def _one(fields: Fields, key: str, dimension: units.Dimension) -> float | None:
    """One fixed quantity, or None where the field is not given."""
    if not fields.has(key):
        return None
    try:
        return units.quantity(fields.data[key], dimension)
    except ValueError as error:
        fields.fail(key, str(error))


def _money(fields: Fields, key: str, reader: Reader) -> float:
    if not fields.has(key):
        return 0.0
    amount = reader.amount(fields.data[key], fields.at(key), ["energy-price"])
    if amount.fixed is None or amount.fixed < 0:
        fields.fail(key, "should be a fixed price that is not negative, such as '0.04 EUR/kWh'")
    return amount.fixed


def _ramp(fields: Fields, key: str, hours: float) -> float | None:
    """A power per time ("10 kW/h") as power per step."""
    if not fields.has(key):
        return None
    text = fields.text(key)
    top, slash, below = text.rpartition("/")
    minutes = {"h": 60.0, "min": 1.0}.get(below.strip())
    if not slash or minutes is None:
        fields.fail(key, f"{text!r} should be a power per time, such as '10 kW/h'")
    try:
        per_minute = units.quantity(top.strip(), "power") / minutes
    except ValueError as error:
        fields.fail(key, str(error))
    return abs(per_minute) * 60.0 * hours


def modes(fields: Fields, max_kw: FloatArray) -> tuple[tuple[float, float], ...]:
    """The bands of power a device keeps to: of operation-modes, power-steps or minimum-power."""
    bands = []
    for mode in fields.objects("operation-modes"):
        mode.refuse_unknown(("consumption-range", "production-range", "name"))
        up, down = _range(mode, "consumption-range"), _range(mode, "production-range")
        if up is None and down is None:
            mode.fail("consumption-range", "or production-range is missing")
        if up is not None and down is not None and (up[0] or down[0]):
            mode.fail("production-range", "both ranges of one mode start at 0 kW")
        low, high = up or (0.0, 0.0)
        if down is not None:
            low, high = -down[1], (high if up is not None else -down[0])
        bands.append((low, high))
    steps = [_step(fields, number, raw) for number, raw in enumerate(fields.items("power-steps"))]
    if steps:
        bands += [(0.0, 0.0), *((step, step) for step in steps if step)]
    least = _one(fields, "minimum-power", "power")
    if least is not None:
        most = float(max_kw.max())
        bands += [(0.0, 0.0), *([(least, most)] if 0 < least <= most else [])]
    return tuple(bands)


def _step(fields: Fields, number: int, raw: object) -> float:
    try:
        return units.quantity(raw, "power")
    except ValueError as error:
        fields.fail(f"power-steps[{number}]", str(error))


def _range(mode: Fields, key: str) -> tuple[float, float] | None:
    if not mode.has(key):
        return None
    ends = mode.items(key)
    if len(ends) != 2:  # noqa: PLR2004 - from, to
        mode.fail(key, "should be two powers, such as ['1.4 kW', '7.4 kW']")
    try:
        low, high = (units.quantity(end, "power") for end in ends)
    except ValueError as error:
        mode.fail(key, str(error))
    if not 0 <= low <= high:
        mode.fail(key, "should go from a lower power to a higher one, none below 0")
    return low, high


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


def _running(fields: Fields, reader: Reader) -> Running | None:
    keys = ("start-up-cost", "minimum-up-time", "minimum-down-time", "maximum-starts-per-day")
    if not any(fields.has(key) for key in keys):
        return None
    up, down = (
        -(-fields.duration(key) // reader.grid.resolution) if fields.has(key) else 0
        for key in ("minimum-up-time", "minimum-down-time")
    )
    most = None
    if fields.has("maximum-starts-per-day"):
        most = int(fields.number("maximum-starts-per-day"))
        if most < 0:
            fields.fail("maximum-starts-per-day", "should not be negative")
    return Running(
        _start_price(fields), up, down, most, fields.boolean("on-at-start", default=False)
    )


def _start_price(fields: Fields) -> float:
    """Money per start: "0.5 EUR", or a bare number in the currency of the prices."""
    if not fields.has("start-up-cost"):
        return 0.0
    raw = fields.data["start-up-cost"]
    if isinstance(raw, str):
        number, _, currency = raw.strip().partition(" ")
        try:
            raw = float(number)
        except ValueError:
            raw = None
        if currency and len(currency) != 3:  # noqa: PLR2004 - a currency has three letters
            raw = None
    good = isinstance(raw, int | float) and not isinstance(raw, bool) and 0 <= raw < np.inf
    if not good:
        fields.fail("start-up-cost", "should be an amount of money, such as '0.5 EUR'")
    return float(raw)


def _curve(fields: Fields, key: str, over: str, dimension: units.Dimension) -> Curve | None:
    points = []
    for point in fields.objects(key):
        point.refuse_unknown((over, "power"))
        x, y = _one(point, over, dimension), _one(point, "power", "power")
        if x is None or y is None:
            point.fail(over, f"and power are both needed: {{'{over}': '8 kWh', 'power': '3 kW'}}")
        points.append((x, y))
    if not points:
        return None
    curve = Curve(tuple(x for x, _ in points), tuple(y for _, y in points))
    if len(points) < 2 or (np.diff(curve.x) <= 0).any():  # noqa: PLR2004 - a line has two ends
        fields.fail(key, f"needs at least two points of rising {over}")
    slope = np.diff(curve.y) / np.diff(curve.x)
    if (np.diff(slope) > 1e-9).any():  # noqa: PLR2004 - rounding
        fields.fail(key, "should never turn upwards: its slope may only fall")
    return curve


def _part_load(fields: Fields, reader: Reader) -> Curve | None:
    points = [(0.0, 0.0)]
    for point in fields.objects("part-load-efficiency"):
        point.refuse_unknown(("power", "efficiency"))
        x = _one(point, "power", "power")
        if x is None or not point.has("efficiency"):
            point.fail("power", "and efficiency are both needed")
        share = reader.amount(point.data["efficiency"], point.at("efficiency"), ["share"], bare=1.0)
        if x > 0 and share.fixed is not None:
            points.append((x, x * share.fixed))
    if len(points) == 1:
        return None
    curve = Curve(tuple(x for x, _ in points), tuple(y for _, y in points))
    if (np.diff(curve.x) <= 0).any() or min(curve.y) < 0:
        fields.fail("part-load-efficiency", "needs points of rising power")
    return curve


def _on_phases(fields: Fields) -> tuple[float, float, float] | None:
    if not fields.has("phases"):
        return None
    name = fields.text("phases")
    if name not in _PHASES:
        fields.fail("phases", f"should be one of {', '.join(_PHASES)}, not {name!r}")
    return _PHASES[name]


def process(entry: Entry, reader: Reader) -> Device:
    """A task that is planned together with everything else."""
    fields, grid = entry.fields, reader.grid
    task = task_of(fields, entry, reader)
    kw, n = task.power_kw, grid.n
    low, high = min(kw, 0.0), max(kw, 0.0)
    if not task.allowed.any() or task.slots * task.runs > n:
        fields.fail("duration", "does not fit into the time of the schedule")
    return Device(
        entry.name, np.full(n, low), np.full(n, high), commodity=entry.commodity, process=task,
        phases=_on_phases(fields),
    )  # fmt: skip


def task_of(fields: Fields, entry: Entry | None, reader: Reader) -> Process:
    """Power, length, kind and times of a task. Raises ``BadField``."""
    grid = reader.grid
    raw = fields.data.get("power")
    if isinstance(raw, str):
        kw = _one(fields, "power", "power") or 0.0
    else:
        sensor = None if entry is None else entry.sensor
        kw = (
            fields.number("power")
            * units.parse_unit("kW" if sensor is None else sensor.unit).factor
        )
    slots = -(-fields.duration("duration") // grid.resolution)
    kind = fields.one_of("process-type", ("INFLEXIBLE", "BREAKABLE", "SHIFTABLE"), "INFLEXIBLE")
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
    runs = int(fields.number("runs", 1.0))
    if runs < 1:
        fields.fail("runs", "should be at least 1")
    return Process(kw, slots, kind, allowed, runs)  # type: ignore[arg-type] # one_of checked it
