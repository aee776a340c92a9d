from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flexedge.gateway.service.kpis import Figure, Kpi, figures, kpi
from tests.web.api.asking import NOW, SCHEDULER, Platform, platform

DAY = timedelta(days=1)
MIDNIGHT = datetime(2026, 10, 23, 22, tzinfo=UTC)  # in Amsterdam; the 25th has 25 hours


def told(here: Platform, number: int, function: str | None, *days: int) -> Kpi:
    one = here.parts.state.placed.get(number)
    assert one is not None
    start, end = (MIDNIGHT + day * DAY + timedelta(hours=day > 1) for day in days)
    return kpi(here.parts.beliefs, one, function, start, end)


def test_only_what_is_a_key_figure_counts() -> None:
    assert figures([{"title": "a", "sensor": 1, "function": "max"}, 7, "x", {"title": "b"},
                    {"sensor": 2, "function": "median"}]) == [
        Figure("a", 1, "max"), Figure("", 7), Figure("", 2)]  # fmt: skip


def test_days_are_added_up_also_where_clocks_change(tmp_path: Path) -> None:
    with platform(tmp_path) as here:
        cost = here.sensor(here.asset("site"), "cost", "EUR", DAY)
        for day, value in enumerate((5, 7.126, 8)):  # 24, 25 (of 25 hours), 26 October
            here.believe(cost, MIDNIGHT + day * DAY + timedelta(hours=day > 1), [value], NOW)
        assert told(here, cost, None, 0, 3) == Kpi(20.13, "EUR", "sum")
        assert told(here, cost, None, 1, 2) == Kpi(7.13, "EUR", "sum")
        assert told(here, cost, "max", 0, 3).value == 8
        assert told(here, cost, "min", 0, 3).value == 5
        assert told(here, cost, "mean", 0, 3).value == 6.71
        assert told(here, cost, None, 5, 9) == Kpi(0.0, "EUR", "sum")


def test_of_each_event_only_what_was_believed_last_counts(tmp_path: Path) -> None:
    with platform(tmp_path) as here:
        share = here.sensor(here.asset("site"), "share", "%", DAY)
        here.believe(share, MIDNIGHT, [10, 20], NOW - DAY)
        here.believe(share, MIDNIGHT, [30], NOW, SCHEDULER)
        assert told(here, share, None, 0, 3) == Kpi(25.0, "%", "mean")


@pytest.mark.parametrize(("unit", "kept"), [("kW", "kWh"), ("EUR", "EUR")])
def test_powers_of_less_than_a_day_become_energies(tmp_path: Path, unit: str, kept: str) -> None:
    with platform(tmp_path) as here:
        power = here.sensor(here.asset("site"), "power", unit)
        here.believe(power, MIDNIGHT, [4] * 96, NOW)
        assert told(here, power, None, 0, 1) == Kpi(96.0 if kept == "kWh" else 384.0, kept, "sum")
        assert told(here, power, "mean", 0, 1) == Kpi(4.0, unit, "mean")
