"""Starts: what they cost, how long they bind, and what was before the schedule."""

from typing import Any

import pytest

from flexedge.errors import BadField
from flexedge.optim.device import Running
from tests.optim.request.asking import BATTERY, asked, at

LEAST = {"minimum-power": "1 kW"}


def running(**entry: Any) -> Running | None:
    kebab = {key.replace("_", "-"): value for key, value in entry.items()}
    return asked([{**BATTERY, **LEAST, **kebab}]).problem.devices[0].running


def test_starts() -> None:
    found = running(
        start_up_cost="0.5 EUR", minimum_up_time="PT90M", minimum_down_time="PT2H",
        maximum_starts_per_day=3, on_at_start=True, starts_today=2,
    )  # fmt: skip
    assert found == Running(0.5, 2, 2, 3, True, 0, 2)
    assert running(start_up_cost=2) == Running(2.0)
    assert running() is None


def test_a_device_that_draws_power_at_the_start_is_on() -> None:
    assert running(start_up_cost=1, power_at_start="1 kW") == Running(1.0, on_before=True)
    assert running(start_up_cost=1, power_at_start="0 kW") == Running(1.0)


@pytest.mark.parametrize(
    ("on", "since", "held"),
    [(True, -1.5, 2), (True, -3.25, 0), (True, 0, 3), (False, -0.5, 1), (False, -5, 0)],
)
def test_what_switched_not_long_ago_stays_for_a_while(on: bool, since: float, held: int) -> None:  # noqa: FBT001 (a parameter)
    hour = since % 24
    day = "2026-11-23" if since < 0 else "2026-11-24"
    moment = f"{day}T{at(hour)[11:]}"
    found = running(minimum_up_time="PT3H", minimum_down_time="PT1H", on_at_start=on,
                    last_switched=moment)  # fmt: skip
    assert found is not None
    assert (found.on_before, found.held_steps) == (on, held)


def test_days_are_those_of_the_clock_on_site() -> None:
    start = "2026-11-24T22:00:00+01:00"
    days = asked([BATTERY], request={"start": start}).problem.day_of_step
    assert [day - days[0] for day in days] == [0, 0, 1, 1]


def test_a_ramp_slower_than_the_least_power_needs_to_know_when_it_starts() -> None:
    assert running(ramp_up_limit="0.5 kW/h") == Running()
    assert running(ramp_up_limit="1 kW/h") is None


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"start_up_cost": "cheap"}, "should be an amount of money"),
        ({"start_up_cost": "1 EURO"}, "should be an amount of money"),
        ({"start_up_cost": "1 USD"}, "start-up-cost: is in USD, but flex-context.consumption-"),
        ({"maximum_starts_per_day": -1}, "should be a whole number that is not negative"),
        ({"maximum_starts_per_day": 1.5}, "should be a whole number"),
        ({"starts_today": 1}, "starts-today: means nothing without one of"),
        ({"starts_today": 1, "start_up_cost": 1}, "nothing without maximum-starts-per-day"),
        ({"on_at_start": True}, "on-at-start: means nothing without one of start-up-cost"),
        ({"minimum_up_time": "PT1H", "last_switched": at(0)}, "needs on-at-start"),
        ({"minimum_up_time": "PT1H", "on_at_start": True, "last_switched": at(2)},
         "last-switched: should not lie after the start"),
        ({"start_up_cost": 1, "on_at_start": False, "power_at_start": "1 kW"},
         "on-at-start: contradicts power-at-start, 1 kW"),
        ({"start_up_cost": 1, "minimum_power": None}, "start-up-cost: needs to know how little"),
        ({"minimum_up_time": "PT1H", "minimum_power": None,
          "operation_modes": [{"consumption-range": ["0 kW", "2 kW"]}]}, "add minimum-power, or"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_its_path(entry: Any, told: str) -> None:
    with pytest.raises(BadField) as caught:
        running(**entry)
    assert told in str(caught.value)
