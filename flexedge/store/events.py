"""From buckets of readings to the values of events: what a sensor measured, step by step.

The same readings give the same values, whenever and in how many pieces they are asked. What the
readings do not tell stays missing:

``mean``, ``least``, ``most``, ``last``: an event is looked at in parts. Where less than half of
    them have a reading there is no value. The mean is that of the parts' means, so that a time of
    quick polling does not weigh more than one of slow polling.
``counter``: what a counter gained from the start of the event to its end. What it showed at those
    moments lies between the readings around them, in proportion. Where these are further apart
    than a reading stands the moment is lost in a gap and neither event beside it has a value:
    what was gained in a gap is real, but nobody knows when. It is in ``Buckets.rise`` of any
    stretch around the gap. A gap inside of an event does no harm.
``state``: what was shown at a moment: the last reading until then that still stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import numpy as np

from flexedge.domain.asset import INSTANT
from flexedge.store.merging import gained, merged
from flexedge.store.rows import Buckets, Floats, Micros

Method = Literal["mean", "least", "most", "last", "counter", "state"]
_MINUTE = timedelta(minutes=1)
_US = timedelta(microseconds=1)
_PARTS = _MINUTE, 5 * _MINUTE
_LONG = 30 * _MINUTE  # from here on events are looked at in roll-ups
_ENOUGH = 0.5


@dataclass(frozen=True, slots=True)
class Rule:
    """How a sensor's readings become values of its events."""

    method: Method
    step: timedelta
    """How long an event is; of states, which are instants: how far they are apart."""
    every: timedelta
    """How often it is read."""
    turns_at: float | None = None
    """The value at which a counter shows 0 again, where that is known."""

    @property
    def resolution(self) -> timedelta:
        """The event resolution of the sensor: 0 for instants."""
        return INSTANT if self.method == "state" else self.step

    @property
    def stands(self) -> timedelta:
        """For how long a reading stands: three polls, at least a minute."""
        return max(3 * self.every, _MINUTE)

    @property
    def part(self) -> timedelta:
        """The width of the buckets that its values are made of."""
        if self.method in ("counter", "state"):
            return self.step
        parts = _PARTS if self.step < _LONG else _PARTS[1:]
        fitting = (part for part in parts if part >= self.every and not self.step % part)
        return next(fitting, self.step)

    @property
    def before(self) -> int:
        """How many buckets before the first event are needed."""
        return -(-self.stands // self.part) if self.method in ("counter", "state") else 0

    @property
    def after(self) -> int:
        """How many buckets after the last event are needed."""
        return self.before if self.method == "counter" else 0

    @property
    def settled(self) -> timedelta:
        """How long after its end an event may wait for a reading to tell its value."""
        return self.stands if self.method == "counter" else timedelta(0)


def values(rule: Rule, buckets: Buckets, start_us: int, n: int) -> Floats:
    """The values of ``n`` events from ``start_us`` on; NaN where there is none.

    ``buckets`` are those of one sensor of the width ``rule.part``, from ``rule.before`` ahead of
    the start until ``rule.after`` past the end, in order; empty ones are left out.
    """
    step_us = rule.step // _US
    edges = start_us + step_us * np.arange(n + 1, dtype=np.int64)
    if rule.method == "state":
        return _states(buckets, edges[:-1], rule.stands // _US)
    if rule.method == "counter":
        return _counted(buckets, edges, rule)
    return _told(buckets, edges, rule)


def _told(buckets: Buckets, edges: Micros, rule: Rule) -> Floats:
    """Mean, least, most, last of what has readings in at least half of its parts."""
    n, parts = len(edges) - 1, rule.step // rule.part
    place = np.searchsorted(edges, buckets.start_us, side="right") - 1
    inside = (place >= 0) & (place < n)
    found = np.bincount(place[inside], minlength=n)
    told = np.full(n, np.nan)
    if rule.method == "mean":
        summed = np.bincount(place[inside], weights=buckets.mean[inside], minlength=n)
        np.divide(summed, found, out=told, where=found > 0)
    else:
        whole = merged(buckets, edges, rule.part // _US)
        columns: Mapping[str, Floats] = {
            "least": whole.least, "most": whole.most, "last": whole.last}  # fmt: skip
        told[np.searchsorted(edges, whole.start_us)] = columns[rule.method]
    return np.where(found >= _ENOUGH * parts, told, np.nan)


def _states(buckets: Buckets, moments: Micros, stands_us: int) -> Floats:
    """The last reading at or before each moment, where it still stands."""
    told = np.full(len(moments), np.nan)
    if not len(buckets):
        return told
    before = np.searchsorted(buckets.start_us, moments, side="left") - 1
    late = moments - buckets.last_us[before] > stands_us
    told = np.where((before < 0) | late, np.nan, buckets.last[before])
    at = np.minimum(before + 1, len(buckets) - 1)
    return np.where(buckets.first_us[at] == moments, buckets.first[at], told)


def _counted(buckets: Buckets, edges: Micros, rule: Rule) -> Floats:
    """What a counter gained between edges that both have readings around them."""
    n = len(edges) - 1
    if not len(buckets):
        return np.full(n, np.nan)
    # Around each edge: the last reading before it, the first one at it or after, and the step
    # from one to the other, of which a share lies before the edge.
    after = np.searchsorted(buckets.start_us, edges, side="left")
    has_before, has_after = after > 0, after < len(buckets)
    low, high = np.maximum(after - 1, 0), np.minimum(after, len(buckets) - 1)
    since, until = buckets.last_us[low], buckets.first_us[high]
    around = has_before & has_after
    turns_at = np.nan if rule.turns_at is None else rule.turns_at
    step = np.where(around, gained(buckets.last[low], buckets.first[high], turns_at), 0.0)
    share = np.where(around, (edges - since) / np.maximum(until - since, 1), 0.0)
    near = around & (until - since <= rule.stands // _US)
    known = near | (has_after & (until == edges))
    inside = np.zeros(n)
    mine = (buckets.start_us >= edges[0]) & (buckets.start_us < edges[-1])
    inside[np.searchsorted(edges, buckets.start_us[mine])] = buckets.rise[mine]
    full = after[1:] > after[:-1]
    total = np.where(
        full,
        step[:-1] * (1.0 - share[:-1]) + inside + step[1:] * share[1:],
        step[:-1] * (share[1:] - share[:-1]),
    )
    return np.where(known[:-1] & known[1:], total, np.nan)
