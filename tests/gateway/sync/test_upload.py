"""What is believed here is believed there: whatever gets lost on the way, without gap or double."""

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from json import dumps, loads
from pathlib import Path
from signal import SIGKILL
from subprocess import Popen
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, Literal
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from flexedge.config.centre import CentreRules, Report
from flexedge.domain.asset import Sensor
from flexedge.errors import CentreAway
from flexedge.gateway.sync.line import PAUSE
from flexedge.gateway.sync.unwanted import rejected, retry
from flexedge.gateway.sync.upload import JOBS_AGAIN
from flexedge.store.archive import Asked
from tests.api.moment import at
from tests.api.served import Served
from tests.gateway.sync.both import (
    FIVE,
    FORECASTER,
    MEASURED,
    MINUTE,
    NOW,
    SCHEDULER,
    Both,
    Row,
    both,
)
from tests.gateway.sync.road import BROKEN, BUSY, CUT, GOOD, HALF, LOST, ODD, Road, road

POWER = Sensor("battery.power", "kW", FIVE)
START = NOW - timedelta(days=1)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with at(NOW, tmp_path_factory.mktemp("centre")) as running:
        yield running


@pytest.fixture(scope="module")
def way(served: Served) -> Iterator[Road]:
    with road(served.url) as made:
        yield made


@pytest.fixture
def here(served: Served, way: Road, tmp_path: Path) -> Iterator[Both]:
    way.fate, way.answer = lambda _: (GOOD, 0), lambda _: None
    way.seen.clear()
    with both(tmp_path / "ours", served, way.url) as ours:
        yield ours


def measured(n: int, first: int = 0) -> list[Row]:
    return [
        (START + FIVE * k, START + FIVE * (k + 1), float(k % 17)) for k in range(first, first + n)
    ]


def test_a_day_goes_up_with_one_request(here: Both) -> None:
    link = here.link(here.asset(uuid4().hex), POWER)
    here.keep(POWER, MEASURED, measured(288))
    here.settle()
    assert here.there(link, START, 288) == [value for *_, value in measured(288)]
    assert here.count(link) == 288
    assert here.upload.counts()["values"] == 288
    assert not here.waiting


def test_a_plan_that_went_to_and_fro_while_the_centre_was_away_ends_as_it_ended_here(
    here: Both,
) -> None:
    """A centre drops what says the same as what it knows: the 0 after the 3 it has not heard of."""
    link = here.link(here.asset(uuid4().hex), POWER, "schedule")

    def plan(value: float, minute: int, first: int = 0, n: int = 1) -> None:
        believed = NOW + minute * MINUTE
        rows = [(NOW + FIVE * k, believed, value) for k in range(first, first + n)]
        here.keep(POWER, SCHEDULER, rows)

    plan(0.0, -60)
    here.settle()
    plan(3.0, -50)
    plan(7.0, -45, first=100, n=1500)  # so much that the 3 is not among what is new
    plan(0.0, -40)
    here.settle()
    assert here.there(link, NOW, 1) == [0.0]
    assert here.there(link, NOW, 1, prior=NOW - 45 * MINUTE) == [3.0]
    assert not here.waiting


def replanned(here: Both, times: int) -> None:
    """Plans for the same two hours, five minutes from each other; the next value each time."""
    for n in range(times):
        rows = [(NOW + FIVE * k, START + FIVE * n, float(n)) for k in range(24)]
        here.keep(POWER, SCHEDULER, rows)


def test_plans_are_sent_once_an_hour_and_what_gave_way_meanwhile_is_not(
    here: Both, way: Road
) -> None:
    here.rules = CentreRules()
    here.begin()
    asset = here.asset(uuid4().hex)
    link, power = here.link(asset, POWER, "schedule"), here.link(asset, POWER)
    posts = {link.central_id: 0, power.central_id: 0}
    for n in range(12 * 4):
        at = NOW + FIVE * n
        here.keep(POWER, SCHEDULER, [(NOW + timedelta(days=1), at, float(n))])
        here.keep(POWER, MEASURED, [(at - FIVE, at, float(n))])
        run_until(here, at + FIVE)
    for _, path, _ in way.posts:
        posts[int(path.split("/")[-2])] += 1
    assert posts[power.central_id] == 48
    assert posts[link.central_id] == here.count(link) == 4
    assert here.waiting
    here.upload.step(here.linked, here.now)  # somebody asks for it
    here.settle()
    assert here.there(link, NOW + timedelta(days=1), 1) == [47.0]


