"""What must hold between flex-models, the flex-context and the rest of a site."""

from collections.abc import Callable, Iterator
from typing import Any

from flexedge.config.abilities import models_hold
from flexedge.config.case import Case, Found
from flexedge.config.load import Route
from flexedge.config.sensors import GRID
from flexedge.config.site import VIRTUAL, Asset
from flexedge.config.validate import remedy
from flexedge.domain.context import CommodityContext
from flexedge.domain.flex import ELECTRICITY, GroupReference
from flexedge.domain.variable import (
    CapacityFromSensor,
    DataReference,
    EnergyFromSensor,
    PositionPriceFromSensor,
    PowerFromSensor,
    PowerPriceFromSensor,
    PriceFromSensor,
    SensorReference,
    ShareFromSensor,
    fixed,
    references,
)

_Wanted = tuple[str, Callable[[str], bool]]
_WANTED: dict[type[SensorReference], _Wanted] = {
    PriceFromSensor: ("a price: name one of prices", lambda unit: unit.endswith("/kWh")),
    PowerPriceFromSensor: ("a price per kW: write it as '120 EUR/kW'", lambda _: False),
    PositionPriceFromSensor: ("a price: name one of prices", lambda unit: unit.endswith("/kWh")),
    PowerFromSensor: ("kW", lambda unit: unit == "kW"),
    CapacityFromSensor: ("kW", lambda unit: unit == "kW"),
    EnergyFromSensor: ("% or kWh", lambda unit: unit in ("%", "kWh")),
    ShareFromSensor: ("a share: % or no unit", lambda unit: unit in ("%", "")),
}
_SOC: _Wanted = ("% or kWh", lambda unit: unit in ("%", "kWh"))
_STOCK = (
    "soc_minima", "soc_maxima", "soc_targets", "soc_gain", "soc_usage", "soc_min", "soc_max",
    "soc_value_at_end", "storage_efficiency",
)  # fmt: skip
_GROUP_LIMITS = ("power_capacity", "consumption_capacity", "production_capacity")
_GROUP_FIELDS = (*_GROUP_LIMITS, "group", "commodity", "consumption", "production")


def _everything(case: Case) -> Iterator[tuple[Route, SensorReference]]:
    yield from references(case.site.flex_context, ("flex-context",))
    for name, asset in case.site.assets.items():
        yield from references(asset.flex_model, ("assets", name, "flex-model"))


def _electricity(case: Case) -> tuple[Route, CommodityContext]:
    """Where electricity is described, and how."""
    context = case.site.flex_context
    for i, one in enumerate(context.commodities):
        if one is context.electricity:
            return ("flex-context", "commodities", i), one
    return ("flex-context",), context


def sensors_exist(case: Case) -> Found:
    """Sensors that are referred to exist and measure what is asked for."""
    blind = {device for device in case.site.devices if not case.is_known(device)}
    blind |= {name for name, asset in case.site.assets.items() if not case.is_known(asset.device)}
    if not case.is_known(case.site.grid_connection.device):
        blind.add(GRID)
    for route, reference in _everything(case):
        name = reference.sensor
        wanted, fits = _wanted(route, reference)
        origin = case.sensors.get(name)
        if origin is None and name.partition(".")[0] not in blind:
            fitting = [known for known, other in case.sensors.items() if fits(other.unit)]
            yield (*route, "sensor"), f"there is no sensor '{name}'{remedy(name, fitting)}"
        elif origin is not None and not fits(origin.unit):
            yield (*route, "sensor"), f"'{name}' is in {origin.unit or 'no unit'}, not {wanted}"


def _wanted(route: Route, reference: SensorReference) -> _Wanted:
    if type(reference) is SensorReference:
        return _SOC if "state-of-charge" in route else _WANTED[PowerFromSensor]
    return _WANTED[type(reference)]


def sources_can_be_told(case: Case) -> Found:
    """Beliefs are told apart by the name of their source alone."""
    for route, reference in _everything(case):
        if not isinstance(reference, DataReference):
            continue
        for key in ("source_types", "exclude_source_types", "source_account"):
            if getattr(reference, key):
                yield (
                    (*route, key.replace("_", "-")),
                    "is not supported here: name the sources under 'sources'",
                )
        if isinstance(reference, PriceFromSensor) and reference.believers:
            yield (*route, "sensor"), "a price of this site has no other source: remove 'source'"


def limits_hold_in_silence(case: Case) -> Found:
    """A hard limit that a sensor tells is known while the sensor is silent."""
    route, context = _electricity(case)
    amounts: list[tuple[Route, Any]] = [
        ((*route, key.replace("_", "-")), getattr(context, key))
        for key in ("site_power_capacity", "site_consumption_capacity", "site_production_capacity")
    ]
    amounts += [
        (("assets", name, "flex-model", "power-capacity"), asset.flex_model.power_capacity)
        for name, asset in case.site.assets.items()
    ]
    for route, amount in amounts:
        if isinstance(amount, DataReference) and fixed(amount) is None:
            yield route, "needs a default: the limit that holds while the sensor is silent"


