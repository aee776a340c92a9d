from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from flexedge.domain.asset import Source
from flexedge.domain.belief import Belief
from flexedge.domain.series import Series, TimeGrid
from flexedge.gateway.feeds import ROOT, Feed, Feeds
from flexedge.gateway.predict import Predictor

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut, World

QUARTER = timedelta(minutes=15)


def feeds(world: "World") -> Feeds:
    gateway = world.gateway
    predictor = Predictor(gateway.plant, gateway.beliefs, gateway.latest)
    ours = Feeds(gateway.plant, predictor, gateway.prices, gateway.beliefs, gateway.received)
    ours.begin(TimeGrid(world.now, QUARTER, 8), world.now, {"consumption-price": "1 EUR/kWh"})
    return ours


def values(ours: Feeds, name: str) -> list[float]:
    points = ours.points(name, None)
    assert points is not None
    assert points.resolution == QUARTER
    return list(points.values)


def test_a_power_has_the_sign_that_is_asked_for(hut: "Hut") -> None:
    world = hut("battery")
    world.show({"battery.power": -2.0})
    world.poll()
    ours = feeds(world)
    plain, turned, size = (
        ours.feed(Feed("battery.power", turn)) for turn in ("as-is", "negated", "magnitude")
    )
    assert len({plain, turned, size}) == 3
    assert values(ours, plain)[0] == pytest.approx(-2.0)
    assert values(ours, turned)[0] == pytest.approx(2.0)
    assert values(ours, size)[0] == pytest.approx(2.0)
    assert ours.sensors[turned].unit == "kW"


def test_prices_are_sensors_too(hut: "Hut") -> None:
    world = hut("battery")
    ours = feeds(world)
    name = ours.feed(Feed("feed-in"))
    assert values(ours, name) == [0.08] * 8
    assert ours.sensors[name].unit == "EUR/kWh"


def test_the_beliefs_of_a_source_are_asked_for_by_its_name(hut: "Hut") -> None:
    world = hut("battery")
    grid = TimeGrid(world.now, QUARTER, 8)
    for source, power in (("one", [1.0] * 3 + [np.nan] * 5), ("two", [2.0] * 6 + [np.nan] * 2)):
        belief = Belief("battery.power", source, world.now, Series(grid, np.array(power)))
        world.gateway.beliefs.save([belief], Source(source, "forecaster"))
    ours = feeds(world)
    name = ours.feed(Feed("battery.power", "negated", ("one", "two")))
    expected = [-1.0] * 3 + [-2.0] * 3 + [np.nan] * 2
    np.testing.assert_array_equal(values(ours, name), expected)


def test_the_sun_is_foreseen_by_the_sky_where_that_is_asked_for(hut: "Hut") -> None:
    ours = feeds(hut("solar"))
    plain, sky = ours.feed(Feed("solar.power")), ours.feed(Feed("solar.power", sky=True))
    assert np.isnan(values(ours, plain)).all()
    assert max(values(ours, sky)) < 0.0


def test_what_is_planned_has_an_asset_and_a_sensor_without_data(hut: "Hut") -> None:
    world = hut("battery")
    ours = feeds(world)
    ours.plan("battery", {"soc-max": "10 kWh"}, "assets.battery.flex-model")
    ours.power("anyway", np.ones(8))
    assert ours.points("battery", None) is None
    assert values(ours, "anyway") == [1.0] * 8
    assert ours.assets["battery"].parent == ROOT
    assert ours.assets["battery"].flex_model.at("soc-max") == "assets.battery.flex-model.soc-max"
    assert ours.assets[ROOT].flex_context.data == {"consumption-price": "1 EUR/kWh"}
    ours.begin(TimeGrid(world.now, QUARTER, 4), world.now, {})
    assert set(ours.assets) == {ROOT}
    assert ours.sensors == {}
