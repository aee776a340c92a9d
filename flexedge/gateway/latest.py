"""The newest reading of every sensor, with its age."""

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta

from flexedge.domain.belief import Reading


class Latest:
    """Shared between threads; one lock inside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readings: dict[str, Reading] = {}

    def put(self, readings: Iterable[Reading]) -> None:
        """Keep newer readings in place of older ones."""
        with self._lock:
            for reading in readings:
                known = self._readings.get(reading.sensor)
                if known is None or known.event_start <= reading.event_start:
                    self._readings[reading.sensor] = reading

    def get(self, sensor: str) -> Reading | None:
        """The newest reading, however old."""
        with self._lock:
            return self._readings.get(sensor)

    def value(self, sensor: str, now: datetime, max_age: timedelta) -> float | None:
        """The newest value if it may drive something: usable and not older than ``max_age``."""
        reading = self.get(sensor)
        if reading is None or not reading.usable or now - reading.event_start > max_age:
            return None
        return reading.value
