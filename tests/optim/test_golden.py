"""Cost parity with FlexMeasures on solved cases, where they are at hand beside the checkout."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flexedge.domain.series import FloatArray, Series, TimeGrid
from flexedge.domain.units import duration, parse_unit, quantity
from flexedge.optim.problem import Connection, Device, Problem, SocBound, Storage
from flexedge.optim.solve import solve

CASES = (
    "g01-battery-24h-15min",
    "g03-soc-targets-ev",
    "g05-soc-minima-unreachable",
    "g07-hard-targets",
    "g09-heat-buffer-usage-gain",
    "g10-storage-efficiency",
    "g13-site-capacity",
    "g15-peak-price",
    "g16-negative-prices",
    "g18-home-battery-ev-heat",
    "g23-15min-48h",
    "g30-dst-fall-back",
    "tut-v2g",
    "tut1-battery",
    "tut2-battery-solar",
    "tut3-pv-battery-block-prices",
    "tut3-pv-battery-da-prices",
    "tut3-pv-curtailment",
)


def _folder() -> Path | None:
    here = Path(__file__).resolve()
    found = (parent / "shared" / "golden" / "cases" for parent in here.parents)
    return next((folder for folder in found if folder.is_dir()), None)


FOLDER = _folder()


class Case:
    """A case's JSON, read into numbers on the grid of its schedule."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        request = data["request"]
        resolution = duration(data["scheduling-resolution"])
        start = datetime.fromisoformat(request["start"])
        self.grid = TimeGrid(start, resolution, duration(request["duration"]) // resolution)

    def stored(self, name: str) -> FloatArray:
        """A stored series, in kW or per kWh."""
        raw = self.data["series"][name]
        values = np.array([np.nan if v is None else v for v in raw["values"]], dtype=np.float64)
        grid = TimeGrid(
            datetime.fromisoformat(raw["start"]), duration(raw["resolution"]), len(values)
        )
        return Series(grid, values * parse_unit(raw["unit"]).factor).on(self.grid).values

    def _listed(self, segments: list[dict[str, str]]) -> FloatArray:
        values = np.full(self.grid.n, np.nan)
        times = self.grid.times()
        for segment in reversed(segments):
            start, end = _span(segment)
            inside = [start <= t < end for t in times]
            values[inside] = _amount(segment["value"])
        return values

    def series(self, field: Any) -> FloatArray:
        """A variable quantity: fixed, listed, or of a sensor."""
        if isinstance(field, dict):
            return self.stored(field["sensor"])
        if isinstance(field, list):
            return self._listed(field)
        return np.full(self.grid.n, _amount(field))

    def price(self, field: Any) -> FloatArray:
        """Prices are extended into the unknown by the nearest known one."""
        values = self.series(field)
        known = np.flatnonzero(~np.isnan(values))
        nearest = np.abs(np.arange(len(values))[:, None] - known[None, :]).argmin(axis=1)
        extended: FloatArray = values[known[nearest]]
        return extended

    def bounds(self, segments: list[dict[str, str]]) -> tuple[SocBound, ...]:
        """SoC events: at their moment, or at every tick of their span."""
        found = []
        for segment in segments:
            value = _amount(segment["value"])
            if "datetime" in segment:
                found.append(SocBound(datetime.fromisoformat(segment["datetime"]), value))
                continue
            start, end = _span(segment)
            ticks = [*self.grid.times(), self.grid.end]
            found += [SocBound(t, value) for t in ticks if start <= t <= end]
        return tuple(found)


def _amount(text: str) -> float:
    number, symbol = text.split(" ")
    unit = parse_unit(symbol)
    return float(number) * unit.factor


def _span(segment: dict[str, str]) -> tuple[datetime, datetime]:
    start = datetime.fromisoformat(segment["start"])
    end = segment.get("end")
    return start, datetime.fromisoformat(end) if end else start + duration(segment["duration"])


def _limits(case: Case, model: dict[str, Any]) -> tuple[FloatArray, FloatArray]:
    n = case.grid.n
    capacity = model.get("power-capacity", case.data["request"]["flex-context"].get(
        "site-power-capacity"))  # fmt: skip
    both = case.series(capacity) if capacity else None
    up, down = (
        case.series(model[field]) if field in model else both
        for field in ("consumption-capacity", "production-capacity")
    )
    up = np.zeros(n) if up is None else up if both is None else np.minimum(up, both)
    down = np.zeros(n) if down is None else down if both is None else np.minimum(down, both)
    return -np.nan_to_num(down), np.nan_to_num(up)


def _share(model: dict[str, Any], field: str) -> float:
    return quantity(model.get(field, 1.0), "share")


def _device(case: Case, model: dict[str, Any]) -> Device:
    low, high = _limits(case, model)
    if "soc-at-start" not in model:
        return Device(model["sensor"], low, high)
    one_way = _share(model, "roundtrip-efficiency") ** 0.5
    sensor = duration(case.data["sensors"][model["sensor"]]["resolution"])
    usage = sum((case.series(f) for f in model.get("soc-usage", [])), np.zeros(case.grid.n))
    gain = sum((case.series(f) for f in model.get("soc-gain", [])), np.zeros(case.grid.n))
    storage = Storage(
        soc_start_kwh=_amount(model["soc-at-start"]),
        soc_min_kwh=_amount(model.get("soc-min", "-10000 kWh")),
        soc_max_kwh=_amount(model["soc-max"]),
        minima=case.bounds(model.get("soc-minima", [])),
        maxima=case.bounds(model.get("soc-maxima", [])),
        targets=case.bounds(model.get("soc-targets", [])),
        usage_kw=usage - gain,
        charging_efficiency=_share(model, "charging-efficiency") * one_way,
        discharging_efficiency=_share(model, "discharging-efficiency") * one_way,
        storage_efficiency=_share(model, "storage-efficiency") ** (timedelta(minutes=15) / sensor),
    )
    return Device(model["sensor"], low, high, storage)


def problem_of(data: dict[str, Any]) -> Problem:
    case, context = Case(data), data["request"]["flex-context"]
    inflexible = np.zeros(case.grid.n)
    for key, sign in (("inflexible-consumption", 1.0), ("inflexible-production", -1.0)):
        for reference in context.get(key, []):
            inflexible += sign * np.nan_to_num(case.stored(reference["sensor"]))
    fields = {
        "power_capacity_kw": "site-power-capacity",
        "consumption_capacity_kw": "site-consumption-capacity",
        "production_capacity_kw": "site-production-capacity",
        "peak_consumption_kw": "site-peak-consumption",
        "peak_price": "site-peak-consumption-price",
    }
    connection: dict[str, Any] = {
        ours: case.series(context[theirs]) if "capacity" in ours else _amount(context[theirs])
        for ours, theirs in fields.items()
        if theirs in context
    }
    relaxed = context.get("relax-constraints", True)
    consumption = case.price(context["consumption-price"])
    production = context.get("production-price")
    return Problem(
        case.grid,
        tuple(_device(case, model) for model in data["request"]["flex-model"]),
        inflexible,
        consumption,
        consumption if production is None else case.price(production),
        Connection(**connection),
        **({} if relaxed else {"soc_breach_price": None}),
    )


def _reference(costs: dict[str, float]) -> float:
    """Energy and peaks, as FlexMeasures reports them."""
    return sum(v for k, v in costs.items() if k.endswith(("net energy", "peak")))


@pytest.mark.skipif(FOLDER is None, reason="no solved cases beside this checkout")
@pytest.mark.parametrize("name", CASES)
def test_cost_equals_that_of_flexmeasures(name: str) -> None:
    assert FOLDER is not None
    data = json.loads((FOLDER / f"{name}.json").read_text())
    theirs = _reference(data["result"]["flexmeasures-commitment-costs"])
    solution = solve(problem_of(data), timedelta(seconds=60))
    assert solution.cost == pytest.approx(theirs, rel=1e-5)