@pytest.mark.parametrize(("every", "told"), [("0 min", 25), ("1 h", 3), ("1 d", 1)])
def test_of_plans_that_waited_the_last_of_each_span_goes(here: Both, every: str, told: int) -> None:
    """25 plans in two hours; the last one is believed by itself in a third."""
    here.rules = CentreRules.model_validate({"plans-every": every})
    here.live, here.most = 1, 100
    here.begin()
    link = here.link(here.asset(uuid4().hex), POWER, "schedule")
    replanned(here, 25)
    here.settle()
    assert here.there(link, NOW, 24) == [24.0] * 24
    if every == "1 h":
        assert here.there(link, NOW, 24, prior=START + timedelta(minutes=59)) == [11.0] * 24
    assert here.count(link) == 24 * told
    assert not here.waiting


def test_plans_of_a_sensor_that_is_linked_later_go_at_once(here: Both) -> None:
    here.rules = CentreRules()
    here.begin()
    here.settle()
    link = here.link(here.asset(uuid4().hex), POWER, "schedule")
    replanned(here, 1)
    here.now += FIVE
    here.settle()
    assert here.there(link, NOW, 24) == [0.0] * 24
    assert here.now < NOW + 2 * FIVE


def refusing(value: float, status: int = 422, code: str = "") -> Any:
    """A server that does not like a value."""

    def answer(one: tuple[str, str, bytes]) -> tuple[int, bytes] | None:
        method, path, body = one
        if method != "POST" or not path.endswith("/data") or value not in loads(body)["values"]:
            return None
        return status, dumps({"status": code, "message": "not that one"}).encode()

    return answer


def test_bad_values_are_set_aside_and_the_rest_goes_on(here: Both, way: Road) -> None:
    link = here.link(here.asset(uuid4().hex), POWER)
    rows = measured(288)
    for bad in (3, 100, 101, 287):
        rows[bad] = (*rows[bad][:2], 999.0)
    here.keep(POWER, MEASURED, rows)
    way.answer = refusing(999.0)
    here.settle()
    there = here.there(link, START, 288)
    assert there == [None if value == 999.0 else value for *_, value in rows]
    found = rejected(here.state)
    assert sorted(one.run.start for one in found) == [rows[n][0] for n in (3, 100, 101, 287)]
    assert {one.run.values for one in found} == {(999.0,)}
    assert "not that one" in found[0].why
    assert here.upload.counts()["refused"] == 4
    assert len(way.posts) < 70
    assert not here.waiting


def test_what_is_refused_altogether_is_set_aside_in_few_pieces(here: Both, way: Road) -> None:
    here.link(here.asset(uuid4().hex), POWER)
    here.keep(POWER, MEASURED, [(e, b, 999.0) for e, b, _ in measured(288)])
    way.answer = refusing(999.0)
    here.settle()
    found = rejected(here.state)
    assert [len(one.run.values) for one in found] == [288]
    assert len(way.posts) == 31


def test_what_was_set_aside_is_tried_again_when_asked(here: Both, way: Road) -> None:
    link = here.link(here.asset(uuid4().hex), POWER)
    here.keep(POWER, MEASURED, [(e, b, 999.0) for e, b, _ in measured(3)])
    way.answer = refusing(999.0)
    here.settle()
    assert len(retry(here.state)) == 3
    here.settle()
    assert [(one.tries, one.again) for one in rejected(here.state)] == [(2, False)] * 3
    retry(here.state)
    way.answer = lambda _: None
    here.settle()
    assert rejected(here.state) == ()
    assert here.there(link, START, 3) == [999.0] * 3


