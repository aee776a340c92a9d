"""Even runs of values."""

from datetime import UTC, datetime, timedelta

import pytest

from flexedge.domain.runs import Run, as_json

NOON = datetime(2026, 4, 14, 12, tzinfo=UTC)
FIVE = timedelta(minutes=5)
RUN = Run(NOON, FIVE, (1.0, None, 3.0, 4.0), "kW", horizon=timedelta(0))


def test_it_ends_with_its_last_event() -> None:
    assert RUN.end == NOON + 4 * FIVE


def test_a_part_keeps_its_times_and_what_was_believed_when() -> None:
    part = RUN.part(1, 2)
    assert part == Run(NOON + FIVE, FIVE, (None, 3.0), "kW", horizon=timedelta(0))
    assert RUN.part(3, 5).values == (4.0,)


def test_as_flexmeasures_wants_it() -> None:
    assert as_json(RUN) == {
        "start": "2026-04-14T12:00:00+00:00", "duration": "PT1200S",
        "values": [1.0, None, 3.0, 4.0], "unit": "kW", "horizon": "PT0S",
    }  # fmt: skip
    assert as_json(Run(NOON, FIVE, (1.0,), "kW", prior=NOON))["prior"] == NOON.isoformat()


@pytest.mark.parametrize("seconds", [0.5, 1e7, 3e8])
def test_durations_have_no_exponents(seconds: float) -> None:
    told = str(as_json(Run(NOON, timedelta(seconds=seconds), (1.0,), "kW"))["duration"])
    assert "e" not in told
    assert float(told[2:-1]) == seconds
