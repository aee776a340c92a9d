"""What the grid connection carries now, as the guard needs to know it."""

import math
from datetime import datetime

from flexedge.domain.variable import DataReference, VariablePower, fixed
from flexedge.gateway.latest import Latest
from flexedge.gateway.plant import Plant


def capacities(plant: Plant, latest: Latest, now: datetime) -> tuple[float, float]:
    """Most import and most export; infinite where nothing is said.

    A limit that a sensor tells is the sensor's present value, or its default while it is silent.
    """
    context = plant.context.electricity
    power = _present(context.site_power_capacity, plant, latest, now)
    agreed = [
        _present(limit, plant, latest, now)
        for limit in (context.site_consumption_capacity, context.site_production_capacity)
    ]
    return min(power, agreed[0]), min(power, agreed[1])


def _present(limit: VariablePower | None, plant: Plant, latest: Latest, now: datetime) -> float:
    if isinstance(limit, DataReference) and not limit.believers:
        value = latest.value(limit.sensor, now, plant.max_age(limit.sensor))
        if value is not None:
            return abs(value)
    known = fixed(limit)
    return math.inf if known is None else known
