"""What 100 % of a sensor is, where its asset or the sensor itself says so."""

from collections.abc import Mapping

from flexedge.domain.convert import factor
from flexedge.domain.measures import ENERGY, POWER, SHARE, Powers, measure
from flexedge.domain.units import Dimension, quantity
from flexedge.store.state import State
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.placed import PlacedSensor

_SAID: Mapping[Powers, tuple[Dimension, str, str, str]] = {
    ENERGY: ("energy", "soc-max", "max_soc_in_mwh", "MWh"),
    POWER: ("power", "power-capacity", "capacity_in_mw", "MW"),
}
"""Of a unit's kind: the field of the flex-model, FlexMeasures' older attribute, and its unit."""


def between(one: str, other: str, placed: PlacedSensor, state: State) -> float | None:
    """What is 100 %, in kW or kWh, where one of two units is a share and the other is not.

    None where that is not so, or not known.
    """
    kinds = _kind(one), _kind(other)
    if kinds[0] == kinds[1] or SHARE not in kinds:
        return None
    found = next((_SAID[kind] for kind in kinds if kind is not None and kind in _SAID), None)
    asset = state.assets.get(placed.asset_id)
    return None if found is None or asset is None else _said(found, placed, asset)


def _kind(unit: str) -> Powers | None:
    try:
        return measure(unit).powers
    except ValueError:
        return None


def _said(
    found: tuple[Dimension, str, str, str], placed: PlacedSensor, asset: Asset
) -> float | None:
    dimension, field, attribute, given = found
    number = {**asset.attributes, **placed.attributes}.get(attribute)
    try:
        if field in asset.flex_model:
            return quantity(asset.flex_model[field], dimension) or None
        if isinstance(number, int | float) and not isinstance(number, bool) and number > 0:
            return number * factor(given, "kWh" if dimension == "energy" else "kW")
    except ValueError:
        return None
    return None
