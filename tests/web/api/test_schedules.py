"""Triggers and schedules, as FlexMeasures answers them."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flexedge.domain.rights import Caller
from flexedge.store.tables.accounts import Account
from flexedge.store.tables.assets import Asset
from flexedge.web.api.op import Rejected
from tests.web.api.toy import MORNING, OF_SENSOR, SCHEDULE, TRIGGER, TWO_CYCLES, WHOLE, Toy, toy

NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def here(tmp_path: Path) -> Toy:
    return toy(tmp_path)


def refused(here: Toy, body: dict[str, Any], path: str = TRIGGER) -> Rejected:
    number = here.here.asset if path == TRIGGER else here.power
    with pytest.raises(Rejected) as raised:
        here.here.call("POST", path, number, body=body)
    return raised.value


def test_a_trigger_is_accepted_as_flexmeasures_accepts_it(here: Toy) -> None:
    reply = here.here.call("POST", TRIGGER, here.here.asset, body=here.body())
    told = reply.body.model_dump(by_alias=True)
    job = told["job"]
    assert reply.status == 202
    assert told == {
        "job": job, "job-url": f"/api/v3_0/jobs/{job}", "schedule": job, "status": "ACCEPTED",
        "message": "Request has been accepted for processing.",
    }  # fmt: skip


def test_the_toy_battery_is_planned_as_by_flexmeasures(here: Toy) -> None:
    uuid = here.ask()
    waiting = here.get(uuid, duration="PT12H")
    assert waiting.status == 202
    assert waiting.body.model_dump() == {
        "status": "QUEUED", "message": "Scheduling job waiting to be processed.  was used."
    }  # fmt: skip
    here.work()
    reply = here.get(uuid, duration="PT12H")
    told = reply.body.model_dump()
    assert reply.status == 200
    assert told["values"] == pytest.approx(TWO_CYCLES, abs=1e-4)
    costs = told["scheduler_info"].pop("commitment_costs")
    assert costs["electricity net energy"] == pytest.approx(-4.655136, abs=1e-5)
    assert {key: told[key] for key in told if key != "values"} == {
        "start": MORNING, "duration": "PT12H", "unit": "kW", "status": "PROCESSED",
        "message": "Request has been processed. StorageScheduler was used.",
        "scheduler_info": {"scheduler": "StorageScheduler"},
    }  # fmt: skip


def test_six_hours_are_told_if_nothing_else_is_asked(here: Toy) -> None:
    told = here.get(here.plan(here.body(duration="PT60H"))).body
    assert (told.duration, len(told.values)) == ("PT6H", 24)


def test_two_days_are_told_at_most(here: Toy) -> None:
    told = here.get(here.plan(here.body(duration="PT60H")), duration="P3D").body
    assert (told.duration, len(told.values)) == ("PT48H", 192)


def test_units_and_signs_are_turned_as_it_is_asked(here: Toy) -> None:
    uuid = here.plan()
    first = [here.get(uuid, duration="PT2H", sign_convention=sign, unit="MW").body.values[7]
             for sign in ("consumption-positive", "production-positive", "wysiwyg")]  # fmt: skip
    assert first == pytest.approx([-0.5, 0.5, 0.5])
    assert here.get(uuid, duration="PT2H", unit="kWh").body.values[7] == pytest.approx(-125)
    with pytest.raises(Rejected) as raised:
        here.get(uuid, unit="EUR")
    assert raised.value.told == {"unit": ["Incompatible units: kW cannot be converted to EUR."]}


def test_the_stock_is_told_at_both_ends_and_never_turned(here: Toy) -> None:
    uuid = here.plan()
    told = here.get(uuid, here.soc, duration="PT12H", sign_convention="production-positive").body
    assert (len(told.values), told.values[0], told.values[-1]) == (49, 225.0, pytest.approx(50))
    assert (told.duration, told.unit) == ("PT12H", "kWh")


def test_a_trigger_for_a_sensor_is_answered_with_where_to_look(here: Toy) -> None:
    body = here.body()
    body["flex-model"] = {k: v for k, v in body["flex-model"][0].items() if k != "sensor"}
    reply = here.here.call("POST", OF_SENSOR, here.power, body=body)
    assert reply.body.results_url == f"/api/v3_0/sensors/{here.power}/schedules/{reply.body.job}"
    assert reply.headers["Link"].startswith(f"</api/v3_0/assets/{here.here.asset}/schedules")
    here.work()
    values = here.get(reply.body.job, duration="PT12H").body.values
    assert values == pytest.approx(TWO_CYCLES, abs=1e-4)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"start": "2026-04-14T07:00:00"}, {"start": ["Not a valid aware datetime."]}),
        ({"prior": "yesterday"}, {"prior": ["Not a valid aware datetime."]}),
        ({"flex-model": [{"soc-at-start": "2 kWh", "no-such-field": 1, "sensor": 1}]},
         {"json": {"no-such-field": ["Unknown field."]}}),
        ({"flex-model": [{"soc_at_strat": "2 kWh", "sensor": 1}]},
         {"json": {"soc_at_strat": ["Unknown field. Did you mean 'soc-at-start'?"]}}),
        ({"flex-model": [{"sensor": 999}]}, {"json": {"sensor": ["there is no sensor '999'"]}}),
        ({"flex-model": None}, {"json": {"flex-model": [
            "is missing: neither is one sent, nor is one stored with the asset or one below it"]}}),
        ({"duration": "PT9000H"},
         {"json": {"duration": ["is 36000 steps of 0:15:00: 2520 at most"]}}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_once(here: Toy, change: Any, told: Any) -> None:
    error = refused(here, here.body(**change))
    assert (error.status, error.code, error.told) == (422, "UNPROCESSABLE_ENTITY", told)


def test_a_schedule_that_is_not_there_is_told_as_by_flexmeasures(here: Toy) -> None:
    with pytest.raises(Rejected) as raised:
        here.get(NOBODY)
    assert (raised.value.status, raised.value.code, raised.value.told) == (
        400, "UNRECOGNIZED_UDI_EVENT",
        f"The requested UDI event (id = {NOBODY}, type = job) is not known.",
    )  # fmt: skip
    with pytest.raises(Rejected) as raised:
        here.get(here.plan(), here.price)
    assert (raised.value.status, raised.value.code) == (400, "UNKNOWN_SCHEDULE")


def test_a_plan_that_cannot_keep_hard_limits_is_none(here: Toy) -> None:
    body = here.body(context={"relax-constraints": False}, duration="PT3H")
    body["flex-model"][0] |= {
        "soc-targets": [{"datetime": "2026-04-14T07:15:00+02:00", "value": "449 kWh"}]
    }
    uuid = here.plan(body)
    assert here.job(uuid).status == "failed"
    with pytest.raises(Rejected) as raised:
        here.get(uuid)
    assert (raised.value.status, raised.value.code) == (400, "UNKNOWN_SCHEDULE")
    assert "flex-model[0].soc-targets" in str(raised.value.told)


def test_everything_about_a_plan_is_told_with_its_reasons(here: Toy) -> None:
    uuid = here.plan()
    reply = here.here.call("GET", WHOLE, uuid=uuid)
    told = reply.body
    assert (reply.status, told.status, told.scheduler) == (200, "FINISHED", "StorageScheduler")
    assert len(told.plan["explanation"]["steps"]) == 48
    assert told.plan["status"] == "optimal"
    assert told.outputs[str(here.power)]["values"] == pytest.approx(TWO_CYCLES, abs=1e-4)


def test_who_may_not_read_a_sensor_may_not_plan_with_it(here: Toy) -> None:
    state = here.here.parts.state
    other = state.accounts.add(Account("Neighbours"))
    asset = state.assets.add(Asset("their home", "building", account_id=other))
    theirs = here.here.sensor("price", "EUR/MWh", timedelta(hours=1), asset=asset)
    body = here.body(context={"production-price": {"sensor": theirs}})
    assert refused(here, body).status == 403
    uuid = here.plan()
    stranger = Caller("user", 8, "bob", other, frozenset({"account-admin"}))
    for path in (SCHEDULE, WHOLE):
        with pytest.raises(Rejected) as raised:
            here.here.call("GET", path, here.power, query={}, uuid=uuid, caller=stranger)
        assert raised.value.status == 403
