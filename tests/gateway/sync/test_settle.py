import json
from dataclasses import replace
from typing import Any

from flexedge.cloud.central import Central
from flexedge.gateway.sync import sent
from flexedge.gateway.sync.build import links_of
from flexedge.gateway.sync.linking import link
from flexedge.gateway.sync.ours import ours
from flexedge.gateway.sync.settle import Settled, Wanted, all_wanted, settle
from tests.gateway.sync.cutting import cutter
from tests.gateway.sync.linked import MANY, Here, There


def wanted(here: Here) -> dict[str, Wanted]:
    mine = ours(here.state, here.rules, ("readings",), {})
    keys = {number: one.name for number, one in here.state.sensors().items()}
    return {one.path: one for one in all_wanted(mine, links_of(here.state, 1), keys)}


def send(here: Here, path: str, url: str) -> Settled:
    """Send the settings of one thing that is linked."""
    central: Central = here.office().reach("main", url, here.office().keys("main"), MANY)
    one = wanted(here)[path]
    link = links_of(here.state, 1)[one.key]
    return settle(central, link, one.settings)


def flex_model(there: There, number: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(there.ask("GET", f"/assets/{number}")["flex_model"])
    return found


def test_settings_are_in_the_numbers_of_the_centre(here: Here, there: There) -> None:
    here.link(there.url)
    numbers = here.links()
    found = wanted(here)[f"{here.name} / battery"].settings
    power = numbers["sensor", here.power, ""]
    assert found["flex_model.consumption"] == {"sensor": power}
    assert found["sensors_to_show"] == [{"title": "Power", "sensors": [power]}]
    assert found["name"] == "battery"
    site = wanted(here)[here.name].settings
    assert site["flex_context.consumption-price"] == {
        "sensor": numbers["sensor", here.price, ""]
    }  # fmt: skip
    assert (site["latitude"], site["longitude"]) == (52.37, 4.9)


def test_what_changed_here_is_sent_and_what_was_edited_there_stays(
    here: Here, there: There
) -> None:
    here.link(there.url)
    battery = here.links()["asset", here.battery, ""]
    assert send(here, f"{here.name} / battery", there.url).sent == ()
    edited = {**flex_model(there, battery), "soc-min": "2 kWh"}
    there.ask("PATCH", f"/assets/{battery}", json={"flex_model": edited, "name": "accu"})
    here.change(here.battery, name="cell", flex_model={"soc-min": "3 kWh", "soc-max": "9 kWh"})
    settled = send(here, f"{here.name} / cell", there.url)
    assert settled.sent == ("flex_model.consumption", "flex_model.soc-max")
    assert settled.edited == ("flex_model.soc-min", "name")
    assert flex_model(there, battery) == {"soc-min": "2 kWh", "soc-max": "9 kWh"}
    assert there.ask("GET", f"/assets/{battery}")["name"] == "accu"
    assert sent.sent_of(settled.link)["flex_model.soc-min"] == "1 kWh"  # an edit is told by that
    assert sent.sent_of(settled.link)["flex_model.soc-max"] == "9 kWh"


def test_what_is_refused_is_found_and_the_rest_is_there(here: Here, there: There) -> None:
    model = {f"x{n}": n for n in range(3)} | {"soc-min": "1 kWh", "power-capacity": "5 furlongs"}
    here.change(here.battery, flex_model=model)
    told = here.link(there.url)[-1]
    battery = here.links()["asset", here.battery, ""]
    assert flex_model(there, battery) == {"soc-min": "1 kWh"}
    place = f"of {here.name} / battery"
    assert set(told.refused) == {
        f"flex_model.{key} {place}" for key in ("x0", "x1", "x2", "power-capacity")
    }  # fmt: skip
    assert told.left == 0
    with cutter(there.url) as between:
        assert send(here, f"{here.name} / battery", between.url).sent == ()
        assert between.passed == []  # not tried again before it changes
        here.change(here.battery, flex_model=model | {"x1": 2, "power-capacity": "5 kW"})
        settled = send(here, f"{here.name} / battery", between.url)
    assert settled.sent == ("flex_model.power-capacity",)
    assert set(sent.refused_of(settled.link)) == {"flex_model.x0", "flex_model.x1", "flex_model.x2"}


def test_where_a_refusal_names_nothing_halves_are_tried(here: Here, there: There) -> None:
    here.link(there.url)
    here.change(here.battery, attributes={f"a{n}": n for n in range(5)})
    with cutter(there.url) as between:
        between.refusing = {"PATCH": (422, '{"message": "No."}')}
        settled = send(here, f"{here.name} / battery", between.url)
    assert settled.sent == ()
    assert sent.refused_of(settled.link) == dict.fromkeys(
        (f"attributes.a{n}" for n in range(5)), "422: No."
    )


def test_sensors_are_renamed_there(here: Here, there: There) -> None:
    here.link(there.url)
    placed = here.state.placed.get(here.soc)
    assert placed is not None
    here.state.placed.place(here.soc, here.battery, "charge", "UTC", {"color": "red"})
    settled = send(here, f"{here.name} / battery / charge", there.url)
    assert settled.sent == ("attributes.color", "name")
    sensor = there.ask("GET", f"/sensors/{here.links()['sensor', here.soc, '']}")
    assert sensor["name"] == "charge"
    assert json.loads(sensor["attributes"])["color"] == "red"
    assert json.loads(sensor["attributes"])["flexedge"]["made"] is True


def test_who_may_not_change_it_is_told_once(here: Here, there: There) -> None:
    here.link(there.url)
    here.change(here.battery, description="new")
    with cutter(there.url) as between:
        between.refusing = {"PATCH": (403, '{"message": "Not yours."}')}
        here.state.centres.change(1, _at(here, between.url))
        told = link(here.office(), here.asked(between.url, key=None), "anna")
    assert told.refused == {f"settings of asset {here.name} / battery": "403: Not yours."}
    assert told.left == 0


def _at(here: Here, url: str) -> Any:
    centre = here.state.centres.get(1)
    assert centre is not None
    return replace(centre, url=url)
