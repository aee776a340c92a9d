"""The data of charts as JSON, in FlexMeasures' two shapes; made from arrays, row by row in text."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any, Final

import numpy as np

from flexedge.domain.asset import Source
from flexedge.domain.convert import factor
from flexedge.gateway.service.charted import MOST, Window, read, resampled
from flexedge.gateway.service.panels import Fixed, Shown
from flexedge.store.beliefs import Beliefs
from flexedge.store.horizon import known_us
from flexedge.store.placing import us
from flexedge.store.rows import Beliefs as Rows
from flexedge.store.rows import Micros, micros
from flexedge.store.runs import starts
from flexedge.store.state import State
from flexedge.store.tables.assets import Asset
from flexedge.store.tables.placed import PlacedSensor

Json = dict[str, Any]
_MS: Final = 1000
_ORIGINS: Final = {"flex-model": -1, "flex-context": -2}
_LONG: Final = {"ts": "event_start", "val": "event_value", "bh": "belief_horizon",
                "bt": "belief_time", "cp": "cumulative_probability", "sf": "scale_factor",
                "unit": "sensor_unit", "sid": "sensor", "src": "source"}  # fmt: skip
"""The names of the longer shape."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How it is told."""

    compact: bool
    """Short names, with sensors and sources beside the data; else all in every record."""
    of_asset: bool
    """With horizons and scale factors; else with belief times and probabilities."""


def data(state: State, beliefs: Beliefs, shown: Shown, window: Window, shape: Shape) -> bytes:
    """The data of charts as JSON. Raises ``BadField``, ``StoreError``."""
    step = _step(shown.sensors.values(), window) if shape.of_asset else window.resolution
    rows = read(state, beliefs, shown.sensors, window)
    teller = _Teller(state, shown, window, shape)
    records = [*teller.records(rows, step), *teller.fixed(step)]
    if not shape.compact:
        return f"[{','.join(records)}]".encode()
    sensors, sources = _text(teller.sensors), _text(teller.sources)
    told = f'{{"data":[{",".join(records)}],"sensors":{sensors},"sources":{sources}}}'
    return told.encode()


def _step(sensors: Any, window: Window) -> timedelta | None:
    """The resolution of all that an asset's charts show: the finest there is."""
    steps = [one.resolution for one in sensors if one.resolution]
    return window.resolution or min(steps, default=None)


def scales(units: Sequence[str]) -> dict[str, float]:
    """By unit, what makes values comparable: the smallest unit counts 1; all do if they differ."""
    try:
        found = {unit: factor(unit, units[0]) for unit in units}
    except ValueError:
        return dict.fromkeys(units, 1.0)
    least = min(found.values(), default=1.0)
    return {unit: value / least for unit, value in found.items()}


