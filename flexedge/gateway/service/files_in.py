"""Uploaded files as beliefs: which column is what, and what each row says."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from flexedge.domain.convert import conversion, way
from flexedge.errors import BadField
from flexedge.gateway.service.sheets import Cell, Sheet
from flexedge.gateway.service.values_in import Target, floors
from flexedge.store.horizon import known_us
from flexedge.store.placing import us
from flexedge.store.resample import resampled
from flexedge.store.rows import Beliefs, Floats, Micros, micros
from flexedge.store.runs import starts
from flexedge.store.tables.placed import PlacedSensor

_US: Final = timedelta(microseconds=1)
_FIRST, _LAST = (micros(datetime(year, 1, 1, tzinfo=UTC)) for year in (1900, 2200))
_MISSING: Final = frozenset({"nan", "null", "none", "na", "n/a", "-"})
_LATE: Final = 4
"""Starts may be late by less than this part of an event."""
_NUMBER: Final = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_NAMES: Final = {
    "event_start": "event_start", "event start": "event_start", "start": "event_start",
    "event_value": "value", "event value": "value", "value": "value",
    "belief_time": "belief_time", "belief time": "belief_time",
}  # fmt: skip
_BY_PLACE: Final = {2: ("event_start", "value"), 3: ("event_start", "belief_time", "value")}


@dataclass(frozen=True, slots=True)
class Upload:
    """What is said beside a file."""

    unit: str
    now: datetime
    instantly: bool
    """Whether each value was believed since its event was over; else since it was received."""
    zone: str
    """Where times are that have no offset."""
    whole: float | None = None
    """What is 100 %, in kW or kWh, where that is known."""


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    event_us: int
    belief_us: int | None
    value: float


def beliefs_in(sheet: Sheet, target: Target, upload: Upload) -> Beliefs:
    """What a file says of a sensor, as rows; missing values are left out.

    Raises ``BadField``, whose path is the file, the sheet and the row.
    """
    lines = list(_lines(sheet, upload))
    if all(math.isnan(line.value) for line in lines):
        return Beliefs.empty()
    raw = np.array([line.event_us for line in lines], np.int64)
    event, step = _events(sheet, raw, target.placed, ZoneInfo(upload.zone))
    event = event[[not math.isnan(line.value) for line in lines]]
    lines = [line for line in lines if not math.isnan(line.value)]
    belief = _believed(lines, upload)
    _demand_single(sheet, lines, event, belief)
    n = len(lines)
    rows = Beliefs(
        np.full(n, target.number, np.int32),
        np.full(n, target.source, np.int32),
        event,
        belief,
        np.full(n, 0.5),
        _turned(sheet, lines, step, target.placed, upload),
    )
    rows = rows.take(np.lexsort((belief, event)))
    rows = rows.take(starts(rows.event_us, rows.belief_us))
    rows = _fitted(rows, step, target.placed, ZoneInfo(upload.zone))
    if _at_once(lines, upload):
        since = known_us(target.placed.sensor.known, rows.event_us)
        rows = Beliefs.of({**rows.columns(), "belief_us": since})
    return rows


def _fitted(rows: Beliefs, step: int, placed: PlacedSensor, zone: ZoneInfo) -> Beliefs:
    own = us(placed.resolution)
    if own == step:
        return rows
    origin = int(_floored(rows.event_us[:1], own, zone)[0]) if floors(placed) else rows.event_us[0]
    return resampled(rows, step * _US, own * _US, way(placed.unit), int(origin))


def _lines(sheet: Sheet, upload: Upload) -> Iterator[_Line]:
    header = next(sheet.rows, None)
    if header is None:
        raise BadField(sheet.name, "is empty.")
    places = _places(sheet, header[1])
    clock = _Clock(upload.zone)
    held = _Clock(upload.zone)
    for number, cells in sheet.rows:
        try:
            found = _found(cells, len(header[1]), places)
            event = clock.micros(found["event_start"])
            said = found.get("belief_time")
            belief = None if said is None else held.micros(said)
            yield _Line(number, event, belief, _value(found["value"], comma=sheet.comma))
        except ValueError as error:
            raise BadField(f"{sheet.name}, row {number}", f"{error}") from error


def _found(cells: Sequence[Cell], width: int, places: Mapping[str, int]) -> dict[str, Cell]:
    if len(cells) > width:
        raise ValueError("has more cells than the header: are there decimal commas?")
    return {name: cells[i] if i < len(cells) else None for name, i in places.items()}


def _places(sheet: Sheet, header: Sequence[Cell]) -> dict[str, int]:
    """Where which column is: by name, or by place where there are two or three."""
    names = [_NAMES.get(str(cell).lower()) for cell in header]
    if {"event_start", "value"} <= set(names):
        strange = [str(cell) for cell, name in zip(header, names, strict=True) if name is None]
        if strange or len(set(names)) < len(names):
            told = ", ".join(strange) or "a column twice"
            raise BadField(
                sheet.name, f"has {told}; it should have event_start, belief_time, value."
            )
        return {str(name): place for place, name in enumerate(names)}
    if any(isinstance(cell, float | datetime) for cell in header) or _is_data(header):
        raise BadField(sheet.name, "has no header; its first row should name the columns.")
    if len(header) not in _BY_PLACE:
        raise BadField(
            sheet.name,
            "should have a column of starts and one of values, with one of belief times between"
            f" them if need be; it has {len(header)}.",
        )
    return {name: place for place, name in enumerate(_BY_PLACE[len(header)])}


def _is_data(header: Sequence[Cell]) -> bool:
    return bool(header) and isinstance(header[0], str) and header[0][:4].isdigit()


class _Clock:
    """Times of one column; those without an offset are by the clocks of a zone."""

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self._last: int | None = None

    def micros(self, cell: Cell) -> int:
        """A time; of an hour that comes twice, the one that follows what came before."""
        at = _moment(cell)
        if at.tzinfo is None:
            at = self._local(at)
        found = micros(at)
        if not _FIRST <= found <= _LAST:
            raise ValueError(f"has the time {cell}; it should lie between 1900 and 2200")
        self._last = found
        return found

    def _local(self, at: datetime) -> datetime:
        first, second = (at.replace(tzinfo=self._zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() == second.utcoffset():
            return first
        if first.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None) != at:
            raise ValueError(
                f"has the time {at}, which clocks in {self._zone.key} skip; write it with an offset"
            )
        return first if self._last is None or micros(first) > self._last else second


def _moment(cell: Cell) -> datetime:
    if isinstance(cell, datetime):
        return cell.replace(microsecond=0) + timedelta(milliseconds=round(cell.microsecond / 1000))
    try:
        return datetime.fromisoformat(str(cell))
    except ValueError:
        raise ValueError(
            f"has the time {_shown(cell)}; write it as 2026-04-14T12:00:00+02:00"
        ) from None


def _value(cell: Cell, *, comma: bool) -> float:
    if cell is None or (isinstance(cell, str) and cell.lower() in _MISSING):
        return math.nan
    if isinstance(cell, float):
        return cell
    text = str(cell)
    plain = text.replace(",", ".") if comma and text.count(",") == 1 and "." not in text else text
    if _NUMBER.fullmatch(plain) is None or not math.isfinite(float(plain)):
        raise ValueError(f"has the value {_shown(cell)}; it should be a number such as 1.5")
    return float(plain)


def _shown(cell: Cell) -> str:
    return repr(str(cell)[:40])


def _events(sheet: Sheet, raw: Micros, placed: PlacedSensor, zone: ZoneInfo) -> tuple[Micros, int]:
    """The starts of events, and their length: what lies most often between two of them."""
    own = us(placed.resolution)
    if not own:
        return raw, 0
    step = _usual(raw, own)
    if (step % own and own % step) and floors(placed):
        whole = _floored(raw, own, zone)
        if (raw - whole).max() < own // _LATE:
            step = _usual(whole, own)
    if step % own and own % step:
        raise BadField(
            sheet.name,
            f"Resolution of {_usual(raw, own) * _US} is incompatible with the sensor's required"
            f" resolution of {placed.resolution}.",
        )
    return (_floored(raw, min(step, own), zone) if floors(placed) else raw), step


def _usual(event: Micros, own: int) -> int:
    apart, count = np.unique(np.diff(np.unique(event)), return_counts=True)
    return int(apart[np.argmax(count)]) if len(apart) else own


def _floored(event: Micros, step: int, zone: ZoneInfo) -> Micros:
    """The ticks of a step until events, by the clock of the zone at the first of them."""
    first = datetime.fromtimestamp(int(event.min()) // 1_000_000, zone)
    offset = us(first.utcoffset() or timedelta(0))
    return (event + offset) // step * step - offset


def _at_once(lines: Sequence[_Line], upload: Upload) -> bool:
    return upload.instantly and all(line.belief_us is None for line in lines)


def _believed(lines: Sequence[_Line], upload: Upload) -> Micros:
    now = micros(upload.now)
    held = [now if line.belief_us is None else line.belief_us for line in lines]
    return np.array(held, np.int64)


def _turned(
    sheet: Sheet, lines: Sequence[_Line], step: int, placed: PlacedSensor, upload: Upload
) -> Floats:
    unit, own = upload.unit, placed.unit
    try:
        turn = conversion(unit, own, step * _US, upload.whole)
    except ValueError as error:
        raise BadField(sheet.name, f"{error}.") from error
    values = np.array([line.value for line in lines], np.float64)
    with np.errstate(over="ignore"):
        turned = turn(values)
    if np.isinf(turned).any():
        raise BadField(sheet.name, f"has a value that is too large to be one in {own}.")
    return turned


def _demand_single(sheet: Sheet, lines: Sequence[_Line], event: Micros, belief: Micros) -> None:
    """Refuse two rows that say different things of one event at one time."""
    seen: dict[tuple[int, int], _Line] = {}
    for line, *key in zip(lines, event.tolist(), belief.tolist(), strict=True):
        before = seen.setdefault((key[0], key[1]), line)
        if before.value != line.value:
            raise BadField(
                f"{sheet.name}, row {line.number}",
                f"says otherwise about the same event than row {before.number}.",
            )
