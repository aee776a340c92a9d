"""The centre hears that the gateway lives, and how it fares."""

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from flexedge.gateway.health import Health
from flexedge.gateway.sync.duty import Linked
from flexedge.gateway.sync.vitals import Vital, Waiting, vitals_of

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NOBODY = cast("Linked", None)


def test_what_is_told_of_a_gateway() -> None:
    health = Health()
    health.failed("meter", "no answer", NOW - 2 * MINUTE)
    health.answered("inverter", NOW)
    health.alarm("grid", "the meter is silent")
    waiting = Waiting(1200, timedelta(hours=3))
    vitals = vitals_of(health, ("meter", "inverter"), NOW - 90 * MINUTE, lambda *_: waiting)
    assert {one.name: (one.read(NOBODY, NOW), one.unit) for one in vitals} == {
        "gateway heartbeat": (1.0, ""),
        "gateway uptime": (1.5, "h"),
        "gateway devices away": (1.0, ""),
        "gateway alarms": (1.0, ""),
        "gateway sync lag": (180.0, "min"),
        "gateway queue": (1200.0, ""),
    }
    blind = vitals_of(health, (), NOW, lambda *_: None)
    assert [one.read(NOBODY, NOW) for one in blind][-2:] == [None, None]


@pytest.mark.parametrize(
    ("vital", "value", "last", "age", "worth"),
    [
        (Vital("beat", "", lambda *_: 1.0, every=None), 1.0, 1.0, 1, True),
        (Vital("uptime", "h", lambda *_: 1.0), 5.0, 4.9, 59, False),
        (Vital("uptime", "h", lambda *_: 1.0), 5.0, 4.0, 60, True),
        (Vital("alarms", "", lambda *_: 1.0, band=1.0), 1.0, 0.0, 5, True),
        (Vital("alarms", "", lambda *_: 1.0, band=1.0), 1.0, 1.0, 5, False),
        (Vital("lag", "min", lambda *_: 1.0, band=15.0), 14.0, 0.0, 5, False),
        (Vital("lag", "min", lambda *_: 1.0, band=15.0), 140.0, 100.0, 5, False),
        (Vital("lag", "min", lambda *_: 1.0, band=15.0), 0.0, 100.0, 5, True),
        (Vital("any", "", lambda *_: 1.0), 1.0, None, 0, True),
    ],
)
def test_what_changed_is_told_at_once_and_all_each_hour(
    vital: Vital,
    value: float,
    last: float | None,
    age: float,
    worth: bool,  # noqa: FBT001
) -> None:
    told = None if last is None else (NOW - age * MINUTE, last)
    assert vital.worth(value, told, NOW) is worth
