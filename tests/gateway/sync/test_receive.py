"""What comes from a centre is asked for as said, and believed only where it can be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from flexedge.config.coming import Coming
from flexedge.domain.runs import Run
from flexedge.gateway.sync.receive import asked, believable

NOW = datetime(2026, 4, 14, 12, 7, tzinfo=UTC)
NOON = NOW.replace(minute=0)
QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
LIMIT = Coming("main", 7, "kW", QUARTER, QUARTER, QUARTER, 2 * HOUR, (-5.0, 20.0))
GRID = asked(LIMIT, NOW)
"""From 11:00 to 15:00."""


def run(*values: float | None, start: datetime = GRID.start, step: timedelta = QUARTER,
        unit: str = "kW") -> Run:  # fmt: skip
    return Run(start, step, values, unit)


def test_asked_for_are_whole_hours() -> None:
    assert (GRID.start, GRID.end, GRID.n) == (NOON - HOUR, NOON + 3 * HOUR, 16)
    daily = asked(replace(LIMIT, resolution=24 * HOUR, back=30 * HOUR, ahead=40 * HOUR), NOW)
    assert daily.start <= NOW - 30 * HOUR
    assert daily.end >= NOW + 40 * HOUR


def test_gaps_stay_gaps() -> None:
    values, wrong, trouble = believable(run(1.0, None, 3.0), LIMIT, GRID)
    assert values[[0, 2]].tolist() == [1.0, 3.0]
    assert np.isnan(np.delete(values, [0, 2])).all()
    assert (wrong, trouble) == (0, "")


def test_only_what_was_asked_for_is_taken() -> None:
    early = believable(run(*map(float, range(20)), start=GRID.start - 2 * QUARTER), LIMIT, GRID)
    assert early[0].tolist() == [float(i) for i in range(2, 18)]
    late = believable(run(1.0, 2.0, 3.0, start=GRID.end - QUARTER), LIMIT, GRID)
    assert late[0][-1] == 1.0
    assert np.isnan(late[0][:-1]).all()
    many = believable(run(*[1.0] * 1_000_000), LIMIT, GRID)
    assert many[0].tolist() == [1.0] * GRID.n
    for far in (GRID.start - 10_000 * HOUR, GRID.start + 10_000 * HOUR):
        assert np.isnan(believable(run(1.0, 2.0, start=far), LIMIT, GRID)[0]).all()


@pytest.mark.parametrize("value", [-5.5, 20.5, np.inf, -np.inf, 1e300])
def test_what_cannot_be_is_left_out_and_told(value: float) -> None:
    values, wrong, trouble = believable(run(-5.0, value, 20.0), LIMIT, GRID)
    assert values[[0, 2]].tolist() == [-5.0, 20.0]
    assert np.isnan(values[1])
    assert wrong == 1
    assert trouble.startswith("1 of 3 values are not believed, as ")
    assert trouble.endswith("kW: it should be from -5 to 20")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (run(1.0, unit="MW"), "it is in 'MW', not in 'kW'"),
        (run(1.0, step=HOUR), "its values are 1:00:00 apart, not 0:15:00"),
        (run(1.0, start=NOW), "it begins at 2026-04-14T12:07:00+00:00, between two steps"),
    ],
)
def test_an_answer_to_another_question_is_not_believed(answer: Run, why: str) -> None:
    values, wrong, trouble = believable(answer, LIMIT, GRID)
    assert np.isnan(values).all()
    assert (wrong, trouble) == (1, f"the answer is not believed: {why}")


def test_no_values_are_no_trouble() -> None:
    values, wrong, trouble = believable(run(unit=""), LIMIT, GRID)
    assert np.isnan(values).all()
    assert (wrong, trouble) == (0, "")
