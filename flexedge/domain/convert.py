"""Values in one unit as values in another."""

from datetime import timedelta
from typing import Literal

from flexedge.domain.units import Unit, parse_unit

Way = Literal["mean", "sum"]
"""How values of parts make up that of the whole: power is averaged, energy is added up."""
_HOUR = timedelta(hours=1)


def factor(
    had: str, wanted: str, resolution: timedelta | None = None, capacity: float | None = None
) -> float:
    """What a value in ``had`` is to be multiplied by to be one in ``wanted``.

    Energy per event becomes power, and power energy, by the ``resolution`` of the events (more than
    0). A share becomes power or energy, and they a share, by the ``capacity`` that is all of it, in
    kW or kWh. Money is not exchanged. Raises ``ValueError`` with a remedy.
    """
    if had == wanted:
        return 1.0
    one, other = parse_unit(had), parse_unit(wanted)
    scale = one.factor / other.factor
    if one.dimension == other.dimension and one.currency == other.currency:
        return scale
    if "share" in (one.dimension, other.dimension):
        return scale * _whole(one, other, had, wanted, capacity)
    pair = one.dimension, other.dimension
    if pair not in (("energy", "power"), ("power", "energy")):
        raise ValueError(f"{had} cannot be turned into {wanted}; give a unit of the same kind")
    if not resolution:
        raise ValueError(f"{had} becomes {wanted} only over events that last; this sensor's do not")
    hours = resolution / _HOUR
    return scale / hours if pair == ("energy", "power") else scale * hours


def _whole(one: Unit, other: Unit, had: str, wanted: str, capacity: float | None) -> float:
    if not {one.dimension, other.dimension} & {"power", "energy"}:
        raise ValueError(f"{had} cannot be turned into {wanted}; give a unit of the same kind")
    if not capacity:
        raise ValueError(f"{had} becomes {wanted} only with a capacity that is 100 %")
    return capacity if one.dimension == "share" else 1.0 / capacity


def way(unit: str) -> Way:
    """How values of parts make up that of the whole: energy is added up, all else averaged."""
    try:
        return "sum" if parse_unit(unit).dimension == "energy" else "mean"
    except ValueError:
        return "mean"
