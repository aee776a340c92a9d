"""Values in one unit as values in another."""

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.measures import (
    ENERGY,
    PER_TIME,
    POWER,
    SHARE,
    TIME,
    Measure,
    is_money,
    measure,
)

Way = Literal["mean", "sum"]
"""How values of parts make up that of the whole: power is averaged, energy is added up."""
_US = timedelta(microseconds=1)
_HOUSE = {POWER: Fraction(1000), ENERGY: Fraction(3_600_000)}
"""The house's kW and kWh in W and J."""
_Value = TypeVar("_Value", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True)
class Conversion:
    """What is to be done with a value: multiplied, then moved."""

    factor: float
    shift: float = 0.0
    """Of temperatures, whose zeros differ."""

    def __call__(self, values: _Value) -> _Value:
        """Values in the other unit."""
        if self.factor == 1.0 and not self.shift:
            return values
        return values * self.factor + self.shift if self.shift else values * self.factor


_SAME = Conversion(1.0)


def factor(
    had: str, wanted: str, resolution: timedelta | None = None, capacity: float | None = None
) -> float:
    """What a value in ``had`` is to be multiplied by to be one in ``wanted``; see ``conversion``.

    Raises ``ValueError`` where multiplying is not all that is to be done, too.
    """
    found = conversion(had, wanted, resolution, capacity)
    if found.shift:
        raise ValueError(f"{had} and {wanted} have different zeros")
    return found.factor


def conversion(
    had: str, wanted: str, resolution: timedelta | None = None, capacity: float | None = None
) -> Conversion:
    """How a value in ``had`` becomes one in ``wanted``.

    An amount per event becomes a flow, and a flow an amount (kWh and kW, m³ and m³/h, EUR and
    EUR/h), by the ``resolution`` of the events (more than 0). A share becomes power or energy, and
    they a share, by the ``capacity`` that is all of it, in kW or kWh. Money is not exchanged.
    Raises ``ValueError`` with a remedy.
    """
    if had == wanted:
        return _SAME
    one, other = measure(had), measure(wanted)
    over = one.over(other)
    if over.powers == SHARE:
        return Conversion(float(over.factor), float((one.zero - other.zero) / other.factor))
    if SHARE in (one.powers, other.powers):
        return Conversion(float(over.factor * _whole(one, other, had, wanted, capacity)))
    if over.powers not in (TIME, PER_TIME):
        raise ValueError(f"{had} cannot be turned into {wanted}; give a unit of the same kind")
    if not resolution:
        raise ValueError(f"{had} becomes {wanted} only over events that last; this sensor's do not")
    seconds = Fraction(resolution // _US, 1_000_000)
    return Conversion(
        float(over.factor / seconds if over.powers == TIME else over.factor * seconds)
    )


def _whole(one: Measure, other: Measure, had: str, wanted: str, capacity: float | None) -> Fraction:
    unit = _HOUSE.get(one.powers or other.powers)
    if unit is None:
        raise ValueError(f"{had} cannot be turned into {wanted}; give a unit of the same kind")
    if not capacity:
        raise ValueError(f"{had} becomes {wanted} only with a capacity that is 100 %")
    full = Fraction(capacity) * unit
    return full if one.powers == SHARE else 1 / full


def convertible(had: str, wanted: str, *, whole: bool = False) -> bool:
    """Whether values in one unit can become values in another; ``whole``: 100 % may be known."""
    try:
        conversion(had, wanted, timedelta(hours=1), 1.0 if whole else None)
    except ValueError:
        return False
    return True


def way(unit: str) -> Way:
    """How values of parts make up that of the whole: energy and money are added up.

    All else is averaged.
    """
    try:
        powers = measure(unit).powers
    except ValueError:
        return "mean"
    return "sum" if powers == ENERGY or is_money(powers) else "mean"


def split(values: NDArray[np.float64], parts: int, way: Way) -> NDArray[np.float64]:
    """Each value as those of so many equal parts: shared out if they are added up, or repeated."""
    every = np.repeat(values, parts)
    return every / parts if way == "sum" else every


def merged(values: NDArray[np.float64], parts: int, way: Way) -> NDArray[np.float64]:
    """Of each ``parts`` values one: the mean of those there are, or the sum if all are there.

    NaN is missing. Raises ``ValueError`` unless the length is a multiple of ``parts``.
    """
    rows = values.reshape(-1, parts)
    if way == "sum":
        added: NDArray[np.float64] = rows.sum(axis=1)
        return added
    there = (~np.isnan(rows)).sum(axis=1)
    total = np.nansum(rows, axis=1)
    mean: NDArray[np.float64] = np.full(len(rows), np.nan)
    np.divide(total, there, out=mean, where=there > 0)
    return mean
