"""Sensors that no device has: what the house uses, what a heat buffer holds and loses."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flexedge.domain.belief import Quality, Reading
from flexedge.domain.series import floor
from flexedge.gateway.latest import Latest
from flexedge.gateway.plant import GRID, Plant, Unit

WINDOW = timedelta(minutes=15)
"""Over so long the heat drawn is found: one reading for each, dated at its start."""
_LONGEST_GAP = timedelta(minutes=2)


@dataclass(slots=True)
class _HeatWindow:
    """What went into a buffer since the window began, and what it held then."""

    began: datetime
    soc_kwh: float
    seen: datetime
    heat_kwh: float = 0.0
    whole: bool = False


class Deriver:
    """Computes derived sensors from the readings of one poll. Used under the collector's lock."""

    def __init__(self, plant: Plant, latest: Latest) -> None:
        self._plant = plant
        self._latest = latest
        self._buffers = {
            unit.sensors["buffer-temperature"]: unit
            for unit in plant.units
            if unit.asset.heat_buffer is not None and "buffer-temperature" in unit.sensors
        }
        self._windows: dict[str, _HeatWindow] = {}

    def derive(self, readings: Iterable[Reading], now: datetime) -> list[Reading]:
        """What follows from readings that just came in (and are in ``latest`` already)."""
        derived = []
        for reading in readings:
            if reading.sensor == f"{GRID}.power" and self._plant.remainder is not None:
                derived.append(self._remainder(reading, self._plant.remainder, now))
            unit = self._buffers.get(reading.sensor)
            if unit is not None:
                derived.extend(self._buffer(reading, unit, now))
        return derived

    def _remainder(self, grid: Reading, house: Unit, now: datetime) -> Reading:
        """What the grid meter shows and no other asset explains."""
        rest = grid.value if grid.usable else None
        for unit in self._plant.units:
            if unit is house or rest is None or not unit.electric:
                continue
            power = self._latest.value(unit.power, now, self._plant.max_age(unit.power))
            rest = None if power is None else rest - power
        quality = Quality.MISSING if rest is None else Quality.DERIVED
        return Reading(house.power, grid.event_start, rest, quality)

    def _buffer(self, reading: Reading, unit: Unit, now: datetime) -> list[Reading]:
        """The state of charge from the temperature, and each quarter hour the heat drawn."""
        buffer = unit.asset.heat_buffer
        if buffer is None or not reading.usable or reading.value is None:
            return [Reading(f"{unit.name}.soc", reading.event_start, None, Quality.MISSING)]
        soc_kwh = (reading.value - buffer.min) * buffer.kwh_per_kelvin
        soc = Reading(f"{unit.name}.soc", reading.event_start, soc_kwh, Quality.DERIVED)
        demand = self._demand(unit, soc_kwh, now)
        if demand is None:
            return [soc]
        began, heat_kw = demand
        return [soc, Reading(f"{unit.name}.heat-demand", began, heat_kw, Quality.DERIVED)]

    def _demand(self, unit: Unit, soc_kwh: float, now: datetime) -> tuple[datetime, float] | None:
        """Heat in minus heat kept, per quarter hour: (its start, mean kW) when one is complete."""
        window = self._windows.get(unit.name)
        start = floor(now, WINDOW)
        power = self._latest.value(unit.power, now, self._plant.max_age(unit.power))
        if window is None or power is None or now - window.seen > _LONGEST_GAP:
            self._windows[unit.name] = _HeatWindow(start, soc_kwh, now)
            return None
        cop = self._cop(unit, now)
        window.heat_kwh += power * cop * ((now - window.seen) / timedelta(hours=1))
        window.seen = now
        if start == window.began:
            return None
        hours = (start - window.began) / timedelta(hours=1)
        used_kw = max((window.heat_kwh - (soc_kwh - window.soc_kwh)) / hours, 0.0)
        complete = window.whole
        began = window.began
        self._windows[unit.name] = _HeatWindow(start, soc_kwh, now, whole=True)
        return (began, used_kw) if complete else None

    def _cop(self, unit: Unit, now: datetime) -> float:
        sensor = unit.sensors.get("cop", "")
        measured = self._latest.value(sensor, now, self._plant.max_age(sensor))
        return measured or self._plant.unit(unit.name).model.efficiencies()[0]
