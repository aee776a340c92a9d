"""What the installer stored about flexibility, as a request to the optimisation says it.

Fields go through as they are; sensors become feeds of data, with the sign that is asked for.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from flexedge.domain.context import FlexContext
from flexedge.domain.record import kebab
from flexedge.domain.variable import DataReference, SensorReference
from flexedge.gateway.feeds import Feed, Feeds, Turn
from flexedge.gateway.plant import Plant, Unit

Json = dict[str, Any]
_TURNS: Mapping[str, Turn] = {
    "inflexible-production": "negated",
    "power-capacity": "magnitude",
    "consumption-capacity": "magnitude",
    "production-capacity": "magnitude",
    "site-power-capacity": "magnitude",
    "site-consumption-capacity": "magnitude",
    "site-production-capacity": "magnitude",
    "site-peak-consumption": "magnitude",
    "site-peak-production": "magnitude",
}
_PLACES = ("group",)
_CAPACITIES = ("power-capacity", "consumption-capacity", "production-capacity")
_NOTHING = ("0 kW", "0.0 kW")


def said(record: BaseModel, plant: Plant, feeds: Feeds) -> Json:
    """The fields that are given, in JSON, with sensors introduced to ``feeds``."""
    plain = record.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return {
        kebab(name): _said(getattr(record, name), plain[kebab(name)], kebab(name), plant, feeds)
        for name in type(record).model_fields
        if kebab(name) in plain and plain[kebab(name)] is not None
    }


def _said(value: Any, plain: Any, key: str, plant: Plant, feeds: Feeds) -> Any:
    if isinstance(value, DataReference):
        feed = Feed(value.sensor, _TURNS.get(key, "as-is"), value.believers)
        told = {"sensor": feeds.feed(feed)}
        return told | ({"default": plain["default"]} if "default" in plain else {})
    if isinstance(value, SensorReference):
        if key == "sensors":
            return {"sensor": _scheduled(value.sensor, plant, feeds)}
        return {"sensor": feeds.feed(Feed(value.sensor))}
    if isinstance(value, tuple):
        parts = zip(value, plain, strict=True)
        return [_said(one, part, key, plant, feeds) for one, part in parts]
    if isinstance(value, BaseModel) and key not in _PLACES:
        return said(value, plant, feeds)
    return plain


def _scheduled(sensor: str, plant: Plant, feeds: Feeds) -> str:
    """The name under which a commitment finds a power: of a schedule, or of what happens anyway."""
    for unit in plant.units:
        if unit.power == sensor and unit.planned:
            feeds.schedule(unit.name)
            return unit.name
    given = {one.sensor for one in plant.context.electricity.inflexible_production}
    return feeds.feed(Feed(sensor, "negated" if sensor in given else "as-is"))


def context(stored: FlexContext, plant: Plant, feeds: Feeds, anyway: str) -> Json:
    """The flex-context, with the power of all that is not planned but happens (``anyway``)."""
    told = said(stored, plant, feeds)
    places = [told] if stored.electricity is stored else told["commodities"]
    for place, one in zip(places, (stored, *stored.commodities)[-len(places) :], strict=True):
        if one is stored.electricity:
            listed = place.get("inflexible-consumption", [])
            place["inflexible-consumption"] = [*listed, {"sensor": anyway}]
    return told


def model(unit: Unit, plant: Plant, feeds: Feeds) -> Json:
    """The flex-model of an asset, completed by what its type and its device can do."""
    told = said(unit.model, plant, feeds)
    if unit.asset.type == "group":
        return told
    if unit.asset.type == "solar":
        told.setdefault("consumption-capacity", "0 kW")
        given = unit.model.production_capacity
        if not isinstance(given, DataReference) or given.sensor == unit.power:
            feed = Feed(unit.power, "magnitude", sky=True)
            told["production-capacity"] = {"sensor": feeds.feed(feed)}
    low, high = unit.range_kw
    if low >= 0 and not unit.virtual:
        told.setdefault("production-capacity", "0 kW")
    if "power-capacity" not in told and max(-low, high) < float("inf"):
        told["power-capacity"] = f"{max(-low, high)!r} kW"
    modes = _modes(unit, told)
    if "operation-modes" in modes:
        told.pop("minimum-power", None)
    return {**told, **modes}


def sized(told: Json) -> bool:
    """Whether a flex-model says how much an asset can draw or give."""
    return any(told.get(key, "0 kW") not in _NOTHING for key in _CAPACITIES)


def _modes(unit: Unit, told: Json) -> Json:
    """The least power of the asset or its device; a device's own is one of drawing."""
    if "operation-modes" in told or "power-steps" in told or unit.least_kw <= 0:
        return {}
    low, high = unit.range_kw
    least, given = unit.least_kw, unit.model.minimum_power or 0.0
    if low >= 0 or least == given:
        return {"minimum-power": f"{least!r} kW"}
    modes = [
        {"consumption-range": ["0 kW", "0 kW"]},
        {"production-range": [f"{min(given, -low)!r} kW", f"{-low!r} kW"]},
    ]
    if least <= high:
        modes.append({"consumption-range": [f"{least!r} kW", f"{high!r} kW"]})
    return {"operation-modes": modes}


def storage(unit: Unit, soc_kwh: float) -> Json:
    """What a storage holds, and its band, where that is not written down."""
    told: Json = {"soc-at-start": f"{soc_kwh!r} kWh"}
    if unit.model.soc_min is None:
        told["soc-min"] = "0 kWh"
    if unit.model.soc_max is None and unit.soc_max_kwh is not None:
        told["soc-max"] = f"{unit.soc_max_kwh!r} kWh"
    return told