class _Teller:
    """Writes records."""

    def __init__(self, state: State, shown: Shown, window: Window, shape: Shape) -> None:
        self._shown, self._window, self._shape = shown, window, shape
        self._said = state.sources()
        self._scales = scales([one.unit for one in shown.sensors.values()])
        self._whole: Json = {}
        """Sensors as longer records have them."""
        self.sensors: Json = {}
        self.sources: Json = {}
        owners = {one: state.assets.get(one) for one in _owners(shown)}
        parents = {one.parent_id for one in owners.values() if one is not None}
        above = {one: state.assets.get(one) for one in parents if one is not None}
        for number, sensor in shown.sensors.items():
            asset = owners[sensor.asset_id]
            self._whole[str(number)] = _sensor(number, sensor, asset, above)
        for number, fixed in shown.fixed.items():
            self._whole[str(number)] = _fixed(number, fixed)
        for name, one in self._whole.items():
            brief = {"name": one["name"], "unit": one["sensor_unit"]}
            rest = ("event_resolution", "description", "asset_id", "asset_description")
            self.sensors[name] = brief | {part: one[part] for part in rest}

    def records(self, rows: Rows, step: timedelta | None) -> Iterator[str]:
        """Rows as records, by sensor and source."""
        order = np.lexsort((rows.belief_us, rows.event_us, rows.source, rows.sensor))
        rows = rows.take(order)
        bounds = [*np.flatnonzero(starts(rows.sensor, rows.source)), len(rows)]
        of: dict[int, list[Rows]] = {}
        for begin, end in pairwise(bounds):
            of.setdefault(int(rows.sensor[begin]), []).append(rows.take(np.arange(begin, end)))
        for number, sensor in self._shown.sensors.items():
            for part in of.get(number, ()):
                yield from self._part(number, sensor, part, step)

    def _part(
        self, number: int, sensor: PlacedSensor, rows: Rows, step: timedelta | None
    ) -> Iterator[str]:
        if self._window.most_recent:
            rows = resampled(rows, sensor.resolution, step)
        source = int(rows.source[0])
        told = source_told(source, self._said[source])
        horizon = known_us(sensor.sensor.known, rows.event_us) - rows.belief_us
        columns = {"ts": _ms(rows.event_us), "val": _values(rows.value.tolist())}
        if self._shape.of_asset:
            columns |= {"bh": _ms(horizon)}
        if not (self._shape.of_asset and self._window.most_recent):
            columns |= {"bt": _ms(rows.belief_us)}
        if not self._shape.of_asset:
            columns |= {"cp": rows.probability.tolist()}
        scale = {"unit": sensor.unit, "sf": self._scales[sensor.unit]}
        fixed = scale if self._shape.of_asset else {}
        return self._lines(columns, number, told, fixed)

    def fixed(self, step: timedelta | None) -> Iterator[str]:
        """Fixed values as records, from the start of the window to its end."""
        start, end = self._window.start, self._window.end
        if start is None or end is None:
            return
        times = [micros(start) // _MS, micros(end) // _MS]
        if step and (end - start) / step <= MOST:
            times = [*range(times[0], times[1], us(step) // _MS), times[1]]
        for number, one in self._shown.fixed.items():
            n = len(times)
            columns: dict[str, list[Any]] = {
                "ts": times, "val": [one.value] * n, "bt": times[:1] * n, "bh": [0] * n,
            }  # fmt: skip
            told = {
                "id": _ORIGINS[one.origin], "name": one.origin, "model": "", "version": "",
                "type": "other", "raw_type": one.origin, "display_type": one.origin,
                "description": f"Configured in the asset's {one.origin}",
            }  # fmt: skip
            yield from self._lines(columns, number, told, {"unit": one.unit, "sf": 1.0})

    def _lines(
        self, columns: Mapping[str, Sequence[Any]], number: int, source: Json, more: Json
    ) -> Iterator[str]:
        """Records of one sensor and source: what they share is written once."""
        self.sources[str(source["id"])] = {k: v for k, v in source.items() if k != "id"}
        compact = self._shape.compact
        shared = more | (
            {"sid": number, "src": source["id"]} if compact
            else {"sid": self._whole[str(number)], "src": source}
        )  # fmt: skip
        if compact:
            shared.pop("unit", None)
        told = {(name if compact else _LONG[name]): value for name, value in shared.items()}
        names = [name if compact else _LONG[name] for name in columns]
        varying = ",".join(f'"{name}":%s' for name in names)
        template = f"{{{varying},{_text(told)[1:-1].replace('%', '%%')}}}"
        return map(template.__mod__, zip(*columns.values(), strict=True))


def _text(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"))


def _owners(shown: Shown) -> set[int]:
    return {one.asset_id for one in shown.sensors.values()}


def _ms(times: Micros) -> list[int]:
    """Whole milliseconds, towards 0."""
    found: list[int] = np.trunc(times / _MS).astype(np.int64).tolist()
    return found


def _values(values: list[float]) -> list[Any]:
    return [one if -np.inf < one < np.inf else "null" for one in values]


def _sensor(
    number: int, sensor: PlacedSensor, asset: Asset | None, above: Mapping[int, Asset | None]
) -> Json:
    name = "" if asset is None else asset.name
    parent = None if asset is None or asset.parent_id is None else above[asset.parent_id]
    return {
        "asset_id": sensor.asset_id, "id": number, "name": sensor.name,
        "sensor_unit": sensor.unit, "event_resolution": sensor.resolution.total_seconds(),
        "description": f"{sensor.name} ({name})",
        "asset_description": name if parent is None else f"{name} ({parent.name})",
    }  # fmt: skip


def _fixed(number: int, one: Fixed) -> Json:
    return {
        "id": number, "name": one.name, "sensor_unit": one.unit, "event_resolution": 0.0,
        "description": one.name, "asset_id": one.asset_id, "asset_description": one.asset_name,
    }  # fmt: skip


def source_told(number: int, source: Source) -> Json:
    """A source as charts name it."""
    kinds = {"forecast": "forecaster", "schedul": "scheduler"}
    kind = next((name for part, name in kinds.items() if part in source.kind.lower()), "other")
    return {
        "id": number, "name": source.name, "model": source.model or "",
        "version": source.version or "", "type": kind, "raw_type": source.kind,
        "display_type": kind if kind != "other" else source.kind or "other",
        "description": source.description,
    }  # fmt: skip
