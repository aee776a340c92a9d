import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flexedge.cloud import outcomes
from flexedge.cloud.outcomes import Greeting, Job, Page, Posted
from flexedge.cloud.shapes import Misshapen
from flexedge.cloud.transport import Answer
from flexedge.domain.runs import Run
from flexedge.errors import CentreAway, CentreLocked, CentreRefused

NOON = datetime(2026, 4, 14, 12, tzinfo=UTC)
VALUES = {"values": [1, 2], "start": NOON.isoformat(), "duration": "PT30M", "unit": "kW"}


def answer(status: int, content: Any, **more: str) -> Answer:
    headers = {"content-type": "application/json", "flexmeasures-version": "1.0.1"}
    told = {name.replace("_", "-"): value for name, value in more.items()}
    return Answer(status, headers | told, json.dumps(content).encode())


def job(status: int, content: Any) -> Job:
    return outcomes.job("main", answer(status, content), ())


def schedule(status: int, content: Any) -> Run | None:
    return outcomes.schedule("main", answer(status, content), ())


def test_a_server_says_what_it_is() -> None:
    told = {"versions": ["v2_0", "v3_0"], "flexmeasures_version": "1.0.1"}
    assert outcomes.greeting("main", answer(200, told)) == Greeting("1.0.1", "FlexMeasures")
    ours = answer(200, told, served_by="flexedge")
    assert outcomes.greeting("main", ours) == Greeting("1.0.1", "flexedge")
    assert outcomes.greeting("main", answer(200, {"versions": ["v3_0"]})).version == ""


@pytest.mark.parametrize("told", [{}, [], {"versions": ["v2_0"]}, {"versions": "v3_0"}, "x"])
def test_what_is_no_flexmeasures_is_told(told: Any) -> None:
    with pytest.raises(Misshapen):
        outcomes.greeting("main", answer(200, told))


@pytest.mark.parametrize(
    ("status", "told", "state"),
    [
        (200, "FINISHED", "finished"), (202, "QUEUED", "waiting"), (202, "STARTED", "waiting"),
        (202, "DEFERRED", "waiting"), (202, "SOMETHING", "waiting"), (202, "STOPPED", "failed"),
        (202, "CANCELED", "failed"), (422, "FAILED", "failed"), (404, "ERROR", "gone"),
        (404, 404, "gone"),
    ],
)  # fmt: skip
def test_how_far_a_job_is(status: int, told: Any, state: str) -> None:
    assert job(status, {"status": told, "message": "Words."}) == Job(state, "Words.")  # type: ignore[arg-type]


def test_a_finished_job_has_a_result() -> None:
    assert job(200, {"status": "FINISHED", "result": {"a": 1}}) == Job("finished", "", {"a": 1})
    assert job(200, {"status": "FINISHED", "result": [1]}).result is None


def test_a_job_may_not_be_told_of() -> None:
    with pytest.raises(CentreRefused):
        job(403, {"message": "No.", "status": "INVALID_SENDER"})
    with pytest.raises(CentreLocked):
        job(401, {"message": "Who?"})
    with pytest.raises(CentreAway):
        job(503, {"status": "ERROR", "message": "Job queues are currently unavailable."})
    with pytest.raises(Misshapen):
        job(200, [])


def test_a_job_is_gone_only_if_the_server_itself_says_so() -> None:
    stranger = Answer(404, {"content-type": "application/json"}, b'{"message": "no route"}')
    with pytest.raises(CentreAway):
        outcomes.job("main", stranger, ())


@pytest.mark.parametrize("status", [202, 400])
@pytest.mark.parametrize("state", ["QUEUED", "STARTED", "DEFERRED", "SCHEDULED"])
def test_a_schedule_may_not_be_ready(status: int, state: str) -> None:
    assert schedule(status, {"status": state, "message": "Scheduling job waiting."}) is None


def test_a_schedule_may_be_ready_or_never_come() -> None:
    assert schedule(200, VALUES | {"scheduler_info": {}}) == Run(
        NOON, timedelta(minutes=15), (1.0, 2.0), "kW"
    )
    for code in ("UNKNOWN_SCHEDULE", "UNRECOGNIZED_UDI_EVENT"):
        with pytest.raises(CentreRefused) as caught:
            schedule(400, {"status": code, "message": "No.", "result": "Rejected"})
        assert caught.value.code == code
    with pytest.raises(Misshapen):
        schedule(200, {"scheduler_info": {"scheduler": "Mine"}})


def test_what_became_of_values() -> None:
    assert outcomes.posted({"status": "PROCESSED"}) == Posted(None, known=False)
    known = "ALREADY_RECEIVED_AND_SUCCESSFULLY_PROCESSED"
    assert outcomes.posted({"status": known}) == Posted(None, known=True)
    assert outcomes.posted({"status": "ACCEPTED", "job": "x"}) == Posted("x", known=False)
    with pytest.raises(Misshapen):
        outcomes.posted({"status": "ACCEPTED", "job": 5})


@pytest.mark.parametrize(
    "told", [{}, {"status": "ok"}, {"status": "ACCEPTED"}, {"values": [1.0]}, {"status": None}]
)
def test_values_are_stored_only_where_the_answer_says_so(told: Any) -> None:
    with pytest.raises(Misshapen):
        outcomes.posted(told)


def test_a_trigger_names_its_job_as_new_and_old_servers_do() -> None:
    assert outcomes.triggered({"job": "x", "schedule": "y"}) == "x"
    assert outcomes.triggered({"schedule": "y"}) == "y"
    with pytest.raises(Misshapen):
        outcomes.triggered({"status": "ACCEPTED"})


def test_lists_of_names_and_users() -> None:
    assert outcomes.all_named([{"id": 1, "name": "One"}, {"id": 2}]) == [(1, "One"), (2, "")]
    assert outcomes.users([{"id": 1, "email": None}]) == [(1, "")]
    assert outcomes.user({"id": 1, "email": "a@b.c", "account_id": 3}) == ("a@b.c", 3)
    assert outcomes.numbered({"id": 7, "more": 1}) == 7
    assert outcomes.all_unwrapped([{"id": 7, "attributes": "{}"}]) == [{"id": 7, "attributes": {}}]
    assert outcomes.stalenesses({"sensors_data": [{"id": 1}]}) == [{"id": 1}]
    with pytest.raises(Misshapen):
        outcomes.stalenesses({})


def test_a_page_says_how_many_there_are_on_all() -> None:
    told = {"data": [{"id": 3}], "num-records": 9, "filtered-records": 7}
    assert outcomes.page(told) == Page([{"id": 3}], 7)
    assert outcomes.page({"data": []}) == Page([], None)
    assert outcomes.page([{"id": 3}]).whole == 1
    with pytest.raises(Misshapen):
        outcomes.page({"data": [], "filtered-records": "7"})
