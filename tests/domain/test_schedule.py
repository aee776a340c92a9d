"""Outcomes are told apart by their type and hold what was asked."""

from datetime import UTC, datetime, timedelta

import numpy as np

from flexedge.domain.schedule import Applied, Clamped, Outcome, Released, Schedule, Setpoint
from flexedge.domain.series import Series, TimeGrid

NOW = datetime(2025, 6, 1, tzinfo=UTC)


def test_a_schedule_without_storage_has_no_state_of_charge() -> None:
    power = Series(TimeGrid(NOW, timedelta(minutes=15), 2), np.array([1.0, 2.0]))
    assert Schedule("solar", power).soc_kwh is None


def test_what_is_applied_is_not_yet_verified() -> None:
    outcomes: list[Outcome] = [Applied(2.0), Clamped(1.0, 2.0, ("site limit",)), Released("stop")]
    said = [getattr(outcome, "verified", None) for outcome in outcomes]
    assert said == [False, False, None]


def test_setpoints_are_compared_by_value() -> None:
    assert Setpoint(1.0, NOW, "plan") == Setpoint(1.0, NOW, "plan")
