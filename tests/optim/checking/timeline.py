"""Fields of a request as numbers on the steps of its schedule, without any code of flexedge."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.optim.checking.amounts import amount, span, unit

Floats = NDArray[np.float64]
Segment = tuple[datetime, datetime, float]
_LONGEST = 2520  # steps up to which targets extend a schedule


def moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=found.tzinfo or UTC)


def segment(raw: dict[str, Any], bare: str = "") -> Segment:
    """From, until, value; both times equal for an instant."""
    value = amount(raw["value"], bare)
    if "datetime" in raw:
        return moment(raw["datetime"]), moment(raw["datetime"]), value
    if "start" in raw and "end" in raw:
        return moment(raw["start"]), moment(raw["end"]), value
    length = span(raw["duration"])
    if "start" in raw:
        return moment(raw["start"]), moment(raw["start"]) + length, value
    return moment(raw["end"]) - length, moment(raw["end"]), value


def merged(rows: list[Floats], overlaps: str, n: int) -> Floats:
    """Where several values hold at once: the first, the least or the greatest."""
    found = np.full(n, np.nan)
    for row in rows:
        if overlaps == "first":
            found = np.where(np.isnan(found), row, found)
        else:
            found = (np.fmin if overlaps == "min" else np.fmax)(found, row)
    return found


@dataclass(frozen=True)
class Timeline:
    """The steps of a schedule, and the series that were stored when it was asked for."""

    case: dict[str, Any]
    start: datetime
    step: timedelta
    n: int

    @property
    def hours(self) -> float:
        return self.step / timedelta(hours=1)

    @property
    def end(self) -> datetime:
        return self.start + self.n * self.step

    def offset(self, when: datetime) -> float:
        """How many steps after the start."""
        return (when - self.start) / self.step

    def averaged(self, start: datetime, step: timedelta, values: Floats) -> Floats:
        """Cells of one length as averages over our steps, leaving out what is missing."""
        total, weight = np.zeros(self.n), np.zeros(self.n)
        width = step / self.step
        for i, value in enumerate(values):
            left = self.offset(start) + i * width
            first, last = max(0, int(np.floor(left))), min(self.n, int(np.ceil(left + width)))
            if np.isnan(value) or last <= first:
                continue
            j = np.arange(first, last)
            part = np.clip(np.minimum(j + 1, left + width) - np.maximum(j, left), 0.0, 1.0)
            total[first:last] += part * value
            weight[first:last] += part
        return np.where(weight > 1e-9, total / np.where(weight > 1e-9, weight, 1.0), np.nan)

    def raw(self, name: str) -> tuple[datetime, timedelta, Floats]:
        """A stored series in our units: start, length of a cell, values with NaN for missing."""
        kept = self.case.get("series", {}).get(name)
        if kept is None:
            return self.start, self.step, np.full(0, np.nan)
        values = [np.nan if v is None else float(v) for v in kept["values"]]
        factor, _ = unit(kept.get("unit") or self.case["sensors"][name]["unit"])
        return moment(kept["start"]), span(kept["resolution"]), np.array(values) * factor

    def stored(self, name: str) -> Floats:
        start, step, values = self.raw(name)
        if not step:
            return np.full(self.n, np.nan)
        return self.averaged(start, step, values)

    def flow(
        self, field: Any, overlaps: str = "first", bare: str = "", *, edges: bool = False
    ) -> Floats:
        """A variable quantity on each step; NaN where nothing is said."""
        if isinstance(field, dict):
            found = self.stored(field["sensor"])
            if "default" in field:
                found = np.where(np.isnan(found), amount(field["default"], bare), found)
        elif isinstance(field, list):
            found = merged([self._during(segment(s, bare)) for s in field], overlaps, self.n)
        elif field is None:
            found = np.full(self.n, np.nan)
        else:
            found = np.full(self.n, amount(field, bare))
        return nearest(found) if edges else found

    def _during(self, one: Segment) -> Floats:
        start, end, value = one
        j = np.arange(self.n)
        inside = (j >= self.offset(start) - 1e-9) & (j <= self.offset(end) - 1 + 1e-9)
        return np.where(inside, value, np.nan)

    def points(self, field: Any, overlaps: str, bare: str = "") -> Floats:
        """What is said about the end of each step: bounds of a state of charge."""
        if field is None:
            return np.full(self.n, np.nan)
        if isinstance(field, dict):
            start, step, values = self.raw(field["sensor"])
            gap = step or self.step
            cells = [(start + i * gap, start + i * gap + step, v) for i, v in enumerate(values)]
            return merged([self._at(c) for c in cells if not np.isnan(c[2])], overlaps, self.n)
        if isinstance(field, list):
            cells = [segment(s, bare) if isinstance(s, dict) else s for s in field]
            return merged([self._at(cell) for cell in cells], overlaps, self.n)
        return np.full(self.n, amount(field, bare))

    def _at(self, one: Segment) -> Floats:
        start, end, value = one
        j = np.arange(1, self.n + 1)
        inside = (j >= self.offset(start) - 1e-9) & (j <= self.offset(end) + 1e-9)
        return np.where(inside, value, np.nan)


def nearest(values: Floats) -> Floats:
    """Missing values replaced by the last known one, before that by the first."""
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return values
    place = np.searchsorted(known, np.arange(len(values)), side="right") - 1
    return values[known[np.maximum(place, 0)]]


def resolution(case: dict[str, Any]) -> timedelta:
    """The step: of the file, else of the request, else the shortest of the power sensors."""
    for said in (case.get("scheduling-resolution"), case["request"].get("resolution")):
        if said:
            return span(said)
    models = case["request"]["flex-model"]
    named = [m.get("sensor") for m in (models if isinstance(models, list) else [models])]
    lengths = [span(case["sensors"][name]["resolution"]) for name in named if name]
    return min((length for length in lengths if length), default=timedelta(minutes=15))


def timeline(case: dict[str, Any], start: datetime | None = None) -> Timeline:
    """The steps of a request; a target beyond the end makes the schedule longer."""
    step, request = resolution(case), case["request"]
    start = start or moment(request["start"])
    end = start + span(request.get("duration", "PT48H"))
    models = request["flex-model"]
    for model in models if isinstance(models, list) else [models]:
        targets = model.get("soc-targets")
        for target in targets if isinstance(targets, list) else []:
            end = max(end, min(segment(target, "kWh")[1], start + _LONGEST * step))
    return Timeline(case, start, step, int(np.ceil((end - start) / step - 1e-9)))
