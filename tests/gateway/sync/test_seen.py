"""When a central server is to call data stale."""

from datetime import timedelta

import pytest

from flexedge.gateway.sync.seen import status_specs

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("resolution", "every", "oldest"),
    [
        (5 * MINUTE, None, "PT15M"),
        (15 * MINUTE, None, "PT45M"),
        (timedelta(0), None, "PT15M"),
        (timedelta(0), 10 * MINUTE, "PT30M"),
        (5 * MINUTE, 2 * HOUR, "PT360M"),
    ],
)
def test_what_is_measured_is_stale_after_three_events(
    resolution: timedelta, every: timedelta | None, oldest: str
) -> None:
    assert status_specs("", resolution, every) == {
        "staleness_search": {}, "max_staleness": oldest, "max_future_staleness": "PT0M",
    }  # fmt: skip


@pytest.mark.parametrize("role", ["forecast", "schedule"])
def test_what_looks_ahead_has_to_reach_far(role: str) -> None:
    assert status_specs(role, 15 * MINUTE) == {
        "staleness_search": {}, "max_staleness": "PT0M", "max_future_staleness": "-PT720M",
    }  # fmt: skip
    short = status_specs(role, 15 * MINUTE, horizon=12 * HOUR)
    assert short["max_future_staleness"] == "-PT240M"
    car = status_specs(role, 15 * MINUTE, every=timedelta(days=7))
    assert (car["max_staleness"], car["max_future_staleness"]) == ("PT10080M", "PT0M")
