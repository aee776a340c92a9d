"""Jobs: asked for, done one after the other, told of."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from flexedge.errors import PlanError, StoreError
from flexedge.gateway.foresee import FORECASTER
from flexedge.gateway.plan import SCHEDULER
from flexedge.gateway.service.work import NAME, Work, fingerprint
from flexedge.store.state import State
from flexedge.store.tables.jobs import Job, JobQueues

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Place:
    """A queue with a clock that a test sets."""

    def __init__(self, folder: Path) -> None:
        self.state = State(folder / "state.db")
        self.now = NOW
        self.done: list[Any] = []
        self.work = self.again()

    def again(self) -> Work:
        """As after a start."""
        return Work(self.state.jobs, {"scheduling": self.do, "forecasting": self.do}, self.time)

    def time(self) -> datetime:
        return self.now

    def do(self, job: Job, now: datetime) -> dict[str, Any]:
        self.done.append(job.payload["n"])
        raised = job.payload.get("raise")
        if raised == "expected":
            raise PlanError("no room")
        if raised == "bug":
            raise KeyError("x")
        return {"at": now.isoformat()}


@pytest.fixture
def here(tmp_path: Path) -> Place:
    return Place(tmp_path)


def job(here: Place, uuid: str) -> Job:
    found = here.work.job(uuid)
    assert found is not None
    return found


def test_a_job_is_done_in_its_turn_and_told_at_each_stage(here: Place) -> None:
    stages = []

    def note(one: Job, _now: datetime) -> dict[str, Any]:
        stages.append(job(here, one.id).status)
        return {"x": 1}

    here.work.serve("scheduling", note)
    asked = here.work.ask("scheduling", {"n": 1}, asset_id=3, user_id=7)
    assert job(here, asked.id).status == "queued"
    here.now += HOUR
    assert here.work.step(here.now) is None
    done = job(here, asked.id)
    assert stages == ["started"]
    assert (done.status, done.result, done.error) == ("finished", {"x": 1}, None)
    assert (done.queued, done.started, done.ended) == (NOW, NOW + HOUR, NOW + HOUR)
    assert (done.asset_id, done.user_id) == (3, 7)
    assert here.state.jobs.job(asked.id) == done


def test_schedules_go_first_and_the_worker_is_called_again_at_once(here: Place) -> None:
    for n, queue in enumerate(("forecasting", "scheduling", "scheduling")):
        here.work.ask(queue, {"n": n})
    assert [here.work.step(NOW) for _ in range(3)] == [NOW, NOW, None]
    assert here.done == [1, 2, 0]


def test_who_waits_for_work_is_woken(here: Place) -> None:
    woken: list[int] = []
    here.work.wake = lambda: woken.append(1)
    first = here.work.ask("scheduling", {"n": 1})
    assert here.work.ask("scheduling", {"n": 1}).id == first.id
    assert woken == [1]


def test_the_same_request_is_the_same_job_for_an_hour(here: Place) -> None:
    first = here.work.ask("scheduling", {"n": 1, "m": {"a": 1, "b": 2}})
    here.work.step(NOW)
    again = here.work.ask("scheduling", {"m": {"b": 2, "a": 1}, "n": 1})
    assert (again.id, again.status) == (first.id, "finished")
    others = [here.work.ask("scheduling", {"n": 2}), here.work.ask("forecasting", {"n": 1}),
              here.work.ask("scheduling", {"n": 1, "m": {"a": 1, "b": 2}}, anew=True)]  # fmt: skip
    here.now += HOUR + timedelta(seconds=1)
    others.append(here.work.ask("scheduling", {"n": 1, "m": {"a": 1, "b": 2}}))
    assert len({first.id, *(one.id for one in others)}) == 5


def test_a_job_that_failed_is_not_given_again(here: Place) -> None:
    first = here.work.ask("scheduling", {"n": 1, "raise": "expected"})
    here.work.step(NOW)
    assert (job(here, first.id).status, job(here, first.id).error) == (
        "failed", "PlanError: no room"
    )  # fmt: skip
    assert here.work.ask("scheduling", {"n": 1, "raise": "expected"}).id != first.id


def test_what_nobody_expected_fails_one_job_is_logged_once_and_work_goes_on(here: Place) -> None:
    first = here.work.ask("scheduling", {"n": 1, "raise": "bug"})
    second = here.work.ask("scheduling", {"n": 2})
    with capture_logs() as logs:
        here.work.step(NOW)
        here.work.step(NOW)
    assert [(one["event"], one["job"]) for one in logs] == [("a job failed", first.id)]
    assert job(here, first.id).error == "KeyError: 'x' (the log of the gateway says where)"
    assert job(here, second.id).status == "finished"


def test_a_queue_that_nobody_serves_fails_its_jobs(here: Place) -> None:
    asked = here.work.ask("reporting", {"n": 1})
    here.work.step(NOW)
    assert job(here, asked.id).error == "nobody here does jobs of the queue 'reporting'"


def test_what_waits_or_was_being_done_is_taken_up_after_a_restart(here: Place) -> None:
    ids = [here.work.ask("scheduling", {"n": 0}).id]
    here.now += timedelta(seconds=1)
    ids.append(here.work.ask("scheduling", {"n": 1}).id)
    here.state.jobs.start("scheduling", NOW)  # as an older program noted it
    again = here.again()
    fresh = again.ask("scheduling", {"n": 2}).id
    for _ in range(3):
        again.step(NOW)
    assert here.done == [0, 1, 2]
    here.work = again
    assert {job(here, uuid).status for uuid in (*ids, fresh)} == {"finished"}


def test_what_was_done_at_once_is_remembered_but_not_kept(here: Place) -> None:
    done = [here.work.done("ingestion", {"n": n}, sensor_id=5) for n in range(5001)]
    assert here.work.job(done[0].id) is None
    last = job(here, done[-1].id)
    assert (last.status, last.result, last.sensor_id) == ("finished", {"n": 5000}, 5)
    assert here.state.jobs.job(last.id) is None


def test_old_jobs_are_forgotten_but_schedules_only_after_a_week(here: Place) -> None:
    plan = here.work.ask("scheduling", {"n": 1}).id
    forecast = here.work.ask("forecasting", {"n": 2}).id
    failed = here.work.ask("scheduling", {"n": 3, "raise": "expected"}).id
    for _ in range(3):
        here.work.step(NOW)
    due = here.work.step(NOW + DAY)
    assert due == NOW + DAY + HOUR
    assert all(here.work.job(one) for one in (plan, forecast, failed))
    here.work.step(NOW + DAY + HOUR)
    assert [here.work.job(one) is None for one in (plan, forecast, failed)] == [False, True, True]
    here.work.step(NOW + 7 * DAY + HOUR)
    assert here.work.job(plan) is None


def test_a_result_that_cannot_be_stored_is_told_all_the_same(here: Place, monkeypatch: Any) -> None:
    asked = here.work.ask("scheduling", {"n": 1})

    def full(*_: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(JobQueues, "end", full)
    with capture_logs() as logs:
        here.work.step(NOW)
    assert job(here, asked.id).status == "finished"
    assert logs[0]["why"] == "the disk is full"


def test_fingerprints_tell_requests_apart() -> None:
    one: Callable[[Any], str] = lambda payload: fingerprint("scheduling", payload)  # noqa: E731
    assert one({"a": [1, 2]}) == one({"a": [1, 2]})
    assert len({one({"a": [1, 2]}), one({"a": [2, 1]}), one({"a": ["1", 2]})}) == 3


def test_who_asks_just_before_the_end_hears_of_the_end(here: Place) -> None:
    asked = here.work.ask("scheduling", {"n": 1})
    with ThreadPoolExecutor(1) as threads:
        told = threads.submit(here.work.soon, asked.id, 20.0)
        here.work.step(NOW)
        found = told.result(timeout=20)
    assert found is not None
    assert found.status == "finished"


def test_nobody_waits_for_what_takes_long_or_is_not_there(here: Place) -> None:
    asked = here.work.ask("scheduling", {"n": 1})
    found = here.work.soon(asked.id, 0.0)
    assert found is not None
    assert found.status == "queued"
    assert here.work.soon("nothing", 20.0) is None


def test_what_is_asked_for_is_not_taken_for_the_gateways_own() -> None:
    assert NAME not in {SCHEDULER.name, FORECASTER.name}
