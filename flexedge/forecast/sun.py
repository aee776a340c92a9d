"""Solar production from the course of the sun, for plants without a yesterday."""

from datetime import datetime, timedelta

import numpy as np

from flexedge.domain.series import FloatArray, Series, TimeGrid
from flexedge.domain.sun import clear_sky_share, sine_of_elevation

_SAMPLE = timedelta(minutes=5)
_MOST = 1.5  # of the clear sky: edges of clouds and tilted panels
_LIGHT = 0.05  # of the peak: below it a ratio says nothing


def clear_sky(grid: TimeGrid, latitude: float, longitude: float, peak_kw: float) -> Series:
    """The power of a plant under a clear sky, as all production at most 0. Degrees, kW."""
    per_step = max(round(grid.resolution / _SAMPLE), 1)
    offsets = [(i + 0.5) / per_step * grid.resolution for i in range(per_step)]
    shares: FloatArray = np.array(
        [
            [
                clear_sky_share(sine_of_elevation(t + offset, latitude, longitude))
                for offset in offsets
            ]
            for t in grid.times()
        ],
        dtype=np.float64,
    ).reshape(grid.n, per_step)
    return Series(grid, 0.0 - peak_kw * shares.mean(axis=1))


def share_of_clear_sky(
    measured: Series, clear: Series, now: datetime, window: timedelta = timedelta(hours=3)
) -> float | None:
    """Which share of the clear sky's energy was produced in the ``window`` before ``now``.

    Between 0 and 1.5; None where too little is known or the sun was too low to tell.
    """
    ended = (now - clear.grid.start) // clear.grid.resolution
    first = max(ended - window // clear.grid.resolution, 0)
    expected = clear.values[first : max(ended, 0)]
    got = measured.on(clear.grid).values[first : max(ended, 0)]
    peak = np.abs(clear.values).max(initial=0.0)
    known = ~np.isnan(got) & (np.abs(expected) > _LIGHT * peak)
    if not known.any():
        return None
    return float(np.clip(got[known].sum() / expected[known].sum(), 0.0, _MOST))


def scaled(clear: Series, share: float | None) -> Series:
    """The clear sky's production under today's sky; None: under the clear one."""
    return clear if share is None else Series(clear.grid, clear.values * share)
