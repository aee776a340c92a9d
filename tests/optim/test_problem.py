"""Nothing but finite numbers of the right shape gets to the solver."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from flexedge.domain.series import TimeGrid
from flexedge.optim.device import Coupling, Device, SocBound, Soft, Storage
from flexedge.optim.market import Commitment, Connection, Group, Market, Scenario
from flexedge.optim.problem import Problem

START = datetime(2026, 11, 24, tzinfo=UTC)
GRID = TimeGrid(START, timedelta(minutes=15), 3)
STORAGE = Storage("car", 1.0, 0.0, 2.0)
CAR = Device("car", np.zeros(3), np.ones(3), STORAGE)
MARKET = Market(np.zeros(3), np.ones(3), np.ones(3))
SITE = Problem(GRID, (CAR,), (MARKET,))
NAN = float("nan")
ONES = np.ones(3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"import_price": np.array([1, NAN, 1])}, "import_price is not a finite number in step 1"),
        ({"export_price": np.ones(2)}, r"export_price has shape \(2,\) on a grid of 3 steps"),
        ({"inflexible_kw": np.array([np.inf, 0, 0])}, "inflexible_kw is not a finite number"),
        ({"inflexible_kw": np.array([None] * 3)}, "inflexible_kw should be a number"),
        ({"connection": Connection(power_capacity_kw=NAN)}, "connection power_capacity_kw is not"),
        ({"connection": Connection(consumption_capacity_kw=np.ones(2))}, "or 3 of them"),
        ({"connection": Connection(peak_price=-2.0)}, "connection peak_price should be at least"),
        ({"connection": Connection(used_kw=np.ones(2))}, "connection used_kw should be a number"),
        ({"commodity": "gas"}, "car belongs to electricity, which has no market"),
    ],
)
def test_a_wrong_market_is_refused_by_field(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SITE, markets=(replace(MARKET, **change),))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"devices": (CAR, CAR)}, "devices need names, each its own"),
        ({"grid": TimeGrid(START, timedelta(minutes=15), 0)}, "the grid has no steps"),
        ({"markets": (MARKET, MARKET)}, "every commodity needs one market"),
        ({"groups": (Group("g", ("van",)),)}, "group g holds van, which is no device"),
        ({"groups": (Group("g", ("car",), 0.0, -1.0),)}, "group g power_capacity_kw should be"),
        ({"groups": (Group("g", ("car",), consumption_capacity=Soft(-1.0, 1.0)),)},
         "group g consumption_capacity limit should be"),
        ({"commitments": (Commitment("c", ONES, ONES, ONES, ("van",)),)}, "c binds van, which"),
        ({"commitments": (Commitment("c", np.ones(2), ONES, ONES, ("car",)),)}, "baseline_kw"),
        ({"commitments": (Commitment("c", ONES, ONES * NAN, ONES, ("car",)),)}, "up_price is not"),
        ({"scenarios": (Scenario(1.0, ONES, ONES, ONES),)}, "should leave some for the forecast"),
        ({"scenarios": (Scenario(0.0, ONES, ONES, ONES),)}, "needs a probability above 0"),
        ({"scenarios": (Scenario(0.5, np.ones(1), ONES, ONES),)}, "scenario 0 inflexible_kw has"),
        ({"risk_weight": 2.0}, "risk_weight should lie between 0 and 1"),
    ],
)  # fmt: skip
def test_a_wrong_problem_is_refused_by_field(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SITE, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"min_kw": np.zeros(2)}, "car min_kw has shape"),
        ({"max_kw": np.array([1, 1, NAN])}, "car max_kw is not a finite number in step 2"),
        ({"max_kw": np.array([1.0, -1.0, 1.0])}, "car min_kw lies above max_kw in step 1"),
        ({"charging_efficiency": -0.1}, "car charging_efficiency should be at least"),
        ({"discharging_efficiency": 0.0}, "car discharging_efficiency should be at least"),
        ({"share": 0.0}, "car share should lie above 0"),
        ({"share": np.array([0.5, 1.0, 1.1])}, "car share should lie above 0 and be at most 1"),
        ({"discharging_efficiency": np.ones(4)}, "car discharging_efficiency should be a number"),
        ({"consumption_capacity": Soft(1.0, -1.0)}, "car consumption_capacity price should be"),
        ({"modes": ((2.0, 1.0),)}, "car modes go from the lower power to the higher"),
        ({"coupling": Coupling("chp", 0.0)}, "car coupling needs a coefficient that is not 0"),
    ],
)
def test_a_wrong_device_is_refused_by_name(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SITE, devices=(replace(CAR, **change),))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"soc_start_kwh": NAN}, "car soc_start_kwh is not a finite number"),
        ({"soc_max_kwh": NAN}, "car soc_max_kwh is not a number"),
        ({"soc_min_kwh": 3.0}, "car soc_min_kwh lies above soc_max_kwh"),
        ({"usage_kw": np.array([0, NAN, 0])}, "car usage_kw is not a finite number in step 1"),
        ({"storage_efficiency": 1.1}, "car storage_efficiency should be at most 1"),
        ({"minima_price": -1.0}, "car minima_price should be at least 0"),
        ({"minima": (SocBound(START.replace(tzinfo=None), 1.0),)}, "car minima need aware times"),
        ({"targets": (SocBound(START, NAN),)}, "car targets at .* is not a finite number"),
    ],
)
def test_a_wrong_storage_is_refused_by_name(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SITE, devices=(replace(CAR, storage=replace(STORAGE, **change)),))


def test_devices_that_hold_one_storage_share_it() -> None:
    van = replace(CAR, name="van")
    own = replace(CAR, name="bus", storage=replace(STORAGE))
    shared = replace(SITE, devices=(CAR, van, own)).storages
    assert [[d.name for d in devices] for _, devices in shared] == [["car", "van"], ["bus"]]
    assert SITE.site is MARKET
