"""Bytes per minute."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from flexedge.gateway.sync.budget import Budget

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_without_a_budget_everything_goes() -> None:
    budget = Budget(None)
    budget.fill(NOW)
    assert budget.affords(10**9)
    assert budget.wait() == timedelta(0)


def test_a_minute_s_worth_goes_and_then_it_waits() -> None:
    budget = Budget(6.0)
    budget.fill(NOW)
    assert budget.affords(5000)
    assert budget.affords(4000)
    assert not budget.affords(1)
    assert 30.0 <= budget.wait().total_seconds() < 30.2
    budget.fill(NOW + timedelta(seconds=29))
    assert not budget.affords(1)
    budget.fill(NOW + timedelta(seconds=31))
    assert budget.affords(1)


def test_nothing_is_saved_up() -> None:
    budget = Budget(6.0)
    budget.fill(NOW)
    budget.fill(NOW + timedelta(days=1))
    assert budget.affords(6000)
    assert not budget.affords(1)


@given(sizes=st.lists(st.integers(1, 3000), max_size=300), step=st.floats(0.1, 30))
def test_an_hour_takes_no_more_than_its_minutes_allow(sizes: list[int], step: float) -> None:
    budget, sent = Budget(6.0), 0
    for n, size in enumerate(sizes):
        budget.fill(NOW + n * timedelta(seconds=step))
        sent += size if budget.affords(size) else 0
    minutes = len(sizes) * step / 60
    assert sent <= 6000 * (minutes + 1) + 3000
