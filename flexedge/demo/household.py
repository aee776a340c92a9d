"""The load of the household: what always runs, what people do, and single appliances."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import numpy as np

from flexedge.demo.noise import daily, smooth
from flexedge.domain.series import FloatArray

Burst = tuple[float, float, float]
"""Start (unix seconds), length (s), power (kW)."""
_SATURDAY = 5
_FRIDGE_S = 2700.0
_MORNING_H = 7.5
_EVENING_H = 20.3


def _kettles(rng: np.random.Generator) -> list[Burst]:
    hours = rng.choice([7.2, 7.9, 10.6, 13.1, 15.9, 19.6, 21.2], size=4, replace=False)
    return [
        ((h + rng.uniform(-0.3, 0.3)) * 3600, rng.uniform(140, 210), 2.0) for h in sorted(hours)
    ]


def _oven(rng: np.random.Generator, hour: float) -> list[Burst]:
    """Heat up, then hold the temperature by switching on and off."""
    start = (hour + rng.uniform(-0.5, 0.6)) * 3600
    held = [(start + 720 + k * 240, 110.0, 2.4) for k in range(int(rng.integers(4, 9)))]
    return [(start, 600.0, 2.4), *held]


def _hob(rng: np.random.Generator, hour: float) -> list[Burst]:
    start = (hour + rng.uniform(-0.4, 0.5)) * 3600
    simmer = rng.uniform(600, 1200)
    return [(start, 480.0, 2.8), (start + 480.0, simmer, 1.0)]


def _washing(rng: np.random.Generator) -> list[Burst]:
    start = rng.uniform(9.0, 14.0) * 3600
    return [(start, 1080.0, 2.0), (start + 1080.0, 3000.0, 0.15), (start + 4080.0, 480.0, 0.45)]


def _dishes(rng: np.random.Generator) -> list[Burst]:
    start = rng.uniform(19.5, 21.8) * 3600
    return [(start, 720.0, 2.0), (start + 720.0, 1800.0, 0.1), (start + 2520.0, 540.0, 2.0)]


def bursts(seed: int, day: date, zone: ZoneInfo) -> list[Burst]:
    """What the appliances do on one local day."""
    rng = daily(seed, "appliances", day.toordinal())
    weekend = day.weekday() >= _SATURDAY
    found = _kettles(rng) + _hob(rng, 18.0)
    if rng.random() < (0.8 if weekend else 0.55):
        found += _oven(rng, 17.9)
    if weekend and rng.random() < 0.5:  # noqa: PLR2004 (every second one)
        found += _hob(rng, 12.6)
    if rng.random() < (0.75 if weekend else 0.4):
        found += _washing(rng)
    if rng.random() < 0.7:  # noqa: PLR2004 (five days a week)
        found += _dishes(rng)
    midnight = datetime.combine(day, time(), zone).timestamp()
    return [(midnight + start, length, power) for start, length, power in found]


def steady_kw(seed: int, times: FloatArray, local_hours: FloatArray) -> FloatArray:
    """Standby, fridge, light, screens: everything without an appliance's name."""
    morning = 0.22 * np.exp(-(((local_hours - _MORNING_H) / 1.0) ** 2))
    evening = 0.38 * np.exp(-(((local_hours - _EVENING_H) / 2.0) ** 2))
    mood = 0.7 + 0.6 * smooth(seed, "mood", times, 1500.0)
    flicker = 0.05 * smooth(seed, "flicker", times, 45.0)
    phase = times / _FRIDGE_S + 0.5 * smooth(seed, "fridge", times, 4 * 3600.0)
    fridge = np.where(phase % 1.0 < 0.36, 0.09, 0.0)  # noqa: PLR2004 (share of time it runs)
    load: FloatArray = 0.17 + fridge + (morning + evening) * mood + flicker
    return load


def add_bursts(load: FloatArray, times: FloatArray, found: list[Burst]) -> None:
    """Add bursts to a load on evenly rising whole seconds, in place."""
    first = times[0]
    for start, length, power in found:
        begin, end = int(start - first), int(start + length - first)
        load[max(begin, 0) : max(end, 0)] += power
