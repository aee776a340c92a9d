"""The things on site and their time series."""

from dataclasses import dataclass
from datetime import timedelta

INSTANT = timedelta(0)


@dataclass(frozen=True, slots=True)
class Sensor:
    """One time series: its name ("battery.power"), unit and event resolution (0: instants)."""

    name: str
    unit: str
    resolution: timedelta = INSTANT


@dataclass(frozen=True, slots=True)
class Source:
    """Who says so: a device, a forecaster, a scheduler."""

    name: str
    kind: str  # "sensor", "forecaster", "scheduler", "reporter": FlexMeasures' source types
