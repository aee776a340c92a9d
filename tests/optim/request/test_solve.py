"""A file in, an answer out."""

import json

import pytest

from flexedge.errors import BadField
from flexedge.optim.request.solve import solve_file
from tests.optim.request.asking import BATTERY, LIMIT, problem


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
