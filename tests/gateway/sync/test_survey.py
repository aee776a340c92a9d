from typing import Any

import pytest

from flexedge.config.centre import CentreRules, Report
from flexedge.gateway.sync.linking import Plan, plan_link
from flexedge.gateway.sync.steps import Step
from tests.gateway.sync.linked import Here, There


def plan(here: Here, there: There, **more: Any) -> Plan:
    return plan_link(here.office(), here.asked(there.url, **more))


def ways(here: Here, there: There, **more: Any) -> dict[str, str]:
    """What becomes of what, by its place below the site."""
    steps = plan(here, there, **more).steps
    return {one.path.removeprefix(f"{here.name} / "): one.way for one in steps}


def step(here: Here, there: There, path: str, **more: Any) -> Step:
    whole = f"{here.name} / {path}" if path else here.name
    return next(one for one in plan(here, there, **more).steps if one.path == whole)


def test_all_is_made_where_nothing_is(here: Here, there: There) -> None:
    assert ways(here, there) == dict.fromkeys(
        (here.name, "import", "battery", "battery / power", "battery / soc"), "make"
    )
    assert there.named(here.name) == []
    assert (len(here.state.centres.all()), len(here.state.links.all())) == (0, 0)


def test_what_has_the_name_is_asked_about(here: Here, there: There) -> None:
    site = there.add_asset(here.name)
    there.add_sensor(site, "import", "EUR/MWh")
    battery = there.add_asset("battery", site)
    there.add_sensor(battery, "power", attributes={"consumption_is_positive": True})
    asked = ways(here, there)
    assert asked == {
        here.name: "ask", "import": "ask", "battery": "ask", "battery / power": "ask",
        "battery / soc": "make",
    }  # fmt: skip
    adopted = {path: way.replace("ask", "find") for path, way in asked.items()}
    assert ways(here, there, same_name="adopt") == adopted
    assert step(here, there, "battery").central_id == battery
    assert step(here, there, "battery").notes == (
        "it has the name", "its type is solar there, battery here"
    )  # fmt: skip
    beside = step(here, there, "", same_name="beside")
    assert (beside.way, beside.name) == ("make", f"{here.name} (2)")
    assert beside.notes == ("another one has its name", f"it is called '{here.name} (2)' there")
    assert set(ways(here, there, same_name="beside").values()) == {"make"}


def test_what_is_of_another_gateway_must_be_taken_over(here: Here, there: There) -> None:
    there.add_asset(here.name, external_id=f"another/{here.name}")
    assert step(here, there, "").notes[0] == "it has the name; it is another gateway's or system's"
    assert step(here, there, "", same_name="adopt").name == f"{here.name} (2)"
    assert step(here, there, "", same_name="take-over").way == "find"


def test_a_sensor_that_does_not_fit_is_never_taken(here: Here, there: There) -> None:
    site = there.add_asset(here.name)
    there.add_sensor(site, "import", "kWh")
    for same_name in ("ask", "adopt", "take-over"):
        found = step(here, there, "import", same_name=same_name)
        assert (found.way, found.name) == ("make", "import (2)")
        assert found.notes[0] == "its unit is 'kWh' there and 'EUR/MWh' here"


def test_a_role_has_no_name_that_another_sensor_of_ours_has(here: Here, there: There) -> None:
    here.sensor(here.battery, "power forecast")
    here.kinds = {here.power: frozenset({"forecaster"})}
    names = [one.name for one in plan(here, there).steps if "power forecast" in one.path]
    assert sorted(names) == ["power forecast", "power forecast (2)"]
    here.link(there.url)
    assert there.tree(here.name)["/battery"] == [
        "power", "power forecast", "power forecast (2)", "soc"
    ]  # fmt: skip


def test_what_is_moved_or_renamed_there_is_still_ours(here: Here, there: There) -> None:
    here.link(there.url)
    numbers = here.links()
    other = there.add_asset(f"{here.name}, other")
    battery = numbers["asset", here.battery, ""]
    there.ask("PATCH", f"/assets/{battery}", json={"name": "accu", "parent_asset_id": other})
    there.ask("PATCH", f"/sensors/{numbers['sensor', here.power, '']}", json={"name": "P"})
    for number in here.state.links.all():
        here.state.links.remove(number)
    found = step(here, there, "battery")
    assert (found.way, found.name, found.central_id) == ("find", "accu", battery)
    assert found.notes == (
        "it has the external id", "it is called 'accu' there", "it is under another asset there"
    )  # fmt: skip
    assert step(here, there, "battery / power").name == "P"
    here.link(there.url)
    assert here.links() == numbers


def test_types_and_what_is_not_sent_are_told(here: Here, there: There) -> None:
    here.asset("fuses", "converter", here.site)
    key = here.state.sensors()[here.soc].name
    here.rules = CentreRules(
        requests_per_min=10_000, sensors={key: Report(send=False)},
    )  # fmt: skip
    fuses = step(here, there, "fuses")
    assert fuses.notes == ("its type is process there, converter here",)
    left = step(here, there, "battery / soc")
    assert (left.way, left.notes) == ("leave", ("the site file says not to send it",))
    here.link(there.url)
    assert there.tree(here.name)["/battery"] == ["power"]
    assert step(here, there, "fuses").way == "have"


@pytest.mark.parametrize("unit", ["kvar", "m3/h"])
def test_units_that_are_called_otherwise_are_told(here: Here, there: There, unit: str) -> None:
    here.sensor(here.battery, "other", unit)
    (note,) = step(here, there, "battery / other").notes
    assert note.endswith(f" there, {unit} here")
    assert step(here, there, "battery / soc").notes == ()