def test_what_counts_after_what_was_set_aside_counts_when_that_is_taken(
    here: Both, way: Road
) -> None:
    """The centre dropped the second 0, for it had not heard of the 3 between."""
    link = here.link(here.asset(uuid4().hex), POWER, "schedule")
    way.answer = refusing(3.0)
    for minute, value in enumerate((0.0, 3.0, 0.0)):
        here.keep(POWER, SCHEDULER, [(NOW, START + minute * MINUTE, value)])
        here.now += FIVE
        here.settle()
    way.answer = lambda _: None
    assert len(retry(here.state)) == 1
    here.settle()
    assert here.there(link, NOW, 1, prior=START + MINUTE) == [3.0]
    assert here.there(link, NOW, 1) == [0.0]
    assert rejected(here.state) == ()


def test_what_would_replace_something_is_set_aside(here: Both) -> None:
    link = here.link(here.asset(uuid4().hex), POWER)
    here.ask("POST", f"/sensors/{link.central_id}/data", json={
        "values": [77.0], "start": measured(2)[1][0].isoformat(), "duration": "PT5M",
        "unit": "kW", "horizon": "PT0S"})  # fmt: skip
    here.keep(POWER, MEASURED, measured(10))
    here.settle()
    assert here.there(link, START, 10) == [0.0, 77.0, *(float(n) for n in range(2, 10))]
    (refused,) = rejected(here.state)
    assert "INVALID_REPLACEMENT" in refused.why


def test_too_large_requests_are_halved_and_that_is_remembered(here: Both, way: Road) -> None:
    link = here.link(here.asset(uuid4().hex), POWER)
    here.keep(POWER, MEASURED, measured(288))

    def answer(one: tuple[str, str, bytes]) -> tuple[int, bytes] | None:
        return (413, b"{}") if len(one[2]) > 1000 else None

    way.answer = answer
    here.settle()
    assert here.there(link, START, 288) == [value for *_, value in measured(288)]
    refused = sum(len(body) > 1000 for _, _, body in way.posts)
    here.keep(POWER, MEASURED, measured(288, 288))
    here.settle()
    assert sum(len(body) > 1000 for _, _, body in way.posts) == refused
    assert rejected(here.state) == ()


def test_a_single_value_that_is_called_too_large_is_kept_for_later(here: Both, way: Road) -> None:
    """A device on the way says so, or a page in the server's place: it is not about the value."""
    link = here.link(here.asset(uuid4().hex), POWER)
    here.keep(POWER, MEASURED, measured(1))
    way.answer = lambda one: (413, b"{}") if one[0] == "POST" else None
    here.step()
    assert len(way.posts) == 1
    (why,) = here.upload.troubles.values()
    assert "413" in why
    assert rejected(here.state) == ()
    way.answer = lambda _: None
    here.now += PAUSE
    here.settle()
    assert here.there(link, START, 1) == [0.0]


@pytest.mark.parametrize("status", [502, 504])
def test_what_takes_too_long_for_a_proxy_goes_in_smaller_requests(
    here: Both, way: Road, status: int
) -> None:
    """Else it would be cut off each time, for what it stored in vain takes it longer still."""
    link = here.link(here.asset(uuid4().hex), POWER)
    here.keep(POWER, MEASURED, measured(288))

    def answer(one: tuple[str, str, bytes]) -> tuple[int, bytes] | None:
        long = one[0] == "POST" and len(loads(one[2])["values"]) > 100
        return (status, b"<html>") if long else None

    way.answer = answer
    here.settle()
    assert here.count(link) == 288
    assert max(len(loads(body)["values"]) for *_, body in way.posts[3:]) <= 100
    assert rejected(here.state) == ()


def test_a_sensor_that_is_gone_rests_and_the_others_go_on(here: Both) -> None:
    asset = here.asset(uuid4().hex)
    other = Sensor("grid.power", "kW", FIVE)
    gone, link = here.link(asset, POWER), here.link(asset, other)
    here.ask("DELETE", f"/sensors/{gone.central_id}")
    for sensor in (POWER, other):
        here.keep(sensor, MEASURED, measured(288))
    with capture_logs() as logs:
        for _ in range(10):
            here.step()
        requests = here.upload.counts()["requests"]
        here.now += PAUSE
        for _ in range(3):
            here.step()
    assert here.upload.counts()["requests"] > requests, "it is tried once more"
    assert [one["sensor"] for one in logs] == ["battery.power"], "and told once"
    assert here.there(link, START, 288) == [value for *_, value in measured(288)]
    assert here.outbox.waiting(gone)[0].count > 0
    (why,) = here.upload.troubles.values()
    assert "404" in why
    assert "battery.power" in here.health.alarms["centre main: values"]


