from datetime import UTC, datetime, timedelta

from flexedge.domain.belief import Quality, Reading
from flexedge.gateway.latest import Latest

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_only_fresh_and_usable_values_may_drive_anything() -> None:
    latest = Latest()
    latest.put([Reading("a", NOW, 1.5), Reading("b", NOW, 9.0, Quality.IMPLAUSIBLE)])
    assert latest.value("a", NOW + 5 * SECOND, 5 * SECOND) == 1.5
    assert latest.value("a", NOW + 6 * SECOND, 5 * SECOND) is None
    assert latest.value("b", NOW, 5 * SECOND) is None
    assert latest.value("c", NOW, 5 * SECOND) is None


def test_an_older_reading_never_replaces_a_newer_one() -> None:
    latest = Latest()
    latest.put([Reading("a", NOW, 1.0)])
    latest.put([Reading("a", NOW - SECOND, 2.0)])
    reading = latest.get("a")
    assert reading is not None
    assert reading.value == 1.0


def test_missing_replaces_an_older_value() -> None:
    latest = Latest()
    latest.put([Reading("a", NOW, 1.0)])
    latest.put([Reading("a", NOW + SECOND, None, Quality.MISSING)])
    assert latest.value("a", NOW + SECOND, 5 * SECOND) is None
