"""What is wrong with numbers, in words (by field: see test_problem.py)."""

import numpy as np
import pytest

from flexedge.optim.validity import of_amount


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        (None, None),
        (1.0, None),
        (np.ones(3), None),
        (np.ones(2), "should be a number or 3 of them"),
        (np.array(["x"] * 3), "should be a number or 3 of them"),
        (float("inf"), "is not a finite number"),
        (np.array([1, np.nan, 1]), "is not a finite number in step 1"),
        (-1.0, "should be at least 0, not -1"),
    ],
)
def test_amounts(amount: float | None, told: str | None) -> None:
    found = of_amount(amount, 3, at_least=0.0)
    assert found is None if told is None else found is not None and found.startswith(told)


def test_limits_may_be_infinite() -> None:
    assert of_amount(np.array([np.inf, 1.0]), 2, infinite=True) is None
    assert of_amount(np.array([np.nan, 1.0]), 2, infinite=True) == "is not a number in step 0"
