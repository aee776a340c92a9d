"""What was believed about an event: by whom, since when, how sure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from flexedge.domain.series import Series


class Quality(StrEnum):
    """How far a reading can be trusted."""

    GOOD = "good"
    MISSING = "missing"  # the device says it does not know (a NaN sentinel)
    IMPLAUSIBLE = "implausible"  # outside what the profile calls valid: kept, never acted upon
    DERIVED = "derived"  # computed from good readings


CODES = {quality: code for code, quality in enumerate(Quality)}
"""Numbers for qualities; they are stored: new ones go to the end."""
USABLE = (CODES[Quality.GOOD], CODES[Quality.DERIVED])


@dataclass(frozen=True, slots=True)
class Reading:
    """One measured value. ``value`` is None when missing; its unit is the sensor's."""

    sensor: str
    event_start: datetime
    value: float | None
    quality: Quality = Quality.GOOD

    @property
    def usable(self) -> bool:
        """Whether the value may drive anything."""
        return self.value is not None and self.quality in (Quality.GOOD, Quality.DERIVED)


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """A series of expected values: a forecast or a schedule, with its source and belief time."""

    sensor: str
    source: str
    belief_time: datetime | None
    """None: each event's value since the event could be known, as of what is measured at once."""
    series: Series
