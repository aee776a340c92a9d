"""What must hold between the parts of a site: each rule yields (where, what is wrong and right)."""

from collections.abc import Callable
from datetime import datetime, timedelta

from flexedge.config.arrivals import ARRIVALS
from flexedge.config.case import Case, Found
from flexedge.config.departures import DEPARTURES
from flexedge.config.editable import acceptable
from flexedge.config.flexibility import FLEXIBILITY
from flexedge.config.load import Route
from flexedge.config.sensors import GRID
from flexedge.config.site import VIRTUAL, Asset, AssetType
from flexedge.config.validate import remedy
from flexedge.domain.variable import fixed

STORAGE: tuple[AssetType, ...] = ("battery", "one-way_evse", "two-way_evse", "heat-storage")


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
    known = fixed(model.power_capacity) is not None or isinstance(model.production_capacity, float)
    if asset.type == "solar" and not known:
        yield (
            ("flex-model",),
            "to curtail it, its size must be known: add power-capacity, as '9.8 kW'",
        )


def _virtual(_case: Case, _name: str, asset: Asset) -> Found:
    if asset.type in VIRTUAL and asset.device is not None:
        yield ("device",), f"a {asset.type} has no device of its own: remove it"
    if asset.type == "converter" and asset.flex_model.coupling is None:
        yield ("flex-model",), "missing key 'coupling': the name that its ports share"


def _storage(case: Case, name: str, asset: Asset) -> Found:
    model = asset.flex_model
    if asset.type not in STORAGE or (model.coupling is not None and model.soc_max is None):
        return
    if _fed_by_others(case, name, asset):
        return
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


def _fed_by_others(case: Case, name: str, asset: Asset) -> bool:
    """Whether another asset describes the storage that this one feeds, too."""
    soc = asset.flex_model.state_of_charge
    return (
        asset.flex_model.soc_max is None
        and soc is not None
        and any(
            other.flex_model.state_of_charge == soc and other.flex_model.soc_max is not None
            for key, other in case.site.assets.items()
            if key != name
        )
    )


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
    if process.duration * process.runs > window:
        runs = "lasts" if process.runs == 1 else f"times {process.runs} runs lasts"
        yield (
            ("process", "duration"),
            f"{runs} longer than the {window / timedelta(hours=1):g} h between since and until",
        )


_ASSET_RULES: tuple[Callable[[Case, str, Asset], Found], ...] = (
    _name,
    _own_keys,
    _building,
    _controllable,
    _virtual,
    _storage,
    _heat_buffer,
    _process,
)
RULES: tuple[Callable[[Case], Found], ...] = (
    *FLEXIBILITY,
    devices_claimed_once,
    one_remainder,
    assets_are_whole,
    acceptable,
    *ARRIVALS,
    *DEPARTURES,
)
