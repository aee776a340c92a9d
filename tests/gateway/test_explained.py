from typing import TYPE_CHECKING

import pytest

from flexedge.gateway.explained import Explained

if TYPE_CHECKING:
    from tests.gateway.conftest import Hut

BATTERY = {"grid.power": 2.0, "battery.power": 0.0, "battery.soc": 50.0}


def test_each_step_says_what_is_done_and_what_it_is_worth(hut: "Hut") -> None:
    world = hut("battery", context="inflexible-consumption: [{sensor: grid.power}]")
    world.show(BATTERY)
    plan = world.plan()
    told = Explained(world.gateway.plant).told("fresh-plan", plan, "")
    powers = [step.power_kw["battery"] for step in told.steps]
    assert powers == pytest.approx(plan.schedules["battery"].power_kw.values.tolist(), abs=1e-6)
    soc = plan.schedules["battery"].soc_kwh
    assert soc is not None
    assert told.steps[-1].soc_kwh["battery"] == pytest.approx(soc.values[-1], abs=1e-6)
    evening = [step for step in told.steps if step.import_price == 0.4]
    assert evening
    assert all(step.energy_value == pytest.approx(0.4) for step in evening if step.grid_kw)
    assert any(step.binding for step in told.steps)
    assert set(told.versus) == {"plan", "do nothing", "own PV first"}
    assert told.versus["plan"] <= told.versus["do nothing"]
    assert "one more kWh costs" in told.steps[0].text
    assert told.headline == plan.headline


def test_a_plan_is_explained_once(hut: "Hut") -> None:
    world = hut("battery")
    world.show(BATTERY)
    plan = world.plan()
    explained = Explained(world.gateway.plant)
    first = explained.told("fresh-plan", plan, "")
    assert explained.told("last-plan", plan, "").steps is first.steps
    world.tick(60.0)
    assert explained.told("fresh-plan", world.plan(), "").steps is not first.steps


def test_without_a_plan_the_trouble_is_told(hut: "Hut") -> None:
    world = hut("battery")
    told = Explained(world.gateway.plant).told("local-rule", None, "no prices")
    assert (told.status, told.made_at, told.steps, told.versus) == ("no prices", None, (), {})
