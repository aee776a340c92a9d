"""Whether a schedule that somebody else made may be carried out: checked against physics, whole.

Pure: one thing wrong, and none of it is used. What is fit still goes through the clamp chain.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from flexedge.domain.runs import Run
from flexedge.domain.schedule import Schedule
from flexedge.domain.series import FloatArray, Series, TimeGrid

UNIT: Final = "kW"
MOST_VALUES: Final = 100_000
LONGEST: Final = timedelta(days=8)
COARSEST: Final = timedelta(hours=1)
"""How long one value may hold."""
ROUNDING_KW: Final = 0.02
"""By so much, and a hundredth, powers may lie beyond what an asset can do: servers round."""
ROUNDING_KWH: Final = 0.05
"""By so much, and a hundredth of its band, the state of charge may."""
_SHARE: Final = 0.01
_MOST_KW: Final = 1e9
_QUARTER_HOURS: Final = 0.25


@dataclass(frozen=True, slots=True)
class Stock:
    """A storage as it was when the schedule was asked for."""

    soc_kwh: float
    low_kwh: float
    high_kwh: float
    charging: float
    """Stored per consumed energy."""
    discharging: float
    """Given per energy taken out."""
    usage_kw: float = 0.0
    """What flows out without being asked; gains are negative."""
    keep: float = 1.0
    """Share of the stored energy that is left after a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class Body:
    """What one asset can do, as far as that is known. None: nobody said."""

    asset: str
    range_kw: tuple[float, float]
    """Most production (negative) and most consumption."""
    rise_kw_per_h: float | None = None
    fall_kw_per_h: float | None = None
    stock: Stock | None = None


@dataclass(frozen=True, slots=True)
class Unfit:
    """A schedule that is not carried out."""

    why: str


def verified(run: Run, body: Body, until: datetime, now: datetime) -> Schedule | Unfit:
    """The part of a schedule that is used, from its start to ``until`` or its own end.

    Fit is: in kW, in order of time, begun by now and not over, no longer than some days, without a
    gap as far as it is used, within what the asset can do and how fast, and with a state of charge
    that stays within its band. What rounding left beyond a limit is cut off.
    """
    why = _form(run) or _time(run, now)
    if why:
        return Unfit(why)
    used = _used(run, until)
    for check in (_known, _within, _steady, _stored):
        why = check(used, body)
        if why:
            return Unfit(why)
    low, high = body.range_kw
    return Schedule(body.asset, Series(used.grid, np.clip(used.values, low, high)))


def _form(run: Run) -> str:
    """What is wrong with it before any value or time is looked at."""
    if run.unit != UNIT:
        return f"it is in {run.unit!r}, not in {UNIT}"
    if not 0 < len(run.values) <= MOST_VALUES:
        return f"it has {len(run.values)} values; 1 to {MOST_VALUES} would be right"
    if not timedelta(seconds=1) <= run.step <= COARSEST:
        return f"each value holds for {run.step}; 1 s to {COARSEST} would be right"
    if len(run.values) * (run.step / LONGEST) > 1:
        return f"it is longer than {LONGEST.days} days"
    return ""


def _time(run: Run, now: datetime) -> str:
    """Whether it has begun and is not over."""
    if run.start.tzinfo is None:
        return "its start has no offset from UTC"
    if run.start > now:
        return f"it begins only at {run.start.astimezone(UTC):%d %b %Y %H:%M} UTC"
    if (now - run.start) / run.step >= len(run.values):
        return f"it is over since {run.end.astimezone(UTC):%d %b %Y %H:%M} UTC"
    return ""


def _used(run: Run, until: datetime) -> Series:
    n = min(len(run.values), max(-((run.start - until) // run.step), 1))
    values = np.array([_number(one) for one in run.values[:n]], np.float64)
    return Series(TimeGrid(run.start, run.step, n), values)


def _number(value: float | None) -> float:
    return float(value) if value is not None and abs(value) < _MOST_KW else math.nan


def _known(used: Series, _body: Body) -> str:
    unknown = np.flatnonzero(~np.isfinite(used.values))
    return "" if not len(unknown) else f"it has no value {_at(used, unknown[0])}"


def _within(used: Series, body: Body) -> str:
    low, high = body.range_kw
    beyond = (used.values < low - _room(low)) | (used.values > high + _room(high))
    wrong = np.flatnonzero(beyond)
    if not len(wrong):
        return ""
    power = used.values[wrong[0]]
    return f"it wants {power:.6g} kW {_at(used, wrong[0])}; {low:g} to {high:g} kW can be"


def _room(limit_kw: float) -> float:
    return ROUNDING_KW + (abs(limit_kw) * _SHARE if math.isfinite(limit_kw) else 0.0)


def _steady(used: Series, body: Body) -> str:
    change = np.diff(used.values) / used.grid.hours
    for limit, rate in ((body.rise_kw_per_h, change), (body.fall_kw_per_h, -change)):
        if limit is None:
            continue
        wrong = np.flatnonzero(rate > limit * (1 + _SHARE) + 2 * ROUNDING_KW / used.grid.hours)
        if len(wrong):
            return (
                f"it changes by {abs(rate[wrong[0]]):.6g} kW/h {_at(used, wrong[0] + 1)}; "
                f"{limit:g} kW/h can be"
            )
    return ""


def _stored(used: Series, body: Body) -> str:
    """Whether the storage is neither overfilled nor emptied, nor further outside than it was."""
    stock = body.stock
    if stock is None:
        return ""
    room = ROUNDING_KWH + _SHARE * (stock.high_kwh - stock.low_kwh)
    soc = _course(used, stock)
    low, high = min(stock.low_kwh, stock.soc_kwh), max(stock.high_kwh, stock.soc_kwh)
    wrong = np.flatnonzero((soc < low - room) | (soc > high + room))
    if not len(wrong):
        return ""
    return (
        f"it leads to {soc[wrong[0]]:.6g} kWh {_at(used, wrong[0])}; "
        f"{stock.low_kwh:g} to {stock.high_kwh:g} kWh can be"
    )


def _course(used: Series, stock: Stock) -> FloatArray:
    """The state of charge at the end of each step."""
    hours = used.grid.hours
    into = np.maximum(used.values, 0.0) * stock.charging
    out = np.minimum(used.values, 0.0) / stock.discharging
    flows = (into + out - stock.usage_kw) * hours
    keep = stock.keep ** (hours / _QUARTER_HOURS)
    if keep == 1.0:
        return stock.soc_kwh + np.cumsum(flows)
    soc = np.empty(len(flows))
    held = stock.soc_kwh
    for i, flow in enumerate(flows):
        held = soc[i] = held * keep + flow
    return soc


def _at(used: Series, i: int) -> str:
    return f"at {used.grid.times()[i]:%d %b %H:%M} UTC"
