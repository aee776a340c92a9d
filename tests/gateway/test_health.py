from datetime import UTC, datetime, timedelta

from flexedge.gateway.health import Health

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)


def after(seconds: int) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_device_goes_from_ok_to_stale_to_lost_and_back() -> None:
    health = Health()
    assert health.device("meter").state(NOW) == "starting"
    health.answered("meter", NOW)
    assert health.device("meter").state(after(1)) == "ok"
    health.failed("meter", "no answer", after(2))
    assert health.device("meter").state(after(3)) == "stale"
    assert health.device("meter").state(after(31)) == "lost"
    assert health.device("meter").error == "no answer"
    health.answered("meter", after(40))
    assert health.device("meter").state(after(41)) == "ok"
    assert health.device("meter").error is None
    assert (health.device("meter").polls, health.device("meter").failures) == (2, 1)


def test_a_device_that_never_answers_is_lost_after_a_while() -> None:
    health = Health()
    health.failed("meter", "no answer", NOW)
    assert health.device("meter").state(after(5)) == "starting"
    assert health.device("meter").state(after(31)) == "lost"


def test_counts_add_up_and_the_longest_plan_is_kept() -> None:
    health = Health()
    health.count(written=2, verified=1)
    health.count(written=1)
    health.planned(0.5)
    health.planned(0.2)
    counts = health.counts
    assert (counts.written, counts.verified, counts.plans) == (3, 1, 2)
    assert counts.plan_seconds_max == 0.5


def test_alarms_are_replaced_and_cleared_by_what_they_are_about() -> None:
    health = Health()
    health.alarm("store", "disk full")
    health.alarm("store", "disk fuller")
    health.alarm("plan", "no price")
    assert sorted(health.alarms.values()) == ["disk fuller", "no price"]
    health.alarm("store", "")
    assert list(health.alarms) == ["plan"]


def test_silent_loops_are_named() -> None:
    health = Health()
    health.beat("dispatch", NOW)
    health.beat("store", after(50))
    assert health.silent(after(61), timedelta(seconds=60)) == ("dispatch",)
