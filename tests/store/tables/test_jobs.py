from datetime import UTC, datetime, timedelta

import pytest

from flexedge.errors import StoreError
from flexedge.store.state import State
from flexedge.store.tables.jobs import Job

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
S = timedelta(seconds=1)


def test_a_job_waits_runs_and_ends(state: State) -> None:
    state.jobs.add("j1", "scheduling", {"asset": 7}, NOW)
    waiting = Job("j1", "scheduling", "queued", {"asset": 7}, None, NOW, None, None)
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
    state.jobs.add("a", "scheduling", {}, NOW + S)
    state.jobs.add("b", "scheduling", {}, NOW)
    state.jobs.add("c", "forecasting", {}, NOW - S)
    taken = [state.jobs.start("scheduling", NOW + 2 * S) for _ in range(3)]
    assert [job and job.id for job in taken] == ["b", "a", None]


def test_a_failed_job_says_so(state: State) -> None:
    state.jobs.add("a", "scheduling", {}, NOW)
    state.jobs.end("a", {"error": "no prices"}, NOW + S, failed=True)
    job = state.jobs.job("a")
    assert job is not None
    assert (job.status, job.result) == ("failed", {"error": "no prices"})


def test_what_ran_at_a_crash_waits_again(state: State) -> None:
    state.jobs.add("a", "scheduling", {}, NOW)
    state.jobs.add("b", "scheduling", {}, NOW + S)
    state.jobs.start("scheduling", NOW)
    assert state.jobs.requeue() == 1
    again = state.jobs.start("scheduling", NOW + S)
    assert again is not None
    assert again.id == "a"


def test_old_jobs_are_forgotten_waiting_ones_never(state: State) -> None:
    state.jobs.add("old", "scheduling", {}, NOW)
    state.jobs.add("waits", "scheduling", {}, NOW)
    state.jobs.end("old", {}, NOW + S)
    assert state.jobs.prune(NOW + S) == 0
    assert state.jobs.prune(NOW + 2 * S) == 1
    assert state.jobs.job("old") is None
    assert state.jobs.job("waits") is not None


def test_an_id_is_used_once(state: State) -> None:
    state.jobs.add("a", "scheduling", {}, NOW)
    with pytest.raises(StoreError, match=r"(?i)unique"):
        state.jobs.add("a", "forecasting", {}, NOW)
