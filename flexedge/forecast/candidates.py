"""Ways to forecast a series from its own past: what was, and a linear model of that and more.

Everything is about one even grid. The past is known up to a viewpoint; a step so many days beyond
it is forecast with what is that many days old at least, so that nothing is used which is not known
yet. A model is fitted for each such day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.series import FloatArray

Ints = NDArray[np.int64]
LINEAR, YESTERDAY, LAST_WEEK, PROFILE, MEAN = (
    "linear", "yesterday", "last week", "profile", "mean"
)  # fmt: skip
WEEK = 7
_PROFILE = 7  # days
_WAVES = 3  # of the day: its length, a half and a third of it
_STIFFNESS = 1.0  # of ridge regression, on standardised features
_ENOUGH = 3  # rows for each feature
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known: a series up to the viewpoint, and others on the same grid and beyond it.

    ``values``: up to the viewpoint, NaN before the first known one. ``ahead``: known beforehand, as
    weather forecasts are, for past and future steps. ``behind``: like ``values``.
    ``hours``, ``weekdays``: of every step, past and future, in local time (Monday: 0).
    """

    per_day: int
    values: FloatArray
    hours: FloatArray
    weekdays: Ints
    ahead: Sequence[FloatArray] = ()
    behind: Sequence[FloatArray] = ()

    @property
    def n(self) -> int:
        """The viewpoint: the first step that is not known."""
        return len(self.values)


def calendar(start: datetime, step: timedelta, n: int, zone: ZoneInfo) -> tuple[FloatArray, Ints]:
    """The hour of the day (with fractions) and the weekday of each step, in local time."""
    local = [(start + i * step).astimezone(zone) for i in range(n)]
    hours = np.array([one.hour + one.minute / 60 for one in local], np.float64)
    return hours, np.array([one.weekday() for one in local], np.int64)


def lagged(values: FloatArray, at: Ints, lag: int) -> FloatArray:
    """The values so many steps before some; NaN where there is none."""
    found = np.full(len(at), np.nan)
    inside = (at >= lag) & (at - lag < len(values))
    found[inside] = values[at[inside] - lag]
    return found


def simple(known: Known, at: Ints, days: int) -> dict[str, FloatArray]:
    """What needs no fitting: forecasts for some steps from what is so many days old or more."""
    day, weeks = known.per_day, -(-days // WEEK)
    recent = [lagged(known.values, at, (days + back) * day) for back in range(_PROFILE)]
    return {
        YESTERDAY: recent[0],
        LAST_WEEK: lagged(known.values, at, weeks * WEEK * day),
        PROFILE: _mean(recent),
    }


def _mean(some: Sequence[FloatArray]) -> FloatArray:
    """The mean of what is known in each place."""
    stacked = np.stack(some)
    there = ~np.isnan(stacked)
    count = there.sum(axis=0)
    total: FloatArray = np.where(there, stacked, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def features(known: Known, at: Ints, days: int) -> FloatArray:
    """One row for each step: its past, its place in day and week, and what else is known."""
    day = known.per_day
    columns = list(simple(known, at, days).values())
    columns += [lagged(known.values, at, (days + back) * day) for back in (1, 2)]
    turn = 2 * np.pi * known.hours[at] / 24
    for wave in range(1, _WAVES + 1):
        columns += [np.sin(wave * turn), np.cos(wave * turn)]
    weekday = known.weekdays[at]
    columns += [(weekday >= 5).astype(float), np.sin(2 * np.pi * weekday / WEEK),  # noqa: PLR2004
                np.cos(2 * np.pi * weekday / WEEK)]  # fmt: skip
    columns += [one[at] for one in known.ahead]
    columns += [lagged(one, at, days * day) for one in known.behind]
    return np.stack(columns, axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A fitted model: which features count, their middle and spread, and what each is worth."""

    used: NDArray[np.bool_]
    middle: FloatArray
    spread: FloatArray
    worth: FloatArray
    level: float

    def __call__(self, rows: FloatArray) -> FloatArray:
        """Forecasts; NaN where a feature that counts is not known."""
        told: FloatArray = (
            self.level + (rows[:, self.used] - self.middle) / self.spread @ self.worth
        )
        return told


def fit(rows: FloatArray, values: FloatArray) -> Linear | None:
    """Ridge regression; None where there is too little to learn from.

    Features that are mostly unknown are left out, and rows that then are not complete.
    """
    told = ~np.isnan(values)
    rows, values = rows[told], values[told]
    if not len(values):
        return None
    used = np.isnan(rows).mean(axis=0) < 0.5  # noqa: PLR2004
    rows = rows[:, used]
    whole = ~np.isnan(rows).any(axis=1)
    rows, values = rows[whole], values[whole]
    if len(values) < _ENOUGH * max(used.sum(), 1):
        return None
    middle, spread = rows.mean(axis=0), rows.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    level = float(values.mean())
    scaled = (rows - middle) / spread
    square = scaled.T @ scaled + _STIFFNESS * np.eye(scaled.shape[1])
    worth = np.linalg.solve(square, scaled.T @ (values - level))
    return Linear(used, middle, spread, worth, level)


def errors(told: Mapping[str, FloatArray], true: FloatArray) -> dict[str, float]:
    """The mean absolute error of each way that says something about all that is known."""
    known = ~np.isnan(true)
    found = {}
    for name, values in told.items():
        both = known & ~np.isnan(values)
        if known.any() and both.sum() == known.sum():
            found[name] = float(np.abs(values - true)[both].mean())
    return found
