"""Bounds of a state of charge that fall between two ticks, put onto the ticks around them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from tests.optim.checking.timeline import Floats, Segment, Timeline, segment


@dataclass(frozen=True)
class Reach:
    """By how much a device can move its stock in a part of a step."""

    line: Timeline
    up_kw: Floats
    """Rise of the stock at full charging, per hour."""
    down_kw: Floats
    """Fall of the stock at full discharging, per hour."""

    def energy(self, *, up: bool, since: datetime, until: datetime) -> float:
        j = int(np.floor(self.line.offset(since) + 1e-9))
        if not 0 <= j < self.line.n or until <= since:
            return 0.0
        rate = float((self.up_kw if up else self.down_kw)[j])
        return (0.0 if np.isnan(rate) else rate) * ((until - since) / timedelta(hours=1))


@dataclass
class Bounds:
    """Minima, maxima and targets as (from, until, kWh); what is no list stays as it is."""

    minima: Any
    maxima: Any
    targets: Any
    off_tick: bool = False
    own: dict[str, Any] = field(default_factory=dict)
    """Those that were asked for at ticks, by kind: not what only keeps others within reach."""


def project(model: dict[str, Any], bare: str, reach: Reach, band: tuple[float, float]) -> Bounds:
    """The bounds of a storage, none of them between two ticks any more."""
    found = Bounds(model.get("soc-minima"), model.get("soc-maxima"), model.get("soc-targets"))
    for kind in ("minima", "maxima", "targets"):
        if isinstance(getattr(found, kind), list):
            setattr(found, kind, [segment(raw, bare) for raw in getattr(found, kind)])
    before = {kind: getattr(found, kind) for kind in ("targets", "minima", "maxima")}
    found.own = dict(before)
    for kind, said in before.items():
        if not isinstance(said, list):
            continue
        between = [one for one in said if _between(reach.line, one)]
        if not between:
            continue
        found.off_tick = True
        setattr(found, kind, [one for one in getattr(found, kind) if one not in between])
        found.own[kind] = [one for one in said if one not in between]
        for when, _, value in between:
            _put(found, kind, when, value, reach, band)
    if isinstance(found.targets, list):
        found.own["targets"] = found.targets
    return found


def _between(line: Timeline, one: Segment) -> bool:
    place = line.offset(one[0])
    return one[0] == one[1] and abs(place - round(place)) > 1e-9


def _put(
    found: Bounds, kind: str, when: datetime, value: float, reach: Reach, band: tuple[float, float]
) -> None:
    line, low, high = reach.line, band[0], band[1]
    before = line.start + int(np.floor(line.offset(when))) * line.step
    after = before + line.step
    charge = reach.energy(up=True, since=before, until=when)
    empty = reach.energy(up=False, since=before, until=when)
    if kind == "targets":
        found.targets = [*found.targets, (after, after, value)]
    if kind in ("minima", "targets"):
        found.minima = [*(found.minima or []), (before, before, max(low, value - charge))]
    if kind in ("maxima", "targets"):
        found.maxima = [*(found.maxima or []), (before, before, min(high, value + empty))]
    if kind == "minima":
        less = reach.energy(up=False, since=when, until=after)
        found.minima = [*found.minima, (after, after, max(low, value - less))]
    if kind == "maxima":
        more = reach.energy(up=True, since=when, until=after)
        found.maxima = [*found.maxima, (after, after, min(high, value + more))]
