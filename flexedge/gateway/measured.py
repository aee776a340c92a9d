"""What flows on the site now, as far as anybody knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flexedge.gateway.latest import Latest
from flexedge.gateway.plant import GRID, Plant, Unit


@dataclass(frozen=True, slots=True)
class Measured:
    """The flows now; None where nobody knows."""

    grid_kw: float | None
    units_kw: Mapping[str, float | None]
    """By controlled asset."""
    rest_kw: float | None
    """What the whole site but its controlled batteries draws."""


def measure(plant: Plant, latest: Latest, now: datetime) -> Measured:
    """The newest readings, but for those that are too old."""

    def power(sensor: str) -> float | None:
        return latest.value(sensor, now, plant.max_age(sensor))

    grid_kw = power(f"{GRID}.power")
    units = {unit.name: power(unit.power) for unit in plant.controlled}
    if grid_kw is None:
        return Measured(None, units, None)
    return Measured(
        grid_kw, units, grid_kw - sum(units[one.name] or 0.0 for one in batteries(plant))
    )


def batteries(plant: Plant) -> list[Unit]:
    """The controlled ones."""
    return [unit for unit in plant.controlled if unit.asset.type == "battery"]
