"""What must hold between the parts of a site: each rule yields (where, what is wrong and right)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flexedge.config.load import Route
from flexedge.config.profile import Profile
from flexedge.config.sensors import GRID, SensorOrigin
from flexedge.config.site import Asset, AssetType, Site
from flexedge.config.validate import remedy
from flexedge.domain.flex import (
    FlexContext,
    FlexModel,
    PowerFromSensor,
    PriceFromSensor,
    SensorReference,
)

STORAGE: tuple[AssetType, ...] = ("battery", "one-way_evse", "two-way_evse", "heat-storage")

Found = Iterator[tuple[Route, str]]


@dataclass(frozen=True, slots=True)
class Case:
    """A site under examination: with the profiles that could be read and the sensors they give."""

    site: Site
    profiles: Mapping[str, Profile]
    sensors: Mapping[str, SensorOrigin]

    def is_known(self, device: str | None) -> bool:
        """Whether the device's profile was read; complaints about others are made elsewhere."""
        return device is None or device in self.profiles


def _references(model: FlexModel | FlexContext, route: Route) -> Iterator[tuple[Route, Any]]:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        here = (*route, field.alias or name)
        parts = enumerate(value) if isinstance(value, tuple) else [(None, value)]
        for i, part in parts:
            if isinstance(part, SensorReference):
                yield (here if i is None else (*here, i)), part


def _all_references(site: Site) -> Iterator[tuple[Route, SensorReference]]:
    yield from _references(site.flex_context, ("flex-context",))
    for name, asset in site.assets.items():
        yield from _references(asset.flex_model, ("assets", name, "flex-model"))


def sensors_exist(case: Case) -> Found:
    """Sensors that are referred to exist and measure what is asked for."""
    blind = {device for device in case.site.devices if not case.is_known(device)}
    blind |= {name for name, asset in case.site.assets.items() if not case.is_known(asset.device)}
    if not case.is_known(case.site.grid_connection.device):
        blind.add(GRID)
    for route, reference in _all_references(case.site):
        name = reference.sensor
        wanted, fits = _wanted(reference)
        origin = case.sensors.get(name)
        if origin is None and name.partition(".")[0] not in blind:
            fitting = [known for known, other in case.sensors.items() if fits(other.unit)]
            yield (*route, "sensor"), f"there is no sensor '{name}'{remedy(name, fitting)}"
        elif origin is not None and not fits(origin.unit):
            yield (*route, "sensor"), f"'{name}' is in {origin.unit or 'no unit'}, not {wanted}"


def _wanted(reference: SensorReference) -> tuple[str, Callable[[str], bool]]:
    if isinstance(reference, PriceFromSensor):
        return "a price: name one of prices", lambda unit: unit.endswith("/kWh")
    if isinstance(reference, PowerFromSensor):
        return "kW", lambda unit: unit == "kW"
    return "% or kWh", lambda unit: unit in ("%", "kWh")


def devices_claimed_once(case: Case) -> Found:
    """Each part of a device belongs to one asset, and the device has that part."""
    claimed: dict[tuple[str, str], str] = {}
    grid = case.site.grid_connection
    wanted: list[tuple[Route, str, str, str]] = [
        (("grid-connection", "device"), grid.device, GRID, "the grid connection")
    ]
    wanted += [
        (("assets", name, "device"), asset.device, asset.role, f"'{name}'")
        for name, asset in case.site.assets.items()
        if asset.device is not None and asset.role is not None
    ]
    for route, device, role, who in wanted:
        if device not in case.site.devices:
            yield route, f"there is no device '{device}'{remedy(device, case.site.devices)}"
        elif (device, role) in claimed:
            yield route, f"{claimed[device, role]} has the {role} of '{device}' already"
        elif device in case.profiles and role not in case.profiles[device].provides:
            profile = case.profiles[device]
            provided = ", ".join(profile.provides)
            yield route, f"'{profile.profile}' has no {role} (it has {provided})"
        else:
            claimed[device, role] = who


def grid_limits_nest(case: Case) -> Found:
    """What is agreed lies within what the connection can carry."""
    context = case.site.flex_context
    hard = context.site_power_capacity
    for name in ("site_consumption_capacity", "site_production_capacity"):
        agreed = getattr(context, name)
        if hard is not None and agreed is not None and agreed > hard:
            yield (
                ("flex-context", name.replace("_", "-")),
                f"{agreed:g} kW is more than site-power-capacity ({hard:g} kW)",
            )


def one_remainder(case: Case) -> Found:
    """At most one building takes what no other asset explains."""
    names = [name for name, asset in case.site.assets.items() if asset.remainder]
    for name in names[1:]:
        yield ("assets", name, "remainder"), f"'{names[0]}' is the remainder already"


def assets_are_whole(case: Case) -> Found:
    """Every asset has what its type needs and nothing that belongs to another type."""
    for name, asset in case.site.assets.items():
        for rule in _ASSET_RULES:
            for route, message in rule(case, name, asset):
                yield ("assets", name, *route), message


