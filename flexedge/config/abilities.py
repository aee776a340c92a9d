"""What must hold within a flex-model, by what the asset and its device are."""

from collections.abc import Callable, Iterator

from flexedge.config.case import Case, Found
from flexedge.config.site import Asset, AssetType
from flexedge.domain.flex import FlexModel
from flexedge.domain.variable import DataReference, fixed

_STARTS = ("start_up_cost", "minimum_up_time", "minimum_down_time", "maximum_starts_per_day")
_BANDS = ("operation_modes", "power_steps", "minimum_power")
_CURVES = ("charging_power_curve", "discharging_power_curve", "part_load_efficiency")
_OF_PROCESSES = {"commodity", "consumption", "production", "group", "phases", "priority"}
_ONE_WAY: tuple[AssetType, ...] = ("one-way_evse", "heat-storage")
_NO_STORES: tuple[AssetType, ...] = ("solar", "building", "converter")
_OFF_IS_A_MODE = (
    "needs operation-modes one of which is off, 'consumption-range: [0 kW, 0 kW]', and the others "
    "above 0 kW"
)
_ONE_SIDE = (
    "needs exactly one directional capacity: consumption-capacity for what goes in, "
    "production-capacity for what comes out"
)

_Problem = tuple[str, str]
"""A field of the flex-model, and what is wrong and right."""


def models_hold(case: Case) -> Found:
    """What a flex-model says can be planned."""
    for name, asset in case.site.assets.items():
        for rule in _RULES:
            for key, message in rule(case, asset):
                yield ("assets", name, "flex-model", key.replace("_", "-")), message


def _task(_case: Case, asset: Asset) -> Iterator[_Problem]:
    if asset.type == "process":
        for key in sorted(asset.flex_model.model_fields_set - _OF_PROCESSES):
            yield key, "has no meaning for a process, which has a power and a duration: remove it"


def _one_kind_of_band(_case: Case, asset: Asset) -> Iterator[_Problem]:
    given = [key for key in _BANDS if getattr(asset.flex_model, key)]
    for key in given[1:]:
        first = given[0].replace("_", "-")
        yield key, f"and {first} exclude each other: operation-modes can say both"


def _starts(case: Case, asset: Asset) -> Iterator[_Problem]:
    model = asset.flex_model
    said = [key for key in _STARTS if getattr(model, key) is not None]
    if not said or asset.type == "process":
        return
    known = asset.device is not None and asset.device in case.profiles
    control = case.profiles[str(asset.device)].control if known else {}
    bands = _bands(model)
    if not bands and not any(one.amps for one in control.values()):
        yield said[0], "needs to know how little the device draws when it is on: add minimum-power"
    elif bands and ((0.0, 0.0) not in bands or any(a <= 0 <= b and a < b for a, b in bands)):
        yield said[0], _OFF_IS_A_MODE


def _within_reach(_case: Case, asset: Asset) -> Iterator[_Problem]:
    model = asset.flex_model
    low, high = _reach(asset)
    useful = [(a, b) for a, b in _bands(model) if (a or b) and a <= high and b >= low]
    key = next((key for key in _BANDS if getattr(model, key)), None)
    if key is not None and not useful:
        between = f"between {low:g} and {high:g} kW" if low < 0 else f"up to {high:g} kW"
        yield key, f"never possible: the capacities allow {between}"


def _bands(model: FlexModel) -> list[tuple[float, float]]:
    """The bands that are written down, production negative."""
    if model.operation_modes:
        found = []
        for mode in model.operation_modes:
            up, down = mode.consumption_range, mode.production_range
            low, high = up or (0.0, 0.0)
            found.append((low, high) if down is None else (-down[1], high if up else -down[0]))
        return found
    if model.power_steps:
        return [(0.0, 0.0), *((step, step) for step in model.power_steps)]
    least = model.minimum_power
    inf = float("inf")
    return [(0.0, 0.0), (least, inf), (-inf, -least)] if least else []


def _reach(asset: Asset) -> tuple[float, float]:
    """The most that is given (negative) and drawn, as far as fixed quantities say."""
    model, inf = asset.flex_model, float("inf")
    whole = fixed(model.power_capacity)
    whole = inf if whole is None or isinstance(model.power_capacity, DataReference) else whole
    up, down = model.consumption_capacity, model.production_capacity
    high = min(whole, up if isinstance(up, float) else inf)
    low = min(whole, down if isinstance(down, float) else inf)
    closed = up is not None and up != 0 and down is None
    return (0.0 if asset.type in _ONE_WAY or closed else 0.0 - low), high


def _curves(_case: Case, asset: Asset) -> Iterator[_Problem]:
    model = asset.flex_model
    for key in _CURVES:
        if getattr(model, key) and asset.type in _NO_STORES:
            yield key, f"only for what stores energy, but this is a {asset.type}: remove it"
    if model.part_load_efficiency and model.roundtrip_efficiency is not None:
        yield "part_load_efficiency", "takes the place of roundtrip-efficiency: give one of them"


def _coupling(_case: Case, asset: Asset) -> Iterator[_Problem]:
    model = asset.flex_model
    if model.coupling is None:
        return
    up, down = model.consumption_capacity, model.production_capacity
    if down is None and asset.type in _ONE_WAY:
        down = 0.0
    drawn = bool(up) or down == 0
    given = bool(down) or up == 0
    if drawn == given:
        yield "coupling", _ONE_SIDE


_RULES: tuple[Callable[[Case, Asset], Iterator[_Problem]], ...] = (
    _task,
    _one_kind_of_band,
    _starts,
    _within_reach,
    _curves,
    _coupling,
)
