"""One edited field where the API has it."""

from dataclasses import replace
from typing import Any

from flexedge.gateway.amended import Amendment, Change
from flexedge.gateway.field import put, unfit
from flexedge.store.state import State
from flexedge.store.tables.assets import Asset
from tests.gateway.conftest import NOW, Hut, World


def shed(world: World) -> int:
    """An asset that was made through the API."""
    root = next(n for n, one in world.gateway.state.assets.all().items() if one.defined_as == "")
    return world.gateway.state.assets.add(Asset("shed", "battery", root, 1))


def edit(number: int, field: str, theirs: Any, **fields: Any) -> Amendment:
    known: dict[str, Any] = {"centre": "main", "thing": "asset", "number": number,
                             "about": "shed", "column": "flex_model", "field": field,
                             "theirs": theirs}  # fmt: skip
    return Change(**known | fields).become("in force", NOW)


def stored(state: State, number: int) -> Asset:
    found = state.assets.get(number)
    assert found is not None
    return found


def test_a_field_is_put_beside_the_others_and_taken_away(hut: Hut) -> None:
    world = hut("house")
    state, one = world.gateway.state, shed(world)
    put(state, edit(one, "soc-min", "1 kWh"))
    put(state, edit(one, "soc-max", "9 kWh"))
    put(state, edit(one, "soc-min", None))
    put(state, edit(one, "site-power-capacity", "9 kW", column="flex_context"))
    put(state, edit(one, "colour", "red", column="attributes"))
    found = stored(state, one)
    assert found.flex_model == {"soc-max": "9 kWh"}
    assert found.flex_context == {"site-power-capacity": "9 kW"}
    assert found.attributes == {"colour": "red"}


def test_attributes_of_sensors_are_put(hut: Hut) -> None:
    world = hut("battery", "house")
    state = world.gateway.state
    number = next(n for n, one in state.placed.all().items() if one.key == "battery.power")
    put(state, edit(number, "colour", "red", thing="sensor", column="attributes"))
    placed = state.placed.get(number)
    assert placed is not None
    assert placed.attributes == {"consumption_is_positive": True, "colour": "red"}
    put(state, edit(99_999, "colour", "red", thing="sensor", column="attributes"))


def test_what_the_site_file_defines_is_not_put(hut: Hut) -> None:
    world = hut("battery", "house")
    state = world.gateway.state
    number = next(n for n, one in state.assets.all().items() if one.defined_as == "battery")
    before = stored(state, number)
    put(state, edit(number, "soc-min", "3 kWh"))
    assert stored(state, number) == before
    gone = edit(number, "soc-min", None)
    assert "take it out there" in unfit(state, gone, ())
    assert unfit(state, gone, [replace(gone, centre="second").place]) == ""


def test_a_field_is_read_as_the_optimisation_reads_it(hut: Hut) -> None:
    world = hut("house")
    state, one = world.gateway.state, shed(world)
    assert unfit(state, edit(one, "soc-min", "1 kWh"), ()) == ""
    assert unfit(state, edit(one, "soc-min", None), ()) == ""
    assert "soc-max: '1 kW' is power" in unfit(state, edit(one, "soc-max", "1 kW"), ())
    assert "No sensor found with ID 999" in unfit(
        state, edit(one, "soc-usage", [{"sensor": 999}]), ()
    )
    assert unfit(state, edit(one, "colour", 3, column="attributes"), ()) == ""
    wrong = edit(one, "site-power-capacity", "red", column="flex_context")
    assert "site-power-capacity: " in unfit(state, wrong, ())
    assert "no such asset" in unfit(state, edit(99_999, "soc-min", "1 kWh"), ())
