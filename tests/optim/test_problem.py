"""Nothing but finite numbers of the right shape gets to the solver."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from flexedge.domain.series import TimeGrid
from flexedge.optim.problem import Connection, Device, Problem, SocBound, Storage, per_step

START = datetime(2026, 11, 24, tzinfo=UTC)
GRID = TimeGrid(START, timedelta(minutes=15), 3)
STORAGE = Storage(1.0, 0.0, 2.0)
CAR = Device("car", np.zeros(3), np.ones(3), STORAGE)
SITE = Problem(GRID, (CAR,), np.zeros(3), np.ones(3), np.ones(3))
NAN = float("nan")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"import_price": np.array([1, NAN, 1])}, "import_price is not a finite number in step 1"),
        ({"export_price": np.ones(2)}, r"export_price has shape \(2,\) on a grid of 3 steps"),
        ({"inflexible_kw": np.array([np.inf, 0, 0])}, "inflexible_kw is not a finite number"),
        ({"inflexible_kw": np.array([None] * 3)}, "inflexible_kw should be a number"),
        ({"soc_breach_price": -1.0}, "soc_breach_price should be at least 0"),
        ({"devices": (CAR, CAR)}, "devices need names, each its own"),
        ({"grid": TimeGrid(START, timedelta(minutes=15), 0)}, "the grid has no steps"),
        ({"connection": Connection(power_capacity_kw=NAN)}, "connection power_capacity_kw is not"),
        ({"connection": Connection(consumption_capacity_kw=np.ones(2))}, "or 3 of them"),
        ({"connection": Connection(peak_price=-2.0)}, "connection peak_price should be at least"),
        ({"soc_breach_price": np.ones(3)}, "soc_breach_price should be one number"),
    ],
)  # fmt: skip
def test_a_wrong_site_is_refused_by_field(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SITE, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"min_kw": np.zeros(2)}, "car min_kw has shape"),
        ({"max_kw": np.array([1, 1, NAN])}, "car max_kw is not a finite number in step 2"),
        ({"max_kw": np.array([1.0, -1.0, 1.0])}, "car min_kw lies above max_kw in step 1"),
    ],
)
def test_a_wrong_device_is_refused_by_name(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SITE, devices=(replace(CAR, **change),))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"soc_start_kwh": NAN}, "car soc_start_kwh is not a finite number"),
        ({"soc_min_kwh": 3.0}, "car soc_min_kwh lies above soc_max_kwh"),
        ({"usage_kw": np.array([0, NAN, 0])}, "car usage_kw is not a finite number in step 1"),
        ({"charging_efficiency": 0.0}, "car charging_efficiency should be at least"),
        ({"discharging_efficiency": np.ones(4)}, "car discharging_efficiency should be a number"),
        ({"storage_efficiency": 1.1}, r"car storage_efficiency should lie in \(0, 1\]"),
        ({"minima": (SocBound(START.replace(tzinfo=None), 1.0),)}, "car minima need aware times"),
        ({"targets": (SocBound(START, NAN),)}, "car targets at .* is not a finite number"),
    ],
)
def test_a_wrong_storage_is_refused_by_name(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SITE, devices=(replace(CAR, storage=replace(STORAGE, **change)),))


def test_one_number_stands_for_all_steps() -> None:
    assert list(per_step(2.0, 3)) == [2.0, 2.0, 2.0]
    assert list(per_step(np.array([1.0, 2.0]), 2)) == [1.0, 2.0]
