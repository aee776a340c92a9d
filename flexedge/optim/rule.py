"""The local rule: what devices do while there is no plan.

Batteries bring the grid to zero, cars charge (the site's guard limits them), heat and solar are
left to themselves. What is not known is not acted upon: such a device is released.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["battery", "ev", "heat", "pv"]


@dataclass(frozen=True, slots=True)
class Situation:
    """A device as it is now; None where something is not known."""

    kind: Kind
    power_kw: float | None
    soc_kwh: float | None
    min_kw: float
    """Most it may give (negative) and most it may draw."""
    max_kw: float
    soc_min_kwh: float | None = None
    soc_max_kwh: float | None = None


def rule(devices: Mapping[str, Situation], grid_kw: float | None) -> Mapping[str, float | None]:
    """The power of each device in kW, None to release it, given the measured grid power.

    Several batteries share what the rest of the site leaves, each by what it may still do.
    """
    answer: dict[str, float | None] = dict.fromkeys(devices)
    for name, device in devices.items():
        if device.kind == "ev":
            answer[name] = _room(device)[1]
    batteries = {name: d for name, d in devices.items() if d.kind == "battery"}
    known = {name: d for name, d in batteries.items() if None not in (d.power_kw, d.soc_kwh)}
    if grid_kw is None or any(d.power_kw is None for d in batteries.values()):
        return answer
    rest = grid_kw - sum(d.power_kw or 0.0 for d in known.values())
    rooms = {name: _room(device)[0 if rest > 0 else 1] for name, device in known.items()}
    share = min(abs(rest) / max(sum(map(abs, rooms.values())), 1e-9), 1.0)
    return answer | {name: room * share for name, room in rooms.items()}


def _room(device: Situation) -> tuple[float, float]:
    """The most it may give and draw now: nothing out of an empty, nothing into a full storage."""
    soc, low, high = device.soc_kwh, device.soc_min_kwh, device.soc_max_kwh
    empty = soc is not None and low is not None and soc <= low
    full = soc is not None and high is not None and soc >= high
    return (0.0 if empty else min(device.min_kw, 0.0), 0.0 if full else max(device.max_kw, 0.0))
