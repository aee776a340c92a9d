from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from flexedge.cloud.pace import Pace
from flexedge.config.centre import CentreRules
from flexedge.errors import CentreAway, RequestError
from flexedge.gateway.sync.office import hasty, pause
from tests.gateway.sync.linked import Here


def test_who_comes_second_waits_and_is_told_when_that_is_in_vain(here: Here) -> None:
    office = replace(here.office(), patience_s=0.0)
    with (
        office.turn(), pytest.raises(RequestError, match="made at a centre just now") as told,
        office.turn(),
    ):  # fmt: skip
        pytest.fail("two at once")
    assert told.value.status == 409
    with office.turn():
        pass  # it was given back


@pytest.mark.parametrize(("seconds", "waited"), [(None, 5.0), (7, 7.0), (4000, 300.0)])
def test_a_server_that_is_busy_is_waited_for(seconds: int | None, waited: float) -> None:
    after = None if seconds is None else timedelta(seconds=seconds)
    assert pause(CentreAway("main", "busy", "later", after)) == waited
    assert pause(CentreAway("main", "paced", "later", after)) == waited


def test_a_server_that_is_away_is_not() -> None:
    with pytest.raises(CentreAway, match="nobody there"):
        pause(CentreAway("main", "connect", "nobody there"))


def test_who_waits_asks_at_once_what_a_server_takes_in_a_minute(here: Here) -> None:
    here.rules = CentreRules(requests_per_min=60)
    pace = Pace(hasty(here.office(), "main").requests_per_min, Random(1))  # noqa: S311
    for _ in range(480):
        pace.take(here.now, 1)
    with pytest.raises(CentreAway):
        pace.take(here.now, 1)
    here.rules = CentreRules(requests_per_min=10_000)
    assert hasty(here.office(), "main").requests_per_min == 10_000
