"""Day-ahead prices as a household with an hourly contract pays them."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from flexedge.demo.noise import daily
from flexedge.domain.series import FloatArray

FEED_IN_EUR_PER_KWH = 0.07
_VAT = 1.21
_TAX_EUR_PER_KWH = 0.13
_MORNING, _NOON, _EVENING = 8.0, 13.0, 19.0


def _bump(hours: FloatArray, at: float, width: float) -> FloatArray:
    shape: FloatArray = np.exp(-(((hours - at) / width) ** 2))
    return shape


def wholesale(seed: int, day: date) -> list[float]:
    """24 prices in EUR/kWh by local hour: two peaks, a dip at noon that deepens in summer."""
    rng = daily(seed, "market", day.toordinal())
    summer = 0.5 - 0.5 * float(np.cos(2 * np.pi * (day.timetuple().tm_yday - 10) / 365.25))
    level = 0.095 - 0.02 * summer + float(rng.normal(0, 0.012))
    weekend = day.weekday() >= 5  # noqa: PLR2004 (Saturday)
    demand = 0.7 if weekend else 1.0
    sunny = float(rng.uniform(0.4, 1.0)) * (1.15 if weekend else 1.0)
    hours = np.arange(24.0) + 0.5
    prices = (
        level
        + demand * 0.05 * _bump(hours, _MORNING, 1.8)
        + demand * float(rng.uniform(0.08, 0.14)) * _bump(hours, _EVENING, 2.2)
        - sunny * (0.02 + 0.1 * summer) * _bump(hours, _NOON, 3.2)
        - 0.02 * _bump(hours, 3.0, 2.5)
        + rng.normal(0, 0.004, 24)
    )
    return [float(price) for price in prices]


def import_price(wholesale_eur_per_kwh: float) -> float:
    """What a kWh from the grid costs, with tax and VAT."""
    return round(wholesale_eur_per_kwh * _VAT + _TAX_EUR_PER_KWH, 5)


def hourly_prices(
    seed: int, first: date, last: date, zone: ZoneInfo
) -> list[tuple[datetime, float]]:
    """(start in UTC, EUR/kWh) of every hour of the local days ``first`` to ``last``, inclusive.

    On the day the clocks change, the hour that comes twice has one price twice.
    """
    start = datetime.combine(first, time(), zone).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC)
    days: dict[date, list[float]] = {}
    rows = []
    while start < end:
        local = start.astimezone(zone)
        if local.date() not in days:
            days[local.date()] = wholesale(seed, local.date())
        rows.append((start, import_price(days[local.date()][local.hour])))
        start += timedelta(hours=1)
    return rows
