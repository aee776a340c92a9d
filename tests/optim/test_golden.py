"""Parity with FlexMeasures on solved cases, where they are at hand beside the checkout."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flexedge.optim.request.solve import solve_file
from tests.optim import lab

LIMIT = timedelta(seconds=60)


def _folder() -> Path | None:
    here = Path(__file__).resolve()
    found = (parent / "shared" / "golden" / "cases" for parent in here.parents)
    return next((folder for folder in found if folder.is_dir()), None)


FOLDER = _folder()
CASES = [] if FOLDER is None else sorted(FOLDER.glob("*.json"))


@pytest.fixture(params=CASES, ids=lambda path: str(path.stem))
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    """One solved case."""
    data: dict[str, Any] = json.loads(request.param.read_text())
    return data


@pytest.mark.skipif(FOLDER is None, reason="no solved cases beside this checkout")
def test_there_are_cases() -> None:
    assert len(CASES) >= 20


def test_each_commitment_costs_what_it_costs_with_flexmeasures(case: dict[str, Any]) -> None:
    result = case["result"]
    answer = solve_file(case, LIMIT, compat="flexmeasures-1.0")
    theirs = result["flexmeasures-commitment-costs"]
    assert set(answer["commitment-costs"]) == set(theirs)
    assert answer["cost"] == pytest.approx(result["flexmeasures-cost"], rel=1e-5, abs=1e-8)
    assert answer["objective"] == pytest.approx(
        result["flexmeasures-objective"], rel=1e-5, abs=1e-8
    )
    assert answer["status"] == "optimal"


def test_outputs_have_the_shape_of_those_of_flexmeasures(case: dict[str, Any]) -> None:
    outputs = solve_file(case, LIMIT, compat="flexmeasures-1.0")["outputs"]
    assert set(outputs) == set(case["outputs"])
    for name, theirs in case["outputs"].items():
        ours = outputs[name]
        assert {key: ours.get(key) for key in ("start", "resolution", "unit", "sign")} == {
            key: theirs.get(key) for key in ("start", "resolution", "unit", "sign")
        }
        assert len(ours["values"]) == len(theirs["values"])


def laboratory(wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Cases of the second file: with stored settings, defaults and edges."""
    if FOLDER is None:
        return []
    every = json.loads((FOLDER.parent / "flexmeasures-1.0.1.json").read_text())["cases"]
    return [one for one in every if wanted(one)]


def label(one: dict[str, Any]) -> str:
    return f"{one['suite']}: {one['case']}"


@pytest.mark.parametrize("one", laboratory(lab.convertible), ids=label)
def test_the_laboratory_costs_what_it_costs_with_flexmeasures(one: dict[str, Any]) -> None:
    solved = lab.golden_format(one)
    answer = solve_file(solved, LIMIT, compat="flexmeasures-1.0")
    paid = [cost for name, cost in solved["costs"].items() if not name.startswith("prefer")]
    assert answer["cost"] == pytest.approx(sum(paid), rel=1e-5, abs=1e-6)


def test_without_compat_only_penalties_for_missed_energy_differ(case: dict[str, Any]) -> None:
    answer = solve_file(case, LIMIT)
    theirs = case["result"]["flexmeasures-commitment-costs"]
    for name, cost in theirs.items():
        if cost and not name.startswith(("any soc", "all soc", "prefer")):
            assert answer["commitment-costs"][name] == pytest.approx(cost, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("one", laboratory(lab.a_process), ids=label)
def test_processes_run_when_they_run_with_flexmeasures(one: dict[str, Any]) -> None:
    solved = lab.golden_format(one)
    ((name, theirs),) = solved["outputs"].items()
    ours = solve_file(solved, LIMIT, compat="flexmeasures-1.0")["outputs"][name]
    assert ours["values"] == theirs["values"]
    assert (ours["start"], ours["unit"]) == (theirs["start"], "kW")


INSTEAD = {
    # case: cost, breach, first power in kW; see docs/flexmeasures.md
    "start below soc-min": (287.8, "17 soc-min is missed from 00:00 to 00:15", 7.4),
    "start below soc-min unreachable": (9801.3, "17 soc-min is missed from 00:00 to 01:45", 7.4),
    "V2G start 12 below soc-min 15": (518.692296, "25 soc-min is missed from 10:35 to 11:00", 7.4),
    "start 2026-11-24T08:07+01:00": (-0.237171, None, 0.0),
    "start 2026-11-24T08:07:31.123+01:00": (-0.237171, None, 0.0),
    "start misaligned 5 min res": (-0.237171, None, 0.0),
    "2361 single entry no sensor": (-0.4, None, -2.0),
    "no soc-at-start, soc-min 1": (125.1, "31 soc-min is missed from 00:00 to 00:15", 2.0),
}
"""What is planned where FlexMeasures gives up."""


@pytest.mark.skipif(FOLDER is None, reason="no solved cases beside this checkout")
def test_there_is_an_answer_for_each_problem_that_flexmeasures_gives_up() -> None:
    assert {one["case"] for one in laboratory(lab.failed)} == INSTEAD.keys()


@pytest.mark.parametrize("one", laboratory(lab.failed), ids=label)
def test_where_flexmeasures_gives_up_there_is_a_plan(one: dict[str, Any]) -> None:
    cost, breach, power = INSTEAD[one["case"]]
    answer = solve_file(lab.golden_format(one), LIMIT, compat="flexmeasures-1.0")
    first = next(out for out in answer["outputs"].values() if "sign" in out)
    assert answer["status"] == "optimal"
    assert answer["cost"] == pytest.approx(cost, rel=1e-6)
    assert first["values"][0] == pytest.approx(power)
    assert [said.partition(" by ")[0] for said in answer["breaches"]] == (
        [breach] if breach else []
    )
