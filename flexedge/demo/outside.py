"""Everything that happens to the site from outside, as a function of seed and time alone."""

from array import array
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import numpy as np

from flexedge.demo import place
from flexedge.demo.household import add_bursts, bursts, steady_kw
from flexedge.demo.market import hourly_prices
from flexedge.demo.trips import Trip, trip_on
from flexedge.demo.weather import clear_sky, outdoor_c, transmission
from flexedge.domain.series import FloatArray

_DAY_S = 86400
_KEPT_DAYS = 3
_COMFORT_C = 16.5
_HOUSE_KW_PER_KELVIN = 0.17


class Conditions(NamedTuple):
    """The outside at one moment. ``sun`` is the share of the peak irradiance."""

    outdoor_c: float
    sun: float
    house_kw: float
    heat_kw: float
    price: float
    trip: Trip | None


class _Day(NamedTuple):
    """One UTC day at one value per second, and one more for the next midnight."""

    outdoor_c: Sequence[float]
    sun: Sequence[float]
    house_kw: Sequence[float]
    heat_kw: Sequence[float]
    prices: list[float]
    trips: tuple[Trip, ...]


def heat_demand_kw(outdoor: FloatArray, local_hours: FloatArray) -> FloatArray:
    """Heat the house takes: by outdoor temperature, less at night, and hot water twice a day."""
    night = np.where((local_hours < 5.5) | (local_hours > 22.5), 0.75, 1.0)  # noqa: PLR2004 (setback hours)
    heating = _HOUSE_KW_PER_KELVIN * np.clip(_COMFORT_C - outdoor, 0.0, None) * night
    showers = 2.2 * np.exp(-(((local_hours - 7.1) / 0.6) ** 2))
    evening = 1.3 * np.exp(-(((local_hours - 20.5) / 1.0) ** 2))
    demand: FloatArray = heating + showers + evening
    return demand


def _local_hours(first: int, times: FloatArray) -> FloatArray:
    """The local clock in hours for each second of a UTC day (offsets change on whole hours)."""
    offsets = [
        datetime.fromtimestamp(first + hour * 3600, UTC).astimezone(place.ZONE).utcoffset()
        or timedelta(0)
        for hour in range(25)
    ]
    seconds = np.repeat([offset.total_seconds() for offset in offsets], 3600)[: len(times)]
    hours: FloatArray = ((times + seconds) / 3600.0) % 24.0
    return hours


def _floats(values: FloatArray) -> Sequence[float]:
    return array("d", values.tobytes())


class Outside:
    """The outside of one seed; a day is worked out when first asked for (about 60 ms)."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._days: dict[int, _Day] = {}

    def at(self, moment: float) -> Conditions:
        """The outside at ``moment`` (unix seconds)."""
        number = int(moment // _DAY_S)
        day = self._days.get(number) or self._work_out(number)
        second = moment - number * _DAY_S
        i = int(second)
        x = second - i
        trip = next((t for t in day.trips if t.leaves <= moment < t.returns), None)
        if not x:
            return Conditions(
                day.outdoor_c[i],
                day.sun[i],
                day.house_kw[i],
                day.heat_kw[i],
                day.prices[i // 3600],
                trip,
            )
        return Conditions(
            day.outdoor_c[i] + (day.outdoor_c[i + 1] - day.outdoor_c[i]) * x,
            day.sun[i] + (day.sun[i + 1] - day.sun[i]) * x,
            day.house_kw[i] + (day.house_kw[i + 1] - day.house_kw[i]) * x,
            day.heat_kw[i] + (day.heat_kw[i + 1] - day.heat_kw[i]) * x,
            day.prices[i // 3600],
            trip,
        )

    def _work_out(self, number: int) -> _Day:
        first = number * _DAY_S
        times = first + np.arange(_DAY_S + 1, dtype=np.float64)
        hours = _local_hours(first, times)
        outdoor = outdoor_c(self.seed, times, place.LONGITUDE)
        sun = clear_sky(times, place.LATITUDE, place.LONGITUDE) * transmission(self.seed, times)
        load = steady_kw(self.seed, times, hours)
        dates = self._dates(first)
        for local in dates:
            add_bursts(load, times, bursts(self.seed, local, place.ZONE))
        found = (trip_on(self.seed, local, place.ZONE) for local in dates)
        begin = datetime.fromtimestamp(first, UTC)
        priced = dict(hourly_prices(self.seed, dates[0], dates[-1], place.ZONE))
        prices = [priced[begin + timedelta(hours=hour)] for hour in range(24)]
        day = _Day(
            _floats(outdoor),
            _floats(sun),
            _floats(load),
            _floats(heat_demand_kw(outdoor, hours)),
            [*prices, prices[-1]],
            tuple(trip for trip in found if trip is not None),
        )
        self._days[number] = day
        while len(self._days) > _KEPT_DAYS:
            del self._days[next(iter(self._days))]
        return day

    @staticmethod
    def _dates(first: int) -> list[date]:
        utc = datetime.fromtimestamp(first, UTC).date()
        return [utc + timedelta(days=shift) for shift in (-1, 0, 1)]
