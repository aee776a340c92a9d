from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from flexedge.domain.belief import Reading
from flexedge.domain.series import TimeGrid
from flexedge.gateway.predict import Predictor

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)


@pytest.fixture
def world(hut: "Hut") -> "World":
    return hut("solar", "house")


def predictor(world: "World") -> Predictor:
    return Predictor(world.gateway.plant, world.gateway.beliefs, world.gateway.latest)


def remember(world: "World", sensor: str, moment: datetime, value: float) -> None:
    """What a sensor showed during the quarter hour from ``moment`` on."""
    minutes = (moment + timedelta(minutes=i) for i in range(15))
    world.gateway.beliefs.append(Reading(sensor, minute, value) for minute in minutes)
    world.gateway.beliefs.flush()


def ahead(world: "World", hours: float = 1.0) -> TimeGrid:
    return TimeGrid(world.now, QUARTER, int(hours * 4))


@pytest.fixture
def noon(world: "World") -> "World":
    world.now = datetime.fromisoformat("2026-04-14T10:00:00+00:00")
    return world


def test_it_will_be_as_yesterday(noon: "World") -> None:
    for i, value in enumerate((1.0, 2.0, 3.0)):
        remember(noon, "grid.power", noon.now - DAY + i * QUARTER, value)
    expected = predictor(noon).forecast("grid.power", ahead(noon), noon.now)
    assert expected.values[:3].tolist() == [1.0, 2.0, 3.0]
    assert np.isnan(expected.values[3])


def test_the_installers_default_stands_in_for_what_is_not_known(noon: "World") -> None:
    remember(noon, "grid.power", noon.now - DAY, 1.0)
    expected = predictor(noon).forecast("grid.power", ahead(noon), noon.now, 0.5)
    assert expected.values.tolist() == [1.0, 0.5, 0.5, 0.5]


def test_what_is_measured_now_holds_for_a_while_where_there_is_no_yesterday(noon: "World") -> None:
    noon.show({"grid.power": 2.0})
    noon.poll()
    expected = predictor(noon).forecast("grid.power", ahead(noon, 3), noon.now, 0.5)
    assert expected.values.tolist() == [2.0] * 8 + [0.5] * 4
    noon.now += timedelta(seconds=6)  # now it is stale
    expected = predictor(noon).forecast("grid.power", ahead(noon, 3), noon.now, 0.5)
    assert expected.values.tolist() == [0.5] * 12


def test_the_history_is_read_once_in_a_quarter_hour(noon: "World") -> None:
    ours = predictor(noon)
    assert np.isnan(ours.forecast("grid.power", ahead(noon), noon.now).values).all()
    remember(noon, "grid.power", noon.now - DAY + QUARTER, 2.0)
    noon.now += timedelta(minutes=14)
    assert np.isnan(ours.forecast("grid.power", ahead(noon), noon.now).values).all()
    noon.now += timedelta(minutes=1)
    assert ours.forecast("grid.power", ahead(noon), noon.now).values[0] == 2.0


def test_the_sun_without_a_yesterday_is_that_of_a_clear_sky(noon: "World") -> None:
    unit = noon.unit("solar")
    expected = predictor(noon).production(unit, ahead(noon, 36), noon.now).values
    assert -8.0 <= expected.min() < -4.0
    assert expected.max() == 0.0
    assert np.argmin(expected[:96]) in range(4, 10)  # around 13:40, the sun's noon there
    night = expected[11 * 4 : 17 * 4]
    assert (night == 0.0).all()


def test_a_sky_without_a_yesterday_is_as_cloudy_as_it_was_just_now(noon: "World") -> None:
    unit, ours = noon.unit("solar"), predictor(noon)
    clear = ours.production(unit, ahead(noon, 24), noon.now).values
    past = ours.production(
        unit, TimeGrid(noon.now - timedelta(hours=2), QUARTER, 8), noon.now - timedelta(hours=2)
    )
    for moment, value in zip(past.grid.times(), past.values, strict=True):
        remember(noon, "solar.power", moment, float(value) / 4)
    cloudy = predictor(noon).production(unit, ahead(noon, 24), noon.now).values
    assert cloudy[:32] == pytest.approx(clear[:32] / 4, rel=0.01)


def test_the_sun_of_yesterday_counts_where_it_was_seen(noon: "World") -> None:
    remember(noon, "solar.power", noon.now - DAY, -1.25)
    expected = predictor(noon).production(noon.unit("solar"), ahead(noon), noon.now)
    assert expected.values[0] == -1.25
    assert expected.values[1] < -1.25


def test_no_roof_gives_more_than_its_size_or_draws_power(noon: "World") -> None:
    remember(noon, "solar.power", noon.now - DAY, -50.0)
    remember(noon, "solar.power", noon.now - DAY + QUARTER, 0.3)
    expected = predictor(noon).production(noon.unit("solar"), ahead(noon), noon.now)
    assert expected.values[:2].tolist() == [-8.0, 0.0]
