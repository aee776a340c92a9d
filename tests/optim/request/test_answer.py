"""What is told of a plan."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from flexedge.optim.request.answer import answer as tell
from flexedge.optim.request.answer import iso
from flexedge.optim.solve import solve
from tests.optim.request.asking import BATTERY, LIMIT, answer, asked, at, series


def test_powers_are_told_in_the_unit_and_resolution_of_their_sensor() -> None:
    sensors = {
        "battery": {"unit": "W", "resolution": "PT30M"},
        "out": {"unit": "kWh", "resolution": "PT2H"},
    }
    model = [{**BATTERY, "consumption": {"sensor": "out"}}]
    told = answer(model, sensors=sensors, **{"scheduling-resolution": "PT1H"})["outputs"]
    assert told["battery"]["values"] == [0, 0, -1000, -1000, -2000, -2000, -2000, -2000]
    assert told["battery"]["sign"] == "consumption-positive"
    assert told["out"] == {
        "start": "2026-11-23T23:00:00+01:00", "resolution": "PT2H", "unit": "kWh",
        "sign": "consumption-positive", "values": [0.0, -3.0, -4.0],
    }  # fmt: skip


def test_states_of_charge_are_told_from_the_start_on() -> None:
    model = [{**BATTERY, "state-of-charge": {"sensor": "soc"}}]
    told = answer(model)
    assert told["outputs"]["soc"]["values"] == told["soc"]["battery"] == [5.0, 5.0, 4.0, 2.0, 0.0]
    percent = {"soc": {"unit": "%", "resolution": "PT0M", "on": "battery"}}
    assert answer(model, sensors=percent)["outputs"]["soc"]["values"][0] == 50.0


def test_what_is_missed_and_what_is_met_is_told_by_asset() -> None:
    model = [{
        **BATTERY,
        "soc-minima": [{"datetime": at(1), "value": "9 kWh"},
                       {"datetime": at(2), "value": "8 kWh"}],
        "soc-maxima": [{"datetime": at(2), "value": "9.5 kWh"}],
        "soc-targets": [{"datetime": at(4), "value": "20 kWh"}],
    }]  # fmt: skip
    told = answer(model)
    (missed,), (met,) = told["unresolved"], told["resolved"]
    assert missed["asset"] == met["asset"] == "battery"
    assert missed["soc-minima"] == [
        {"datetime": "2026-11-24T00:00:00+00:00", "violation": "2.0 kWh"}
    ]
    assert missed["soc-targets"][0]["violation"] == "10.0 kWh"
    assert met["soc-maxima"] == [{"datetime": "2026-11-24T01:00:00+00:00", "margin": "0.5 kWh"}]


def test_costs_add_up() -> None:
    told = answer([BATTERY], stored={"load": series(1, 2, 3, 4)})
    names = told["commitment-costs"]
    assert told["objective"] == pytest.approx(sum(names.values()))
    tie_breakers = sum(cost for name, cost in names.items() if name.startswith("prefer"))
    assert told["cost"] == pytest.approx(told["objective"] - tie_breakers)
    solver = told["solver"]
    assert solver["total-seconds"] > solver["build-seconds"] + solver["solve-seconds"] > 0
    assert solver["lp-bound"] == pytest.approx(told["cost"], abs=1e-9)


def test_the_explanation_names_values_limits_and_simple_rules() -> None:
    context = {"consumption-price": {"sensor": "price"}, "site-power-capacity": "1 kW"}
    stored = {"price": series(100, 400, 100, 500, unit="EUR/MWh")}
    told = answer([BATTERY], context, stored=stored)["explanation"]
    assert set(told["versus"]) == {"plan", "do nothing", "own PV first"}
    assert told["versus"]["plan"] == pytest.approx(
        answer([BATTERY], context, stored=stored)["cost"]
    )
    step = told["steps"][1]
    assert step["energy-value"] == pytest.approx(0.4, abs=0.4)
    assert any(one["limit"] == "site-power-capacity" for one in step["binding"])
    assert step["text"].startswith("one more kWh costs")


def test_durations_are_told_as_flexmeasures_does() -> None:
    assert [iso(timedelta(minutes=m)) for m in (15, 60, 90, 0)] == ["PT15M", "PT1H", "PT1H30M",
                                                                    "PT0M"]  # fmt: skip


def test_coarser_sensors_begin_on_a_tick_of_their_own() -> None:
    sensors = {"out": {"unit": "kW", "resolution": "PT2H"}}
    model = [{**BATTERY, "consumption": {"sensor": "out"}}]
    told = answer(model, sensors=sensors, request={"start": at(2)})["outputs"]  # 01:00 in UTC
    assert told["battery"]["start"] == at(2)
    assert (told["out"]["start"], len(told["out"]["values"])) == (at(1), 3)


def test_a_share_of_nobody_knows_what_is_not_known() -> None:
    sensors = {"soc": {"unit": "%", "resolution": "PT0M", "on": "battery"}}
    model = {key: value for key, value in BATTERY.items() if key != "soc-max"}
    told = answer([{**model, "state-of-charge": {"sensor": "soc"}}], sensors=sensors)["outputs"]
    assert told["soc"]["values"] == [None] * 5
    told = answer([{**BATTERY, "state-of-charge": {"sensor": "soc"}}], sensors=sensors)["outputs"]
    assert told["soc"]["values"][0] == 50.0


def test_what_is_not_known_of_the_search_is_null() -> None:
    plan = asked([BATTERY])
    found = replace(solve(plan.problem, LIMIT), gap=math.inf, bound=-math.inf)
    solver = tell(plan, found)["solver"]
    assert (solver["gap"], solver["lp-bound"]) == (None, None)
