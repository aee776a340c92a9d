"""A file in, an answer out, whatever the site is like when it is asked."""

import json
from pathlib import Path
from typing import Any

import pytest

from flexedge.errors import BadField
from flexedge.optim.request.solve import solve_file
from tests.optim import lab
from tests.optim.request.asking import (
    BATTERY,
    LIMIT,
    PRICE,
    START,
    Json,
    answer,
    at,
    problem,
    series,
)

RESOLUTIONS = (5, 15, 60)
EV = {"sensor": "car", "soc-at-start": "10 kWh", "soc-min": "0 kWh", "soc-max": "60 kWh",
      "power-capacity": "7.4 kW", "production-capacity": "0 kW"}  # fmt: skip


def test_results_that_stand_in_a_file_are_not_read() -> None:
    data = problem([BATTERY])
    assert solve_file({**data, "result": 1, "outputs": []}, LIMIT)["status"] == "optimal"


def test_answers_are_json() -> None:
    told = solve_file(problem([BATTERY]), LIMIT)
    assert json.loads(json.dumps(told)) == told
    assert "explanation" not in solve_file(problem([BATTERY]), LIMIT, explain=False)


@pytest.mark.parametrize("data", [None, [], {}, {"request": []}, {"request": None}])
def test_what_is_no_problem_is_refused(data: object) -> None:
    with pytest.raises(BadField):
        solve_file(data, LIMIT)


def told(model: list[Json], context: Json, minutes: int, **more: Any) -> Json:
    return answer(model, context, request={"resolution": f"PT{minutes}M"}, **more)


@pytest.mark.parametrize("minutes", RESOLUTIONS)
def test_what_the_site_agreed_to_comes_before_what_is_asked_of_a_storage(minutes: int) -> None:
    """5 kW for two hours are 20 of 24 kWh: 4 are missed, at any resolution."""
    asked = {**EV, "soc-minima": [{"datetime": at(2), "value": "24 kWh"}]}
    plan = told([asked], {**PRICE, "site-consumption-capacity": "5 kW"}, minutes)
    costs = plan["commitment-costs"]
    assert costs["any soc minima"] == pytest.approx(4 * 1000)
    assert costs["all soc minima"] == pytest.approx(4 * 1000 * 0.25)
    assert costs["electricity any consumption breach"] == 0
    assert plan["unresolved"] == [{"asset": "car", "soc-minima": [
        {"datetime": "2026-11-24T01:00:00+00:00", "violation": "4.0 kWh"}]}]  # fmt: skip


@pytest.mark.parametrize("minutes", RESOLUTIONS)
def test_prices_that_are_given_turn_the_order_round_at_any_resolution(minutes: int) -> None:
    asked = {**EV, "soc-minima": [{"datetime": at(2), "value": "24 kWh"}]}
    context = {**PRICE, "site-consumption-capacity": "5 kW",
               "soc-minima-breach-price": "100 EUR/kWh",
               "site-consumption-breach-price": "2 EUR/kW"}  # fmt: skip
    plan = told([asked], context, minutes)
    costs = plan["commitment-costs"]
    assert costs["any soc minima"] == 0
    assert costs["electricity any consumption breach"] == pytest.approx(2 * 2)
    assert costs["electricity all consumption breaches"] == pytest.approx(2 * 2 * 2)
    assert plan["unresolved"] == []


@pytest.mark.parametrize("minutes", RESOLUTIONS)
@pytest.mark.parametrize(("start", "price"), [("1 kWh", 0.3), ("-7 kWh", 900.0)])
def test_a_start_below_the_band_is_repaired_at_once(minutes: int, start: str, price: float) -> None:
    """However dear energy is now, and cheap later."""
    car = {**EV, "soc-at-start": start, "soc-min": "6.4 kWh"}
    stored = {"price": series(price, price, 0.1, 0.1, unit="EUR/kWh")}
    plan = told([car], {"consumption-price": {"sensor": "price"}}, minutes, stored=stored)
    values = plan["outputs"]["car"]["values"]
    missing = 6.4 - float(start.split(maxsplit=1)[0])
    assert sum(values) == pytest.approx(missing, abs=1e-4)
    assert values[0] == pytest.approx(min(missing, 7.4), abs=1e-4)
    assert plan["status"] == "optimal"
    if minutes == 5:
        assert "car soc-min is missed from 00:00" in plan["breaches"][0]
        assert plan["unresolved"][0]["soc-min"]


@pytest.mark.parametrize("minutes", RESOLUTIONS)
@pytest.mark.parametrize("start", ["12 kWh", "100 kWh"])
def test_a_start_above_the_band_is_repaired_at_once(minutes: int, start: str) -> None:
    stored = {"price": series(0.1, 0.1, 0.5, 0.5, unit="EUR/kWh")}
    plan = told([{**BATTERY, "soc-at-start": start}], {"consumption-price": {"sensor": "price"}},
                minutes, stored=stored)  # fmt: skip
    assert plan["outputs"]["battery"]["values"][0] == pytest.approx(-2.0)
    assert plan["status"] == "optimal"


def test_what_cannot_go_back_is_left_and_reported() -> None:
    """Above soc-max, and only usage takes anything out."""
    full = {**EV, "soc-at-start": "63 kWh", "soc-usage": ["1 kW"]}
    plan = answer([full])
    assert plan["outputs"]["car"]["values"] == [0, 0, 0, 0]
    assert plan["breaches"] == ["car soc-max is missed from 00:00 to 02:00 by up to 2.00 kWh"]
    assert [one["violation"] for one in plan["unresolved"][0]["soc-max"]] == ["2.0 kWh", "1.0 kWh"]


