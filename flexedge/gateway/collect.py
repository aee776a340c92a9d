"""From what drivers read to what the gateway knows: named, dated, judged, kept."""

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from flexedge.domain.belief import Quality, Reading
from flexedge.domain.schedule import Outcome, Unreachable
from flexedge.drivers.driver import Sample
from flexedge.errors import DeviceError, DeviceUnreachable, StoreError
from flexedge.gateway.derive import Deriver
from flexedge.gateway.health import Health
from flexedge.gateway.latest import Latest
from flexedge.gateway.plant import Plant
from flexedge.store.archive import Stamp
from flexedge.store.beliefs import Beliefs
from flexedge.store.inbox import RIGHT

_log = structlog.get_logger()
Wrote = Callable[[str, str, Outcome, datetime], None]
Shown = Callable[[str, Mapping[str, float], datetime], None]
Kept = Callable[[Sequence[Reading]], None]
FLUSH_EVERY = timedelta(seconds=5)


class Collector:
    """Takes what the lines report. Safe to use from any thread.

    ``wrote`` and ``shown`` hand on what concerns dispatch: how a write ended, and which power a
    device shows to have taken. ``kept``: which readings were given to the store.
    """

    def __init__(self, plant: Plant, latest: Latest, beliefs: Beliefs, health: Health) -> None:
        self._plant = plant
        self._latest = latest
        self._beliefs = beliefs
        self._health = health
        self._deriver = Deriver(plant, latest)
        self._lock = threading.Lock()
        self.on_wrote: Wrote = lambda *_: None
        self.on_shown: Shown = lambda *_: None
        self.on_kept: Kept = lambda _: None
        self.stamp: Callable[[], Stamp] = lambda: RIGHT
        """How the clock stands."""

    def read(
        self,
        device: str,
        samples: Sequence[Sample],
        shown: Mapping[str, float],
        now: datetime,
    ) -> None:
        """A device answered a poll."""
        names = self._plant.sensor_of
        readings = [
            _reading(names[device, sample.point], sample, now)
            for sample in samples
            if (device, sample.point) in names
        ]
        with self._lock:
            self._latest.put(readings)
            derived = self._deriver.derive(readings, now)
            self._latest.put(derived)
            self._beliefs.append((*readings, *derived))
            self.on_kept((*readings, *derived))
        before = self._health.device(device)
        self._health.answered(device, now)
        if before.last_ok is None or before.error is not None:
            _log.info("device answers", device=device)
        if shown:
            self.on_shown(device, shown, now)

    def note(self, readings: Sequence[Reading]) -> None:
        """Keep what the gateway itself has to say, as of setpoints."""
        with self._lock:
            self._latest.put(readings)
            self._beliefs.append(readings)
            self.on_kept(readings)

    def failed(self, device: str, error: DeviceError, now: datetime) -> None:
        """A device did not answer a poll, or not as it should."""
        if self._health.device(device).error is None:
            _log.warning("device fails", device=device, error=error.message)
        self._health.failed(device, error.message, now)

    def wrote(self, device: str, control: str, outcome: Outcome, now: datetime) -> None:
        """A write or release ended; one that found nobody tells of the device, too."""
        if isinstance(outcome, Unreachable) and self._health.device(device).error is None:
            self.failed(device, DeviceUnreachable(device, outcome.why), now)
        self.on_wrote(device, control, outcome, now)

    def flush(self, now: datetime) -> datetime:
        """Write what is queued; the step of the store's writer. Returns when to come again."""
        try:
            self._beliefs.flush(self.stamp())
        except StoreError as error:
            self._health.alarm("store", f"readings cannot be written to disk: {error}")
        else:
            dropped = self._beliefs.dropped
            self._health.alarm("store", f"{dropped} readings were lost" if dropped else "")
        for name, words in self._beliefs.conditions().items():
            self._health.alarm(name, words)
        self._health.beat("store", now)
        return now + FLUSH_EVERY


def _reading(sensor: str, sample: Sample, now: datetime) -> Reading:
    """What was read; no number is missing, also where a plug-in thinks it good."""
    if sample.value is None or not math.isfinite(sample.value):
        return Reading(sensor, now, None, Quality.MISSING)
    return Reading(sensor, now, sample.value, sample.quality)