JOB = dumps({"status": "ACCEPTED", "job": "b7"}).encode()


def test_values_have_arrived_when_their_job_is_done(here: Both, way: Road) -> None:
    link = here.link(here.asset(uuid4().hex), POWER)
    here.keep(POWER, MEASURED, measured(5))
    state = ["QUEUED"]

    def answer(one: tuple[str, str, bytes]) -> tuple[int, bytes] | None:
        if one[1].endswith("/jobs/b7"):
            return (200 if state[0] == "FINISHED" else 202), dumps({"status": state[0]}).encode()
        return (202, JOB) if one[0] == "POST" else None

    way.answer = answer
    for _ in range(5):
        here.step()
        here.now += timedelta(seconds=3)
    assert here.waiting
    assert len(way.posts) == 1
    state[0] = "FINISHED"
    here.settle()
    assert not here.outbox.waiting(link)[0].count
    assert len(way.posts) == 1


def test_what_the_pace_does_not_allow_yet_is_paid_for_once(here: Both, way: Road) -> None:
    here.rules = CentreRules(budget_kb_per_min=3)
    here.live = 1
    here.begin()
    here.link(here.asset(uuid4().hex), POWER)
    here.keep(POWER, MEASURED, measured(288))
    here.step()
    here.now += JOBS_AGAIN
    for n in range(4):
        for _ in range(10_000):
            with suppress(CentreAway):
                here.pace.take(here.now, 0)
        if not n:  # one more request: whether what was new is stored
            here.now += timedelta(milliseconds=9)
        here.step()
    assert len(way.posts) == 1
    here.settle()
    assert here.now < NOW + timedelta(seconds=10)


def test_a_job_that_takes_long_is_asked_for_less_and_less(here: Both, way: Road) -> None:
    here.link(here.asset(uuid4().hex), POWER)
    here.keep(POWER, MEASURED, measured(5))

    def answer(one: tuple[str, str, bytes]) -> tuple[int, bytes] | None:
        if one[1].endswith("/jobs/b7"):
            return 202, dumps({"status": "QUEUED"}).encode()
        return (202, JOB) if one[0] == "POST" else None

    way.answer = answer
    begun = here.now
    while here.now < begun + 2 * MINUTE:
        here.now = max(here.now + timedelta(seconds=1), here.step())
    asked = [one for one in way.seen if one[1].endswith("/jobs/b7")]
    assert 4 <= len(asked) <= 7


def test_a_request_that_our_own_pace_does_not_allow_is_not_counted(here: Both, way: Road) -> None:
    here.link(here.asset(uuid4().hex), POWER)
    here.keep(POWER, MEASURED, measured(5))
    for _ in range(10_000):
        with suppress(CentreAway):
            here.pace.take(here.now, 0)
    here.step()
    assert not way.posts
    assert (here.upload.counts()["requests"], here.upload.counts()["bytes"]) == (0, 0)


@pytest.mark.parametrize(("status", "body"), [(422, {"status": "FAILED"}), (404, {})])
def test_a_job_that_fails_or_vanishes_is_posted_again(
    here: Both, way: Road, status: int, body: dict[str, str]
) -> None:
    link = here.link(here.asset(uuid4().hex), POWER)
    here.keep(POWER, MEASURED, measured(5))

    def answer(one: tuple[str, str, bytes]) -> tuple[int, bytes] | None:
        if one[1].endswith("/jobs/b7"):
            return status, dumps(body).encode()
        return (202, JOB) if one[0] == "POST" and len(way.posts) < 2 else None

    way.answer = answer
    here.settle()
    assert here.there(link, START, 5) == [value for *_, value in measured(5)]
    assert rejected(here.state) == ()


