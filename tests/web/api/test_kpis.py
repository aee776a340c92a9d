from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from flexedge.web.api.kpis import operations
from tests.web.api.asking import NOW, platform


def test_key_figures_are_told_in_order_without_those_that_are_gone(tmp_path: Path) -> None:
    with platform(tmp_path, operations) as here:
        home, state = here.asset("home"), here.parts.state
        cost = here.sensor(home, "cost", "EUR", timedelta(days=1))
        here.believe(cost, NOW, [5, 7.5], NOW)
        asset = state.assets.get(home)
        assert asset is not None
        figures = [{"title": "Cost", "sensor": cost}, {"title": "x", "sensor": 99},
                   {"sensor": cost, "function": "max"}]  # fmt: skip
        state.assets.change(home, replace(asset, sensors_to_show_as_kpis=figures))
        span = {"start": NOW.isoformat(), "end": (NOW + timedelta(days=2)).isoformat()}
        told = here.ask("GET", "/api/v3_0/assets/{id}/kpis", home, span).body.model_dump()
    assert told == {"data": [
        {"title": "Cost", "unit": "EUR", "sensor": cost, "downsample_value": 12.5,
         "downsample_function": "sum"},
        {"title": "cost", "unit": "EUR", "sensor": cost, "downsample_value": 7.5,
         "downsample_function": "max"},
    ]}  # fmt: skip
