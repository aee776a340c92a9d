"""One task alone, by its prices."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flexedge.errors import BadField
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.solve import solve_file
from flexedge.optim.request.source import FileSource
from flexedge.optim.request.task import task
from tests.optim.request.asking import BATTERY, LIMIT, answer, at, problem, series

PRICES = {"price": series(3, 2, 1, 2, unit="EUR/kWh")}
BY_PRICE = {"consumption-price": {"sensor": "price"}}
WASH = {"sensor": "car", "power": 2, "duration": "PT2H"}


def running(**change: Any) -> list[float]:
    kebab = {key.replace("_", "-"): value for key, value in change.items()}
    told = answer({**WASH, **kebab}, BY_PRICE, stored=PRICES, level="sensor")
    values: list[float] = told["outputs"]["car"]["values"]
    return values


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"process_type": "INFLEXIBLE"}, [2, 2, 0, 0]),
        ({"process_type": "SHIFTABLE"}, [0, 2, 2, 0]),
        ({"process_type": "SHIFTABLE", "optimization_sense": "MAX"}, [2, 2, 0, 0]),
        ({"process_type": "BREAKABLE"}, [0, 2, 2, 0]),
        ({"process_type": "BREAKABLE", "time_restrictions": [{"start": at(1), "duration": "PT1H"}]},
         [0, 0, 2, 2]),
        ({"process_type": "SHIFTABLE", "duration": "PT9H"}, [2, 2, 2, 2]),
        ({"process_type": "SHIFTABLE", "duration": "PT1H", "runs": 2}, [0, 2, 2, 0]),
        ({"process_type": "SHIFTABLE", "duration": "PT1H", "runs": 2, "optimization_sense": "MAX"},
         [2, 2, 0, 0]),
        ({"process_type": "SHIFTABLE", "duration": "PT1H", "runs": 2,
          "time_restrictions": [{"start": at(1), "duration": "PT1H"}]}, [0, 0, 2, 2]),
        ({"process_type": "INFLEXIBLE", "duration": "PT1H", "runs": 2,
          "time_restrictions": [{"start": at(1), "duration": "PT1H"}]}, [2, 0, 2, 0]),
    ],
)  # fmt: skip
def test_a_task_runs_when_its_kind_says(change: Any, expected: list[float]) -> None:
    assert running(**change) == expected


def test_its_cost_is_that_of_its_energy() -> None:
    told = answer({**WASH, "process-type": "SHIFTABLE"}, BY_PRICE, stored=PRICES)
    assert told["cost"] == told["commitment-costs"]["electricity net energy"] == 6.0


def test_sensors_of_processes_are_known_by_their_asset() -> None:
    sensors = {"dryer": {"unit": "MW", "resolution": "PT1H", "asset-type": "process"}}
    model = {"power": 0.002, "duration": "PT1H"}
    told = answer(model, BY_PRICE, stored=PRICES, sensors=sensors)
    assert told["outputs"]["dryer"]["values"] == [0.002, 0, 0, 0]
    assert told["cost"] == 6.0


def asked(data: Any) -> Any:
    whole = Fields(data, "")
    return task(whole, whole.object("request"), FileSource(whole))


def test_other_requests_are_no_tasks() -> None:
    assert asked(problem([BATTERY])) is None
    assert asked(problem(BATTERY)) is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"process_type": "LAZY"}, "process-type: should be one of INFLEXIBLE"),
        ({"process_type": "SHIFTABLE", "power": None}, "flex-model.power: should be a number"),
        ({"process_type": "SHIFTABLE", "duration": None}, "flex-model.duration"),
        ({"process_type": "SHIFTABLE", "soc_max": "1 kWh"}, "soc-max: there is no such field"),
        ({"process_type": "SHIFTABLE", "duration": "PT4H",
          "time_restrictions": [{"start": at(1), "end": at(2)}]}, "leaves no room"),
        ({"process_type": "SHIFTABLE", "duration": "PT3H",
          "time_restrictions": [{"start": at(1), "end": at(2)}]}, "leaves no room for the task"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_its_path(change: Any, told: str) -> None:
    with pytest.raises(BadField) as caught:
        running(**change)
    assert told in str(caught.value)


def test_a_task_needs_a_sensor_and_a_price() -> None:
    model = {"power": 1, "duration": "PT1H", "process-type": "SHIFTABLE"}
    with pytest.raises(BadField, match="which sensor shall be scheduled"):
        answer(model, BY_PRICE, stored=PRICES)
    with pytest.raises(BadField, match="consumption-price: is missing"):
        answer({**model, "sensor": "car"}, {"production-price": "0 EUR/kWh"})


def laboratory() -> list[Any]:
    """Tasks that FlexMeasures placed, where they are at hand."""
    here = Path(__file__).resolve()
    found = (parent / "shared" / "golden" / "flexmeasures-1.0.1.json" for parent in here.parents)
    file = next((one for one in found if one.is_file()), None)
    every = [] if file is None else json.loads(file.read_text())["cases"]
    return [one for one in every if one["scheduler"] == "ProcessScheduler"]


@pytest.mark.parametrize("one", laboratory(), ids=lambda one: str(one["case"]))
def test_tasks_run_when_they_do_with_flexmeasures(one: Any) -> None:
    (result,) = one["results"]
    name, prices = one["target"]["name"], one["sensors"]["1"]
    first = prices["values"][0][0]
    told = solve_file({
        "sensors": {"1": {"unit": prices["unit"], "resolution": "PT1H"},
                    name: {"unit": "kW", "resolution": "PT15M", "asset-type": "process"}},
        "series": {"1": {"start": first, "resolution": "PT1H", "unit": prices["unit"],
                         "values": [value for _, value in prices["values"]]}},
        "level": "sensor", "scheduling-resolution": "PT15M",
        "request": {"start": one["start"].replace(" ", "T"), "duration": "PT24H",
                    "flex-model": one["flex_model"], "flex-context": one["flex_context"]},
    }, LIMIT)  # fmt: skip
    assert told["outputs"][name]["values"] == result["values"]
    start = datetime.fromisoformat(told["outputs"][name]["start"])
    assert start == datetime.fromisoformat(result["first"])
    known = {datetime.fromisoformat(moment): price for moment, price in prices["values"]}
    first_price = prices["values"][0][1]  # the nearest that is known
    paid = sum(
        kw / 4 * known.get((start + k * timedelta(minutes=15)).replace(minute=0), first_price)
        for k, kw in enumerate(result["values"]) if kw
    )  # fmt: skip
    assert told["cost"] == pytest.approx(paid)


def test_what_a_task_is_may_be_said_by_its_sensor_or_its_asset() -> None:
    model = {"power": 2.0, "duration": "PT2H"}
    sensor = {"unit": "kW", "resolution": "PT1H", "asset-type": "process", "asset": "shed"}
    for attributes, assets in (
        ({"process-type": "SHIFTABLE"}, {}),
        ({}, {"shed": {"attributes": {"process-type": "SHIFTABLE"}}}),
    ):
        sensors = {"dryer": {**sensor, "attributes": attributes}}
        told = answer(model, BY_PRICE, stored=PRICES, sensors=sensors, assets=assets)
        assert told["outputs"]["dryer"]["values"] == [0, 2, 2, 0]


def test_what_is_sent_wins_over_what_is_stored() -> None:
    stored = {"power": 2.0, "duration": "PT2H", "process-type": "INFLEXIBLE"}
    sensors = {"dryer": {"unit": "kW", "resolution": "PT1H", "asset-type": "load", "asset": "shed"}}
    told = answer({"process-type": "SHIFTABLE"}, BY_PRICE, stored=PRICES, sensors=sensors,
                  assets={"shed": {"flex-model": stored}})  # fmt: skip
    assert told["outputs"]["dryer"]["values"] == [0, 2, 2, 0]


def test_a_task_explains_itself() -> None:
    told = answer({**WASH, "process-type": "SHIFTABLE"}, BY_PRICE, stored=PRICES)
    steps = told["explanation"]["steps"]
    assert "the task runs in one piece where that is cheapest" in steps[1]["text"]
    assert "the task waits" in steps[0]["text"]
    versus = told["explanation"]["versus"]
    assert versus["plan"] == told["cost"] == 6.0
    assert versus["do nothing"] == versus["own PV first"] > 6.0


def test_a_task_among_storages_is_planned_with_them() -> None:
    """Beside a battery it takes the time that the connection leaves; alone it would not care."""
    wash = {**WASH, "process-type": "SHIFTABLE"}
    load = {"inflexible-consumption": [{"sensor": "load"}], "site-power-capacity": "3 kW"}
    stored = {**PRICES, "load": series(0, 2, 0, 0)}
    told = answer([BATTERY, wash], {**BY_PRICE, **load}, stored=stored)
    alone = answer([wash], {**BY_PRICE, **load}, stored=stored)
    assert alone["outputs"]["car"]["values"] == [0, 0, 2, 2]
    assert told["status"] == "optimal"
    assert sum(told["outputs"]["car"]["values"]) == 4.0


def test_a_start_between_ticks_is_that_of_the_step() -> None:
    told = answer({**WASH, "process-type": "INFLEXIBLE"}, BY_PRICE, stored=PRICES,
                  request={"start": "2026-11-24T00:07:31+01:00"})  # fmt: skip
    output = told["outputs"]["car"]
    assert output["start"] == "2026-11-24T00:00:00+01:00"
    assert output["values"][:3] == [2, 2, 0]


def test_a_task_longer_than_the_schedule_fills_it_among_others_too() -> None:
    told = answer([BATTERY, {**WASH, "duration": "PT9H"}], BY_PRICE, stored=PRICES)
    assert told["outputs"]["car"]["values"] == [2, 2, 2, 2]
    assert told["status"] == "optimal"


def test_its_kind_may_be_an_attribute_of_its_sensor() -> None:
    car = {"unit": "kW", "resolution": "PT1H", "asset-type": "process",
           "attributes": {"process-type": "BREAKABLE"}}  # fmt: skip
    told = answer(WASH, BY_PRICE, stored=PRICES, level="sensor", sensors={"car": car})
    assert told["outputs"]["car"]["values"] == [0, 2, 2, 0]
    own = {**WASH, "process-type": "INFLEXIBLE"}
    told = answer(own, BY_PRICE, stored=PRICES, level="sensor", sensors={"car": car})
    assert told["outputs"]["car"]["values"] == [2, 2, 0, 0]
