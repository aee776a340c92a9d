import pytest

from flexedge.demo.report import Plans, Setpoints, Totals
from flexedge.demo.result import energy_balance_error, result_of, table
from flexedge.demo.simulation import Simulation


def test_the_error_is_a_share_of_what_flowed() -> None:
    true, flowed = {"a": 10.0, "b": -5.0}, {"a": 12.0, "b": 8.0}
    assert energy_balance_error(true, true, flowed) == 0.0
    assert energy_balance_error({"a": 11.0, "b": -5.5}, true, flowed) == pytest.approx(1.5 / 20)
    assert energy_balance_error({"a": 10.0, "b": None}, true, flowed) == pytest.approx(8 / 20)
    assert energy_balance_error({}, {}, {}) == 0.0


def test_a_result_puts_both_accounts_together() -> None:
    simulation = Simulation(1, 1776117600.0)
    simulation.advance(1776117600.0 + 3600)
    report = simulation.report("finished", 6.0)
    totals = Totals(
        energies_kwh=dict(report.managed.energies_kwh),
        setpoints=Setpoints(written=9, verified=8, clamped=1, refused=0),
        plans=Plans(count=12, infeasible=0, seconds_max=0.2),
        errors=0,
        rss_mb=99.0,
    )
    result = result_of(report, totals)
    assert result.energy_balance_error == 0
    assert result.cost == result.cost_unmanaged == report.managed.cost
    assert result.saving == 0
    assert result.released
    assert result.site_s_per_wall_s == 600
    assert result.days == pytest.approx(1 / 24)
    text = table(result)
    assert "9 written, 8 verified, 1 clamped, 0 refused" in text
    assert f"{result.cost_unmanaged:.2f}" in text
