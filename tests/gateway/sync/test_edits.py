"""Edits of a centre's admin pages on their way to the plant, by HTTP from a served flexedge."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from flexedge.errors import CentreAway
from flexedge.gateway.sync.edits import Edits
from flexedge.gateway.sync.veto import veto
from tests.api.served import Served
from tests.gateway.conftest import Hut
from tests.gateway.sync.pairing import Pair, pair


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("centre")).people() as centre:
        yield centre


@pytest.fixture
def two(hut: Hut, served: Served, tmp_path: Path) -> Iterator[Pair]:
    """A battery behind a meter with a plan, linked."""
    world = hut("battery", "house")
    world.show({"battery.soc": 50.0, "battery.power": 0.0, "grid.power": 1.0})
    world.plan()
    made = pair(world, served, tmp_path)
    made.accept(flex_model=("soc-min", "soc-usage"), attributes=("colour",))
    yield made
    made.leave()


def duty(two: Pair) -> Edits:
    return Edits(two.world.gateway.state, two.world.gateway.amendments)


def fates(two: Pair) -> list[tuple[str, str]]:
    return [(one.field, one.fate) for one in two.world.gateway.amendments.all()]


def test_what_nobody_edited_is_no_edit(two: Pair) -> None:
    mine = duty(two)
    assert two.turn(mine) == two.world.now + two.linked.rules.poll
    assert fates(two) == []


def test_an_edit_comes_takes_effect_and_stays(two: Pair) -> None:
    mine = duty(two)
    two.edit("battery", "flex_model", **{"soc-min": "3 kWh"})
    due = two.turn(mine)
    assert two.world.unit("battery").soc_min_kwh == 3.0
    assert fates(two) == [("soc-min", "on trial")]
    assert due <= two.world.now + timedelta(minutes=2)  # it must be heard of while it is on trial
    for _ in range(10):
        two.world.now = two.turn(mine)
        two.world.poll()
        two.world.gateway.amendments.step(two.world.now)
    assert fates(two) == [("soc-min", "in force")]
    two.turn(mine)
    two.settle()
    assert two.there("battery")["flex_model"]["soc-min"] == "3 kWh"  # never pushed back
    two.edit("battery", "flex_model", **{"soc-min": "1.0 kWh"})  # and back again
    two.turn(mine)
    assert two.world.unit("battery").soc_min_kwh == 1.0


def test_what_is_not_accepted_is_refused_and_stays_as_it_is_there(two: Pair) -> None:
    mine = duty(two)
    two.edit("battery", "flex_model", **{"soc-max": "8 kWh"})
    two.turn(mine)
    two.turn(mine)
    assert two.world.unit("battery").soc_max_kwh == 10.0
    two.settle()
    (told,) = two.world.gateway.amendments.all()
    assert (told.about, told.field, told.ours, told.theirs) == (
        "battery", "soc-max", "10.0 kWh", "8 kWh"
    )  # fmt: skip
    assert (
        told.why
        == "the site file does not accept it from this centre: add it to accept, flex-model"
    )
    assert two.there("battery")["flex_model"]["soc-max"] == "8 kWh"
    entries = [one.what for one in two.world.gateway.state.audit.newest() if "Edit" in one.what]
    assert len(entries) == 1


def test_sensors_come_under_our_names(two: Pair) -> None:
    mine = duty(two)
    links = two.world.gateway.state.links.find(thing="sensor", role="")
    names = two.world.gateway.state.sensors()
    theirs = next(
        one.central_id for one in links.values() if names[one.local_id].name == "house.power"
    )
    two.edit("battery", "flex_model", **{"soc-usage": [{"sensor": theirs, "default": "1 kW"}]})
    two.turn(mine)
    (told,) = two.world.gateway.amendments.all()
    assert told.theirs == [{"sensor": "house.power", "default": "1 kW"}]
    assert told.fate == "on trial"
    usage = two.world.unit("battery").model.soc_usage
    assert [getattr(one, "sensor", None) for one in usage] == ["house.power"]


def test_a_sensor_that_is_none_of_ours_is_refused(two: Pair) -> None:
    mine = duty(two)
    headers = two.served.token()
    body = {
        "name": "elsewhere", "unit": "kW", "event_resolution": "PT15M",
        "generic_asset_id": two.number(""), "timezone": "Europe/Amsterdam",
    }  # fmt: skip
    made = two.served.ask("POST", "/sensors", headers, json=body).json()["id"]
    two.edit("battery", "flex_model", **{"soc-usage": [{"sensor": made}]})
    two.turn(mine)
    (told,) = two.world.gateway.amendments.all()
    assert (told.fate, told.why) == (
        "refused", f"sensor {made} of the centre is none of this gateway's"
    )  # fmt: skip


def test_attributes_of_assets_and_sensors_come_too(two: Pair) -> None:
    mine = duty(two)
    two.turn(mine)
    two.edit("battery", "attributes", colour="red", theirs=True)
    state = two.world.gateway.state
    number, link = next(
        (n, one) for n, one in state.links.find(thing="sensor", role="").items()
        if state.sensors()[one.local_id].name == "battery.power"
    )  # fmt: skip
    attributes = {**two.central.sensor(link.central_id)["attributes"], "colour": "blue"}
    two.central.change_sensor(link.central_id, {"attributes": attributes})
    two.turn(mine)
    asset = next(one for one in state.assets.all().values() if one.defined_as == "battery")
    assert asset.attributes["colour"] == "red"
    assert "theirs" not in asset.attributes
    placed = state.placed.get(link.local_id)
    assert placed is not None
    assert placed.attributes["colour"] == "blue"
    assert placed.attributes["consumption_is_positive"] is True
    two.turn(mine)
    assert state.links.get(number) is not None
    assert fates(two) == []


def test_a_veto_takes_back_what_is_on_trial_and_lets_nothing_in(two: Pair) -> None:
    mine = duty(two)
    two.edit("battery", "flex_model", **{"soc-min": "3 kWh"})
    two.turn(mine)
    veto(two.world.gateway.state, "Ann", two.world.now, on=True)
    two.turn(mine)
    assert two.world.unit("battery").soc_min_kwh == 1.0
    two.edit("battery", "flex_model", **{"soc-min": "2 kWh"})
    two.turn(mine)
    assert two.world.unit("battery").soc_min_kwh == 1.0
    veto(two.world.gateway.state, "Ann", two.world.now, on=False)
    two.turn(mine)
    assert two.world.unit("battery").soc_min_kwh == 2.0


def test_an_asset_that_is_gone_there_leaves_the_others(two: Pair) -> None:
    mine = duty(two)
    two.central.delete_asset(two.number("house"))
    two.edit("battery", "flex_model", **{"soc-min": "3 kWh"})
    two.turn(mine)
    assert ("soc-min", "on trial") in fates(two)


def test_a_round_that_is_cut_goes_on_and_an_old_one_begins_anew(
    hut: Hut, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    world = hut("battery", "house")
    with Served(tmp_path_factory.mktemp("away")).people() as centre:
        two = pair(world, centre, tmp_path)
        two.accept(flex_model=("soc-min",))
        mine = duty(two)
        two.edit("battery", "flex_model", **{"soc-min": "3 kWh"})
    with pytest.raises(CentreAway):
        mine.step(two.linked, two.world.now)
    assert fates(two) == []