def _name(_case: Case, name: str, _asset: Asset) -> Found:
    if name == GRID:
        yield (), "'grid' is the grid connection's own name; choose another one"


_BELONGS: dict[str, tuple[AssetType, ...]] = {
    "ready_by": STORAGE,
    "heat_buffer": ("heat-storage",),
    "process": ("process",),
    "remainder": ("building",),
}


def _own_keys(_case: Case, _name: str, asset: Asset) -> Found:
    for field, owners in _BELONGS.items():
        if getattr(asset, field) and asset.type not in owners:
            yield (
                (field.replace("_", "-"),),
                f"only for {', '.join(owners)}, but this is a {asset.type}: remove it",
            )


def _building(_case: Case, _name: str, asset: Asset) -> Found:
    if asset.type != "building":
        return
    if asset.device is not None:
        yield (
            ("device",),
            "a building has no device: it is what the grid meter shows beside the rest",
        )
    if not asset.remainder:
        yield (), "a building is what the grid meter shows beside the rest: add remainder: true"


def _controllable(case: Case, _name: str, asset: Asset) -> Found:
    if not asset.control or asset.role is None:
        return
    if asset.device is None:
        yield ("control",), "nothing to control without a device: add device or set control: false"
        return
    profile = case.profiles.get(asset.device)
    if profile is None or asset.role not in profile.provides:
        return
    if f"{asset.role}.power" not in profile.control:
        yield (
            ("control",),
            f"'{profile.profile}' cannot control its {asset.role}: set control: false",
        )
    model = asset.flex_model
    known = model.power_capacity is not None or isinstance(model.production_capacity, float)
    if asset.type == "solar" and not known:
        yield (
            ("flex-model",),
            "to curtail it, its size must be known: add power-capacity, as '9.8 kW'",
        )


def _storage(case: Case, name: str, asset: Asset) -> Found:
    if asset.type not in STORAGE:
        return
    model = asset.flex_model
    if model.soc_max is None and asset.heat_buffer is None:
        yield ("flex-model",), "missing key 'soc-max': how much it stores, as '10 kWh'"
    most = capacity_kwh(asset)
    if most is not None and model.soc_at_start is not None and model.soc_at_start > most:
        yield (
            ("flex-model", "soc-at-start"),
            f"{model.soc_at_start:g} kWh is more than it stores ({most:g} kWh)",
        )
    for i, ready in enumerate(asset.ready_by):
        if most is not None and ready.soc > most:
            yield (
                ("ready-by", i, "soc"),
                f"{ready.soc:g} kWh is more than it stores ({most:g} kWh)",
            )
    known = {f"{name}.soc", f"{name}.buffer-temperature"} & _measured(case)
    given = model.state_of_charge is not None or model.soc_at_start is not None
    if not known and not given and case.is_known(asset.device):
        yield ("flex-model",), _UNKNOWN_SOC.get(asset.type, _UNKNOWN_SOC["battery"])


_UNKNOWN_SOC: dict[AssetType, str] = {
    "battery": "nobody knows its state of charge: add state-of-charge: {sensor: …} or soc-at-start",
    "heat-storage": "nobody knows its state of charge: add heat-buffer (with a device that tells "
    "the buffer-temperature), state-of-charge: {sensor: …} or soc-at-start",
}


def _measured(case: Case) -> set[str]:
    return {name for name, origin in case.sensors.items() if origin.device is not None}


def capacity_kwh(asset: Asset) -> float | None:
    """How much an asset stores: soc-max, or what its heat buffer holds."""
    if asset.flex_model.soc_max is not None:
        return asset.flex_model.soc_max
    return None if asset.heat_buffer is None else asset.heat_buffer.capacity_kwh


def _heat_buffer(_case: Case, _name: str, asset: Asset) -> Found:
    buffer = asset.heat_buffer
    if buffer is None:
        return
    if buffer.min >= buffer.max:
        yield ("heat-buffer", "max"), f"should be more than min ({buffer.min:g} degC)"
    if buffer.volume <= 0:
        yield ("heat-buffer", "volume"), "should be more than 0 l"


def _process(_case: Case, _name: str, asset: Asset) -> Found:
    if asset.type != "process":
        return
    if asset.process is None:
        yield (), "missing key 'process': its power, duration, since and until"
        return
    process = asset.process
    day = datetime(2000, 1, 1)  # noqa: DTZ001 (any day: only the difference counts)
    window = datetime.combine(day, process.until) - datetime.combine(day, process.since)
    if window <= timedelta(0):
        window += timedelta(days=1)
    if process.duration > window:
        yield (
            ("process", "duration"),
            f"lasts longer than the {window / timedelta(hours=1):g} h between since and until",
        )


_ASSET_RULES: tuple[Callable[[Case, str, Asset], Found], ...] = (
    _name,
    _own_keys,
    _building,
    _controllable,
    _storage,
    _heat_buffer,
    _process,
)
RULES: tuple[Callable[[Case], Found], ...] = (
    sensors_exist,
    devices_claimed_once,
    grid_limits_nest,
    one_remainder,
    assets_are_whole,
)
