"""What assets were told and took, as readings: the setpoint as it was applied.

Of an asset that is left to itself, or whose device refused or could not be reached, there is none:
what it did then is nobody's setpoint. Consumption positive.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flexedge.config.sensors import DISPATCHED
from flexedge.domain.belief import Quality, Reading
from flexedge.domain.schedule import Applied, Clamped, Outcome
from flexedge.domain.series import floor
from flexedge.gateway.held import Held

WINDOW: Final = timedelta(seconds=20)
"""A reading is the mean over so long, dated at its start."""
_LONGEST_GAP: Final = timedelta(seconds=10)
"""Between two looks; over a longer one nobody knows what was applied."""
_NOTHING: Final = timedelta(0)
_SECOND: Final = timedelta(seconds=1)


def applied_kw(outcome: Outcome) -> float | None:
    """The power that a device took; None where it took none."""
    return outcome.power_kw if isinstance(outcome, Applied | Clamped) else None


@dataclass(slots=True)
class _Window:
    """One asset's setpoint since ``began``: for how long there was one, and the sum over that."""

    began: datetime
    seen: datetime
    power_kw: float | None
    known: timedelta = _NOTHING
    kw_seconds: float = 0.0

    def until(self, now: datetime) -> None:
        """Add the time since it was looked at last."""
        passed = now - self.seen
        if self.power_kw is not None and _NOTHING < passed <= _LONGEST_GAP:
            self.known += passed
            self.kw_seconds += self.power_kw * (passed / _SECOND)
        self.seen = now

    @property
    def mean_kw(self) -> float | None:
        """None where there was a setpoint for less than half of the time."""
        if self.known < WINDOW / 2:
            return None
        return self.kw_seconds / (self.known / _SECOND)


class Outcomes:
    """Makes the readings of sensors ``<asset>.dispatched``. For one thread: the dispatcher's."""

    def __init__(self, keep: Callable[[Sequence[Reading]], None]) -> None:
        self._keep = keep
        self._windows: dict[str, _Window] = {}

    def note(self, held: Mapping[str, Held], now: datetime) -> None:
        """Look at every control point, by its asset."""
        readings: list[Reading] = []
        for asset, one in held.items():
            readings += self._look(asset, applied_kw(one.outcome), now)
        if readings:
            self._keep(readings)

    def _look(self, asset: str, power_kw: float | None, now: datetime) -> Sequence[Reading]:
        began, window = floor(now, WINDOW), self._windows.get(asset)
        if window is None:
            self._windows[asset] = _Window(began, now, power_kw)
            return ()
        window.until(now)
        window.power_kw = power_kw
        if window.began == began:
            return ()
        self._windows[asset] = _Window(began, now, power_kw)
        mean_kw = window.mean_kw
        if mean_kw is None:
            return ()
        return (Reading(f"{asset}.{DISPATCHED}", window.began, mean_kw, Quality.DERIVED),)
