from datetime import date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flexedge.demo.market import hourly_prices
from flexedge.demo.outside import Outside, heat_demand_kw
from flexedge.demo.place import ZONE

_START = datetime(2026, 4, 14, tzinfo=ZONE).timestamp()
_ONE, _TWO = Outside(5), Outside(5)


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 3 * 86400), st.floats(0, 3 * 86400))
def test_the_outside_depends_on_seed_and_time_alone(first: float, second: float) -> None:
    here = _ONE.at(_START + first)
    _TWO.at(_START + second)
    assert _TWO.at(_START + first) == here


def test_seeds_differ() -> None:
    noon = _START + 12 * 3600
    assert Outside(1).at(noon) != Outside(2).at(noon)


def test_midnight_is_no_edge() -> None:
    midnight = np.ceil(_START / 86400) * 86400
    before, after = _ONE.at(midnight - 1e-3), _ONE.at(midnight)
    assert before.outdoor_c == pytest.approx(after.outdoor_c, abs=1e-3)
    assert before.house_kw == pytest.approx(after.house_kw, abs=1e-3)
    assert before.heat_kw == pytest.approx(after.heat_kw, abs=1e-3)


def test_prices_are_those_of_the_file() -> None:
    for start, price in hourly_prices(5, date(2026, 4, 14), date(2026, 4, 15), ZONE):
        assert _ONE.at(start.timestamp()).price == price
        assert _ONE.at(start.timestamp() + 3599.5).price == price


def test_the_car_is_away_in_the_daytime() -> None:
    assert _ONE.at(_START + 3 * 3600).trip is None
    assert _ONE.at(_START + 12 * 3600).trip is not None


def test_a_day_of_load_and_heat_is_plausible() -> None:
    moments = [_ONE.at(_START + 10.0 * i) for i in range(8640)]
    assert 6 < sum(moment.house_kw for moment in moments) / 360 < 15
    assert 15 < sum(moment.heat_kw for moment in moments) / 360 < 70


def test_cold_weather_takes_more_heat() -> None:
    hours = np.full(2, 15.0)
    cold, warm = heat_demand_kw(np.array([-5.0, 25.0]), hours)
    assert cold > 3
    assert warm < 0.1
