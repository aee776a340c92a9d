"""Schedules out of what is stored: as FlexMeasures plans them, and better where it fails."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flexedge.domain.asset import Source
from flexedge.errors import BadField
from flexedge.gateway.service.packed import unpack
from flexedge.store.archive import Asked
from flexedge.store.tables.jobs import Job
from tests.gateway.service.cases import (
    LONG_AGO,
    NOW,
    Planning,
    every,
    folder,
    numbered,
    planning,
    put_in,
    read,
)

START = "2026-04-14T12:00:00+02:00"
AT = datetime(2026, 4, 14, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
PRICE = {"consumption-price": "0.30 EUR/kWh", "production-price": "0.10 EUR/kWh"}
BATTERY = {"soc-at-start": "5 kWh", "soc-max": "10 kWh", "soc-min": "0 kWh",
           "power-capacity": "2 kW"}  # fmt: skip


@pytest.fixture
def here(tmp_path: Path) -> Planning:
    return planning(tmp_path)


def values(job: Job, number: int) -> list[float]:
    assert job.status == "finished", job.error
    assert job.result is not None
    told: list[float] = job.result["outputs"][str(number)]["values"]
    return told


def told(job: Job) -> Any:
    assert job.result is not None, job.error
    return unpack(job.result["plan"])


@pytest.mark.skipif(folder() is None, reason="no solved cases beside this checkout")
def test_there_are_cases() -> None:
    assert len(every()) >= 20


@pytest.mark.parametrize("path", every(), ids=lambda path: str(path.stem))
def test_solved_cases_cost_the_same_out_of_the_store(here: Planning, path: Path) -> None:
    case = read(path)
    site, numbers = put_in(here, case)
    job = here.plan(site, numbered(case["request"], numbers))
    assert job.status == "finished", job.error
    result = case["result"]
    costs = (job.result or {})["commitment-costs"]
    assert set(costs) == set(result["flexmeasures-commitment-costs"])
    assert sum(costs.values()) == pytest.approx(
        result["flexmeasures-objective"], rel=1e-5, abs=1e-8
    )
    assert told(job)["cost"] == pytest.approx(result["flexmeasures-cost"], rel=1e-5, abs=1e-8)
    for name, theirs in case["outputs"].items():
        assert len(values(job, numbers[name])) == len(theirs["values"])


def battery(here: Planning, **stored: Any) -> tuple[int, int, int]:
    """A site, a battery below it, and its power sensor."""
    site = here.asset(flex_context=PRICE)
    asset = here.asset("battery", "battery", parent_id=site, flex_model=stored)
    return site, asset, here.sensor(asset, "power", step=HOUR)


def test_what_is_stored_is_enough(here: Planning) -> None:
    site = here.asset(flex_context=PRICE)
    asset = here.asset("battery", "battery", parent_id=site)
    power, soc = here.sensor(asset, "power", step=HOUR), here.sensor(asset, "soc", "kWh", HOUR * 0)
    stored = here.state.assets.get(asset)
    assert stored is not None
    model = {**BATTERY, "consumption": {"sensor": power}, "state-of-charge": {"sensor": soc}}
    del model["soc-at-start"]
    here.state.assets.change(asset, type(stored)("battery", "battery", site, flex_model=model))
    here.save(soc, [4.0], AT - timedelta(minutes=10), HOUR)
    job = here.plan(site, {"start": START, "duration": "PT3H"})
    assert sorted(values(job, power)) == [-2.0, -2.0, 0.0]  # all of the 4 kWh that were measured
    assert len(values(job, soc)) == 13
    assert values(job, soc)[-1] == pytest.approx(0)


def test_what_is_sent_wins_over_what_is_stored(here: Planning) -> None:
    _, asset, power = battery(here, **BATTERY)
    sent = {"sensor": power, "power-capacity": "1 kW"}
    job = here.plan(asset, {"start": START, "duration": "PT2H", "flex-model": [sent]})
    assert values(job, power) == [-1.0, -1.0]


def test_powers_are_stored_with_the_sign_of_their_sensor(here: Planning) -> None:
    _, asset, power = battery(here, **BATTERY)
    other = here.sensor(asset, "grid side", step=HOUR, attributes={"consumption_is_positive": True})
    for number, sign in ((power, 1), (other, -1)):
        here.plan(asset, {"start": START, "duration": "PT1H", "flex-model": [{"sensor": number}]})
        placed = here.state.placed.get(number)
        assert placed is not None
        held = here.beliefs.ask([placed.key], Asked(()))
        assert held.value.tolist() == [2.0 * sign]
        assert here.state.sources()[int(held.source[0])] == Source(
            "flexedge-asked", "scheduler", "StorageScheduler"
        )


def test_an_output_for_consumption_says_that_it_is_one(here: Planning) -> None:
    _, asset, power = battery(here, **BATTERY)
    entry = {"asset": asset, "consumption": {"sensor": power}}
    here.plan(asset, {"start": START, "duration": "PT1H", "flex-model": [entry]})
    placed = here.state.placed.get(power)
    assert placed is not None
    assert placed.attributes == {"consumption_is_positive": True}
    assert here.beliefs.ask([placed.key], Asked(())).value.tolist() == [-2.0]


def test_only_what_was_believed_before_counts_where_that_is_asked(here: Planning) -> None:
    site, asset, power = battery(here, **BATTERY)
    price = here.sensor(site, "price", "EUR/kWh", HOUR)
    here.save(price, [0.1, 0.5], AT, HOUR)
    here.save(price, [0.5, 0.1], AT, HOUR, at=AT - HOUR)
    body = {"start": START, "duration": "PT2H", "flex-model": [{"sensor": power, **BATTERY,
            "soc-at-start": "2 kWh"}],
            "flex-context": {f"{way}-price": {"sensor": price}
                             for way in ("consumption", "production")},
            }  # fmt: skip
    now = here.plan(asset, body)
    then = here.plan(asset, {**body, "prior": (AT - 2 * HOUR).isoformat()})
    assert values(now, power)[0] == -2.0
    assert values(then, power)[1] == -2.0
    held = here.beliefs.ask([f"{asset}/power"], Asked((), most_recent=False))
    assert len(set(held.belief_us.tolist())) == 2


def test_whose_word_counts_can_be_said_by_name_number_or_kind(here: Planning) -> None:
    site, asset, power = battery(here, **BATTERY)
    price = here.sensor(site, "price", "EUR/kWh", HOUR)
    market, guess = Source("market", "user"), Source("guess", "forecaster")
    here.save(price, [0.9, 0.2], AT, HOUR, market, LONG_AGO)
    here.save(price, [0.1, 0.8], AT, HOUR, guess, NOW)
    number = here.beliefs.source(market)
    entry = {"sensor": power, **BATTERY, "soc-at-start": "2 kWh"}
    for filters, first in (
        ({}, 0.0), ({"source": "market"}, -2.0), ({"sources": [number]}, -2.0),
        ({"exclude-source-types": ["forecaster"]}, -2.0), ({"source-types": ["forecaster"]}, 0.0),
    ):  # fmt: skip
        price_of = {"sensor": price, **filters}
        context = {"consumption-price": price_of, "production-price": price_of}
        body = {"start": START, "duration": "PT2H", "flex-model": [entry], "flex-context": context}
        assert values(here.plan(asset, body), power)[0] == pytest.approx(first), filters


def test_the_same_request_gives_the_same_job_for_an_hour(here: Planning) -> None:
    _, asset, power = battery(here, **BATTERY)
    body = {"start": START, "duration": "PT2H", "flex-model": [{"sensor": power}]}
    first = here.plan(asset, body)
    assert here.schedules.ask(asset, None, body).id == first.id
    assert here.schedules.ask(asset, None, body, anew=True).id != first.id
    later = {**body, "start": "2026-04-14T13:00:00+02:00"}
    assert here.schedules.ask(asset, None, later).id != first.id


def test_one_device_after_the_other_ends_in_a_plan(here: Planning) -> None:
    site, _, power = battery(here, **BATTERY)
    second = here.sensor(here.asset("other", "battery", parent_id=site), "power", step=HOUR)
    body = {"start": START, "duration": "PT2H", "sequential": True,
            "flex-model": [{"sensor": power}, {"sensor": second, **BATTERY}]}  # fmt: skip
    job = here.plan(site, body)
    assert values(job, power) == values(job, second) == [-2.0, -2.0]


def test_a_process_is_placed_as_by_flexmeasures(here: Planning) -> None:
    site = here.asset()
    price = here.sensor(site, "price", "EUR/kWh", HOUR)
    here.save(price, [3.0, 1.0, 2.0, 4.0], AT, HOUR)
    asset = here.asset("washing machine", "process", parent_id=site)
    power = here.sensor(asset, "power", step=HOUR)
    entry = {"sensor": power, "power": 2, "duration": "PT2H", "process-type": "SHIFTABLE"}
    body = {"start": START, "duration": "PT4H", "flex-model": [entry],
            "flex-context": {"consumption-price": {"sensor": price}}}  # fmt: skip
    job = here.plan(asset, body)
    assert values(job, power) == [0, 2, 2, 0]
    assert (job.result or {})["scheduler"] == "ProcessScheduler"
    del entry["sensor"]
    one = here.plan(asset, {**body, "flex-model": entry}, power)
    assert values(one, power) == [0, 2, 2, 0]


@pytest.mark.parametrize("named", ["StorageScheduler", {"class": "StorageScheduler"}])
def test_flexmeasures_own_schedulers_can_be_named(here: Planning, named: Any) -> None:
    _, asset, power = battery(here, **BATTERY)
    stored = here.state.assets.get(asset)
    assert stored is not None
    change = type(stored)(
        "battery", "battery", stored.parent_id, flex_model=BATTERY,
        attributes={"custom-scheduler": named},
    )  # fmt: skip
    here.state.assets.change(asset, change)
    body = {"start": START, "duration": "PT1H", "flex-model": [{"sensor": power}]}
    assert here.plan(asset, body).status == "finished"


def test_other_schedulers_are_refused(here: Planning) -> None:
    asset = here.asset("x", "battery", attributes={"custom-scheduler": {"class": "Mine"}})
    with pytest.raises(BadField, match="there is no scheduler 'Mine' here"):
        here.schedules.ask(asset, None, {"start": START})


def test_a_battery_outside_its_band_is_planned_and_said(here: Planning) -> None:
    _, asset, power = battery(here)
    entry = {"sensor": power, **BATTERY, "soc-at-start": "1 kWh", "soc-min": "4 kWh"}
    job = here.plan(asset, {"start": START, "duration": "PT3H", "flex-model": [entry]})
    assert values(job, power)[0] == 2.0
    assert (job.result or {})["unresolved"][0]["asset"] == asset


def test_a_plan_that_waits_survives_a_restart(here: Planning) -> None:
    _, asset, power = battery(here, **BATTERY)
    body = {"start": START, "duration": "PT2H", "flex-model": [{"sensor": power}]}
    uuid = here.schedules.ask(asset, None, body).id
    work = type(here.work)(here.state.jobs, {}, lambda: NOW)
    type(here.schedules)(here.state, here.beliefs, work)
    work.step(NOW)
    job = work.job(uuid)
    assert job is not None
    assert values(job, power) == [-2.0, -2.0]
