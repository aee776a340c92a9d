from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flexedge.errors import StoreError
from flexedge.store.state import State
from flexedge.store.tables.jobs import Job

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
S = timedelta(seconds=1)


def test_a_job_waits_runs_and_ends(state: State) -> None:
    state.jobs.add(Job("j1", "scheduling", "queued", {"asset": 7}, None, NOW))
    waiting = Job("j1", "scheduling", "queued", {"asset": 7}, None, NOW)
    assert state.jobs.job("j1") == waiting
    running = state.jobs.start("scheduling", NOW + S)
    assert running == Job("j1", "scheduling", "started", {"asset": 7}, None, NOW, NOW + S, None)
    assert state.jobs.start("scheduling", NOW + S) is None
    state.jobs.end("j1", {"beliefs": 96}, NOW + 2 * S)
    done = state.jobs.job("j1")
    assert done is not None
    assert (done.status, done.result, done.ended) == ("finished", {"beliefs": 96}, NOW + 2 * S)
    assert state.jobs.job("j2") is None


def test_the_oldest_of_a_queue_comes_first(state: State) -> None:
    state.jobs.add(Job("a", "scheduling", "queued", {}, None, NOW + S))
    state.jobs.add(Job("b", "scheduling", "queued", {}, None, NOW))
    state.jobs.add(Job("c", "forecasting", "queued", {}, None, NOW - S))
    taken = [state.jobs.start("scheduling", NOW + 2 * S) for _ in range(3)]
    assert [job and job.id for job in taken] == ["b", "a", None]


def test_a_failed_job_says_so(state: State) -> None:
    state.jobs.add(Job("a", "scheduling", "queued", {}, None, NOW))
    state.jobs.end("a", None, NOW + S, error="no prices")
    job = state.jobs.job("a")
    assert job is not None
    assert (job.status, job.result, job.error) == ("failed", None, "no prices")


def asked(job: str, queued: datetime, **more: object) -> Job:
    return replace(Job(job, "scheduling", "queued", {}, None, queued), **more)  # type: ignore[arg-type]


def test_the_same_request_finds_its_newest_job_unless_that_failed(state: State) -> None:
    for job in (asked("a", NOW, fingerprint="x"), asked("b", NOW + S, fingerprint="x"),
                asked("c", NOW + S, fingerprint="y")):  # fmt: skip
        state.jobs.add(job)
    found = state.jobs.same("x", NOW)
    assert found is not None
    assert found.id == "b"
    state.jobs.end("b", None, NOW + S, error="no prices")
    found = state.jobs.same("x", NOW)
    assert found is not None
    assert found.id == "a"
    assert state.jobs.same("x", NOW + S) is None
    assert state.jobs.same("z", NOW) is None


def test_jobs_about_assets_come_newest_first(state: State) -> None:
    for i, asset in enumerate((7, 8, 7, None)):
        state.jobs.add(asked(str(i), NOW + i * S, asset_id=asset))
    assert [job.id for job in state.jobs.about([7])] == ["2", "0"]
    assert [job.id for job in state.jobs.about([7, 8], limit=2)] == ["2", "1"]
    assert state.jobs.about([]) == []


def test_what_ran_at_a_crash_waits_again(state: State) -> None:
    state.jobs.add(Job("a", "scheduling", "queued", {}, None, NOW))
    state.jobs.add(Job("b", "scheduling", "queued", {}, None, NOW + S))
    state.jobs.start("scheduling", NOW)
    assert state.jobs.requeue() == 1
    again = state.jobs.start("scheduling", NOW + S)
    assert again is not None
    assert again.id == "a"


def test_old_jobs_are_forgotten_waiting_ones_never(state: State) -> None:
    state.jobs.add(Job("old", "scheduling", "queued", {}, None, NOW))
    state.jobs.add(Job("waits", "scheduling", "queued", {}, None, NOW))
    state.jobs.end("old", {}, NOW + S)
    assert state.jobs.prune(NOW + S) == 0
    assert state.jobs.prune(NOW + 2 * S) == 1
    assert state.jobs.job("old") is None
    assert state.jobs.job("waits") is not None


def test_an_id_is_used_once(state: State) -> None:
    state.jobs.add(Job("a", "scheduling", "queued", {}, None, NOW))
    with pytest.raises(StoreError, match=r"(?i)unique"):
        state.jobs.add(Job("a", "forecasting", "queued", {}, None, NOW))