def test_a_storage_that_is_emptied_faster_than_it_is_filled_is_filled_as_fast() -> None:
    plan = answer([{**EV, "soc-usage": ["9.4 kW"], "soc-min": "9 kWh"}])
    assert plan["outputs"]["car"]["values"] == [7.4] * 4
    assert plan["status"] == "optimal"
    assert plan["soc"]["car"][-1] == pytest.approx(10 - 4 * 2)


def test_an_unknown_state_of_charge_is_told() -> None:
    plan = answer([{key: value for key, value in EV.items() if key != "soc-at-start"}])
    assert plan["notes"] == ["car: its state of charge at the start is not known: taken as 0"]


def test_a_state_of_charge_may_be_a_share() -> None:
    stored = {"soc": series(25, unit="%", resolution="PT0M")}
    sensors = {"soc": {"unit": "%", "resolution": "PT0M", "on": "car"}}
    model = {key: value for key, value in EV.items() if key != "soc-at-start"}
    plan = answer([{**model, "state-of-charge": {"sensor": "soc"},
                    "soc-minima": [{"datetime": at(2), "value": "50%"}]}],
                  stored=stored, sensors=sensors)  # fmt: skip
    assert plan["soc"]["car"][0] == 15.0
    assert plan["soc"]["car"][2] == pytest.approx(29.8)
    assert plan["outputs"]["soc"]["values"][:2] == pytest.approx([25.0, 100 * 22.4 / 60])


def test_missed_targets_are_told_without_a_sensor() -> None:
    plan = answer([{**EV, "soc-targets": [{"datetime": at(1), "value": "30 kWh"}]}])
    assert plan["unresolved"][0]["soc-targets"][0]["violation"] == "12.6 kWh"


def test_devices_may_be_planned_in_turn() -> None:
    stored = {"price": series(5, 1, 3, 9, unit="EUR/kWh")}
    context = {"consumption-price": {"sensor": "price"}, "production-price": "0 EUR/kWh",
               "site-power-capacity": "1 kW"}  # fmt: skip
    cars = [{**EV, "sensor": name, "soc-at-start": "0 kWh", "soc-max": "1 kWh",
             "soc-targets": [{"datetime": at(hour), "value": "1 kWh"}], "power-capacity": "1 kW"}
            for name, hour in (("car", 4), ("boiler", 2))]  # fmt: skip
    together = answer(cars, context, stored=stored)
    apart = answer(cars, context, stored=stored, request={"sequential": True})
    assert apart["outputs"]["car"]["values"] == pytest.approx([0, 1, 0, 0], abs=1e-5)
    assert apart["outputs"]["boiler"]["values"] == pytest.approx([1, 0, 0, 0], abs=1e-5)
    assert apart["cost"] == pytest.approx(6, abs=1e-5)
    assert together["cost"] == pytest.approx(4, abs=1e-5)
    assert set(apart) == set(together)
    assert apart["explanation"]["steps"][0]["start"] == START


def failed() -> list[Any]:
    """What FlexMeasures had no plan for, where the cases are at hand."""
    here = Path(__file__).resolve()
    found = (parent / "shared" / "golden" / "flexmeasures-1.0.1.json" for parent in here.parents)
    file = next((one for one in found if one.is_file()), None)
    every = [] if file is None else json.loads(file.read_text())["cases"]
    return [one for one in every if "error" in one]


@pytest.mark.parametrize("one", failed(), ids=lambda one: str(one["case"]))
def test_what_flexmeasures_has_no_plan_for_has_one(one: Any) -> None:
    case = lab.golden_format({**one, "results": [], "commitment_costs": {}})
    power = {"unit": "kW", "resolution": f"PT{one['resolution'][:-3]}M"}
    case["sensors"].setdefault(str(one["target"]["id"]), power)
    case["sensors"].setdefault("26", {"unit": "kWh", "resolution": "PT0M"})
    plan = solve_file(case, LIMIT)
    assert plan["status"] == "optimal"
    (values, *_) = (output["values"] for output in plan["outputs"].values())
    assert all(value is not None for value in values)
    model = one["flex_model"][0] if isinstance(one["flex_model"], list) else one["flex_model"]
    if "soc-min" in model and model.get("soc-at-start", "0 kWh") < model["soc-min"]:
        most = float(model["power-capacity"].split()[0])
        assert values[0] == pytest.approx(most)
        assert "soc-min is missed" in plan["breaches"][0]


@pytest.mark.parametrize("minutes", RESOLUTIONS)
def test_what_is_missed_for_some_time_costs_the_same_in_steps_of_any_length(minutes: int) -> None:
    """A stock that nothing fills misses 2 kWh for two hours, wherever they lie."""
    still = {**EV, "consumption-capacity": "0 kW", "soc-at-start": "1 kWh"}
    for since in (0, 1, 2):
        span = {"start": at(since), "duration": "PT2H", "value": "3 kWh"}
        costs = told([{**still, "soc-minima": [span]}], PRICE, minutes)["commitment-costs"]
        assert costs["any soc minima"] == pytest.approx(2 * 1000)
        assert costs["all soc minima"] == pytest.approx(2 * 1000 * 2)
    # what a sensor tells of the first step is past at its end
    hourly = {"most": series(3, 3, 3, 3, unit="kWh")}
    told_by_sensor = {**still, "soc-targets": {"sensor": "most"}}
    costs = told([told_by_sensor], PRICE, minutes, stored=hourly)["commitment-costs"]
    after = minutes / 60
    assert costs["all soc targets"] == pytest.approx(2 * 1000 * (4 - after))
