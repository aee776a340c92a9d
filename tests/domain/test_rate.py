from datetime import UTC, datetime, timedelta

import pytest

from flexedge.domain.rate import Rate, rate_of

NOW = datetime(2026, 4, 21, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("500 per minute", Rate(500, MINUTE)),
        ("10 per 5 minutes", Rate(10, 5 * MINUTE)),
        ("1/second", Rate(1, timedelta(seconds=1))),
        (" 20 Per 2 Days ", Rate(20, timedelta(days=2))),
        ("Unlimited", None),
    ],
)
def test_rates_are_written_as_plans_have_them(text: str, rate: Rate | None) -> None:
    assert rate_of(text) == rate


@pytest.mark.parametrize("text", ["", "many", "0 per minute", "5 per 0 minutes", "-1 per day", "5"])
def test_other_texts_are_no_rates(text: str) -> None:
    with pytest.raises(ValueError, match="should be a rate such as"):
        rate_of(text)


def test_a_bucket_holds_what_the_rate_says_and_refills_evenly() -> None:
    rate, full = Rate(3, MINUTE), NOW
    for _ in range(3):
        assert rate.wait(full, NOW) == timedelta(0)
        full = rate.full(full, NOW)
    assert rate.wait(full, NOW) == timedelta(seconds=20)
    later = NOW + timedelta(seconds=20)
    assert rate.wait(full, later) == timedelta(0)
    full = rate.full(full, later)
    assert rate.wait(full, later) == timedelta(seconds=20)
    assert rate.wait(full, later + MINUTE) == timedelta(0)
