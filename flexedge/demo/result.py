"""The arithmetic of a run's result, and the table people read."""

from collections.abc import Mapping

from flexedge.demo.report import Report, Result, Totals

_DAY_S = 86400.0


def energy_balance_error(
    told_kwh: Mapping[str, float | None],
    true_kwh: Mapping[str, float],
    throughput_kwh: Mapping[str, float],
) -> float:
    """How far the stored energies are from the true ones, as a share of what truly flowed.

    Sums |told - true| over the sensors; a sensor that was not told counts with all that flowed.
    """
    missed = sum(
        throughput_kwh[name] if told_kwh.get(name) is None else abs((told_kwh[name] or 0.0) - true)
        for name, true in true_kwh.items()
    )
    flowed = sum(throughput_kwh.values())
    return missed / flowed if flowed else 0.0


def result_of(report: Report, totals: Totals) -> Result:
    """Put the site's truth and the gateway's account together."""
    ours, theirs = report.managed, report.unmanaged
    site_s = report.now - report.start
    return Result(
        energy_balance_error=energy_balance_error(
            totals.energies_kwh, ours.energies_kwh, ours.throughput_kwh
        ),
        site_limit_exceeded_s=ours.site_limit_exceeded_s,
        site_limit_exceeded_s_unmanaged=theirs.site_limit_exceeded_s,
        cost=ours.cost,
        cost_unmanaged=theirs.cost,
        saving=(theirs.cost - ours.cost) / abs(theirs.cost) if theirs.cost else 0.0,
        setpoints=totals.setpoints,
        plans=totals.plans,
        errors=totals.errors,
        rss_mb=totals.rss_mb,
        grid_import_kwh=ours.grid_import_kwh,
        grid_export_kwh=ours.grid_export_kwh,
        grid_import_kwh_unmanaged=theirs.grid_import_kwh,
        grid_export_kwh_unmanaged=theirs.grid_export_kwh,
        ev_shortfall_kwh=ours.ev_shortfall_kwh,
        ev_shortfall_kwh_unmanaged=theirs.ev_shortfall_kwh,
        cold_degree_days=ours.cold_degree_days,
        cold_degree_days_unmanaged=theirs.cold_degree_days,
        stored_change_kwh=ours.stored_change_kwh,
        stored_change_kwh_unmanaged=theirs.stored_change_kwh,
        stored_value=ours.stored_value,
        stored_value_unmanaged=theirs.stored_value,
        energies_kwh=totals.energies_kwh,
        energies_true_kwh=ours.energies_kwh,
        released=all(control.released for control in report.controls.values()),
        site_s_per_wall_s=site_s / report.wall_s if report.wall_s else 0.0,
        seed=report.seed,
        days=site_s / _DAY_S,
    )


def table(result: Result) -> str:
    """The result for people."""
    stored = ", ".join(f"{name} {kwh:+.1f}" for name, kwh in result.stored_change_kwh.items())
    left_alone = ", ".join(
        f"{name} {kwh:+.1f}" for name, kwh in result.stored_change_kwh_unmanaged.items()
    )
    rows = [
        ("", "with flexedge", "left alone"),
        ("cost (EUR)", f"{result.cost:.2f}", f"{result.cost_unmanaged:.2f}"),
        ("grid import (kWh)", *_pair(result, "grid_import_kwh")),
        ("grid export (kWh)", *_pair(result, "grid_export_kwh")),
        ("above the limit (s)", *_pair(result, "site_limit_exceeded_s")),
        ("car short at departure (kWh)", *_pair(result, "ev_shortfall_kwh")),
        ("too cold (degree-days)", *_pair(result, "cold_degree_days")),
        ("stored energy (kWh)", stored, left_alone),
        ("  its value (EUR)", f"{result.stored_value:.2f}", f"{result.stored_value_unmanaged:.2f}"),
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    plans, setpoints = result.plans, result.setpoints
    written = (
        f"setpoints: {setpoints.written} written, {setpoints.verified} verified, "
        f"{setpoints.clamped} clamped, {setpoints.refused} refused"
    )
    planned = (
        f"plans: {plans.count}, {plans.infeasible} infeasible, slowest {plans.seconds_max:.2f} s"
    )
    health = (
        f"energy stored differs from the truth by {result.energy_balance_error:.2%}; "
        f"{result.errors} errors; {result.rss_mb:.0f} MB; "
        f"{result.site_s_per_wall_s:.0f} site seconds per second"
    )
    saving = f"saving {result.saving:.1%} over {result.days:.2f} days of seed {result.seed}"
    return "\n".join([*lines, "", saving, written, planned, health])


def _pair(result: Result, name: str) -> tuple[str, str]:
    ours, theirs = getattr(result, name), getattr(result, f"{name}_unmanaged")
    return f"{ours:.1f}", f"{theirs:.1f}"
