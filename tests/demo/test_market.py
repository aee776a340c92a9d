from datetime import date, timedelta
from itertools import pairwise

import numpy as np

from flexedge.demo.market import hourly_prices, import_price, wholesale
from flexedge.demo.place import ZONE


def test_every_hour_has_one_price_also_when_the_clocks_change() -> None:
    for day, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 5, 1), 24)):
        rows = hourly_prices(1, day, day, ZONE)
        assert len(rows) == hours
        assert {b - a for (a, _), (b, _) in pairwise(rows)} == {timedelta(hours=1)}


def test_two_peaks_a_dip_and_a_plausible_level() -> None:
    rows = hourly_prices(1, date(2026, 4, 1), date(2026, 4, 30), ZONE)
    by_hour = np.array([price for _, price in rows]).reshape(30, 24).mean(axis=0)
    assert by_hour[19] > by_hour[13] + 0.08
    assert by_hour[8] > by_hour[3]
    assert 0.08 < by_hour.min() < by_hour.max() < 0.5


def test_summer_has_hours_below_zero_wholesale() -> None:
    july = [price for day in range(1, 32) for price in wholesale(1, date(2026, 7, day))]
    january = [price for day in range(1, 32) for price in wholesale(1, date(2026, 1, day))]
    assert min(july) < 0 < min(january)
    assert import_price(0.1) == 0.251
