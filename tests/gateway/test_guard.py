from datetime import UTC, datetime, timedelta

from structlog.testing import capture_logs

from flexedge.errors import StoreClosed
from flexedge.gateway.guard import guarded, guarded_job
from flexedge.gateway.health import Health

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)


def test_a_step_that_fails_is_counted_logged_once_and_tried_again() -> None:
    health = Health()

    def step(_now: datetime) -> datetime:
        raise RuntimeError("odd")

    with capture_logs() as logs:
        assert guarded("dispatch", health, step)(NOW) == NOW + timedelta(seconds=1)
    assert health.counts.errors == 1
    assert [entry["part"] for entry in logs] == ["dispatch"]
    assert "RuntimeError: odd" in health.alarms["loop dispatch"]


def test_a_step_that_succeeds_clears_its_alarm() -> None:
    health = Health()
    health.alarm("loop plan", "failed before")
    assert guarded("plan", health, lambda now: now)(NOW) == NOW
    assert health.alarms == {}


def test_a_job_that_fails_does_not_take_its_scheduler_with_it() -> None:
    health = Health()

    def work(_now: datetime) -> None:
        raise ValueError("odd")

    with capture_logs():
        guarded_job("plan", health, work)(NOW)
    assert health.counts.errors == 1
    guarded_job("plan", health, lambda _now: None)(NOW)
    assert health.alarms == {}


def test_what_the_end_of_the_program_interrupts_is_no_failure() -> None:
    health = Health()

    def work(_now: datetime) -> datetime:
        raise StoreClosed("the store is closed")

    with capture_logs() as logs:
        guarded_job("plan", health, work)(NOW)
        assert guarded("plan", health, work)(NOW) is None
    assert (health.alarms, logs) == ({}, [])
