"""The things on site and their time series."""

from dataclasses import dataclass
from datetime import timedelta

INSTANT = timedelta(0)


@dataclass(frozen=True, slots=True)
class Knowable:
    """When an event of a sensor can be known at the earliest, seen from its start.

    The horizon of a belief is that moment less the belief's.
    """

    after: timedelta = INSTANT
    """So long after the start of the event (an event's end: its resolution; may be negative)."""
    days_before: int | None = None
    """Instead: so many days before the day of the event, at ``hour`` o'clock in ``zone``."""
    hour: float = 0.0
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Sensor:
    """One time series: its name ("battery.power"), unit and event resolution (0: instants)."""

    name: str
    unit: str
    resolution: timedelta = INSTANT
    knowable: Knowable | None = None
    """None: when the event is over."""
    turns_at: float | None = None
    """The value at which a counter shows 0 again, where that is known."""

    @property
    def known(self) -> Knowable:
        """When its events can be known."""
        return self.knowable or Knowable(self.resolution)


@dataclass(frozen=True, slots=True)
class Source:
    """Who says so: a device, a forecaster, a scheduler."""

    name: str
    kind: str  # "sensor", "forecaster", "scheduler", "reporter": FlexMeasures' source types
    model: str | None = None
    version: str | None = None
    account: str | None = None

    @property
    def description(self) -> str:
        """In FlexMeasures' words: "Seita's StorageScheduler model v9"."""
        if not self.model:
            return self.name
        kind = "model" if self.kind.lower() in self.model.lower() else self.kind
        version = f" v{self.version}" if self.version else ""
        return f"{self.name}'s {self.model} {kind}{version}"
