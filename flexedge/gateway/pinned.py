"""A device of a problem whose power is decided elsewhere: others are planned around it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from flexedge.domain.limits import gate
from flexedge.domain.series import FloatArray
from flexedge.optim.device import Amount, Device, per_step


@dataclass(slots=True)
class _Stock:
    """What a storage holds from step to step, when it takes the powers it is given."""

    soc_kwh: float
    low_kwh: float
    high_kwh: float
    usage_kw: FloatArray
    keep: FloatArray
    ways: tuple[FloatArray, FloatArray]

    def _rest(self, i: int, hours: float) -> float:
        """What is in it at the end of a step in which the device does nothing."""
        return self.soc_kwh * float(self.keep[i]) - float(self.usage_kw[i]) * hours

    def possible(self, i: int, power_kw: float, hours: float) -> float:
        """The nearest power that neither overfills nor empties it."""
        rest = self._rest(i, hours)
        charging, discharging = (float(way[i]) for way in self.ways)

        def leading_to(soc_kwh: float) -> float:
            more = soc_kwh - rest
            return more / (charging * hours) if more > 0 else more * discharging / hours

        return min(max(power_kw, leading_to(self.low_kwh)), leading_to(self.high_kwh))

    def take(self, i: int, power_kw: float, hours: float) -> None:
        """Go on by a step."""
        flow = power_kw * self.ways[0][i] if power_kw > 0 else power_kw / self.ways[1][i]
        rest = self._rest(i, hours)
        self.soc_kwh = min(max(rest + flow * hours, self.low_kwh), self.high_kwh)


def pinned(
    device: Device, wanted_kw: FloatArray, least_kw: float, hours: float, share: float
) -> Device:
    """The device with the power it is going to have, from the first step as long as that is known.

    ``wanted_kw`` is per step, NaN where nobody said; ``least_kw`` the least power above zero;
    ``share`` is what is left of the first step. As the clamp chain does, powers are kept within
    the device's limits and those of its storage: what cannot be is not planned with.
    """
    low, high = device.min_kw.copy(), device.max_kw.copy()
    for i, power in _real(device, wanted_kw, least_kw, (hours, share)):
        if not device.modes or any(least <= power <= most for least, most in device.modes):
            low[i] = high[i] = power
    return replace(device, min_kw=low, max_kw=high, running=None)


def _real(
    device: Device, wanted_kw: FloatArray, least_kw: float, of: tuple[float, float]
) -> Iterator[tuple[int, float]]:
    stock = _stock(device)
    for i, wanted in enumerate(wanted_kw):
        if np.isnan(wanted):
            return
        hours = of[0] * (of[1] if i == 0 else 1.0)
        low, high = float(device.min_kw[i]), float(device.max_kw[i])
        power = min(max(gate(float(wanted), least_kw), low), high)
        if stock is not None:
            power = min(max(stock.possible(i, power, hours), low), high)
            stock.take(i, power, hours)
        yield i, power


def _stock(device: Device) -> _Stock | None:
    storage, n = device.storage, len(device.min_kw)
    if storage is None:
        return None
    start = storage.soc_start_kwh
    return _Stock(
        start, min(storage.soc_min_kwh, start), max(storage.soc_max_kwh, start),
        per_step(storage.usage_kw, n), per_step(storage.storage_efficiency, n),
        (_way(device.charging_efficiency, n), _way(device.discharging_efficiency, n)),
    )  # fmt: skip


def _way(efficiency: Amount, n: int) -> FloatArray:
    """An efficiency per step; where a sensor says nothing sensible, as if nothing were lost."""
    told = per_step(efficiency, n)
    return np.where(told > 0, told, 1.0)
