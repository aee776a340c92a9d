from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from flexedge.domain.rate import Rate
from flexedge.domain.rights import NOBODY, Caller
from flexedge.store.tables.accounts import Account, Plan
from flexedge.web.api import limits
from flexedge.web.api.limits import Buckets, Limits
from flexedge.web.api.op import Rejected
from flexedge.web.api.parts import Parts
from tests.web.conftest import NOW

ANNA, BEN = Caller("user", 1, "Anna", 1), Caller("user", 2, "Ben", 1)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Usual:
    requests: str = "3 per minute"
    triggers: str = "2 per 5 minutes"


def plan(parts: Parts, **fields: object) -> None:
    state = parts.state
    number = state.plans.add(Plan("small", **fields))  # type: ignore[arg-type]
    if not state.accounts.all():
        state.accounts.add(Account("Home"))
    state.accounts.change(1, replace(state.accounts.all()[1], plan_id=number))


def counted(made: Limits, caller: Caller, now: datetime = NOW, address: str = "a") -> bool:
    try:
        made.count(caller, address, now)
    except Rejected:
        return False
    return True


def triggered(made: Limits, caller: Caller, asset: int | None = 1) -> bool:
    try:
        made.check_trigger(caller, asset, NOW)
    except Rejected:
        return False
    made.count_trigger(caller, asset, NOW)
    return True


def test_too_many_requests_wait_as_long_as_is_told(parts: Parts) -> None:
    made = Limits(parts.state, Usual())
    assert [counted(made, ANNA) for _ in range(4)] == [True, True, True, False]
    with pytest.raises(Rejected) as caught:
        made.count(ANNA, "a", NOW)
    assert caught.value.status == 429
    wait = timedelta(seconds=int(caught.value.headers["Retry-After"]))
    assert wait == timedelta(seconds=20)
    assert not counted(made, ANNA, NOW + wait - timedelta(microseconds=1))
    assert counted(made, ANNA, NOW + wait)


def test_each_user_and_each_address_has_a_bucket(parts: Parts) -> None:
    made = Limits(parts.state, Usual("1 per minute"))
    assert counted(made, ANNA)
    assert not counted(made, replace(ANNA, token_id=5))
    assert counted(made, BEN)
    assert counted(made, NOBODY, address="a")
    assert not counted(made, NOBODY, address="a")
    assert counted(made, NOBODY, address="b")


def test_programs_on_the_machine_and_the_unlimited_are_not_counted(parts: Parts) -> None:
    made = Limits(parts.state, Usual("1 per minute"))
    assert all(counted(made, Caller("local")) for _ in range(9))
    plan(parts, default_rate_limit="unlimited", trigger_rate_limit="unlimited")
    assert all(counted(made, ANNA) for _ in range(9))
    assert all(triggered(made, ANNA) for _ in range(9))


def test_a_plan_says_less_or_more_from_when_it_is_given(parts: Parts) -> None:
    made = Limits(parts.state, Usual("1 per minute", "1 per day"))
    assert [counted(made, ANNA) for _ in range(2)] == [True, False]
    plan(parts, default_rate_limit="3 per minute", trigger_rate_limit="2 per day")
    assert counted(made, BEN)
    assert counted(made, BEN)
    assert [triggered(made, ANNA) for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(
    ("key", "same_asset", "other_asset", "other_user"),
    [
        (None, False, False, False),
        ("account", False, False, False),
        ("account-asset", False, True, False),
        ("user", False, False, True),
    ],
)
def test_triggers_are_counted_by_what_the_plan_says(
    parts: Parts, key: str | None, *, same_asset: bool, other_asset: bool, other_user: bool
) -> None:
    plan(parts, trigger_rate_limit="1 per day", rate_limit_key=key)
    made = Limits(parts.state, Usual())
    assert triggered(made, ANNA)
    assert triggered(made, ANNA) == same_asset
    assert triggered(made, ANNA, 2) == other_asset
    assert triggered(made, BEN) == other_user


def test_a_trigger_that_is_not_accepted_is_not_counted(parts: Parts) -> None:
    made = Limits(parts.state, Usual())
    for _ in range(9):
        made.check_trigger(ANNA, 1, NOW)
    assert triggered(made, ANNA)


def test_buckets_stay_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_KEYS", 100)
    buckets, rate = Buckets(), Rate(10, MINUTE)
    for number in range(1000):
        buckets.take(f"{number}", rate, NOW)
    assert len(buckets) == 100
    for number in range(200):
        buckets.take("one", rate, NOW + MINUTE + number * timedelta(seconds=6))
    assert len(buckets) == 1
