import pytest
from pydantic import ValidationError

from flexedge.demo.report import Report, Setpoints
from flexedge.demo.simulation import Simulation


def test_a_report_survives_the_wire() -> None:
    report = Simulation(1, 1776117600.0).report("report", 2.0)
    assert Report.model_validate_json(report.model_dump_json()) == report


def test_reports_are_frozen() -> None:
    setpoints = Setpoints(written=1, verified=1, clamped=0, refused=0)
    with pytest.raises(ValidationError):
        setpoints.written = 2  # type: ignore[misc]
