"""Requests for forecasts, understood."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flexedge.errors import BadField
from flexedge.gateway.service.forecasts import FORECASTER, Forecasts
from flexedge.store.archive import Asked
from tests.gateway.service.cases import LONG_AGO, NOW, Planning, planning

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def here(tmp_path: Path) -> Planning:
    return planning(tmp_path)


def load(here: Planning, step: timedelta = HOUR) -> int:
    """Ten days of a ramp in each day."""
    number = here.sensor(here.asset(), "load", step=step)
    here.save(number, list(range(24)) * 10, START, HOUR, at=LONG_AGO)
    return number


def made(here: Planning, number: int, **request: Any) -> dict[str, Any]:
    request = {key.replace("_", "-"): value for key, value in request.items()}
    asked = Forecasts(here.state, here.beliefs, here.work).ask(number, request, NOW)
    here.work.step(NOW)
    job = here.work.job(asked.id)
    assert job is not None
    assert job.result is not None, job.error
    return job.result


def test_a_forecast_says_how_it_was_made_and_how_far_that_was_off(here: Planning) -> None:
    number = load(here)
    told = made(here, number, start=(START + 10 * DAY).isoformat(), duration="PT24H")
    assert told["values"] == pytest.approx(list(range(24)), abs=1e-6)
    assert told["ways"][0][0] in {"yesterday", "last week", "profile"}
    assert told["errors"][0][0]["yesterday"] == 0
    assert here.state.sources()[told["source"]] == FORECASTER


def test_what_lies_beyond_what_is_known_is_looked_over(here: Planning) -> None:
    number = load(here)
    told = made(here, number, start=(NOW + 6 * HOUR).isoformat(), duration="PT3H",
                config={"train-period": "P10D"})  # fmt: skip
    assert told["start"] == (NOW + 6 * HOUR).isoformat()
    held = here.beliefs.ask([here.state.placed.get(number).key], Asked((), start=NOW))  # type: ignore[union-attr]
    assert len(held) == 3
    assert set(held.belief_us.tolist()) == {int(NOW.timestamp() * 1e6)}  # not of the future


def test_the_same_request_now_is_the_same_job_but_not_later(here: Planning) -> None:
    number = load(here)
    forecasts = Forecasts(here.state, here.beliefs, here.work)
    first, again, later = (
        forecasts.ask(number, {}, at).id for at in (NOW, NOW + HOUR / 2, NOW + HOUR)
    )
    assert first == again != later


def test_sensors_of_instants_and_odd_steps_are_refused(here: Planning) -> None:
    forecasts, asset = Forecasts(here.state, here.beliefs, here.work), here.asset()
    for step in (timedelta(0), timedelta(minutes=7)):
        number = here.sensor(asset, f"every {step}", step=step)
        with pytest.raises(BadField, match="last a part of a day"):
            forecasts.ask(number, {}, NOW)
    with pytest.raises(BadField, match="No sensor found with ID 99"):
        forecasts.ask(99, {}, NOW)


def test_a_past_of_nothing_fails_with_what_to_do(here: Planning) -> None:
    number = here.sensor(here.asset(), "load", step=HOUR)
    asked = Forecasts(here.state, here.beliefs, here.work).ask(number, {}, NOW)
    here.work.step(NOW)
    job = here.work.job(asked.id)
    assert job is not None
    assert "nothing is known of sensor 1" in str(job.error)
    assert "post data first" in str(job.error)


def test_a_sum_of_bounds_in_other_units(here: Planning) -> None:
    number = load(here)
    told = made(here, number, start=(START + 10 * DAY).isoformat(), duration="PT24H",
                config={"lower": 3, "upper": "9000 W"})  # fmt: skip
    assert np.array(told["values"]) == pytest.approx(np.clip(np.arange(24), 3, 9), abs=1e-6)
