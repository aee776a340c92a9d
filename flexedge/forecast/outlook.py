"""A forecast of a series: by the way that would have been best of late, with how far it was off.

Deterministic: the same past gives the same forecast.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flexedge.domain.series import FloatArray
from flexedge.forecast.candidates import (
    LINEAR,
    MEAN,
    Ints,
    Known,
    errors,
    features,
    fit,
    simple,
)

QUANTILES = (0.1, 0.5, 0.9)
_HELD_OUT = 0.2  # of the past, and at least a day
_BUCKET_H = 4.0  # hours of the day whose errors are alike


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """What is expected. ``quantiles``: by probability; that of 0.5 is ``values``."""

    values: FloatArray
    quantiles: Mapping[float, FloatArray]
    chosen: tuple[str, ...]
    """By how it was made, for each day ahead."""
    errors: tuple[Mapping[str, float], ...]
    """Mean absolute errors on what was held out, by how, for each day ahead."""


def outlook(known: Known, n: int) -> Outlook:
    """The next ``n`` steps. ``known.hours`` and the like reach that far.

    Raises ``ValueError`` where nothing at all is known.
    """
    if np.isnan(known.values).all():
        raise ValueError("nothing is known of the past")
    parts = [_day(known, day, n) for day in range(1, -(-n // known.per_day) + 1)]
    quantiles = {
        q: np.concatenate([one.quantiles[q] for one in parts]) for q in QUANTILES
    }  # fmt: skip
    return Outlook(
        quantiles[0.5], quantiles, tuple(one.chosen[0] for one in parts),
        tuple(one.errors[0] for one in parts),
    )  # fmt: skip


def _day(known: Known, days: int, n: int) -> Outlook:
    """The steps that are ``days`` - 1 to ``days`` days beyond the viewpoint."""
    first = known.n + (days - 1) * known.per_day
    at = np.arange(first, min(first + known.per_day, known.n + n), dtype=np.int64)
    past = np.arange(known.n, dtype=np.int64)
    held = max(int(_HELD_OUT * known.n), known.per_day)
    early, late = past[: max(known.n - held, 0)], past[max(known.n - held, 0) :]
    tried = _ways(known, early, late, days)
    off = errors(tried, known.values[late])
    told = _ways(known, past, at, days)
    usable = {name for name, values in told.items() if not np.isnan(values).any()}
    chosen = next((name for name in told if name in usable), MEAN)
    if off.keys() & usable - {MEAN}:
        chosen = min(off.keys() & usable, key=lambda name: off[name])
    values = told[chosen]
    rest = tried[chosen] - known.values[late]
    spread = {
        q: values - _quantiles(rest, known.hours[late], known.hours[at], 1 - q) for q in QUANTILES
    }
    spread[0.5] = values
    low, high = QUANTILES[0], QUANTILES[-1]
    spread[low], spread[high] = np.fmin(spread[low], values), np.fmax(spread[high], values)
    return Outlook(values, spread, (chosen,), (off,))


def _ways(known: Known, train: Ints, at: Ints, days: int) -> dict[str, FloatArray]:
    """Forecasts of some steps in every way; fitted ways have seen the steps ``train`` only."""
    told = dict(simple(known, at, days))
    model = fit(features(known, train, days), known.values[train]) if len(train) else None
    if model is not None:
        told[LINEAR] = model(features(known, at, days))
    seen = known.values[train] if len(train) else known.values
    seen = seen if not np.isnan(seen).all() else known.values
    told[MEAN] = np.full(len(at), float(np.nanmean(seen)))
    return told


def _quantiles(
    rest: FloatArray, hours: FloatArray, wanted: FloatArray, q: float
) -> FloatArray:  # fmt: skip
    """How far a forecast was too high, of errors at a like hour of the day."""
    rest, known = rest[~np.isnan(rest)], hours[~np.isnan(rest)]
    if not len(rest):
        return np.zeros(len(wanted))
    buckets = np.floor(known / _BUCKET_H)
    every = float(np.quantile(rest, q))
    by_hour = {
        one: float(np.quantile(rest[buckets == one], q)) for one in np.unique(buckets).tolist()
    }
    return np.array([by_hour.get(one, every) for one in np.floor(wanted / _BUCKET_H).tolist()])


def filled(values: FloatArray) -> FloatArray:
    """Gaps between known values bridged in a straight line; after the last one it holds on."""
    known = np.flatnonzero(~np.isnan(values))
    if not known.size:
        return values
    whole = np.interp(np.arange(len(values)), known, values[known])
    whole[: known[0]] = np.nan
    return whole


def shaped(
    values: FloatArray, snaps: Sequence[tuple[float, float, float]], low: float, high: float
) -> FloatArray:
    """Values within an interval put on one value, then all kept within bounds.

    Of an interval the first bound counts as inside and the second not, whichever is the lower.
    """
    told = values.copy()
    for target, first, second in snaps:
        inside = (
            (values >= first) & (values < second) if first <= second
            else (values > second) & (values <= first)
        )  # fmt: skip
        told[inside] = target
    return np.clip(told, low, high)
