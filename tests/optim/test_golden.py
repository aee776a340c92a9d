"""Parity with FlexMeasures on solved cases, where they are at hand beside the checkout."""

import json
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


def laboratory() -> list[dict[str, Any]]:
    """The second file of solved cases: with stored settings, defaults and edges."""
    if FOLDER is None:
        return []
    every = json.loads((FOLDER.parent / "flexmeasures-1.0.1.json").read_text())["cases"]
    return [one for one in every if lab.convertible(one)]


@pytest.mark.parametrize("one", laboratory(), ids=lambda one: f"{one['suite']}: {one['case']}")
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
