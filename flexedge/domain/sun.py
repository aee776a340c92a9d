"""Where the sun stands: the low-precision solar position of the Astronomical Almanac.

Good to about 0.01 degrees between 1950 and 2050 (U.S. Naval Observatory, "Computing
Approximate Solar Coordinates").
"""

import math
from datetime import UTC, datetime

_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)


def sine_of_elevation(moment: datetime, latitude: float, longitude: float) -> float:
    """The sine of the sun's height above the horizon; negative at night. Degrees in, -1..1 out."""
    days = (moment - _J2000).total_seconds() / 86400.0
    mean_longitude = 280.460 + 0.9856474 * days
    anomaly = math.radians(357.528 + 0.9856003 * days)
    ecliptic = math.radians(
        mean_longitude + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly)
    )
    obliquity = math.radians(23.439 - 4e-7 * days)
    declination = math.asin(math.sin(obliquity) * math.sin(ecliptic))
    ascension = math.atan2(math.cos(obliquity) * math.sin(ecliptic), math.cos(ecliptic))
    sidereal = math.radians((280.46061837 + 360.98564736629 * days + longitude) % 360.0)
    hour_angle = sidereal - ascension
    here = math.radians(latitude)
    return math.sin(here) * math.sin(declination) + math.cos(here) * math.cos(
        declination
    ) * math.cos(hour_angle)


def clear_sky_share(sine: float) -> float:
    """Share of the peak irradiance (1000 W/m²) on a plane facing up under a clear sky.

    Haurwitz' clear-sky model (1945): 1098 W/m² · sin(h) · exp(-0.057 / sin(h)).
    """
    if sine <= 0.0:
        return 0.0
    return min(1.098 * sine * math.exp(-0.057 / sine), 1.0)