def grid_limits_nest(case: Case) -> Found:
    """What is agreed lies within what the connection can carry."""
    route, context = _electricity(case)
    hard = context.site_power_capacity
    for name in ("site_consumption_capacity", "site_production_capacity"):
        agreed = getattr(context, name)
        if isinstance(hard, float) and isinstance(agreed, float) and agreed > hard:
            yield (
                (*route, name.replace("_", "-")),
                f"{agreed:g} kW is more than site-power-capacity ({hard:g} kW)",
            )


def groups_hold(case: Case) -> Found:
    """Groups exist, have limits and members, and do not contain each other."""
    assets = case.site.assets
    groups = {name: asset for name, asset in assets.items() if asset.type == "group"}
    for route, reference in _memberships(case):
        if reference.asset not in groups:
            yield (
                (*route, "asset"),
                f"there is no group '{reference.asset}'{remedy(reference.asset, groups)}",
            )
    wanted = {asset.flex_model.group.asset for asset in assets.values() if asset.flex_model.group}
    for name, asset in groups.items():
        here: Route = ("assets", name)
        if not any(getattr(asset.flex_model, key) is not None for key in _GROUP_LIMITS):
            yield here, "a group without any limit has no effect: add power-capacity, as '10 kW'"
        for key in asset.flex_model.model_fields_set - set(_GROUP_FIELDS):
            yield (
                (*here, "flex-model", key.replace("_", "-")),
                "only for devices, but this is a group: remove it",
            )
        if name not in wanted:
            yield here, "nobody belongs to this group: add group: {asset: " + name + "} to assets"
        if _above(groups, name, name):
            yield (*here, "flex-model", "group"), "groups contain each other"


def _memberships(case: Case) -> Iterator[tuple[Route, GroupReference]]:
    for name, asset in case.site.assets.items():
        if asset.flex_model.group is not None:
            yield ("assets", name, "flex-model", "group"), asset.flex_model.group
    for i, commitment in enumerate(case.site.flex_context.commitments):
        if commitment.group is not None:
            yield ("flex-context", "commitments", i, "group"), commitment.group


def _above(groups: dict[str, Asset], name: str, wanted: str) -> bool:
    """Whether a group lies within itself."""
    seen: set[str] = set()
    while name in groups and name not in seen:
        seen.add(name)
        above = groups[name].flex_model.group
        if above is None:
            return False
        name = above.asset
        if name == wanted:
            return True
    return False


def storages_are_said_once(case: Case) -> Found:
    """Of assets that feed one storage, one alone describes it."""
    said: dict[tuple[str, str], str] = {}
    for name, asset in case.site.assets.items():
        soc = asset.flex_model.state_of_charge
        if soc is None:
            continue
        for key in asset.flex_model.model_fields_set & set(_STOCK):
            other = said.setdefault((soc.sensor, key), name)
            if other != name:
                yield (
                    ("assets", name, "flex-model", key.replace("_", "-")),
                    f"'{other}' says so already for the same state of charge: remove it here",
                )


def commodities_are_known(case: Case) -> Found:
    """What is not electricity is listed, and an inflexible asset is not controlled."""
    listed = {ELECTRICITY, *(one.commodity for one in case.site.flex_context.commodities)}
    for name, asset in case.site.assets.items():
        model, route = asset.flex_model, ("assets", name, "flex-model")
        if model.commodity not in listed:
            yield (
                (*route, "commodity"),
                f"the flex-context lists no '{model.commodity}'{remedy(model.commodity, listed)}",
            )
        for key in ("inflexible_consumption", "inflexible_production"):
            if getattr(model, key) is not None and asset.control and asset.type not in VIRTUAL:
                yield (
                    (*route, key.replace("_", "-")),
                    "only for what is not controlled: add control: false",
                )


def commitments_bind_something(case: Case) -> Found:
    """Commitments are about what is planned, or listed as what happens anyway."""
    context = case.site.flex_context
    electricity = context.electricity
    bound = {one.sensor for one in electricity.inflexible_consumption}
    bound |= {one.sensor for one in electricity.inflexible_production}
    bound |= {
        f"{name}.power"
        for name, asset in case.site.assets.items()
        if asset.control and asset.type not in ("building", "group")
    }
    places: list[tuple[Route, CommodityContext]] = [(("flex-context",), context)]
    places += [
        (("flex-context", "commodities", i), one) for i, one in enumerate(context.commodities)
    ]
    for route, place in places:
        for i, commitment in enumerate(place.commitments):
            for j, one in enumerate(commitment.sensors):
                if one.sensor in case.sensors and one.sensor not in bound:
                    yield (
                        (*route, "commitments", i, "sensors", j, "sensor"),
                        f"'{one.sensor}' is neither planned nor listed as inflexible"
                        + remedy(one.sensor, bound),
                    )


FLEXIBILITY: tuple[Callable[[Case], Found], ...] = (
    sensors_exist,
    sources_can_be_told,
    limits_hold_in_silence,
    grid_limits_nest,
    groups_hold,
    storages_are_said_once,
    commodities_are_known,
    models_hold,
    commitments_bind_something,
)
