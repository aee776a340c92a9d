"""One task alone, by its prices."""

from typing import Any

import pytest

from flexedge.errors import BadField
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.task import task
from tests.optim.request.asking import BATTERY, answer, at, problem, series

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


def test_other_requests_are_no_tasks() -> None:
    assert task(Fields(problem([BATTERY]), "")) is None
    assert task(Fields(problem(BATTERY), "")) is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"process_type": "LAZY"}, "process-type: should be one of INFLEXIBLE"),
        ({"process_type": "SHIFTABLE", "power": None}, "flex-model.power: should be a number"),
        ({"process_type": "SHIFTABLE", "duration": None}, "flex-model.duration"),
        ({"process_type": "SHIFTABLE", "soc_max": "1 kWh"}, "soc-max: there is no such field"),
        ({"process_type": "SHIFTABLE", "duration": "PT4H",
          "time_restrictions": [{"start": at(1), "end": at(2)}]}, "leave no room"),
        ({"process_type": "SHIFTABLE", "duration": "PT3H",
          "time_restrictions": [{"start": at(1), "end": at(2)}]}, "leave no room for the task"),
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


def test_its_kind_may_be_an_attribute_of_its_sensor() -> None:
    car = {"unit": "kW", "resolution": "PT1H", "asset-type": "process",
           "attributes": {"process-type": "BREAKABLE"}}  # fmt: skip
    told = answer(WASH, BY_PRICE, stored=PRICES, level="sensor", sensors={"car": car})
    assert told["outputs"]["car"]["values"] == [0, 2, 2, 0]
    own = {**WASH, "process-type": "INFLEXIBLE"}
    told = answer(own, BY_PRICE, stored=PRICES, level="sensor", sensors={"car": car})
    assert told["outputs"]["car"]["values"] == [2, 2, 0, 0]
