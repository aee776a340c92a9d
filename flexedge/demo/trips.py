"""When the car is away, and how much it drives."""

from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from flexedge.demo.noise import daily

_SATURDAY = 5
_WEEKEND_SHARE = 0.65


@dataclass(frozen=True, slots=True)
class Trip:
    """The car is away from ``leaves`` to ``returns`` (unix seconds) and uses ``used_kwh``."""

    leaves: float
    returns: float
    used_kwh: float
    workday: bool

    @property
    def driving_kw(self) -> float:
        """Mean power out of the car's battery while away."""
        return self.used_kwh * 3600.0 / (self.returns - self.leaves)


def trip_on(seed: int, day: date, zone: ZoneInfo) -> Trip | None:
    """The trip of one local day: to work and back, or an outing on most days off."""
    rng = daily(seed, "trips", day.toordinal())
    midnight = datetime.combine(day, time(), zone).timestamp()
    if day.weekday() < _SATURDAY:
        leaves = round(7.5 * 3600 + float(rng.normal(0, 480)))
        returns = round(17.75 * 3600 + float(rng.normal(0, 1200)))
        return Trip(midnight + leaves, midnight + returns, float(rng.uniform(8, 14)), True)
    if rng.random() > _WEEKEND_SHARE:
        return None
    leaves = round(float(rng.uniform(9.5, 13.0)) * 3600)
    away = round(float(rng.uniform(1.5, 5.0)) * 3600)
    return Trip(midnight + leaves, midnight + leaves + away, float(rng.uniform(4, 12)), False)