def jobs(way: Road, state: Callable[[list[float], int], str]) -> list[list[float]]:
    """Let every post make a job, of which ``state`` tells (values, how many had them); the posts.

    Nothing gets to the server.
    """
    made: list[list[float]] = []

    def answer(one: tuple[str, str, bytes]) -> tuple[int, bytes] | None:
        method, path, body = one
        if "/jobs/" in path:
            number = int(path.rpartition("/")[2])
            told = state(made[number], made[: number + 1].count(made[number]))
            words = {"status": told, "message": "Ingestion job failed with a reason."}
            status = {"FINISHED": 200, "FAILED": 422, "GONE": 404}.get(told, 202)
            return status, dumps(words).encode()
        if method == "POST" and path.endswith("/data"):
            made.append(loads(body)["values"])
            return 202, dumps({"status": "ACCEPTED", "job": str(len(made) - 1)}).encode()
        return None

    way.answer = answer
    return made


def run_until(here: Both, until: datetime) -> None:
    while here.now < until:
        here.now = max(here.now + timedelta(seconds=1), here.step())


def test_while_no_job_is_ever_done_nothing_is_set_aside(here: Both, way: Road) -> None:
    """As where a worker has lost its database: that is nothing about the values."""
    link = here.link(here.asset(uuid4().hex), POWER)
    here.keep(POWER, MEASURED, measured(288))
    works = [False]
    posts = jobs(way, lambda _values, _n: "FINISHED" if works[0] else "FAILED")
    run_until(here, NOW + timedelta(hours=5))
    assert rejected(here.state) == ()
    assert "JOB_FAILED: Ingestion job failed" in str(here.upload.troubles)
    assert len(posts) < 5 * 40
    works[0] = True
    posts.clear()
    run_until(here, here.now + 2 * PAUSE)
    stored = [value for one in posts for value in one]
    assert sorted(stored) == sorted(value for *_, value in measured(288))
    assert not here.outbox.waiting(link)[0].count
    assert here.upload.troubles == {}


def test_single_values_whose_jobs_fail_wait_for_others(here: Both, way: Road) -> None:
    """The bad one comes first: only when another one is stored is it to blame."""
    link = here.link(here.asset(uuid4().hex), POWER)
    rows = [(START + FIVE, START + MINUTE, 7.0), (START + 2 * FIVE, START + 2 * MINUTE, 8.0)]
    here.keep(POWER, MEASURED, rows)
    jobs(way, lambda values, _n: "FAILED" if 7.0 in values else "FINISHED")
    run_until(here, NOW + PAUSE)
    assert [one.run.values for one in rejected(here.state)] == [(7.0,)]
    assert here.upload.troubles == {}
    assert not here.outbox.waiting(link)[0].count


def test_of_a_job_that_fails_only_the_bad_value_is_set_aside(here: Both, way: Road) -> None:
    here.link(here.asset(uuid4().hex), POWER)
    here.keep(POWER, MEASURED, [(event, since, float(n)) for n, (event, since, _) in
                                enumerate(measured(100))])  # fmt: skip
    posts = jobs(way, lambda values, _n: "FAILED" if 77.0 in values else "FINISHED")
    run_until(here, NOW + PAUSE)
    assert [one.run.values for one in rejected(here.state)] == [(77.0,)]
    assert sorted(value for one in posts if 77.0 not in one for value in one) == [
        float(n) for n in range(100) if n != 77
    ]


def test_a_job_that_fails_is_posted_again_later_and_in_smaller_parts(here: Both, way: Road) -> None:
    """A job of many values that the centre has already may take longer than jobs may there."""
    here.link(here.asset(uuid4().hex), POWER)
    here.keep(POWER, MEASURED, measured(288))
    posts = jobs(way, lambda values, _n: "FAILED" if len(values) > 130 else "FINISHED")
    run_until(here, NOW + MINUTE)
    assert [len(one) for one in posts] == [288]
    run_until(here, NOW + PAUSE)
    assert sorted(len(one) for one in posts) == [38, 125, 125, 250, 288]
    assert rejected(here.state) == ()


def test_a_job_the_centre_has_forgotten_is_posted_again_soon(here: Both, way: Road) -> None:
    here.link(here.asset(uuid4().hex), POWER)
    here.keep(POWER, MEASURED, measured(5))
    posts = jobs(way, lambda _values, n: "GONE" if n == 1 else "FINISHED")
    run_until(here, NOW + 2 * MINUTE)
    assert len(posts) == 2
    assert not here.waiting


