"""How jobs are told, as FlexMeasures tells them."""

from pathlib import Path

import pytest
from pydantic_core import from_json, to_json

from flexedge.domain.rights import Caller
from flexedge.web.api.op import Rejected
from tests.web.api.calls import NOW
from tests.web.api.toy import JOB, Toy, toy

AT = NOW.isoformat()


@pytest.fixture
def here(tmp_path: Path) -> Toy:
    return toy(tmp_path)


def test_a_job_is_told_with_both_kinds_of_keys(here: Toy) -> None:
    uuid = here.ask()
    waiting = here.here.call("GET", JOB, uuid=uuid)
    told = from_json(to_json(waiting.body, by_alias=True))
    assert waiting.status == 202
    assert told == {
        "status": "QUEUED", "message": "Scheduling job waiting to be processed.", "result": None,
        "origin": "scheduling", "func-name": "flexedge.gateway.service.schedules",
        "func_name": "flexedge.gateway.service.schedules", "enqueued-at": AT, "enqueued_at": AT,
        "started-at": None, "started_at": None, "ended-at": None, "ended_at": None,
        "exc-info": None, "exc_info": None,
    }  # fmt: skip
    here.work()
    done = here.here.call("GET", JOB, uuid=uuid)
    assert (done.status, done.body.status) == (200, "FINISHED")
    assert done.body.message == "Scheduling job has finished."
    assert done.body.result == {"num-beliefs": 97, "resolved": [], "unresolved": []}
    assert done.body.ended_at == done.body.ended == AT


def test_a_job_that_failed_says_why(here: Toy) -> None:
    body = here.body(context={"relax-constraints": False}, duration="PT3H")
    body["flex-model"][0] |= {
        "soc-targets": [{"datetime": "2026-04-14T07:15:00+02:00", "value": "449 kWh"}]
    }
    reply = here.here.call("GET", JOB, uuid=here.plan(body))
    assert (reply.status, reply.body.status) == (422, "FAILED")
    assert reply.body.message == f"Scheduling job failed with {reply.body.exc_info}."
    assert reply.body.exc_info == "Infeasible: no plan satisfies flex-model[0].soc-targets[0]"


def test_there_is_no_unknown_job(here: Toy) -> None:
    reply = here.here.call("GET", JOB, uuid="no-such-job")
    assert reply.status == 404
    assert reply.body.model_dump() == {
        "status": "ERROR", "message": "Job no-such-job not found."
    }  # fmt: skip


def test_what_was_done_at_once_is_a_finished_job(here: Toy) -> None:
    done = here.here.parts.work.done("ingestion", {"told": 3}, sensor_id=here.power)
    reply = here.here.call("GET", JOB, uuid=done.id)
    assert (reply.status, reply.body.result, reply.body.origin) == (200, 3, "ingestion")
    assert reply.body.message == "Ingestion job has finished."


def test_only_who_may_read_what_it_is_about_sees_a_job(here: Toy) -> None:
    uuid = here.ask()
    stranger = Caller("user", 8, "bob", 99, frozenset({"account-admin"}))
    with pytest.raises(Rejected) as raised:
        here.here.call("GET", JOB, uuid=uuid, caller=stranger)
    assert raised.value.status == 403
    orphan = here.here.parts.work.done("ingestion", {}, user_id=8)
    assert here.here.call("GET", JOB, uuid=orphan.id, caller=stranger).status == 200
    with pytest.raises(Rejected):
        here.here.call("GET", JOB, uuid=orphan.id)
