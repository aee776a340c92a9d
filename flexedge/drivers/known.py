"""What a driver knows of its device: what the points said last, and what was written last."""

from collections.abc import Iterable, Mapping

from flexedge.config.profile import Control, Meaning
from flexedge.domain.belief import Quality
from flexedge.drivers.driver import Sample
from flexedge.drivers.meaning import MISSING, Judged, complete, inputs


class Known:
    """The newest of everything; filled in by the driver."""

    def __init__(self, points: Mapping[str, Meaning], controls: Mapping[str, Control]) -> None:
        self._points = points
        self._controls = controls
        self.heard: dict[str, Judged] = {}
        """What the number of each point said by itself; absent: not known."""
        self.written_kw: dict[str, float] = {}
        """The power each control was told last, as the device can do it.

        0 while it is only armed (fallback and enable are written); absent before that, and after
        a release.
        """

    def clear(self) -> None:
        """Another device may be there now."""
        self.heard.clear()
        self.written_kw.clear()

    def lacking(self, points: Iterable[str]) -> list[str]:
        """What these points depend on, is not one of them, and is not known."""
        asked = tuple(points)
        needed = dict.fromkeys(name for point in asked for name in inputs(self._points[point]))
        return [
            name
            for name in needed
            if name not in asked and self.heard.get(name, MISSING) == MISSING
        ]

    def samples(self, points: Iterable[str]) -> list[Sample]:
        """What these points show."""
        return [Sample(name, *self._judged(name)) for name in points]

    def value(self, point: str) -> float | None:
        """What a point shows, if it may be acted upon."""
        value, quality = self._judged(point)
        return value if quality is Quality.GOOD else None

    def shown_kw(self, control: str) -> float | None:
        """The power the read-back point shows; None where it is not known.

        A switch (unit "") only shows whether the power is 0. If not, it is taken to be the one
        that was written last; None where that was 0 too.
        """
        readback = self._controls[control].readback
        value, unit = self.value(readback), self._points[readback].sensor_unit
        if unit == "kW":
            return value
        if unit or value is None:
            return None
        return 0.0 if value == 0 else self.written_kw.get(control) or None

    def _judged(self, point: str) -> Judged:
        return complete(self._points[point], self.heard.get(point, MISSING), self.heard)
