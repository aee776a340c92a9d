"""The terms of a flex-context: prices, capacities, what is relaxed; one set per commodity."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.errors import BadField
from flexedge.optim.device import (
    DEVICE_BREACH_PRICE,
    ELECTRICITY,
    SOC_BREACH_PRICE,
    Amount,
    per_step,
)
from flexedge.optim.market import SITE_BREACH_PRICE, Connection, Market
from flexedge.optim.request.amounts import Overlaps, Reader, edges, extend
from flexedge.optim.request.fields import Fields

_OPENING = (
    "consumption-price", "production-price", "site-consumption-capacity",
    "site-production-capacity", "site-power-capacity",
)  # fmt: skip
_ENERGY_PRICES = _OPENING[:2]
_MAY_FORCE = ("site-consumption-capacity", "site-production-capacity")
"""Data of a sensor may be negative: then that much has to flow the other way."""
_COMMODITY_FIELDS = (
    "commodity", *_OPENING,
    "site-consumption-breach-price", "site-production-breach-price",
    "site-peak-consumption", "site-peak-consumption-price",
    "site-peak-production", "site-peak-production-price",
    "inflexible-consumption", "inflexible-production", "inflexible-device-sensors",
    "aggregate-consumption", "aggregate-production", "aggregate-power", "commitments",
    "relax-constraints", "relax-soc-constraints", "relax-site-capacity-constraints",
    "relax-capacity-constraints", "soc-minima-breach-price", "soc-maxima-breach-price",
    "consumption-breach-price", "production-breach-price",
    "site-phase-capacity", "inflexible-phases",
)  # fmt: skip
_LATER = (
    "soc-minima-breach-price", "soc-maxima-breach-price", "site-consumption-breach-price",
    "site-production-breach-price", "site-peak-consumption-price", "site-peak-production-price",
    "relax-constraints", "relax-soc-constraints", "relax-capacity-constraints",
    "relax-site-capacity-constraints", "consumption-breach-price", "production-breach-price",
)  # fmt: skip
CONTEXT_FIELDS = (
    *_COMMODITY_FIELDS, "commodities", "consumption-price-sensor", "production-price-sensor",
    "scenarios", "risk-weight",
)  # fmt: skip


@dataclass(slots=True)
class Terms:
    """What a flex-context says about the whole site."""

    by_commodity: dict[str, Fields]
    flat: bool
    """Whether electricity is described at the top level."""
    relax_site: bool
    soc_minima_price: FloatArray | None = None
    soc_maxima_price: FloatArray | None = None
    soc_off_tick_price: FloatArray | None = None
    """The price of missing what is asked of a stock between ticks, where that alone is relaxed."""
    off_tick_for_all: bool = False
    """Whether a stock that is asked between ticks relaxes all others: where a price or a commodity
    relaxes anything anyway (FlexMeasures' rule)."""
    consumption_breach_price: FloatArray | None = None
    production_breach_price: FloatArray | None = None
    inflexible: dict[str, FloatArray] = field(default_factory=dict)
    """Power of each inflexible sensor, consumption positive, by sensor."""
    inflexible_of: dict[str, list[str]] = field(default_factory=dict)
    """The inflexible sensors of each commodity."""


def power(
    fields: Fields, key: str, reader: Reader, overlaps: Overlaps = "min"
) -> FloatArray | None:
    """A power in each step (NaN where unknown), or None where the field is not given."""
    if not fields.has(key):
        return None
    amount = reader.amount(fields.data[key], fields.at(key), ["power"])
    return reader.values(amount, overlaps)


def price(
    fields: Fields,
    key: str,
    reader: Reader,
    per: str = "energy-price",
    grid: TimeGrid | None = None,
) -> FloatArray | None:
    """A price in each step, extended into the unknown; None where the field is not given.

    Energy without any known price is an error, any other price is then nothing.
    """
    if not fields.has(key):
        return None
    dimension = "energy-price" if per == "energy-price" else "power-price"
    amount = reader.amount(fields.data[key], fields.at(key), [dimension])  # type: ignore[list-item]
    values = reader.values(amount, grid=grid)
    if np.isnan(values).all():
        if key in _ENERGY_PRICES:
            fields.fail(key, "no price is known for the time of the schedule")
        reader.notes.append(f"{fields.at(key)}: no price is known: taken as 0")
    if reader.forgets_prices:
        return np.nan_to_num(values if amount.sensor is not None else edges(values))
    known = extend(values)
    return np.nan_to_num(values) if known is None else known


def terms(context: Fields, reader: Reader) -> Terms:
    """Read what concerns the whole site. Raises ``BadField``."""
    context.refuse_unknown(CONTEXT_FIELDS)
    context = _without_old_names(context)
    by_commodity: dict[str, Fields] = {}
    for one in context.objects("commodities"):
        one.refuse_unknown(_COMMODITY_FIELDS)
        name = one.text("commodity") if one.has("commodity") else ELECTRICITY
        if name in by_commodity:
            one.fail("commodity", f"{name!r} is described twice")
        by_commodity[name] = one
    flat = ELECTRICITY not in by_commodity
    if flat:
        if context.has("commodity") and context.data["commodity"] != ELECTRICITY:
            context.fail("commodity", "only electricity is described at the top level; list others "
                         "under 'commodities'")  # fmt: skip
        by_commodity[ELECTRICITY] = context
    for one in by_commodity.values():
        _find_currency(one, reader)
    money = reader.currency != "kg" and not context.has("_legacy")
    found = Terms(
        by_commodity, flat, money and _relaxed(context, "relax-site-capacity-constraints")
    )
    relax_soc = money and _relaxed(context, "relax-soc-constraints")
    n = reader.grid.n
    standard = np.full(n, SOC_BREACH_PRICE) if relax_soc else None
    if money and context.boolean("relax-soc-constraints", default=True):
        found.soc_off_tick_price = np.full(n, SOC_BREACH_PRICE)
    found.off_tick_for_all = any(
        one.has("soc-minima-breach-price") or one.has("soc-maxima-breach-price")
        or _relaxed(one, "relax-soc-constraints")
        for one in (context, *context.objects("commodities"))
    )  # fmt: skip
    grid = reader.grid
    at_ends = TimeGrid(grid.start + grid.resolution, grid.resolution, n)
    for key in ("soc-minima-breach-price", "soc-maxima-breach-price"):
        asked = price(context, key, reader, grid=at_ends)
        setattr(found, f"soc_{key[4:10]}_price", standard if asked is None else asked)
    asked_up = price(context, "consumption-breach-price", reader, "power-price")
    asked_down = price(context, "production-breach-price", reader, "power-price")
    if (
        asked_up is None
        and asked_down is None
        and money
        and context.boolean("relax-capacity-constraints", default=False)
    ):
        asked_up = asked_down = np.full(n, DEVICE_BREACH_PRICE)
    found.consumption_breach_price, found.production_breach_price = asked_up, asked_down
    return found


def _without_old_names(context: Fields) -> Fields:
    """Deprecated keys under their present names; limits stay hard with them."""
    data = dict(context.data)
    for key in ("consumption-price", "production-price"):
        old = f"{key}-sensor"
        if context.has(old):
            if context.has(key):
                context.fail(old, f"is another name of {key}: give one of them")
            later = [name for name in _LATER if context.data.get(name) not in (None, False)]
            if later:
                context.fail(old, f"is of before {later[0]}: write {key}: {{'sensor': …}} instead")
            data[key] = {"sensor": context.name(old)}
            data["_legacy"] = True
    return Fields(data, context.path, context.origins)


def _relaxed(context: Fields, key: str) -> bool:
    umbrella = context.boolean("relax-constraints", default=True)
    return context.boolean(key, default=umbrella)


def _find_currency(fields: Fields, reader: Reader) -> None:
    """Let energy prices, which are read first, say which currency all is in."""
    for key in ("consumption-price", "production-price"):
        if fields.has(key):
            reader.amount(fields.data[key], fields.at(key), ["energy-price"])


def read_inflexible(found: Terms, reader: Reader) -> None:
    """Read the power of all inflexible devices of all commodities."""
    for commodity, fields in found.by_commodity.items():
        if fields.has("inflexible-device-sensors"):
            for key in ("inflexible-consumption", "inflexible-production"):
                if fields.has(key):
                    fields.fail("inflexible-device-sensors", f"does not go with {key}: use that")
        names = found.inflexible_of.setdefault(commodity, [])
        for key, sign in (("inflexible-consumption", 1.0), ("inflexible-production", -1.0)):
            for number, raw in enumerate(fields.items(key)):
                names.append(
                    _add_inflexible(found, reader, raw, f"{fields.at(key)}[{number}]", sign)
                )
        for number, raw in enumerate(fields.items("inflexible-device-sensors")):
            path = f"{fields.at('inflexible-device-sensors')}[{number}]"
            sensor = reader.source.sensors.get(str(raw))
            if sensor is None:
                raise BadField(path, f"there is no sensor {raw!r}")
            sign = 1.0 if sensor.attributes.get("consumption_is_positive") else -1.0
            names.append(_add_inflexible(found, reader, {"sensor": raw}, path, sign))


def _add_inflexible(found: Terms, reader: Reader, raw: object, path: str, sign: float) -> str:
    if isinstance(raw, int | str) and not isinstance(raw, bool):
        raw = {"sensor": raw}
    if not isinstance(raw, dict):
        raise BadField(path, "should refer to a sensor: {'sensor': name}")
    amount = reader.amount(raw, path, ["power"])
    name = "" if amount.sensor is None else amount.sensor.name
    if name in found.inflexible:
        raise BadField(path, f"the sensor {name!r} is listed twice")
    found.inflexible[name] = flow(reader, raw, path, sign)
    return name


def flow(reader: Reader, raw: object, path: str, sign: float) -> FloatArray:
    """An inflexible power, consumption positive; 0 where nothing is known (FlexMeasures' rule)."""
    amount = reader.amount(raw, path, ["power"])
    if amount.sensor is not None and amount.sensor.contradicts(consumption=sign > 0):
        reader.contradiction(path, amount.sensor)
    values = reader.values(amount)
    missing = int(np.isnan(values).sum())
    if missing:
        reader.notes.append(f"{path}: {missing} of {len(values)} values are not known: taken as 0")
    return sign * np.nan_to_num(values)


def market(found: Terms, commodity: str, inflexible_kw: FloatArray, reader: Reader) -> Market:
    """What energy of a commodity costs, and its connection. Raises ``BadField``."""
    zero = np.zeros(reader.grid.n)
    fields = found.by_commodity.get(commodity)
    if fields is None:
        return Market(inflexible_kw, zero, zero, commodity=commodity, internal=True)
    flat = found.flat and commodity == ELECTRICITY
    given = {key for key in _OPENING if fields.has(key)}
    if commodity == ELECTRICITY and (not given or (flat and not fields.has("consumption-price"))):
        fields.fail("consumption-price", "is missing: electricity needs a price, such as "
                    "'0.25 EUR/kWh'")  # fmt: skip
    if not given:
        return Market(inflexible_kw, zero, zero, commodity=commodity, internal=True)
    bought = price(fields, "consumption-price", reader)
    sold = price(fields, "production-price", reader)
    if bought is None:
        bought = zero
    if sold is None:
        alone = given == {"site-power-capacity"} or "site-production-capacity" in given
        sold = zero if not flat and alone else bought
    connection = _connection(found, fields, given, reader, flat=flat)
    return Market(inflexible_kw, bought, sold, connection, commodity)


def _connection(
    found: Terms, fields: Fields, given: set[str], reader: Reader, *, flat: bool
) -> Connection:
    n = reader.grid.n
    whole = _capacity(fields, "site-power-capacity", reader, None)
    limits: dict[str, Amount | None] = {}
    prices: dict[str, Amount | None] = {}
    for direction in ("consumption", "production"):
        key = f"site-{direction}-capacity"
        limits[direction] = _capacity(fields, key, reader, whole)
        asked = price(fields, f"site-{direction}-breach-price", reader, "power-price")
        if asked is None and flat and found.relax_site:
            asked = np.full(n, SITE_BREACH_PRICE)
        closed = key not in given and f"{direction}-price" not in given
        if not flat and closed and given != {"site-power-capacity"}:
            limits[direction] = np.zeros(n)
            if asked is None and _relaxed(fields, "relax-site-capacity-constraints"):
                asked = np.full(n, SITE_BREACH_PRICE)
        prices[direction] = asked
    peaks = {
        direction: _peak(fields, direction, reader) for direction in ("consumption", "production")
    }
    return Connection(
        power_capacity_kw=whole,
        consumption_capacity_kw=limits["consumption"],
        production_capacity_kw=limits["production"],
        consumption_breach_price=prices["consumption"],
        production_breach_price=prices["production"],
        peak_consumption_kw=peaks["consumption"],
        peak_price=price(fields, "site-peak-consumption-price", reader, "power-price"),
        peak_production_kw=peaks["production"],
        peak_production_price=price(fields, "site-peak-production-price", reader, "power-price"),
        phase_capacity_kw=_capacity(fields, "site-phase-capacity", reader, None),
        inflexible_phases=_phases(fields),
    )


def _capacity(fields: Fields, key: str, reader: Reader, most: Amount | None) -> FloatArray | None:
    """A capacity in each step, at most another one, which also stands in where it is unknown."""
    values = power(fields, key, reader)
    if values is None:
        return None if most is None else per_step(most, reader.grid.n)
    forced = isinstance(fields.data[key], dict) and key in _MAY_FORCE
    if (values < 0).any() and not forced:
        fields.fail(key, "should not be negative")
    ceiling = np.inf if most is None else most
    limited: FloatArray = np.minimum(np.where(np.isnan(values), ceiling, values), ceiling)
    return limited


def _peak(fields: Fields, direction: str, reader: Reader) -> FloatArray:
    key = f"site-peak-{direction}"
    if not fields.has(key):
        return np.zeros(reader.grid.n)
    amount = reader.amount(fields.data[key], fields.at(key), ["power"])
    values = reader.values(amount)
    if amount.segments is not None:
        values = edges(values)
    least = 0.0 if amount.sensor is None else -np.inf
    counted: FloatArray = np.where(np.isnan(values), np.inf, np.maximum(values, least))
    return counted


def _phases(fields: Fields) -> tuple[float, float, float]:
    shares: Sequence[object] = fields.items("inflexible-phases")
    if not shares:
        return (1 / 3, 1 / 3, 1 / 3)
    numbers = [x for x in shares if isinstance(x, int | float) and not isinstance(x, bool)]
    if len(numbers) != 3 or len(shares) != 3 or abs(sum(numbers) - 1) > 1e-6:  # noqa: PLR2004
        fields.fail("inflexible-phases", "should be three shares that add up to 1")
    if not fields.has("site-phase-capacity"):
        fields.fail("inflexible-phases", "means nothing without site-phase-capacity")
    return (float(numbers[0]), float(numbers[1]), float(numbers[2]))
