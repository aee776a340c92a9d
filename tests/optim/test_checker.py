"""The checker must agree with what FlexMeasures reported, and find what is wrong with a plan."""

import copy
import json
import math
from pathlib import Path
from typing import Any

import pytest

from tests.optim import lab
from tests.optim.checker import Verdict, check

Case = dict[str, Any]


def _folder() -> Path | None:
    here = Path(__file__).resolve()
    found = (parent / "shared" / "golden" / "cases" for parent in here.parents)
    return next((folder for folder in found if folder.is_dir()), None)


FOLDER = _folder()
NAMES = sorted(path.stem for path in FOLDER.glob("*.json")) if FOLDER else []


def golden(name: str) -> Case:
    assert FOLDER is not None
    return dict(json.loads((FOLDER / f"{name}.json").read_text()))


@pytest.mark.skipif(FOLDER is None, reason="no solved cases beside this checkout")
@pytest.mark.parametrize("name", NAMES)
def test_it_agrees_with_flexmeasures(name: str) -> None:
    case = golden(name)
    verdict = check(case, case, compat=True)
    assert str(verdict) == "feasible"
    assert verdict.differs(case["result"]["flexmeasures-commitment-costs"]) == {}
    assert verdict.uncovered == ()


def laboratory() -> list[Case]:
    assert FOLDER is not None
    every = json.loads((FOLDER.parent / "flexmeasures-1.0.1.json").read_text())["cases"]
    return [one for one in every if lab.convertible(one)]


@pytest.mark.skipif(FOLDER is None, reason="no solved cases beside this checkout")
def test_it_agrees_with_flexmeasures_in_the_laboratory() -> None:
    """A name without cost may be missing: one of these runs had no breach prices at all."""
    wrong = {}
    for one in laboratory():
        solved = lab.golden_format(one)
        verdict = check(solved, solved, compat=True)
        differing = {
            name: pair for name, pair in verdict.differs(solved["costs"]).items()
            if not (pair[0] == 0 and math.isnan(pair[1]))
        }  # fmt: skip
        if differing or verdict.violations:
            wrong[one["case"]] = (str(verdict), differing)
    assert wrong == {}
    assert len(laboratory()) > 25


HOURS = {"resolution": "PT1H", "start": "2026-01-01T00:00:00+00:00"}


def output(values: list[float], unit: str = "kW") -> Case:
    return {**HOURS, "unit": unit, "sign": "consumption-positive", "values": values}


def case() -> Case:
    """A battery and a load for four hours: 2 kW in the first two, 2 kW out in the last two."""
    sensors = {name: {"unit": "kW", "resolution": "PT1H"} for name in ("battery", "load", "all")}
    sensors["soc"] = {"unit": "kWh", "resolution": "PT0M"}
    model = {"sensor": "battery", "soc-at-start": "1 kWh", "soc-min": "1 kWh", "soc-max": "5 kWh",
             "power-capacity": "2 kW", "state-of-charge": {"sensor": "soc"}}  # fmt: skip
    context = {
        "consumption-price": [{"start": HOURS["start"], "duration": "PT2H", "value": "0.1 EUR/kWh"},
                              {"start": "2026-01-01T02:00:00+00:00", "duration": "PT2H",
                               "value": "0.3 EUR/kWh"}],
        "inflexible-consumption": [{"sensor": "load"}],
        "aggregate-consumption": {"sensor": "all"},
    }  # fmt: skip
    request = {"start": HOURS["start"], "duration": "PT4H", "flex-model": [model]}
    return {
        "sensors": sensors, "series": {"load": {**HOURS, "unit": "W", "values": [1000] * 4}},
        "level": "asset", "scheduling-resolution": "PT1H",
        "request": {**request, "flex-context": context},
    }  # fmt: skip


def answer() -> Case:
    return {"outputs": {
        "battery": output([2.0, 2.0, -2.0, -2.0]), "all": output([3.0, 3.0, -1.0, -1.0]),
        "soc": output([1.0, 3.0, 5.0, 3.0, 1.0], "kWh"),
    }}  # fmt: skip


def judge(model: Case, context: Case, told: Case | None = None, *, compat: bool = False) -> Verdict:
    asked = copy.deepcopy(case())
    asked["request"]["flex-model"][0].update(model)
    asked["request"]["flex-context"].update(context)
    return check(asked, told or answer(), compat=compat)


def test_a_right_plan_is_right_and_costs_what_it_costs() -> None:
    verdict = judge({}, {})
    assert verdict.violations == ()
    assert verdict.cost == pytest.approx(0.1 * 6 - 0.3 * 2)
    # room of 2, 0, 2, 4 kWh at a price that falls from 1e-4 of the spread of 0.2, over 4 steps
    assert verdict.costs["prefer a full storage 0 sooner"] == pytest.approx(
        5e-6 * (2 * 1 + 0 + 2 / 3 + 0)
    )


