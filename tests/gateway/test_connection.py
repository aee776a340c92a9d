import numpy as np
import pytest

from flexedge.gateway.connection import guarded
from flexedge.optim.market import Connection


def unasked() -> tuple[float, float]:
    raise AssertionError("nobody wants to know")


def test_limits_are_kept_below_by_a_margin() -> None:
    asked = Connection(
        power_capacity_kw=np.array([10.0, 0.2]), consumption_capacity_kw=8.0, phase_capacity_kw=3.0
    )
    kept = guarded(asked, 0.6, unasked)
    assert list(np.asarray(kept.power_capacity_kw)) == pytest.approx([9.4, 0.0])
    assert kept.consumption_capacity_kw == pytest.approx(7.4)
    assert kept.production_capacity_kw is None
    assert kept.phase_capacity_kw == pytest.approx(2.8)


def test_peaks_that_were_had_cost_nothing_more() -> None:
    asked = Connection(peak_price=5.0, peak_consumption_kw=2.0, peak_production_kw=4.0)
    kept = guarded(asked, 0.0, lambda: (3.0, 1.0))
    assert (kept.peak_consumption_kw, kept.peak_production_kw) == (3.0, 4.0)
