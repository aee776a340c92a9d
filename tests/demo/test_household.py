from datetime import date

import numpy as np

from flexedge.demo.household import add_bursts, bursts, steady_kw
from flexedge.demo.place import ZONE


def test_bursts_lie_inside_the_local_day() -> None:
    for ordinal in range(30):
        day = date.fromordinal(date(2026, 3, 20).toordinal() + ordinal)
        found = bursts(1, day, ZONE)
        assert found
        for start, length, power in found:
            assert length > 0
            assert 0 < power <= 3
            assert np.floor(start) > 0
    assert bursts(1, date(2026, 4, 14), ZONE) != bursts(2, date(2026, 4, 14), ZONE)


def test_a_burst_adds_its_energy() -> None:
    times = 1000.0 + np.arange(100.0)
    load = np.zeros(100)
    add_bursts(load, times, [(1010.4, 20.0, 2.0), (990.0, 15.0, 1.0), (5000.0, 10.0, 9.0)])
    assert load.sum() == 2.0 * 20 + 1.0 * 5
    assert load[4] == 1.0
    assert load[5] == 0.0


def test_the_base_load_has_an_evening_peak() -> None:
    times = np.arange(0.0, 86400.0, 10.0)
    load = steady_kw(1, times, times / 3600.0)
    hours = load.reshape(24, -1).mean(axis=1)
    assert hours[20] > hours[3] + 0.2
    assert load.min() > 0.1