@pytest.mark.parametrize(
    ("model", "context", "what"),
    [
        ({"power-capacity": "1.9 kW"}, {}, "battery: its highest power"),
        ({"production-capacity": "1 kW"}, {}, "battery: its lowest power"),
        ({"soc-max": "4.9 kWh"}, {}, "soc: soc-max"),
        ({"soc-min": "1.1 kWh"}, {}, "soc: soc-min"),
        ({"roundtrip-efficiency": "90%"}, {}, "output soc: the state of charge"),
        ({"soc-usage": ["100 W"]}, {}, "output soc: the state of charge"),
        ({"storage-efficiency": "99%"}, {}, "output soc: the state of charge"),
        ({"operation-modes": [{"consumption-range": ["0 kW", "2 kW"]}]}, {}, "operation modes"),
        ({}, {"site-power-capacity": "2.5 kVA"}, "electricity site-power-capacity (consumption)"),
        (
            {},
            {"site-production-capacity": "0.5 kW", "relax-constraints": False},
            "electricity site-production-capacity (production)",
        ),
        (
            {"soc-targets": [{"datetime": "2026-01-01T02:00:00+00:00", "value": "4 kWh"}]},
            {"relax-constraints": False},
            "soc: soc-targets",
        ),
    ],
)
def test_a_broken_limit_is_found(model: Case, context: Case, what: str) -> None:
    assert what in str(judge(model, context))


@pytest.mark.parametrize(
    ("sensor", "step", "what"),
    [
        ("battery", 0, "output soc: the state of charge"),
        ("soc", 2, "output soc: the state of charge"),
        ("all", 3, "output all: its sum"),
    ],
)
def test_an_altered_output_is_found(sensor: str, step: int, what: str) -> None:
    told = answer()
    told["outputs"][sensor]["values"][step] -= 1e-3
    verdict = judge({}, {}, told)
    assert what in str(verdict)
    assert verdict.laws


def test_a_shifted_output_and_a_missing_one_are_found() -> None:
    told = answer()
    told["outputs"]["battery"]["start"] = "2026-01-01T01:00:00+00:00"
    assert "without a value" in str(judge({}, {}, told))
    told = answer()
    del told["outputs"]["battery"]
    assert "battery: no output" in str(judge({}, {}, told))


def test_breaches_cost_once_for_the_worst_and_by_the_hour() -> None:
    costs = judge({}, {"site-consumption-capacity": "2 kW", "site-consumption-breach-price":
                       "5 EUR/kW"}).costs  # fmt: skip
    assert costs["electricity any consumption breach"] == pytest.approx(5.0)
    assert costs["electricity all consumption breaches"] == pytest.approx(10.0)


def test_a_missed_minimum_depends_on_the_resolution_in_flexmeasures_only() -> None:
    minimum = [{"datetime": "2026-01-01T01:00:00+00:00", "value": "4 kWh"}]
    price = {"soc-minima-breach-price": "1 EUR/kWh"}
    asked, told = case(), answer()
    asked["request"]["flex-model"][0]["soc-minima"] = minimum
    asked["request"]["flex-context"].update(price)
    asked["scheduling-resolution"] = "PT30M"
    told["outputs"]["soc"]["values"] = [1.0, 2, 3, 4, 5, 4, 3, 2, 1]
    told["outputs"]["soc"]["resolution"] = "PT30M"
    for name in ("battery", "all"):
        told["outputs"][name]["resolution"] = "PT30M"
        values = told["outputs"][name]["values"]
        told["outputs"][name]["values"] = [value for value in values for _ in range(2)]
    ours, theirs = (check(asked, told, compat=compat) for compat in (False, True))
    assert str(ours) == "feasible"
    assert ours.costs["any soc minima"] == pytest.approx(1.0)
    assert ours.costs["all soc minima"] == pytest.approx(0.25)
    assert theirs.costs["any soc minima"] == pytest.approx(2.0)
    assert theirs.costs["all soc minima"] == pytest.approx(1.0)


def test_custom_commitments_pay_for_going_below() -> None:
    commitment = {"name": "position", "baseline": "1 kW", "up-price": "0.1 EUR/kWh",
                  "down-price": "-0.2 EUR/kWh"}  # fmt: skip
    costs = judge({}, {"commitments": [commitment]}).costs
    assert costs["position"] == pytest.approx(0.1 * 4 + 0.2 * 4)
