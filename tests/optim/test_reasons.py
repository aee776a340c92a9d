"""Why, in numbers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from flexedge.domain.series import TimeGrid
from flexedge.optim.device import Device, Storage
from flexedge.optim.market import Connection, Market
from flexedge.optim.problem import Problem
from flexedge.optim.reasons import reasons
from flexedge.optim.solve import solve

START = datetime(2026, 11, 24, tzinfo=UTC)
PRICES = np.array([0.10, 0.12, 0.20, 0.50])


def problem(**kw: Any) -> Problem:
    battery = Device(
        "battery", np.full(4, -2.0), np.full(4, 2.0), Storage("battery", 0.0, 0.0, 2.0)
    )
    market = Market(np.full(4, 1.0), PRICES, PRICES - 0.05, Connection(**kw))
    return Problem(TimeGrid(START, timedelta(hours=1), 4), (battery,), (market,))


def test_each_step_tells_what_energy_is_worth_and_what_would_be_next_best() -> None:
    asked = problem()
    told = reasons(asked, solve(asked, timedelta(seconds=20)))
    charging, *_, giving = told.steps
    assert charging.energy_value == pytest.approx(0.10, abs=1e-3)
    (other,) = charging.alternatives
    assert (other.device, other.start) == ("battery", START + timedelta(hours=1))
    assert other.extra_cost == pytest.approx(0.02, abs=1e-3)
    assert giving.alternatives[0].start == START + timedelta(hours=2)
    assert (
        "the next best time for the battery is 2026-11-24T01:00:00+00:00, for 0.02"
        in charging.sentence("EUR")
    )
    assert [one.name for one in told.references] == ["do nothing", "own PV first"]


def test_limits_that_bind_have_a_price() -> None:
    asked = problem(power_capacity_kw=2.0)
    told = reasons(asked, solve(asked, timedelta(seconds=20)))
    (bound,) = [one for one in told.steps[0].bounds if one.limit == "site-power-capacity"]
    assert bound.unit == "kW"
    assert bound.price > 0.015  # it is charged an hour later instead, or not at all
    assert "binding: " in told.steps[0].sentence("EUR")
