from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flexedge.errors import StoreError
from flexedge.store.state import State
from flexedge.store.tables.columns import Json
from flexedge.store.tables.jobs import Job

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
S = timedelta(seconds=1)


def asked(name: str, at: datetime, queue: str = "scheduling", payload: Json | None = None) -> Job:
    return Job(name, queue, "queued", payload or {}, None, at)


def test_a_job_waits_runs_and_ends(state: State) -> None:
    state.jobs.add(asked("j1", NOW, "scheduling", {"asset": 7}))
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
    state.jobs.add(asked("a", NOW + S))
    state.jobs.add(asked("b", NOW))
    state.jobs.add(asked("c", NOW - S, "forecasting"))
    taken = [state.jobs.start("scheduling", NOW + 2 * S) for _ in range(3)]
    assert [job and job.id for job in taken] == ["b", "a", None]


def test_a_failed_job_says_so(state: State) -> None:
    state.jobs.add(asked("a", NOW))
    state.jobs.end("a", None, NOW + S, error="no prices")
    job = state.jobs.job("a")
    assert job is not None
    assert (job.status, job.result, job.error) == ("failed", None, "no prices")


def test_who_asks_for_the_same_can_be_given_the_same_job(state: State) -> None:
    state.jobs.add(replace(asked("a", NOW), fingerprint="f"))
    state.jobs.add(replace(asked("b", NOW + S), fingerprint="f"))
    state.jobs.add(replace(asked("c", NOW + 2 * S), fingerprint="other"))
    same = state.jobs.same("f", NOW)
    assert same is not None
    assert same.id == "b"
    state.jobs.end("b", None, NOW + 2 * S, error="no prices")
    again = state.jobs.same("f", NOW)
    assert again is not None
    assert again.id == "a"
    assert state.jobs.same("f", NOW + S) is None
    assert state.jobs.same("none", NOW) is None


def test_jobs_are_found_by_their_asset_the_newest_first(state: State) -> None:
    for name, asset in (("a", 7), ("b", 8), ("c", 7), ("d", 9)):
        state.jobs.add(replace(asked(name, NOW + ord(name) * S), asset_id=asset, user_id=3))
    state.jobs.add(asked("e", NOW))
    assert [job.id for job in state.jobs.about([7, 8])] == ["c", "b", "a"]
    assert [job.id for job in state.jobs.about([7, 8], limit=1)] == ["c"]
    assert state.jobs.about([]) == []
    assert state.jobs.about([9])[0].user_id == 3


def test_what_ran_at_a_crash_waits_again(state: State) -> None:
    state.jobs.add(asked("a", NOW))
    state.jobs.add(asked("b", NOW + S))
    state.jobs.start("scheduling", NOW)
    assert state.jobs.requeue() == 1
    again = state.jobs.start("scheduling", NOW + S)
    assert again is not None
    assert again.id == "a"


def test_old_jobs_are_forgotten_waiting_ones_never(state: State) -> None:
    state.jobs.add(asked("old", NOW))
    state.jobs.add(asked("waits", NOW))
    state.jobs.end("old", {}, NOW + S)
    assert state.jobs.prune(NOW + S) == 0
    assert state.jobs.prune(NOW + 2 * S) == 1
    assert state.jobs.job("old") is None
    assert state.jobs.job("waits") is not None


def test_an_id_is_used_once(state: State) -> None:
    state.jobs.add(asked("a", NOW))
    with pytest.raises(StoreError, match=r"(?i)unique"):
        state.jobs.add(asked("a", NOW, "forecasting"))
