"""Forecasts over the API, as FlexMeasures answers them."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from flexedge.domain.asset import Source
from flexedge.domain.belief import Belief
from flexedge.domain.series import Series, TimeGrid
from flexedge.store.archive import Asked
from flexedge.web.api import forecasts, jobs
from flexedge.web.api.op import Rejected, Reply
from tests.web.api.calls import NOW, Platform, platform

TRIGGER = "/api/v3_0/sensors/{id}/forecasts/trigger"
GET = "/api/v3_0/sensors/{id}/forecasts/{uuid}"
QUARTER = timedelta(minutes=15)
START = "2026-04-14T00:00:00+02:00"
USER = Source("ann", "user", account="1")


def day(level: float) -> np.ndarray[Any, Any]:
    return level * (2 + np.sin(2 * np.pi * np.arange(96) / 96))


@pytest.fixture
def here(tmp_path: Path) -> Platform:
    """A load of three weeks up to noon."""
    made = platform(tmp_path)
    every = (*forecasts.operations(made.parts), *jobs.operations(made.parts))
    made.ops = {(op.method, op.path): op for op in every}
    made.sensor("load")
    values = np.tile(day(1.0), 21)[: 21 * 96 - 48]
    save(made, "load", values, NOW - len(values) * QUARTER)
    return made


def save(here: Platform, name: str, values: Any, start: datetime, source: Source = USER) -> None:
    series = Series(TimeGrid(start, QUARTER, len(values)), np.asarray(values, np.float64))
    key = f"{here.asset}/{name}"
    here.parts.beliefs.save([Belief(key, source.name, NOW, series)], source)


def trigger(here: Platform, number: int = 1, **body: Any) -> Reply:
    body = {key.replace("_", "-"): value for key, value in body.items()}
    return here.call("POST", TRIGGER, number, body=body)


def get(here: Platform, uuid: str, number: int = 1) -> Reply:
    return here.call("GET", GET, number, uuid=uuid)


def done(here: Platform, number: int = 1, **body: Any) -> str:
    uuid: str = trigger(here, number, **body).body.job
    here.parts.work.step(NOW)
    return uuid


def test_a_trigger_is_accepted_as_flexmeasures_accepts_it(here: Platform) -> None:
    reply = trigger(here, start=START, duration="P0DT6H0M0S")
    told = reply.body.model_dump(by_alias=True)
    job = told["job"]
    assert reply.status == 202
    assert told == {
        "status": "ACCEPTED", "message": "Request has been accepted for processing.", "job": job,
        "forecast": job, "job-url": f"/api/v3_0/jobs/{job}",
        "results-url": f"/api/v3_0/sensors/1/forecasts/{job}",
    }  # fmt: skip
    waiting = get(here, job)
    assert (waiting.status, waiting.body.model_dump()) == (202, {"status": "QUEUED"})


def test_the_forecast_is_told_and_kept(here: Platform) -> None:
    uuid = done(here, start=START, duration="PT6H", config={"train-period": "P7D"})
    told = get(here, uuid).body.model_dump()
    values = told.pop("values")
    assert told == {"start": START, "duration": "PT6H", "unit": "kW"}
    assert values == pytest.approx(np.roll(day(1.0), -88)[:24], abs=1e-6)  # from 22:00 UTC on
    held = here.parts.beliefs.ask([f"{here.asset}/load"], Asked(()))
    sources = here.parts.state.sources()
    mine = [sources[number].kind == "forecaster" for number in held.source.tolist()]
    assert sum(mine) == 24
    assert held.value[mine] == pytest.approx(values)
    job = here.call("GET", "/api/v3_0/jobs/{uuid}", uuid=uuid).body
    assert (job.status, job.message) == ("FINISHED", "Forecasting job has finished.")
    assert job.result > 0


def test_it_begins_now_if_nothing_else_is_said(here: Platform) -> None:
    told = get(here, done(here)).body
    assert (told.start, told.duration) == ("2026-04-14T14:00:00+02:00", "PT48H")
    assert told.values[:96] == pytest.approx(np.roll(day(1.0), -48), abs=1e-6)


def test_several_viewpoints_know_no_more_than_was_there(here: Platform) -> None:
    key = f"{here.asset}/load"
    midnight = NOW - timedelta(hours=36)
    save(here, "load", day(3.0), midnight)  # more than ever
    uuid = done(here, start=midnight.isoformat(), duration="P2D", max_forecast_horizon="P2D",
                forecast_frequency="P1D")  # fmt: skip
    told = get(here, uuid).body.values
    assert told[:96] == pytest.approx(day(1.0), abs=1e-6)
    assert np.mean(told[96:]) > 1.1 * np.mean(day(1.0))
    held = here.parts.beliefs.ask([key], Asked((), most_recent=False))
    sources = here.parts.state.sources()
    mine = held.take(np.array([sources[n].kind == "forecaster" for n in held.source.tolist()]))
    beliefs = np.unique(mine.belief_us)
    assert np.diff(beliefs).tolist() == [24 * 3600 * 10**6]
    assert [int((mine.belief_us == one).sum()) for one in beliefs] == [192, 96]


def test_quantiles_are_kept_where_they_are_asked_for(here: Platform) -> None:
    done(here, duration="PT3H", probabilistic=True)
    held = here.parts.beliefs.ask([f"{here.asset}/load"], Asked((), start=NOW))
    assert sorted(set(held.probability.tolist())) == [0.1, 0.5, 0.9]


def test_forecasts_are_shaped_as_it_is_asked(here: Platform) -> None:
    config = {"upper": "2500 W", "snap": {"0 kW": ["0 kW", "1.5 kW"]}, "ensure-positive": True}
    values = get(here, done(here, duration="PT24H", config=config)).body.values
    assert max(values) == 2.5
    assert min(values) == 0.0
    assert not any(0 < value < 1.5 for value in values)


def test_regressors_are_learnt_from(here: Platform) -> None:
    rng = np.random.default_rng(4)
    sun = rng.uniform(0, 1, 23 * 96)
    pv, weather = here.sensor("pv"), here.sensor("weather", "")
    begin = NOW - 21 * 96 * QUARTER
    save(here, "pv", 4 * sun[: 21 * 96], begin)
    save(here, "weather", sun, begin, Source("sky", "forecaster"))
    plain = get(here, done(here, pv, duration="PT6H"), pv).body.values
    config = {"future-regressors": [{"sensor": weather, "source-types": ["forecaster"]}]}
    told = get(here, done(here, pv, duration="PT6H", config=config), pv).body.values
    true = 4 * sun[21 * 96 : 21 * 96 + 24]
    assert told == pytest.approx(true, abs=0.05)
    assert np.abs(plain - true).mean() > 0.5


def test_other_sensors_can_take_the_forecast(here: Platform) -> None:
    save_to, odd = here.sensor("expected"), here.sensor("odd", "MW")
    done(here, duration="PT1H", sensor_to_save=save_to)
    assert len(here.parts.beliefs.ask([f"{here.asset}/expected"], Asked(()))) == 4
    with pytest.raises(Rejected) as raised:
        trigger(here, sensor_to_save=odd)
    assert raised.value.told == {
        "json": {"sensor-to-save": ["needs the unit and resolution of the sensor"]}
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"start": START, "end": START}, "start"),
        ({"duration": "PT6H", "max-forecast-horizon": "PT3H"}, "max-forecast-horizon"),
        ({"max-forecast-horizon": "P9D"}, "max-forecast-horizon"),
        ({"forecast-frequency": "PT7M"}, "forecast-frequency"),
        ({"start": START, "end": "2026-04-15T00:00:00+02:00", "duration": "P1D"}, "duration"),
        ({"config": {"lower": "2 kW", "upper": "1 kW"}}, "config.lower"),
        ({"config": {"lower": "some"}}, "config.lower"),
        ({"config": {"snap": {"9 kW": ["0 kW", "4 kW"]}}}, "config.snap"),
        ({"duration": "P366D"}, "duration"),
    ],
)
def test_what_is_wrong_is_said_at_once(here: Platform, body: Any, field: str) -> None:
    if field == "duration" and "start" not in body:
        body = body | {"max-forecast-horizon": "P1D", "forecast-frequency": "PT15M"}
    with pytest.raises(Rejected) as raised:
        here.call("POST", TRIGGER, 1, body=body)
    assert raised.value.status == 422
    assert list(raised.value.told["json"]) == [field]  # type: ignore[index]


def test_unknown_settings_are_refused(here: Platform) -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        trigger(here, config={"no-such": 1})
    with pytest.raises(ValidationError, match="greater_than_equal"):
        trigger(here, config={"train-period": "P1D"})


def test_a_past_with_too_many_gaps_fails(here: Platform) -> None:
    uuid = done(here, config={"missing-threshold": 0.1, "train-period": "P60D"})
    reply = get(here, uuid)
    assert (reply.status, reply.body.status) == (422, "FAILED")
    job = here.parts.work.job(uuid)
    assert job is not None
    assert "66% of the past of sensor 1 are missing" in str(job.error)


def test_jobs_of_others_are_not_told(here: Platform) -> None:
    uuid = done(here)
    other = here.sensor("other")
    for number, job in ((other, uuid), (1, "no-job")):
        with pytest.raises(Rejected) as raised:
            get(here, job, number)
        assert raised.value.status == 422