def test_where_jobs_queue_up_no_more_are_made_than_help(here: Both, way: Road) -> None:
    here.link(here.asset(uuid4().hex), POWER)
    here.keep(POWER, MEASURED, measured(5))
    posts = jobs(way, lambda _values, _n: "QUEUED")
    run_until(here, NOW + timedelta(hours=1, minutes=15))
    assert len(posts) == 4  # at once, after 10, 30 and 70 minutes


def test_new_values_go_before_what_waited(here: Both, way: Road) -> None:
    here.most = here.live = 10
    here.begin()
    here.link(here.asset(uuid4().hex), POWER)
    here.keep(POWER, MEASURED, measured(100))
    here.settle()
    starts = [datetime.fromisoformat(loads(body)["start"]) for _, _, body in way.posts]
    assert starts == sorted(starts, reverse=True)
    assert starts[0] == measured(100)[90][0]


def test_every_sensor_has_its_turn(here: Both, way: Road) -> None:
    here.most = here.live = 10
    here.begin()
    asset = here.asset(uuid4().hex)
    sensors = [Sensor(f"meter{n}.power", "kW", FIVE) for n in range(3)]
    links = [here.link(asset, one) for one in sensors]
    for sensor in sensors:
        here.keep(sensor, MEASURED, measured(100))
    here.settle()
    of = [int(path.split("/")[-2]) for _, path, _ in way.posts]
    for n in range(3, len(of) + 1, 3):
        assert {of[:n].count(link.central_id) for link in links} == {n // 3}


def test_backfill_keeps_to_its_budget(here: Both) -> None:
    here.rules = CentreRules(budget_kb_per_min=3)
    here.most = here.live = 20
    here.begin()
    here.link(here.asset(uuid4().hex), POWER)
    here.keep(POWER, MEASURED, measured(288))
    begun = here.now
    here.settle()
    sent = here.upload.counts()["bytes"]
    minutes = (here.now - begun) / MINUTE
    assert 3000 * minutes > sent - 3000 - 2 * 1000
    assert minutes > 2


def test_a_centre_is_told_means_of_its_own_resolution(here: Both) -> None:
    quarter = 3 * FIVE
    link = here.link(here.asset(uuid4().hex), POWER, resolution=quarter)
    here.keep(POWER, MEASURED, measured(287))
    here.settle()
    values = [value for *_, value in measured(288)]
    wanted = [sum(values[n : n + 3]) / 3 for n in range(0, 285, 3)]
    assert here.there(link, START, 95, step=quarter) == pytest.approx(wanted)
    here.begin()
    here.keep(POWER, MEASURED, measured(1, 287))
    here.settle()
    assert here.there(link, START, 96, step=quarter)[-1] == pytest.approx(sum(values[285:]) / 3)
    assert here.count(link) == 96


def test_on_change_sends_nothing_twice_after_a_restart(here: Both, way: Road) -> None:
    here.rules = CentreRules(report=Report(strategy="on-change", dead_band=0.5))
    here.begin()
    link = here.link(here.asset(uuid4().hex), POWER)
    values = [float(n // 10) for n in range(100)]
    rows = [(e, b, v) for (e, b, _), v in zip(measured(100), values, strict=True)]
    for n in range(100):
        here.keep(POWER, MEASURED, rows[n : n + 1])
        if n % 7 == 0:
            here.settle()
            here.begin()
    here.settle()
    assert here.count(link) == 10
    assert sum(len(loads(body)["values"]) for _, _, body in way.posts) == 10


def test_instants_go_up_with_their_belief_times(here: Both) -> None:
    soc = Sensor("battery.soc", "%")
    asset = here.asset(uuid4().hex)
    measured_there, planned = here.link(asset, soc), here.link(asset, soc, "schedule")
    here.keep(soc, MEASURED, [(START + FIVE * n, START + FIVE * n, float(n)) for n in range(9)])
    for minute in (0, 7):
        at_once = START + minute * MINUTE
        rows = [(START + FIVE * n, at_once, float(n + minute)) for n in range(2, 9)]
        here.keep(soc, SCHEDULER, rows)
    here.settle()
    assert here.there(measured_there, START, 9) == [float(n) for n in range(9)]
    for minute, first in ((6, 2.0), (7, 9.0)):
        told = here.there(planned, START, 9, prior=START + minute * MINUTE)
        assert told == [None, None, *(first + n for n in range(7))]


def test_what_a_scope_does_not_cover_stays_here(here: Both, way: Road) -> None:
    here.rules = CentreRules(scopes=("forecasts",))
    here.begin()
    asset = here.asset(uuid4().hex)
    here.link(asset, POWER)
    forecast = here.link(asset, POWER, "forecast")
    here.keep(POWER, MEASURED, measured(5))
    here.keep(POWER, FORECASTER, [(NOW, NOW - MINUTE, 1.0)])
    for _ in range(5):
        here.step()
    assert {path.split("/")[-2] for _, path, _ in way.posts} == {str(forecast.central_id)}


def test_what_is_new_is_sent_at_the_gateway_s_own_second(here: Both, way: Road) -> None:
    here.link(here.asset(uuid4().hex), POWER)
    here.settle()
    due = here.step()
    assert timedelta(0) < due - here.now <= here.rules.send_every
    here.keep(POWER, MEASURED, measured(1))
    here.now = due - MINUTE
    before = len(way.posts)
    here.now = due
    here.step()
    assert len(way.posts) == before + 1


def test_who_asks_need_not_wait(here: Both, way: Road) -> None:
    here.link(here.asset(uuid4().hex), POWER)
    here.settle()
    here.step()
    here.keep(POWER, MEASURED, measured(1))
    here.now += timedelta(seconds=1)
    here.step()
    assert len(way.posts) == 1


def test_killed_at_any_time_it_takes_up_where_it_was(
    served: Served, way: Road, tmp_path: Path
) -> None:
    way.fate, way.answer = lambda _: (GOOD, 0), lambda _: None
    folder = tmp_path / "ours"
    with both(folder, served, way.url) as here:
        link = here.link(here.asset(uuid4().hex), POWER)
        planned = here.link(here.asset(uuid4().hex), POWER, "schedule")
        here.keep(POWER, MEASURED, measured(288))
        for turn in range(6):
            at_once = START + turn * MINUTE
            rows = [(START + FIVE * n, at_once, float((n + turn) % 3)) for n in range(2, 60)]
            here.keep(POWER, SCHEDULER, rows)
    killed = 0
    for n in (1, 2, 5, 9, 4):
        way.seen.clear()
        there = Event()

        def fate(_one: object, n: int = n, there: Event = there) -> tuple[str, int]:
            if len(way.posts) >= n:
                there.set()
            return GOOD, 0

        way.fate = fate
        words = [
            sys.executable,
            "-m",
            "tests.gateway.sync.sending",
            str(folder),
            served.url,
            way.url,
        ]
        with Popen(words) as child:
            assert there.wait(timeout=60)
            child.kill()
        killed += child.returncode == -SIGKILL
    assert killed == 5
    way.fate = lambda _: (GOOD, 0)
    with both(folder, served, way.url) as here:
        here.settle()
        assert here.there(link, START, 288) == [value for *_, value in measured(288)]
        assert here.count(link) == 288
        for turn in range(6):
            told = here.there(planned, START, 60, prior=START + turn * MINUTE)
            assert told[2:] == [float((n + turn) % 3) for n in range(2, 60)]
        assert here.count(planned) == 6 * 58
        assert rejected(here.state) == ()


WHAT = st.sampled_from(
    ["measure", "correct", "forecast", "plan", "step", "settle", "crash", "later"]
)
NO = "no"
"""A request with values is refused: 422."""
FATES = st.sampled_from([GOOD, GOOD, GOOD, LOST, CUT, HALF, BUSY, BROKEN, ODD, NO])
History = list[tuple[str, int, int]]


@dataclass
class Told:
    """What was believed here: of each sensor what counts, however it went up."""

    rows: dict[str, dict[tuple[datetime, datetime], float]] = field(default_factory=dict)

    def newest(self, role: str, n: int, until: datetime | None = None) -> list[float | None]:
        held: list[float | None] = [None] * n
        since = [NOW - timedelta(days=9999)] * n
        for (event, believed), value in self.rows.get(role, {}).items():
            place = (event - START) // FIVE
            if believed >= since[place] and (until is None or believed <= until):
                held[place], since[place] = value, believed
        return held


EVENTS = 8


def play(here: Both, history: History) -> Told:
    """Let things happen here, one after the other; time goes on with each."""
    told = Told()
    moment = START
    measured = 0
    for what, first, value in history:
        moment += MINUTE
        if what == "measure" and measured < EVENTS:
            event = START + FIVE * measured
            told.rows.setdefault("", {})[event, event + FIVE] = float(value)
            here.keep(POWER, MEASURED, [(event, event + FIVE, float(value))])
            measured += 1
        elif what == "correct" and measured:
            event = START + FIVE * (first % measured)
            believed = START + FIVE * EVENTS + (moment - START)
            told.rows.setdefault("", {})[event, believed] = float(value)
            here.keep(POWER, MEASURED, [(event, believed, float(value))])
        elif what in ("forecast", "plan"):
            role, source = (
                ("forecast", FORECASTER) if what == "forecast" else ("schedule", SCHEDULER)
            )
            rows = [(START + FIVE * k, moment, float(value)) for k in range(first % EVENTS, EVENTS)]
            told.rows.setdefault(role, {}).update({(e, b): v for e, b, v in rows})
            here.keep(POWER, source, rows)
        elif what == "step":
            here.step()
        elif what == "settle":
            here.settle()
        elif what == "crash":
            here.begin()
        else:
            here.now += MINUTE
    here.settle()
    return told


@dataclass(frozen=True)
class Case:
    """What happens here and on the way, and how things are sent."""

    history: History
    fates: list[tuple[str, int]]
    order: Literal["newest-first", "oldest-first"]
    live: int
    most: int
    large: int
    """So many values in one request at most: more are 413."""
    all_plans: bool
    """Or the last of each hour."""


CASES = st.builds(
    Case,
    history=st.lists(st.tuples(WHAT, st.integers(0, 7), st.integers(0, 2)), max_size=30),
    fates=st.lists(st.tuples(FATES, st.integers(0, 2000)), max_size=12),
    order=st.sampled_from(["newest-first", "oldest-first"]),
    live=st.integers(1, 5),
    most=st.integers(1, 9),
    large=st.integers(1, 9),
    all_plans=st.booleans(),
)


@settings(max_examples=25)
@given(case=CASES)
def test_whatever_happens_all_is_there_in_the_end(served: Served, way: Road, case: Case) -> None:
    """Random histories over a bad road; equal values at every belief time, and none twice."""
    left = list(case.fates)

    def answer(one: tuple[str, str, bytes]) -> tuple[int, bytes] | None:
        if one[0] != "POST" or not one[1].endswith("/data"):
            return None
        if left and left[0][0] == NO:
            left.pop(0)
            return 422, b'{"message": "not now"}'
        return (413, b"{}") if len(loads(one[2])["values"]) > case.large else None

    way.answer = answer
    way.fate = lambda one: left.pop(0) if left and one[0] == "POST" else (GOOD, 0)
    plans_every = timedelta(hours=not case.all_plans)
    rules = CentreRules(backfill=case.order, plans_every=plans_every)
    with TemporaryDirectory() as name, both(Path(name), served, way.url, rules=rules) as here:
        here.live, here.most = case.live, case.most
        here.begin()
        asset = here.asset(uuid4().hex)
        links = {role: here.link(asset, POWER, role) for role in ("", "forecast", "schedule")}
        told = play(here, case.history)
        while retry(here.state):
            here.settle()
        for role, link in links.items():
            whole = case.all_plans or not role
            times = {believed for _, believed in told.rows.get(role, {})} if whole else set()
            for time in (None, *times):
                found = here.there(link, START, EVENTS, prior=time)
                assert found == told.newest(role, EVENTS, time), (role, time)
            asked = Asked((), most_recent=False)
            held = here.beliefs.ask((POWER.name,), asked, here.outbox.which(link))
            assert here.count(link) == len(held) or (not whole and here.count(link) < len(held))
        assert not here.waiting
        assert here.state.unwanted.all() == {}
