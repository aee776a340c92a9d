import pytest
from pydantic import ValidationError

from flexedge.wire.problem import Failed, Problem


def test_a_problem_has_a_message_a_status_and_more() -> None:
    told = {"message": {"json": {"a": ["No."]}}, "status": "X", "result": "Rejected", "reason": 1}
    assert Problem.model_validate(told).model_dump() == told
    with pytest.raises(ValidationError):
        Problem.model_validate({"message": "x"})


def test_a_failure_says_nothing_of_the_inside() -> None:
    assert list(Failed.model_fields) == ["message"]
