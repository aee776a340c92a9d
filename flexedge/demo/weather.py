"""The weather of the simulated site: outdoor temperature and what the clouds leave of the sun."""

from datetime import UTC, datetime

import numpy as np

from flexedge.demo.noise import smooth
from flexedge.domain.series import FloatArray
from flexedge.domain.sun import clear_sky_share, sine_of_elevation

DAY_S = 86400.0
_YEAR_S = 365.2425 * DAY_S
_SUN_KNOT_S = 60.0


def outdoor_c(seed: int, times: FloatArray, longitude: float) -> FloatArray:
    """Outdoor temperature: season, time of the (solar) day, spells of warm and cold days.

    ``times`` in unix seconds; about 2.5 °C in January and 18 °C in July, as in the Netherlands.
    """
    season = 10.3 - 7.6 * np.cos(2 * np.pi * (times / _YEAR_S - 20 / 365.2425))
    hour = (times + longitude * 240.0) / DAY_S
    swing = 3.6 * np.cos(2 * np.pi * (hour - 15 / 24))
    spell = 8.0 * (smooth(seed, "spell", times, 3 * DAY_S) - 0.5)
    gusts = 1.5 * (smooth(seed, "gusts", times, 4 * 3600.0) - 0.5)
    temperature: FloatArray = season + swing + spell + gusts
    return temperature


def transmission(seed: int, times: FloatArray) -> FloatArray:
    """Share of the clear-sky sun that passes the clouds: fair, broken and overcast spells.

    Broken skies come and go within a minute; an overcast sky leaves about a quarter.
    """
    cover = 0.7 * smooth(seed, "cover", times, 0.9 * DAY_S) + 0.3 * smooth(
        seed, "front", times, 2 * 3600.0
    )
    field = 0.7 * smooth(seed, "clouds", times, 420.0) + 0.3 * smooth(seed, "wisps", times, 110.0)
    shaded = 1.0 / (1.0 + np.exp(-(field + 1.5 * cover - 1.25) / 0.05))
    thickness = 0.3 + 0.5 * cover
    haze = 0.06 * smooth(seed, "haze", times, 900.0)
    share: FloatArray = 1.0 - shaded * thickness - haze
    return share


def clear_sky(times: FloatArray, latitude: float, longitude: float) -> FloatArray:
    """Share of the peak irradiance under a clear sky at evenly rising ``times``."""
    knots = np.arange(
        np.floor(times[0] / _SUN_KNOT_S), np.ceil(times[-1] / _SUN_KNOT_S) + 1, dtype=np.float64
    )
    shares = [
        clear_sky_share(
            sine_of_elevation(datetime.fromtimestamp(knot * _SUN_KNOT_S, UTC), latitude, longitude)
        )
        for knot in knots
    ]
    between: FloatArray = np.interp(times, knots * _SUN_KNOT_S, shares)
    return between
