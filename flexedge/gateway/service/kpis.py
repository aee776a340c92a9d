"""Key figures: what the values of a sensor in a time span come to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from flexedge.store.archive import Asked
from flexedge.store.beliefs import Beliefs
from flexedge.store.rows import Floats
from flexedge.store.single import medians, winners
from flexedge.store.sources import Which
from flexedge.store.tables.placed import PlacedSensor

_FUNCTIONS: Final[Mapping[str, Callable[[Floats], Any]]] = {
    "sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min,
}  # fmt: skip
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_POWERS: Final = ("W", "kW", "MW", "GW")
_DIGITS: Final = 2


@dataclass(frozen=True, slots=True)
class Figure:
    """A key figure as an asset asks for it."""

    title: str
    sensor: int
    function: str | None = None


@dataclass(frozen=True, slots=True)
class Kpi:
    """What it came to, in which unit and by which function."""

    value: float
    unit: str
    function: str


def figures(stored: list[Any]) -> list[Figure]:
    """The key figures among ``sensors_to_show_as_kpis``; what is none is left out."""
    found = []
    for one in stored:
        entry: Any = {"sensor": one} if isinstance(one, int) else one
        if isinstance(entry, Mapping) and isinstance(entry.get("sensor"), int):
            title, function = entry.get("title"), entry.get("function")
            known = function if function in _FUNCTIONS else None
            found.append(Figure(str(title or ""), entry["sensor"], known))
    return found


def kpi(
    beliefs: Beliefs, sensor: PlacedSensor, function: str | None, start: datetime, end: datetime
) -> Kpi:
    """Of the events that start in [start, end) the values believed last, whoever says so.

    Without a function percentages are averaged and all else is summed up. Powers of less than a
    day are summed up to energies. Raises ``StoreError``.
    """
    function = function or ("mean" if sensor.unit == "%" else "sum")
    unit, factor = sensor.unit, 1.0
    if function == "sum" and unit in _POWERS and timedelta(0) < sensor.resolution < _DAY:
        unit, factor = f"{unit}h", sensor.resolution / _HOUR
    rows = beliefs.ask((sensor.key,), Asked((), start, end), Which())
    values = winners(medians(rows)).value
    values = values[np.isfinite(values)]
    value = float(_FUNCTIONS[function](values)) * factor if len(values) else 0.0
    return Kpi(round(value, _DIGITS), unit, function)
