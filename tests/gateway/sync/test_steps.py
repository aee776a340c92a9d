from dataclasses import FrozenInstanceError
from typing import get_args

import pytest

from flexedge.gateway.sync.steps import SameName, Step, Way


def test_a_step_is_a_plain_value() -> None:
    step = Step("sensor", 3, "forecast", "Home / power forecast", "power forecast", "make")
    assert (step.central_id, step.notes) == (None, ())
    with pytest.raises(FrozenInstanceError):
        step.central_id = 7  # type: ignore[misc]


def test_what_may_be_asked_is_what_can_be_done() -> None:
    assert set(get_args(SameName)) == {"ask", "adopt", "take-over", "beside"}
    assert set(get_args(Way)) == {"have", "find", "make", "ask", "leave"}
