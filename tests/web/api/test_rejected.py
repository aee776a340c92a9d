from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from flexedge.domain.asset import Sensor
from flexedge.domain.rights import NOBODY, Caller
from flexedge.domain.runs import Run
from flexedge.errors import CentreRefused
from flexedge.gateway.sync.unwanted import set_aside
from flexedge.store.tables.centres import Link
from flexedge.web.api.op import Rejected
from flexedge.web.api.parts import Parts
from flexedge.web.api.rejected import operations
from flexedge.wire.sync import AskRejected, AskRetry, RejectedListTold, RetriedTold
from tests.gateway.conftest import Hut, World, blank, hut
from tests.gateway.sync.duties import MAIN
from tests.web.api.edge import HEAD, MEMBER, STRANGER, call, parts_of

__all__ = ["blank", "hut"]
BAD = CentreRefused("main", 422, "UNPROCESSABLE_ENTITY", "no such value")
FIVE = timedelta(minutes=5)


@pytest.fixture
def world(hut: Hut) -> World:
    return hut("battery")


@pytest.fixture
def parts(world: World) -> Parts:
    """Two centres; three runs refused by the first, one by the other."""
    state = world.gateway.state
    sensor = state.sensor_id(Sensor("battery.power", "kW"))
    for name, count in (("main", 3), ("other", 1)):
        number = state.centres.add(replace(MAIN, name=name))
        link = Link(number, "sensor", sensor, 9)
        numbered = state.links.add(link), link
        for n in range(count):
            values = tuple(float(k) for k in range(10 if n else 1))
            run = Run(world.now + n * FIVE, FIVE, values, "kW", horizon=timedelta(0))
            set_aside(state, numbered, run, BAD, world.now)
    return replace(parts_of(world), centres=world.gateway.centres)


def rejected(parts: Parts, caller: Caller = MEMBER, **asked: Any) -> RejectedListTold:
    found: RejectedListTold = call(
        parts, operations(parts), "GET", "/sync/rejected", caller, query=AskRejected(**asked)
    ).body
    return found


def retry(parts: Parts, caller: Caller = HEAD, **asked: Any) -> RetriedTold:
    done: RetriedTold = call(
        parts, operations(parts), "POST", "/sync/retry", caller, body=AskRetry(**asked)
    ).body
    return done


def test_what_was_refused_is_told_the_newest_first(parts: Parts, world: World) -> None:
    told = rejected(parts)
    assert (told.count, told.dropped) == (4, {"main": 0, "other": 0})
    assert [(one.number, one.centre, one.count) for one in told.entries] == [
        (4, "other", 1), (3, "main", 10), (2, "main", 10), (1, "main", 1),
    ]  # fmt: skip
    one = told.entries[1]
    assert (one.sensor, one.unit, one.tries, one.again) == ("battery.power", "kW", 1, False)
    assert (one.start, one.end) == (world.now + 2 * FIVE, world.now + 12 * FIVE)
    assert one.values == tuple(float(k) for k in range(8))
    assert one.why == "422 UNPROCESSABLE_ENTITY: no such value"
    few = rejected(parts, centre="main", limit=2)
    assert (few.count, [one.number for one in few.entries]) == (3, [3, 2])


def test_some_are_tried_once_more_and_what_is_gone_is_told(parts: Parts) -> None:
    told = retry(parts, numbers=(2, 4, 77))
    assert (told.numbers, told.gone, told.message) == ((2, 4), (77,), "11 values tried once more.")
    assert [one.number for one in rejected(parts).entries if one.again] == [4, 2]
    assert retry(parts, numbers=(2, 4), centre="other").numbers == (4,)
    nothing = retry(parts, numbers=(77,))
    assert (nothing.numbers, nothing.gone) == ((), (77,))
    assert "nothing of that kind" in nothing.message


def test_all_are_tried_once_more(parts: Parts) -> None:
    assert retry(parts, all=True, centre="main").numbers == (1, 2, 3)
    assert retry(parts, all=True).numbers == (1, 2, 3, 4)


def test_what_is_given_up_is_gone_and_that_is_noted(parts: Parts) -> None:
    assert retry(parts, numbers=(1, 3), drop=True).message == "11 values given up."
    assert [one.number for one in rejected(parts).entries] == [4, 2]
    entry = parts.state.audit.newest(1)[0]
    assert (entry.who, entry.account_id) == ("hans", 1)
    assert entry.what == "Gave up 11 values that centres refused"
    assert len((entry.before or {})["values"]) == 2
    assert retry(parts, all=True, drop=True).numbers == (2, 4)
    assert rejected(parts).count == 0


def test_nothing_is_guessed(parts: Parts) -> None:
    for asked in ({}, {"drop": True}, {"numbers": (1,), "all": True}):
        with pytest.raises(Rejected) as error:
            retry(parts, **asked)
        assert error.value.status == 422
    for ask in (lambda: rejected(parts, centre="mian"),
                lambda: retry(parts, all=True, centre="mian")):  # fmt: skip
        with pytest.raises(Rejected) as error:
            ask()
        assert error.value.status == 404
    assert rejected(parts).count == 4


def test_members_look_and_heads_decide(parts: Parts) -> None:
    for caller in (MEMBER, STRANGER, NOBODY):
        with pytest.raises(Rejected) as error:
            retry(parts, caller, all=True)
        assert error.value.status == 403
    with pytest.raises(Rejected):
        rejected(parts, STRANGER)
